"""Games, sets, cards, printings, and the ties of vendors' products to them."""

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from tcgtracker.database.tables.base import metadata
from tcgtracker.database.types import UtcSeconds, UtcTime, checked_text
from tcgtracker.domain.catalog import LinkState, ProductType
from tcgtracker.domain.source import Source

games = Table(
    "games",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("slug", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
)

tcg_sets = Table(
    "tcg_sets",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("game_id", Integer, ForeignKey("games.id"), nullable=False),
    Column("code", Text, nullable=False),
    Column("region", Text, nullable=False, server_default=""),
    Column("name", Text, nullable=False),
    Column("series", Text, nullable=False, server_default=""),
    Column("release_date", Date),
    Column("total_cards", Integer),
    UniqueConstraint("game_id", "code"),
)

# Other names and codes of a set: `tcgplayer:605`, `cardmarket:1523`, a printed code.
set_aliases = Table(
    "set_aliases",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("game_id", Integer, ForeignKey("games.id"), nullable=False),
    Column("alias", Text, nullable=False),
    Column("set_id", Integer, ForeignKey("tcg_sets.id"), nullable=False),
    Column("evidence", Text, nullable=False, server_default=""),
    UniqueConstraint("game_id", "alias"),
)

cards = Table(
    "cards",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("set_id", Integer, ForeignKey("tcg_sets.id"), nullable=False),
    Column("collector_number", Text, nullable=False),
    Column("art", Text, nullable=False, server_default=""),
    Column("name", Text, nullable=False),
    Column("rarity", Text, nullable=False, server_default=""),
    Column("image_url", Text, nullable=False, server_default=""),
    checked_text("product_type", ProductType),
    Column("last_price_update", UtcSeconds),
    Column("next_check_at", UtcTime),
    # checks in a row that no source answered: each doubles the wait
    Column("unanswered", Integer, nullable=False, server_default="0"),
    UniqueConstraint("set_id", "collector_number", "art"),
    Index("ix_cards_name", "name"),
    Index("ix_cards_next_check", "next_check_at"),
)

printings = Table(
    "printings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("card_id", Integer, ForeignKey("cards.id"), nullable=False),
    Column("name", Text, nullable=False),
    UniqueConstraint("card_id", "name"),
)

# One row: counts the transactions that changed the catalog, so that the search index knows.
catalog_version = Table(
    "catalog_version",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
)

# Under which key each catalog knows a card (`tcgdex:intl:base4-1`, `tcgplayer:42444`): what makes a
# second import of a file, and a second catalog, find the card again.
card_aliases = Table(
    "card_aliases",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("alias", Text, nullable=False, unique=True),
    Column("card_id", Integer, ForeignKey("cards.id"), nullable=False),
    Index("ix_card_aliases_card", "card_id"),
)

# What a catalog says of a vendor's product id: it proves the card, not the printing. Links of the
# priced products (with their sub keys) are derived from it. `variant` says what is special about
# the product (a stamp, a foil pattern, a size), `origin` which catalog says all this.
card_products = Table(
    "card_products",
    metadata,
    Column("id", Integer, primary_key=True),
    checked_text("source", Source),
    Column("external_id", Text, nullable=False),
    Column("card_id", Integer, ForeignKey("cards.id"), nullable=False),
    Column("printing", Text, nullable=False, server_default=""),
    Column("variant", Text, nullable=False, server_default=""),
    Column("origin", Text, nullable=False, server_default=""),
    Column("evidence", Text, nullable=False, server_default=""),
    # how sure it is, 0 to 1; less than 1 where words alone say it
    Column("score", Float(precision=53), nullable=False, server_default="1"),
    UniqueConstraint("source", "external_id", "card_id"),
    Index("ix_card_products_card", "card_id"),
)

# What a vendor says of its own product, as it said it last: the evidence of links, compared with
# the card again at each fetch. `tcgplayer_id` is TCGplayer's product id that the vendor states.
stated_products = Table(
    "stated_products",
    metadata,
    Column("id", Integer, primary_key=True),
    checked_text("source", Source),
    Column("external_id", Text, nullable=False),
    Column("game", Text, nullable=False, server_default=""),
    Column("name", Text, nullable=False),
    Column("set_name", Text, nullable=False, server_default=""),
    Column("number", Text, nullable=False, server_default=""),
    Column("rarity", Text, nullable=False, server_default=""),
    Column("printing", Text, nullable=False, server_default=""),
    Column("tcgplayer_id", Text, nullable=False, server_default=""),
    Column("url", Text, nullable=False, server_default=""),
    checked_text("product_type", ProductType),
    Column("first_seen_at", UtcTime, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
    UniqueConstraint("source", "external_id"),
    Index("ix_stated_products_tcgplayer", "tcgplayer_id"),
)

# `vendor_product_id` is of the history database, hence no foreign key. One row a vendor product.
product_links = Table(
    "product_links",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("vendor_product_id", Integer, nullable=False, unique=True),
    checked_text("source", Source),
    Column("card_id", Integer, ForeignKey("cards.id"), nullable=False),
    Column("printing_id", Integer, ForeignKey("printings.id")),
    checked_text("state", LinkState),
    Column("score", Float(precision=53), nullable=False, server_default="1"),
    Column("evidence", Text, nullable=False, server_default=""),
    Column("rule_version", Text, nullable=False, server_default=""),
    Column("checked_at", UtcTime, nullable=False),
    Column("decided_by", Text, nullable=False, server_default=""),
    # when a reviewer left it for later; a new reason to look at it clears this
    Column("skipped_at", UtcTime),
    Index("ix_product_links_card", "card_id", "state"),
    Index("ix_product_links_state", "state"),
)

# One row per card and source with a trusted link, for lists and the headline price; rebuilt from
# history and links by a reader of the change sets.
card_quotes = Table(
    "card_quotes",
    metadata,
    Column("card_id", Integer, ForeignKey("cards.id"), primary_key=True, autoincrement=False),
    Column("source", Text, primary_key=True),
    Column("series_id", Integer, nullable=False),
    Column("scope_id", Integer),
    Column("currency", Text, nullable=False),
    Column("market_price", Integer),
    Column("observed_at", UtcSeconds),
    # whether the price still stands there; a price that is gone keeps its last look
    Column("listed", Boolean(create_constraint=False), nullable=False),
    Index("ix_card_quotes_series", "series_id"),
    Index("ix_card_quotes_scope", "scope_id"),
)

# What a user says that a card costs. It is the user's alone: no statistic, trend, comparison or
# headline reads this table. `printing` is a name, so that a merge of cards cannot lose it.
manual_prices = Table(
    "manual_prices",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("user_id", Uuid, ForeignKey("users.id"), nullable=False),
    Column("card_id", Integer, ForeignKey("cards.id"), nullable=False),
    Column("printing", Text, nullable=False, server_default=""),
    Column("variant", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("amount", Integer, nullable=False),
    Column("observed_at", UtcTime, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    Column("created_at", UtcTime, nullable=False),
    Index("ix_manual_prices_user", "user_id", "card_id"),
    Index("ix_manual_prices_card", "card_id"),
)
