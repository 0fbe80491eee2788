"""Cards that only a vendor's guide made, once other catalogs bring the cards that they are.

Such a card stands while a product of its own names it. A product that was tied to another card
leaves it; without products it becomes that card, with what people decided, or it goes.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, select, update

from tcgtracker.catalog.importer import CatalogImporter
from tcgtracker.catalog.link_rows import ClaimRow, chunks, claims_of_products
from tcgtracker.catalog.link_rows import products_of_ids as load_products
from tcgtracker.catalog.links import LinkReport, link_cards, link_products
from tcgtracker.catalog.records import CatalogIntake
from tcgtracker.catalog.state import CatalogState, KnownCard
from tcgtracker.catalog.statement_rows import write_claims
from tcgtracker.catalog.writer import BatchWriter
from tcgtracker.database.tables.catalog import (
    card_aliases,
    card_products,
    card_quotes,
    cards,
    manual_prices,
    printings,
    product_links,
    set_aliases,
    tcg_sets,
)
from tcgtracker.database.tables.links import link_decisions, link_values, rejected_links
from tcgtracker.database.unit_of_work import UnitOfWork
from tcgtracker.domain.catalog import LinkState
from tcgtracker.domain.clock import Clock
from tcgtracker.domain.source import Source


@dataclass(slots=True)
class Settling:
    """What is to become of the products of one of a vendor's sets.

    tied: new claims on cards of ours. waiting: products that may be a card of ours, and are tied to
    none meanwhile. printings: by product, the printing that it is of a card of its own.
    """

    source: Source
    claims: Mapping[str, Sequence[ClaimRow]]
    printings: Mapping[str, str]
    tied: list[ClaimRow] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)


@dataclass(slots=True)
class SettleReport:
    """merged: own cards that became cards of ours. dropped: those that nothing was left of."""

    merged: int = 0
    dropped: int = 0
    links: LinkReport = field(default_factory=LinkReport)


def move_set(intake: CatalogIntake, own_id: int, set_id: int, evidence: str) -> None:
    """Let a set that only a vendor's guide made be another one, with the cards it still has.

    Raises:
        Conflict: another import changed the catalog meanwhile.
    """

    def apply(importer: CatalogImporter, writer: BatchWriter, uow: UnitOfWork) -> None:
        state = importer.state
        own, known = state.sets[own_id], state.sets[set_id]
        for card in [card for card in state.cards.values() if card.set_id == own_id]:
            del state.places[card.set_id, card.number, card.art]
            card.set_id = set_id
            if (set_id, card.number, card.art) in state.places:
                card.art = min(card.aliases, default=f"card:{card.id}").replace(":", "-")
            state.places[set_id, card.number, card.art] = card.id
            uow.connection.execute(
                update(cards).where(cards.c.id == card.id).values(set_id=set_id, art=card.art)
            )
        uow.connection.execute(
            update(set_aliases).where(set_aliases.c.set_id == own_id).values(set_id=set_id)
        )
        uow.connection.execute(delete(tcg_sets).where(tcg_sets.c.id == own_id))
        del state.sets[own_id]
        for name in [name for name, found in state.set_names.items() if found == own_id]:
            state.name_set(known, name[1])
        importer.alias_set(writer, known, own.code, evidence)

    intake.write(0, apply)


def settle(intake: CatalogIntake, wanted: Settling, *, clock: Clock) -> SettleReport:
    """Write the claims, and let the own cards that lost their products become those cards.

    One transaction; the same again changes nothing.

    Raises:
        Conflict: another import changed the catalog meanwhile.
    """
    report = SettleReport()
    left = _leaving(intake, wanted)
    if not left and not wanted.tied:
        return report

    def apply(importer: CatalogImporter, writer: BatchWriter, uow: UnitOfWork) -> None:
        source, connection = wanted.source, uow.connection
        moved = {*left, *(claim.external_id for claim in wanted.tied)}
        own = [
            claim
            for name in (*(claim.external_id for claim in wanted.tied), *wanted.waiting)
            for claim in wanted.claims.get(name, ())
        ]
        write_claims(connection, source, gone=own, new=wanted.tied)
        products = load_products(uow.history, source, moved)
        report.links.add(link_products(uow, source, products, clock=clock))
        waiting = set(wanted.waiting)
        _drop_links(connection, [one.id for one in products if one.external_id in waiting])
        shrunk = _drop_aliases(connection, importer.state, source, left)
        held = _held(connection, {card.id for card in shrunk})
        targets = _targets(connection, source, left)
        for card in shrunk:
            _drop_printings(connection, wanted, card, held.printings)
            if card.aliases or card.id in held.claims:
                continue
            keeper = next(iter(targets[card.id])) if len(targets[card.id]) == 1 else None
            if keeper is not None:
                writer.merge(card.id, keeper)
                importer.state.merge(card, importer.state.cards[keeper])
                importer.counts.cards_merged += 1
                report.merged += 1
                report.links.cards.add(keeper)
            elif card.id not in held.kept:
                _drop_card(connection, importer.state, card)
                writer.note_change()
                report.dropped += 1
        writer.flush_merges()
        staying = {card.id for card in shrunk if card.id in importer.state.cards}
        link_cards(uow, source, staying | report.links.cards, report.links, clock=clock)
        report.links.cards &= importer.state.cards.keys()

    intake.write(0, apply)
    return report


@dataclass(slots=True)
class _Held:
    """What still hangs on own cards; `printings` are those of links.

    kept: cards with a link or with a user's own price, which are never dropped.
    """

    claims: set[int] = field(default_factory=set)
    kept: set[int] = field(default_factory=set)
    printings: set[int] = field(default_factory=set)


def _leaving(intake: CatalogIntake, wanted: Settling) -> dict[str, int]:
    """Return the products that are no longer of the own card that knows them, with that card."""
    tied = {claim.external_id for claim in wanted.tied} | set(wanted.waiting)
    found = {}
    for name in wanted.printings:
        card_id = intake.card_of(f"{wanted.source}:{name}")
        if card_id is None:
            continue
        elsewhere = [claim.card_id for claim in wanted.claims.get(name, ())]
        if name in tied or (elsewhere and card_id not in elsewhere):
            found[name] = card_id
    return found


def _drop_aliases(
    connection: Connection, state: CatalogState, source: Source, left: Mapping[str, int]
) -> list[KnownCard]:
    """Let own cards be known under the keys of their products no longer; return the cards."""
    keys = [f"{source}:{name}" for name in left]
    for chunk in chunks(sorted(keys)):
        connection.execute(delete(card_aliases).where(card_aliases.c.alias.in_(chunk)))
    for key in keys:
        state.cards[state.card_names.pop(key)].aliases.discard(key)
    return [state.cards[card_id] for card_id in sorted(set(left.values()))]


def _targets(
    connection: Connection, source: Source, left: Mapping[str, int]
) -> dict[int, set[int | None]]:
    """Return for each own card the cards that its products are, None for one that is none."""
    proven = {
        claim.external_id: claim.card_id
        for claim in claims_of_products(connection, source, left.keys())
        if claim.trusted
    }
    found: dict[int, set[int | None]] = defaultdict(set)
    for name, card_id in left.items():
        found[card_id].add(proven.get(name))
    return found


def _held(connection: Connection, card_ids: Collection[int]) -> _Held:
    found = _Held()
    for chunk in chunks(sorted(card_ids)):
        found.claims.update(
            connection.scalars(
                select(card_products.c.card_id).where(card_products.c.card_id.in_(chunk))
            )
        )
        for card_id, printing_id in connection.execute(
            select(product_links.c.card_id, product_links.c.printing_id).where(
                product_links.c.card_id.in_(chunk)
            )
        ):
            found.kept.add(card_id)
            found.printings.add(printing_id)
        found.kept.update(
            connection.scalars(
                select(manual_prices.c.card_id).where(manual_prices.c.card_id.in_(chunk))
            )
        )
    return found


def _drop_links(connection: Connection, product_ids: Sequence[int]) -> None:
    """Forget links that rules made; what a person decided, or a doubt, stays."""
    for chunk in chunks(product_ids):
        connection.execute(
            delete(product_links).where(
                product_links.c.vendor_product_id.in_(chunk),
                product_links.c.decided_by == "",
                product_links.c.state.not_in([LinkState.REJECTED, LinkState.SUSPENDED]),
            )
        )


def _drop_printings(
    connection: Connection, wanted: Settling, card: KnownCard, linked: Collection[int]
) -> None:
    """Forget the printings that only the products made which are no longer of this card."""
    prefix = f"{wanted.source}:"
    named = {wanted.printings.get(alias.removeprefix(prefix), "") for alias in card.aliases}
    for printing_id, name in connection.execute(
        select(printings.c.id, printings.c.name).where(printings.c.card_id == card.id)
    ).all():
        if name not in named and printing_id not in linked:
            connection.execute(delete(printings).where(printings.c.id == printing_id))
            card.printings.discard(name)


def _drop_card(connection: Connection, state: CatalogState, card: KnownCard) -> None:
    for table in (card_quotes, link_values, printings, rejected_links):
        connection.execute(delete(table).where(table.c.card_id == card.id))
    for column in (link_decisions.c.old_card_id, link_decisions.c.new_card_id):
        connection.execute(update(link_decisions).where(column == card.id).values({column: None}))
    connection.execute(delete(cards).where(cards.c.id == card.id))
    del state.cards[card.id], state.places[card.set_id, card.number, card.art]
