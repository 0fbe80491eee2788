"""What people decided on links, which pairs they refused, and what uncertain links are worth."""

from sqlalchemy import (
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from tcgtracker.database.tables.base import metadata
from tcgtracker.database.types import UtcSeconds, UtcTime, checked_text
from tcgtracker.domain.catalog import LinkAction, LinkState
from tcgtracker.domain.source import Source

# One row a link and act of a person: what the link was, what it became, and what the vendor said of
# the product at that moment. `batch` is one act; `vendor_product_id` is of the history database.
# Printings by name: a merge of two cards takes them over.
link_decisions = Table(
    "link_decisions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("batch", Uuid, nullable=False),
    checked_text("action", LinkAction),
    checked_text("source", Source),
    Column("external_id", Text, nullable=False),
    Column("sub_key", Text, nullable=False, server_default=""),
    Column("vendor_product_id", Integer, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("decided_at", UtcTime, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    Column("stated", Text, nullable=False, server_default=""),
    checked_text("old_state", LinkState),
    Column("old_card_id", Integer, ForeignKey("cards.id")),
    Column("old_printing", Text, nullable=False, server_default=""),
    Column("old_score", Float(precision=53), nullable=False),
    Column("old_evidence", Text, nullable=False, server_default=""),
    Column("old_rule_version", Text, nullable=False, server_default=""),
    Column("old_checked_at", UtcTime, nullable=False),
    Column("old_decided_by", Text, nullable=False, server_default=""),
    checked_text("new_state", LinkState),
    Column("new_card_id", Integer, ForeignKey("cards.id")),
    Column("new_printing", Text, nullable=False, server_default=""),
    Column("undone_at", UtcTime),
    Column("undone_by", Text, nullable=False, server_default=""),
    Index("ix_link_decisions_product", "vendor_product_id"),
    Index("ix_link_decisions_batch", "batch"),
)

# A product that is not this card (printing '': under no sub key), or not this printing of it. By
# the vendor's own identity, so that it outlives links, purges and imports. `claim_*` is what
# was claimed of an own id when it was refused, for an undo.
rejected_links = Table(
    "rejected_links",
    metadata,
    Column("id", Integer, primary_key=True),
    checked_text("source", Source),
    Column("external_id", Text, nullable=False),
    Column("sub_key", Text, nullable=False, server_default=""),
    Column("card_id", Integer, ForeignKey("cards.id"), nullable=False),
    Column("printing", Text, nullable=False, server_default=""),
    Column("batch", Uuid, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("decided_at", UtcTime, nullable=False),
    Column("claim_origin", Text, nullable=False, server_default=""),
    Column("claim_evidence", Text, nullable=False, server_default=""),
    UniqueConstraint("source", "external_id", "sub_key", "card_id", "printing"),
    Index("ix_rejected_links_card", "card_id"),
    Index("ix_rejected_links_batch", "batch"),
)

# The newest market price of a product whose link is uncertain, so that the dearest are looked at
# first; made with the card quotes. A table apart from the links: prices and links are written by
# transactions that must not wait for each other's rows.
link_values = Table(
    "link_values",
    metadata,
    Column("vendor_product_id", Integer, primary_key=True, autoincrement=False),
    Column("card_id", Integer, ForeignKey("cards.id"), nullable=False),
    Column("market_price", Integer, nullable=False),
    Column("currency", Text, nullable=False),
    Column("priced_at", UtcSeconds, nullable=False),
    Index("ix_link_values_card", "card_id"),
)

# The usual ratio of two sources' prices of the same thing, by price band. Natural logarithms of
# right over left; `band` -1 is all of them together. `state`: ungraded, sealed, or a grade.
source_ratios = Table(
    "source_ratios",
    metadata,
    Column("game_id", Integer, ForeignKey("games.id"), nullable=False),
    checked_text("left_source", Source),
    checked_text("right_source", Source),
    Column("state", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("band", Integer, nullable=False, autoincrement=False),
    Column("center", Float(precision=53), nullable=False),
    Column("spread", Float(precision=53), nullable=False),
    Column("pairs", Integer, nullable=False),
    Column("learned_at", UtcTime, nullable=False),
    PrimaryKeyConstraint("game_id", "left_source", "right_source", "state", "currency", "band"),
)
