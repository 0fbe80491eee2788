"""Pairs that a person refused: a product that is not this card, or not this printing of it.

They are kept by the vendor's own identity, apart from the links, so that nothing that makes links
(a fetch, an import, a merge of cards, a purge) ever proposes them again.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from tcgtracker.catalog.link_rows import ClaimRow, Origin, chunks
from tcgtracker.catalog.writer import ID_SOURCES
from tcgtracker.database.tables.catalog import card_products
from tcgtracker.database.tables.links import rejected_links
from tcgtracker.domain.source import Source

_REFUSED = "a person refused this card"


@dataclass(frozen=True, slots=True)
class Rejection:
    """A refused pair. Without a printing it is the whole card, under every sub key."""

    external_id: str
    sub_key: str
    card_id: int
    printing: str
    decided_by: str
    batch: UUID


@dataclass(slots=True)
class Rejections:
    """The refused pairs of some products of one source."""

    cards: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    printings: dict[tuple[str, str], set[tuple[int, str]]] = field(
        default_factory=lambda: defaultdict(set)
    )

    def refuse_card(self, external_id: str, card_id: int) -> bool:
        return card_id in self.cards.get(external_id, ())

    def refuse_printing(self, external_id: str, sub_key: str, card_id: int, printing: str) -> bool:
        return (card_id, printing) in self.printings.get((external_id, sub_key), ())

    def concern(self, external_id: str, sub_key: str) -> bool:
        """Tell whether anything was refused of a product."""
        return external_id in self.cards or (external_id, sub_key) in self.printings

    def applied(self, claims: Mapping[str, Sequence[ClaimRow]]) -> dict[str, list[ClaimRow]]:
        """Return claims without the refused ones; of an id with no other, one that proves nothing.

        An id that two cards claim is the other one's when a person says that it is not the first's.
        """
        found: dict[str, list[ClaimRow]] = {}
        for external_id, group in claims.items():
            left = [one for one in group if not self.refuse_card(external_id, one.card_id)]
            found[external_id] = left or [refused(one) for one in group[:1]]
        return found


def shared_sources(source: Source) -> tuple[Source, ...]:
    """Return the sources whose ids are the same: TCGplayer's are used by two."""
    return ID_SOURCES if source in ID_SOURCES else (source,)


def refused(claim: ClaimRow) -> ClaimRow:
    """Return a claim that a person refused: trusted for nothing."""
    if claim.origin == Origin.REFUSED and claim.evidence.endswith(_REFUSED):
        return claim
    evidence = f"{claim.evidence}; {_REFUSED}"
    return replace(claim, origin=Origin.REFUSED, evidence=evidence)


def load_rejections(
    connection: Connection, source: Source, external_ids: Collection[str]
) -> Rejections:
    """Return what was refused of these products."""
    found = Rejections()
    for one in list_rejections(connection, source, external_ids):
        if one.printing:
            found.printings[one.external_id, one.sub_key].add((one.card_id, one.printing))
        else:
            found.cards[one.external_id].add(one.card_id)
    return found


def list_rejections(
    connection: Connection, source: Source, external_ids: Collection[str]
) -> list[Rejection]:
    """Return the refused pairs of these products, in the order in which they were refused."""
    rows = [
        row
        for chunk in chunks(sorted(external_ids))
        for row in connection.execute(
            select(
                rejected_links.c.external_id,
                rejected_links.c.sub_key,
                rejected_links.c.card_id,
                rejected_links.c.printing,
                rejected_links.c.decided_by,
                rejected_links.c.batch,
                rejected_links.c.id,
            ).where(rejected_links.c.source == source, rejected_links.c.external_id.in_(chunk))
        )
    ]
    return [Rejection(*row[:-1]) for row in sorted(rows, key=lambda row: int(row[-1]))]


def add_rejection(
    connection: Connection, source: Source, one: Rejection, *, decided_at: datetime
) -> None:
    """Refuse a pair for good; what is claimed of an own id proves nothing from now on."""
    for named in shared_sources(source):
        known = load_rejections(connection, named, [one.external_id])
        if one.printing:
            if known.refuse_printing(one.external_id, one.sub_key, one.card_id, one.printing):
                continue
        elif known.refuse_card(one.external_id, one.card_id):
            continue
        values: dict[str, Any] = {
            "source": named,
            "external_id": one.external_id,
            "sub_key": one.sub_key,
            "card_id": one.card_id,
            "printing": one.printing,
            "batch": one.batch,
            "decided_by": one.decided_by,
            "decided_at": decided_at,
        }
        if not one.printing and named not in ID_SOURCES:
            values |= _refuse_claim(connection, named, one)
        connection.execute(insert(rejected_links).values(values))


def drop_rejections(
    connection: Connection, source: Source, external_id: str, batch: UUID, *, with_claims: bool
) -> None:
    """Forget what one act refused of a product.

    with_claims: what was claimed of it holds again, unless it was judged anew since.
    """
    mine = (
        (rejected_links.c.external_id == external_id)
        & (rejected_links.c.batch == batch)
        & rejected_links.c.source.in_(shared_sources(source))
    )
    for row in connection.execute(select(rejected_links).where(mine)).all():
        if with_claims and row.claim_origin:
            connection.execute(
                update(card_products)
                .where(
                    _of_claim(row.source, row.external_id, row.card_id),
                    card_products.c.origin == Origin.REFUSED,
                )
                .values(origin=row.claim_origin, evidence=row.claim_evidence)
            )
    connection.execute(delete(rejected_links).where(mine))


def _refuse_claim(connection: Connection, source: Source, one: Rejection) -> dict[str, str]:
    """Let the claim on a card prove nothing; return what it was."""
    where = _of_claim(source, one.external_id, one.card_id)
    row = connection.execute(
        select(
            card_products.c.printing,
            card_products.c.variant,
            card_products.c.origin,
            card_products.c.evidence,
        ).where(where)
    ).first()
    if row is None:
        return {}
    claim = ClaimRow(one.external_id, one.card_id, *row)
    after = refused(claim)
    connection.execute(
        update(card_products).where(where).values(origin=after.origin, evidence=after.evidence)
    )
    return {"claim_origin": claim.origin, "claim_evidence": claim.evidence}


def _of_claim(source: str, external_id: str, card_id: int) -> ColumnElement[bool]:
    return (
        (card_products.c.source == source)
        & (card_products.c.external_id == external_id)
        & (card_products.c.card_id == card_id)
    )
