"""SQL of links and claims. The products are the history's, the rest the main database's."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from tcgtracker.database.dialects.base import DatabaseDialect
from tcgtracker.database.tables.catalog import (
    card_products,
    cards,
    printings,
    product_links,
    tcg_sets,
)
from tcgtracker.database.tables.prices import change_cursors, vendor_products
from tcgtracker.domain.catalog import ASIA, LinkState
from tcgtracker.domain.source import Source

CURSOR = "links"
_IN_LIST = 5_000
"""Values of one IN list: SQLite takes 32,766 parameters, PostgreSQL 65,535."""


@dataclass(frozen=True, slots=True)
class VendorProduct:
    """A product of the history side: the vendor's id and the printing as the vendor names it."""

    id: int
    source: Source
    external_id: str
    sub_key: str


class Origin(StrEnum):
    """Which rule tied a vendor's own product id to a card; other claims name their catalog."""

    TCG_ID = "tcg-id"
    """The product states TCGplayer's product id of the card, and its statement agrees."""
    OWN_ID = "own-id"
    """The vendor's own record made the card, or joined it."""
    NUMBER_AND_NAME = "number-and-name"
    """The only card of the set with that number and name."""
    MATCHED = "matched"
    """What both sides say in words fits this card and no other (`catalog/matching`)."""
    SUGGESTED = "suggested"
    """The words fit this card best, and not well enough to be trusted."""
    REFUSED = "refused"
    """An id points at the card and the statement does not agree: trusted for nothing."""
    SUSPENDED = "suspended"
    """It agreed once and does no longer; the evidence is what it was trusted for."""


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """What a catalog, or a vendor of its own product, says of a product id and a card."""

    external_id: str
    card_id: int
    printing: str
    variant: str
    origin: str
    evidence: str
    score: float = 1.0

    @property
    def trusted(self) -> bool:
        return not self.doubted and self.origin != Origin.SUSPENDED

    @property
    def doubted(self) -> bool:
        """Whether it never proved anything."""
        return self.origin in (Origin.REFUSED, Origin.SUGGESTED)


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A link with the name of its printing ('' for none). score: for writing, never compared."""

    vendor_product_id: int
    card_id: int
    printing: str
    state: LinkState
    evidence: str
    decided_by: str = ""
    score: float = field(default=0.0, compare=False)


def products_after(
    history: Connection, after: int, limit: int, *, source: Source | None = None
) -> list[VendorProduct]:
    """Return products with an id above `after`, in the order of their ids."""
    statement = _PRODUCTS.where(vendor_products.c.id > after)
    if source:
        statement = statement.where(vendor_products.c.source == source)
    rows = history.execute(statement.order_by(vendor_products.c.id).limit(limit))
    return [_product(row) for row in rows]


def products_of_ids(
    history: Connection, source: Source, external_ids: Collection[str]
) -> list[VendorProduct]:
    """Return the products of a source with these ids, in the order of their own ids."""
    found = [
        _product(row)
        for chunk in chunks(sorted(external_ids))
        for row in history.execute(
            _PRODUCTS.where(
                vendor_products.c.source == source, vendor_products.c.external_id.in_(chunk)
            )
        )
    ]
    return sorted(found, key=lambda product: product.id)


def claims_of_products(
    connection: Connection, source: Source, external_ids: Collection[str]
) -> list[ClaimRow]:
    return [
        ClaimRow(*row)
        for chunk in chunks(sorted(external_ids))
        for row in connection.execute(
            _CLAIMS.where(card_products.c.source == source, card_products.c.external_id.in_(chunk))
        )
    ]


def claims_of_cards(
    connection: Connection, source: Source, card_ids: Collection[int]
) -> list[ClaimRow]:
    return [
        ClaimRow(*row)
        for chunk in chunks(sorted(card_ids))
        for row in connection.execute(
            _CLAIMS.where(card_products.c.source == source, card_products.c.card_id.in_(chunk))
        )
    ]


def printings_of(connection: Connection, card_ids: Collection[int]) -> dict[int, dict[str, int]]:
    """Return the printings of cards: card id to name to printing id."""
    found: dict[int, dict[str, int]] = {card_id: {} for card_id in card_ids}
    columns = (printings.c.card_id, printings.c.name, printings.c.id)
    for chunk in chunks(sorted(card_ids)):
        for card_id, name, identifier in connection.execute(
            select(*columns).where(printings.c.card_id.in_(chunk))
        ):
            found[card_id][name] = identifier
    return found


def asian_of(connection: Connection, card_ids: Collection[int]) -> set[int]:
    """Return those of some cards that are of Asian sets."""
    return {
        card_id
        for chunk in chunks(sorted(card_ids))
        for card_id in connection.scalars(
            select(cards.c.id)
            .join(tcg_sets, tcg_sets.c.id == cards.c.set_id)
            .where(cards.c.id.in_(chunk), tcg_sets.c.region == ASIA)
        )
    }


def links_of(connection: Connection, product_ids: Collection[int]) -> dict[int, LinkRow]:
    """Return the links that are there, by vendor product."""
    return {
        row[0]: _link(row)
        for chunk in chunks(sorted(product_ids))
        for row in connection.execute(_LINKS.where(product_links.c.vendor_product_id.in_(chunk)))
    }


def decided_links(
    connection: Connection, source: Source, card_ids: Collection[int]
) -> dict[int, LinkRow]:
    """Return the trusted links that people decided of cards, by vendor product."""
    return {
        row[0]: _link(row)
        for chunk in chunks(sorted(card_ids))
        for row in connection.execute(
            _LINKS.where(
                product_links.c.source == source,
                product_links.c.card_id.in_(chunk),
                product_links.c.decided_by != "",
                product_links.c.state.in_([state for state in LinkState if state.trusted]),
            )
        )
    }


def external_ids_of(history: Connection, product_ids: Collection[int]) -> dict[int, str]:
    """Return the vendor's ids of vendor products."""
    return {
        row[0]: row[1]
        for chunk in chunks(sorted(product_ids))
        for row in history.execute(
            select(vendor_products.c.id, vendor_products.c.external_id).where(
                vendor_products.c.id.in_(chunk)
            )
        )
    }


