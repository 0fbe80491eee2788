"""Reads of the catalog for the faces: games, sets, cards with filters, a card with its links.

Lists are in the order of name, then id (names compare as the database compares text).
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, or_, select

from tcgtracker.catalog.link_rows import chunks
from tcgtracker.catalog.paging import read_page
from tcgtracker.catalog.price_filter import headline_within
from tcgtracker.catalog.views import (
    CardDetail,
    CardFilter,
    CardLink,
    CardRow,
    GameRow,
    Page,
    PrintingRow,
    SetRow,
)
from tcgtracker.database.tables.catalog import (
    card_aliases,
    cards,
    games,
    printings,
    product_links,
    set_aliases,
    tcg_sets,
)
from tcgtracker.database.tables.prices import vendor_products
from tcgtracker.domain.catalog import LinkState, ProductType, printing_rank
from tcgtracker.domain.errors import InvalidInput, NotFound
from tcgtracker.domain.ids import CardId, PrintingId, VendorProductId
from tcgtracker.domain.source import Source

_MAX_ID = 2**31 - 1


def list_games(connection: Connection) -> list[GameRow]:
    """Return all games by slug."""
    statement = (
        select(games.c.slug, games.c.name, func.count(tcg_sets.c.id))
        .select_from(games.outerjoin(tcg_sets))
        .group_by(games.c.slug, games.c.name)
        .order_by(games.c.slug)
    )
    return [GameRow(*row) for row in connection.execute(statement)]


def list_sets(
    connection: Connection,
    *,
    game: str = "",
    region: str | None = None,
    limit: int = 100,
    cursor: str = "",
) -> Page[SetRow]:
    """Return sets by name and id.

    Raises:
        InvalidInput: a limit or cursor that cannot be used.
        NotFound: no such game.
    """
    statement = _SETS
    if game:
        _require_game(connection, game)
        statement = statement.where(games.c.slug == game)
    if region is not None:
        statement = statement.where(tcg_sets.c.region == region)
    return read_page(
        connection, statement, (tcg_sets.c.name, tcg_sets.c.id), limit, cursor, _set_row
    )


def get_set(connection: Connection, reference: str) -> SetRow:
    """Return a set by its id as digits, its code or another of its names.

    Raises:
        NotFound: there is none.
    """
    identifier = _set_id(connection, reference)
    return _set_row(connection.execute(_SETS.where(tcg_sets.c.id == identifier)).one())


def list_cards(
    connection: Connection, wanted: CardFilter, *, limit: int = 50, cursor: str = ""
) -> Page[CardRow]:
    """Return cards by name and id.

    Raises:
        InvalidInput: a limit or cursor that cannot be used.
        NotFound: no such game or set.
    """
    for text in (wanted.game, wanted.set, wanted.rarity, wanted.q):
        _require_text(text)
    statement = _CARDS
    if wanted.game:
        _require_game(connection, wanted.game)
        statement = statement.where(games.c.slug == wanted.game)
    if wanted.set:
        statement = statement.where(cards.c.set_id == _set_id(connection, wanted.set))
    if wanted.rarity:
        statement = statement.where(cards.c.rarity == wanted.rarity)
    if wanted.product_type:
        statement = statement.where(cards.c.product_type == wanted.product_type)
    if wanted.q:
        statement = statement.where(_matches(wanted.q))
    if wanted.price:
        statement = statement.where(headline_within(wanted.price))
    return read_page(connection, statement, (cards.c.name, cards.c.id), limit, cursor, _card_row)


def get_card(connection: Connection, card_id: CardId) -> CardRow:
    """Return a card.

    Raises:
        NotFound: there is none.
    """
    found = get_cards(connection, [card_id])
    if not found:
        raise NotFound(f"there is no card {card_id}")
    return found[0]


def get_cards(connection: Connection, card_ids: Sequence[int]) -> list[CardRow]:
    """Return the cards that exist of these, in the order asked for."""
    valid = sorted({card_id for card_id in card_ids if 0 < card_id <= _MAX_ID})
    found = {
        row[0]: _card_row(row)
        for chunk in chunks(valid)
        for row in connection.execute(_CARDS.where(cards.c.id.in_(chunk)))
    }
    return [found[card_id] for card_id in card_ids if card_id in found]


def card_detail(connection: Connection, history: Connection, card_id: CardId) -> CardDetail:
    """Return a card with all that hangs on it.

    Raises:
        NotFound: there is none.
    """
    card = get_card(connection, card_id)
    names = connection.execute(
        select(printings.c.id, printings.c.name).where(printings.c.card_id == card_id)
    )
    aliases = connection.scalars(
        select(card_aliases.c.alias)
        .where(card_aliases.c.card_id == card_id)
        .order_by(card_aliases.c.alias)
    )
    return CardDetail(
        card=card,
        printings=tuple(
            sorted(
                (PrintingRow(PrintingId(row[0]), row[1]) for row in names),
                key=lambda printing: (printing_rank(printing.name), printing.name),
            )
        ),
        aliases=tuple(aliases),
        links=tuple(links_of_card(connection, history, card_id)),
    )


def trusted_links(connection: Connection, history: Connection, card_id: CardId) -> list[CardLink]:
    """Return the links through which a price of the card may be shown."""
    return [link for link in links_of_card(connection, history, card_id) if link.state.trusted]


def links_of_card(connection: Connection, history: Connection, card_id: CardId) -> list[CardLink]:
    """Return all links of a card, whatever their state, by source and product.

    A link whose product the history does not (any longer) have is left out.
    """
    rows = connection.execute(_LINKS.where(product_links.c.card_id == card_id)).all()
    products = {
        row[0]: row
        for chunk in chunks([row.vendor_product_id for row in rows])
        for row in history.execute(_PRODUCTS.where(vendor_products.c.id.in_(chunk)))
    }
    links = [
        CardLink(
            vendor_product_id=VendorProductId(row.vendor_product_id),
            source=Source(row.source),
            external_id=products[row.vendor_product_id].external_id,
            sub_key=products[row.vendor_product_id].sub_key,
            vendor_name=products[row.vendor_product_id].name,
            url=products[row.vendor_product_id].url,
            printing_id=PrintingId(row.printing_id) if row.printing_id else None,
            printing=row.printing or "",
            state=LinkState(row.state),
            evidence=row.evidence,
            checked_at=row.checked_at,
        )
        for row in rows
        if row.vendor_product_id in products
    ]
    return sorted(links, key=lambda link: (link.source, link.external_id, link.sub_key))


def find_cards(connection: Connection, text: str, *, limit: int = 20) -> list[CardRow]:
    """Return the cards that a user's text means, the exact ones alone when there are any.

    The text is a card's id, a catalog's key of a card (`tcgdex:intl:base4-1`, `tcgplayer:42444`),
    a whole name or number, or part of a name.

    Raises:
        InvalidInput: the text holds what no name can.
    """
    wanted = text.strip()
    _require_text(wanted)
    if not wanted:
        return []
    if _is_id(wanted) and (exact := get_cards(connection, [int(wanted)])):
        return exact
    by_key = connection.scalar(select(card_aliases.c.card_id).where(card_aliases.c.alias == wanted))
    if by_key is not None:
        return get_cards(connection, [by_key])
    statement = _CARDS.order_by(cards.c.name, cards.c.id).limit(limit)
    named = connection.execute(
        statement.where(
            or_(
                func.lower(cards.c.name) == wanted.lower(),
                cards.c.name == wanted,
                cards.c.collector_number == wanted,
            )
        )
    ).all()
    rows = named or connection.execute(statement.where(_matches(wanted))).all()
    return [_card_row(row) for row in rows]


_SETS = (
    select(
        tcg_sets.c.id,
        games.c.slug,
        tcg_sets.c.code,
        tcg_sets.c.region,
        tcg_sets.c.name,
        tcg_sets.c.series,
        tcg_sets.c.release_date,
        tcg_sets.c.total_cards,
        select(func.count()).where(cards.c.set_id == tcg_sets.c.id).scalar_subquery(),
    )
    .select_from(tcg_sets)
    .join(games)
)
_CARDS = (
    select(
        cards.c.id,
        games.c.slug,
        tcg_sets.c.id,
        tcg_sets.c.code,
        tcg_sets.c.name,
        tcg_sets.c.region,
        cards.c.collector_number,
        cards.c.art,
        cards.c.name,
        cards.c.rarity,
        cards.c.image_url,
        cards.c.product_type,
        cards.c.last_price_update,
    )
    .select_from(cards)
    .join(tcg_sets, tcg_sets.c.id == cards.c.set_id)
    .join(games, games.c.id == tcg_sets.c.game_id)
)
_LINKS = select(
    product_links.c.vendor_product_id,
    product_links.c.source,
    product_links.c.printing_id,
    printings.c.name.label("printing"),
    product_links.c.state,
    product_links.c.evidence,
    product_links.c.checked_at,
).select_from(product_links.outerjoin(printings, printings.c.id == product_links.c.printing_id))
_PRODUCTS = select(
    vendor_products.c.id,
    vendor_products.c.external_id,
    vendor_products.c.sub_key,
    vendor_products.c.name,
    vendor_products.c.url,
)


def _set_row(row: Sequence[Any]) -> SetRow:
    return SetRow(*row)


def _card_row(row: Sequence[Any]) -> CardRow:
    values = [*row]
    values[-2] = ProductType(values[-2])
    return CardRow(*values)


def _matches(q: str) -> ColumnElement[bool]:
    # SQLite folds ASCII letters only; the text as given finds what it cannot fold.
    return or_(
        func.lower(cards.c.name).contains(q.lower(), autoescape=True),
        cards.c.name.contains(q, autoescape=True),
        cards.c.collector_number == q,
    )


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= len(str(_MAX_ID))


def _require_text(text: str) -> None:
    """Refuse what no database compares with."""
    try:
        text.encode()
    except UnicodeEncodeError as exc:
        raise InvalidInput("the text is no valid Unicode") from exc
    if "\0" in text:
        raise InvalidInput("the text holds a NUL character")


def _require_game(connection: Connection, slug: str) -> None:
    _require_text(slug)
    if not connection.scalar(select(games.c.id).where(games.c.slug == slug)):
        raise NotFound(f"there is no game {slug!r}: 'games' lists them")


def _set_id(connection: Connection, reference: str) -> int:
    _require_text(reference)
    if _is_id(reference):
        found = connection.scalar(select(tcg_sets.c.id).where(tcg_sets.c.id == int(reference)))
    else:
        found = connection.scalar(
            select(tcg_sets.c.id).where(tcg_sets.c.code == reference)
        ) or connection.scalar(select(set_aliases.c.set_id).where(set_aliases.c.alias == reference))
    if found is None:
        raise NotFound(f"there is no set {reference!r}")
    return int(found)
