"""SQL of the review queue: uncertain links with what they are worth, the dearest first."""

import base64
import binascii
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, FromClause, Select, case, cast, func, select, tuple_
from sqlalchemy.types import Float

from tcgtracker.catalog.link_rows import chunks
from tcgtracker.catalog.views import Page
from tcgtracker.database.tables.catalog import (
    cards,
    games,
    printings,
    product_links,
    stated_products,
    tcg_sets,
)
from tcgtracker.database.tables.links import link_values
from tcgtracker.domain.catalog import LinkState
from tcgtracker.domain.errors import InvalidInput
from tcgtracker.domain.source import Source

UNCERTAIN = (LinkState.UNKNOWN, LinkState.SUSPENDED)
MOST_ROWS = 200
_MOST_IDS = 2**31


@dataclass(frozen=True, slots=True)
class LinkFilter:
    """Which links: `states` in question by default; empty texts and None are no bound."""

    states: tuple[LinkState, ...] = UNCERTAIN
    source: Source | None = None
    game: str = ""
    rule_version: str = ""
    least_score: float | None = None


@dataclass(frozen=True, slots=True)
class LinkRecord:
    """A link as the main database has it.

    market_price: the product's newest market price in minor units of `currency`, None where the
    link is not in question or nothing was ever asked for it. value: the price, weighted by how
    uncertain the link is.
    """

    id: int
    vendor_product_id: int
    source: Source
    card_id: int
    card_name: str
    collector_number: str
    rarity: str
    set_name: str
    game: str
    printing: str
    state: LinkState
    score: float
    evidence: str
    rule_version: str
    checked_at: datetime
    decided_by: str
    skipped_at: datetime | None
    market_price: int | None
    currency: str
    priced_at: datetime | None
    value: float


def list_links(
    connection: Connection, wanted: LinkFilter, *, limit: int, cursor: str = ""
) -> Page[LinkRecord]:
    """Return links, those that were skipped last, else the most valuable first.

    Raises:
        InvalidInput: a limit or cursor that cannot be used.
    """
    if not 0 < limit <= MOST_ROWS:
        raise InvalidInput(f"limit is 1 to {MOST_ROWS}")
    # The order first, with no more than it needs: all links are put in order, a few are shown.
    tables = _asked(wanted).outerjoin(
        link_values, link_values.c.vendor_product_id == product_links.c.vendor_product_id
    )
    key = (_SKIPPED, -_VALUE, product_links.c.id)
    statement = _filtered(select(*key).select_from(tables), wanted)
    if cursor:
        statement = statement.where(tuple_(*key) > tuple_(*_decode(cursor)))
    rows = connection.execute(statement.order_by(*key).limit(limit + 1)).all()
    found = load_links(connection, [row[-1] for row in rows[:limit]])
    following = _encode(rows[limit - 1]) if len(rows) > limit else None
    # To a writer on PostgreSQL a link may have gone between the two statements.
    records = tuple(found[row[-1]] for row in rows[:limit] if row[-1] in found)
    return Page(rows=records, next_cursor=following)


def count_links(connection: Connection, wanted: LinkFilter) -> dict[LinkState, int]:
    """Return how many links there are in each of the wanted states."""
    statement = select(product_links.c.state, func.count()).select_from(_asked(wanted))
    rows = connection.execute(_filtered(statement, wanted).group_by(product_links.c.state))
    found = dict.fromkeys(wanted.states, 0)
    return found | {LinkState(row[0]): int(row[1]) for row in rows}


def load_links(connection: Connection, link_ids: Collection[int]) -> dict[int, LinkRecord]:
    """Return links by their ids."""
    return {
        row[0]: _record(row)
        for chunk in chunks(sorted(link_ids))
        for row in connection.execute(_LINKS.where(product_links.c.id.in_(chunk)))
    }


def links_of_products(
    connection: Connection, product_ids: Collection[int], *, lock: bool = False
) -> dict[int, LinkRecord]:
    """Return the links of vendor products, held against other writers if asked."""
    wanted = sorted(product_ids)
    if lock:
        for chunk in chunks(wanted):
            connection.execute(
                select(product_links.c.id)
                .where(product_links.c.vendor_product_id.in_(chunk))
                .order_by(product_links.c.id)
                .with_for_update()
            ).all()
    return {
        row[1]: _record(row)
        for chunk in chunks(wanted)
        for row in connection.execute(_LINKS.where(product_links.c.vendor_product_id.in_(chunk)))
    }