def write_links(
    connection: Connection,
    source: Source,
    links: Sequence[LinkRow],
    *,
    present: Mapping[int, LinkRow],
    printings_by_card: dict[int, dict[str, int]],
    rule_version: str,
    checked_at: datetime,
) -> set[int]:
    """Insert or overwrite links, making the printings that are missing.

    present: the links that there were when these were decided, by vendor product; one that somebody
    has changed since stays as it is. Returns the cards that gained a printing.
    """
    missing = {
        (link.card_id, link.printing)
        for link in links
        if link.printing and link.printing not in printings_by_card[link.card_id]
    }
    if missing:
        connection.execute(
            insert(printings),
            [{"card_id": card_id, "name": name} for card_id, name in sorted(missing)],
        )
        printings_by_card |= printings_of(connection, {card_id for card_id, _ in missing})
    rows: list[dict[str, Any]] = [
        {
            "wanted": link.vendor_product_id,
            "vendor_product_id": link.vendor_product_id,
            "source": source,
            "card_id": link.card_id,
            "printing_id": printings_by_card[link.card_id][link.printing]
            if link.printing
            else None,
            "state": link.state,
            "score": link.score,
            "evidence": link.evidence,
            "rule_version": rule_version,
            "checked_at": checked_at,
            "decided_by": link.decided_by,
            "skipped_at": None,
        }
        # in one order for all, so that two writers cannot wait for each other
        for link in sorted(links, key=lambda one: one.vendor_product_id)
    ]
    changed = [
        {**_without(row, "vendor_product_id"), **_seen(present[row["wanted"]])}
        for row in rows
        if row["wanted"] in present
    ]
    new = [_without(row, "wanted") for row in rows if row["wanted"] not in present]
    if changed:
        connection.execute(_UPDATE, changed)
    if new:
        connection.execute(insert(product_links), new)
    return {card_id for card_id, _ in missing}


def load_cursor(connection: Connection) -> int:
    """Return the last vendor product that was looked at, 0 at the beginning."""
    statement = select(change_cursors.c.change_set_id).where(change_cursors.c.consumer == CURSOR)
    return int(connection.execute(statement).scalar() or 0)


def save_cursor(connection: Connection, dialect: DatabaseDialect, product_id: int) -> None:
    connection.execute(
        dialect.upsert(change_cursors, ["consumer"], ["change_set_id"]),
        {"consumer": CURSOR, "change_set_id": product_id},
    )


def chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Yield parts short enough for an IN list."""
    for start in range(0, len(values), _IN_LIST):
        yield values[start : start + _IN_LIST]


_PRODUCTS = select(
    vendor_products.c.id,
    vendor_products.c.source,
    vendor_products.c.external_id,
    vendor_products.c.sub_key,
)
_LINKS = select(
    product_links.c.vendor_product_id,
    product_links.c.card_id,
    printings.c.name,
    product_links.c.state,
    product_links.c.evidence,
    product_links.c.decided_by,
).select_from(product_links.outerjoin(printings, printings.c.id == product_links.c.printing_id))
_CLAIMS = select(
    card_products.c.external_id,
    card_products.c.card_id,
    card_products.c.printing,
    card_products.c.variant,
    card_products.c.origin,
    card_products.c.evidence,
    card_products.c.score,
)
_UPDATE = (
    update(product_links)
    .where(
        product_links.c.vendor_product_id == bindparam("wanted"),
        # A person may have decided since the rules read it: on PostgreSQL this waits for that.
        product_links.c.card_id == bindparam("seen_card"),
        product_links.c.state == bindparam("seen_state"),
        product_links.c.decided_by == bindparam("seen_decided_by"),
    )
    .values(
        {
            name: bindparam(name)
            for name in (
                "source",
                "card_id",
                "printing_id",
                "state",
                "score",
                "evidence",
                "rule_version",
                "checked_at",
                "decided_by",
                "skipped_at",
            )
        }
    )
)


def _product(row: Row[Any, Any, Any, Any]) -> VendorProduct:
    return VendorProduct(row[0], Source(row[1]), row[2], row[3])


def _link(row: Row[Any, Any, Any, Any, Any, Any]) -> LinkRow:
    return LinkRow(row[0], row[1], row[2] or "", LinkState(row[3]), row[4], row[5])


def _seen(link: LinkRow) -> dict[str, Any]:
    return {
        "seen_card": link.card_id,
        "seen_state": link.state,
        "seen_decided_by": link.decided_by,
    }


def _without(row: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != name}
