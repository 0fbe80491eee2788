"""SQL of what people decided on links: written once, undone by a mark, never deleted."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, insert, select, update

from tcgtracker.catalog.link_rows import chunks
from tcgtracker.database.tables.catalog import printings, product_links
from tcgtracker.database.tables.links import link_decisions
from tcgtracker.domain.catalog import LinkAction, LinkState
from tcgtracker.domain.source import Source


@dataclass(frozen=True, slots=True)
class LinkStanding:
    """All that a link says; `card_id` is None when the card is gone."""

    state: LinkState
    card_id: int | None
    printing: str
    score: float
    evidence: str
    rule_version: str
    checked_at: datetime
    decided_by: str


@dataclass(frozen=True, slots=True)
class NewDecision:
    """One act of a person on one link. stated: what the vendor said of the product then."""

    batch: UUID
    action: LinkAction
    source: Source
    external_id: str
    sub_key: str
    vendor_product_id: int
    decided_by: str
    decided_at: datetime
    note: str
    stated: str
    old: LinkStanding
    new_state: LinkState
    new_card_id: int | None
    new_printing: str


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision as it is kept."""

    id: int
    made: NewDecision
    undone_at: datetime | None
    undone_by: str


def save_decisions(connection: Connection, decisions: Sequence[NewDecision]) -> None:
    """Write decisions."""
    rows = [
        {
            "batch": one.batch,
            "action": one.action,
            "source": one.source,
            "external_id": one.external_id,
            "sub_key": one.sub_key,
            "vendor_product_id": one.vendor_product_id,
            "decided_by": one.decided_by,
            "decided_at": one.decided_at,
            "note": one.note,
            "stated": one.stated,
            "old_state": one.old.state,
            "old_card_id": one.old.card_id,
            "old_printing": one.old.printing,
            "old_score": one.old.score,
            "old_evidence": one.old.evidence,
            "old_rule_version": one.old.rule_version,
            "old_checked_at": one.old.checked_at,
            "old_decided_by": one.old.decided_by,
            "new_state": one.new_state,
            "new_card_id": one.new_card_id,
            "new_printing": one.new_printing,
        }
        for one in decisions
    ]
    if rows:
        connection.execute(insert(link_decisions), rows)


def decisions_of(connection: Connection, vendor_product_id: int) -> list[Decision]:
    """Return what was decided on a product's link, the newest first."""
    rows = connection.execute(
        select(link_decisions)
        .where(link_decisions.c.vendor_product_id == vendor_product_id)
        .order_by(link_decisions.c.id.desc())
    )
    return [_decision(row) for row in rows]


def decisions_of_batch(connection: Connection, batch: UUID) -> list[Decision]:
    """Return the decisions of one act that were not undone, in their order."""
    rows = connection.execute(
        select(link_decisions)
        .where(link_decisions.c.batch == batch, link_decisions.c.undone_at.is_(None))
        .order_by(link_decisions.c.id)
    )
    return [_decision(row) for row in rows]


def mark_undone(
    connection: Connection, decision_ids: Collection[int], *, at: datetime, by: str
) -> None:
    """Note that decisions hold no longer."""
    for chunk in chunks(sorted(decision_ids)):
        connection.execute(
            update(link_decisions)
            .where(link_decisions.c.id.in_(chunk))
            .values(undone_at=at, undone_by=by)
        )


def set_link(connection: Connection, vendor_product_id: int, standing: LinkStanding) -> bool:
    """Let a link say this; return whether its card gained a printing for it."""
    printing_id, made = None, False
    if standing.printing:
        known = select(printings.c.id).where(
            printings.c.card_id == standing.card_id, printings.c.name == standing.printing
        )
        printing_id = connection.scalar(known)
        if printing_id is None:
            made = True
            printing_id = connection.scalar(
                insert(printings)
                .values(card_id=standing.card_id, name=standing.printing)
                .returning(printings.c.id)
            )
    connection.execute(
        update(product_links)
        .where(product_links.c.vendor_product_id == vendor_product_id)
        .values(
            card_id=standing.card_id,
            printing_id=printing_id,
            state=standing.state,
            score=standing.score,
            evidence=standing.evidence,
            rule_version=standing.rule_version,
            checked_at=standing.checked_at,
            decided_by=standing.decided_by,
            skipped_at=None,
        )
    )
    return made


def set_skipped(connection: Connection, product_ids: Collection[int], at: datetime | None) -> None:
    """Move links to the end of the queue, or back with None."""
    connection.execute(
        update(product_links)
        .where(product_links.c.vendor_product_id.in_(sorted(product_ids)))
        .values(skipped_at=at)
    )


def _decision(row: Row[*tuple[Any, ...]]) -> Decision:
    old = LinkStanding(
        state=LinkState(row.old_state),
        card_id=row.old_card_id,
        printing=row.old_printing,
        score=row.old_score,
        evidence=row.old_evidence,
        rule_version=row.old_rule_version,
        checked_at=row.old_checked_at,
        decided_by=row.old_decided_by,
    )
    made = NewDecision(
        batch=row.batch,
        action=LinkAction(row.action),
        source=Source(row.source),
        external_id=row.external_id,
        sub_key=row.sub_key,
        vendor_product_id=row.vendor_product_id,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        note=row.note,
        stated=row.stated,
        old=old,
        new_state=LinkState(row.new_state),
        new_card_id=row.new_card_id,
        new_printing=row.new_printing,
    )
    return Decision(row.id, made, row.undone_at, row.undone_by)