def links_at(
    connection: Connection, source: Source, card_id: int, printing: str
) -> list[LinkRecord]:
    """Return the trusted links of a source to a printing."""
    rows = connection.execute(
        _LINKS.where(
            product_links.c.source == source,
            product_links.c.card_id == card_id,
            printings.c.name == printing,
            product_links.c.state.in_([state for state in LinkState if state.trusted]),
        )
    )
    return [_record(row) for row in rows]


def seen_at(connection: Connection, source: Source, external_id: str) -> datetime | None:
    """Return when the vendor last said what the product is: each time it is compared again."""
    found: datetime | None = connection.scalar(
        select(stated_products.c.seen_at).where(
            stated_products.c.source == source, stated_products.c.external_id == external_id
        )
    )
    return found


_VALUE = cast(func.coalesce(link_values.c.market_price, 0), Float) * (1 - product_links.c.score)
_SKIPPED = case((product_links.c.skipped_at.is_(None), 0), else_=1).label("skipped")
_TABLES = (
    product_links.join(cards, cards.c.id == product_links.c.card_id)
    .join(tcg_sets, tcg_sets.c.id == cards.c.set_id)
    .join(games, games.c.id == tcg_sets.c.game_id)
    .outerjoin(printings, printings.c.id == product_links.c.printing_id)
    .outerjoin(link_values, link_values.c.vendor_product_id == product_links.c.vendor_product_id)
)
_LINKS = select(
    product_links.c.id,
    product_links.c.vendor_product_id,
    product_links.c.source,
    product_links.c.card_id,
    cards.c.name,
    cards.c.collector_number,
    cards.c.rarity,
    tcg_sets.c.name,
    games.c.slug,
    func.coalesce(printings.c.name, ""),
    product_links.c.state,
    product_links.c.score,
    product_links.c.evidence,
    product_links.c.rule_version,
    product_links.c.checked_at,
    product_links.c.decided_by,
    product_links.c.skipped_at,
    link_values.c.market_price,
    func.coalesce(link_values.c.currency, ""),
    link_values.c.priced_at,
    _VALUE,
).select_from(_TABLES)
_FIELDS = 21


def _asked(wanted: LinkFilter) -> FromClause:
    """Return the tables that a filter reads."""
    if not wanted.game:
        return product_links
    return (
        product_links.join(cards, cards.c.id == product_links.c.card_id)
        .join(tcg_sets, tcg_sets.c.id == cards.c.set_id)
        .join(games, games.c.id == tcg_sets.c.game_id)
    )


def _filtered(statement: Select[Any], wanted: LinkFilter) -> Select[Any]:
    statement = statement.where(product_links.c.state.in_(wanted.states))
    if wanted.source:
        statement = statement.where(product_links.c.source == wanted.source)
    if wanted.game:
        statement = statement.where(games.c.slug == wanted.game)
    if wanted.rule_version:
        statement = statement.where(product_links.c.rule_version == wanted.rule_version)
    if wanted.least_score is not None:
        statement = statement.where(product_links.c.score >= wanted.least_score)
    return statement


def _record(row: Sequence[Any]) -> LinkRecord:
    values = list(row[:_FIELDS])
    values[2], values[10] = Source(values[2]), LinkState(values[10])
    return LinkRecord(*values)


def _encode(key: Sequence[float]) -> str:
    return base64.urlsafe_b64encode(json.dumps([*key]).encode()).decode().rstrip("=")


def _decode(cursor: str) -> list[float]:
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        key = json.loads(base64.urlsafe_b64decode(padded))
        skipped, value, identifier = key
        kinds = (type(skipped), type(value), type(identifier))
        if kinds == (int, float, int) and skipped in (0, 1) and abs(identifier) < _MOST_IDS:
            return [skipped, value, identifier]
    except (binascii.Error, UnicodeError, ValueError, TypeError) as exc:
        raise InvalidInput("the cursor is not one that a list gave: begin without it") from exc
    raise InvalidInput("the cursor is not one that a list gave: begin without it")
