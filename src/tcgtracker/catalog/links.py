"""Ties of vendors' products (with their sub keys) to printings, by the rules of `link_rules`.

The products are the history's, which may be another database: nothing here joins the two.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy.exc import IntegrityError

from tcgtracker.catalog.link_rows import (
    ClaimRow,
    LinkRow,
    Origin,
    VendorProduct,
    asian_of,
    claims_of_cards,
    claims_of_products,
    decided_links,
    external_ids_of,
    links_of,
    load_cursor,
    printings_of,
    products_after,
    products_of_ids,
    save_cursor,
    write_links,
)
from tcgtracker.catalog.link_rules import (
    RULE_VERSION,
    Decision,
    decide,
    is_kept,
    refuse_rivals,
    refuse_unseen_rivals,
)
from tcgtracker.catalog.rejections import load_rejections
from tcgtracker.catalog.writer import ID_SOURCES
from tcgtracker.database.engine import Database
from tcgtracker.database.unit_of_work import UnitOfWork, repeated, unit_of_work
from tcgtracker.domain.catalog import LinkState
from tcgtracker.domain.clock import Clock
from tcgtracker.domain.errors import Conflict
from tcgtracker.domain.source import Source

BATCH = 5_000
OWN_SOURCES = (Source.PRICECHARTING, Source.JUSTTCG)
"""The sources that name products by ids of their own."""
_T = TypeVar("_T")

OnProgress = Callable[[int], None]
"""Is told how many products were looked at so far."""


@dataclass(slots=True)
class LinkReport:
    """What became of the products looked at, by state of their link.

    unclaimed: products that no catalog knows; they keep their history, unlinked.
    kept: links that a person decided, or that are rejected or suspended: never overwritten.
    written: links that are new or changed; `cards` are the cards that they point or pointed to.
    """

    confirmed: int = 0
    derived: int = 0
    unknown: int = 0
    unclaimed: int = 0
    kept: int = 0
    written: int = 0
    cards: set[int] = field(default_factory=set)

    def add(self, other: "LinkReport") -> None:
        self.confirmed += other.confirmed
        self.derived += other.derived
        self.unknown += other.unknown
        self.unclaimed += other.unclaimed
        self.kept += other.kept
        self.written += other.written
        self.cards |= other.cards


def link_products(
    uow: UnitOfWork, source: Source, vendor_products: Sequence[VendorProduct], *, clock: Clock
) -> LinkReport:
    """Decide the links of the products and of every other product of the same cards.

    The whole card is looked at so that the outcome does not depend on the order of the products:
    two products that both say Holofoil of one card prove neither.
    """
    report = LinkReport()
    claims = claims_of_products(
        uow.connection, source, {product.external_id for product in vendor_products}
    )
    wanted = {claim.card_id for claim in claims}
    siblings = {claim.external_id for claim in claims_of_cards(uow.connection, source, wanted)}
    by_product: dict[str, list[ClaimRow]] = defaultdict(list)
    for claim in claims_of_products(uow.connection, source, siblings):
        by_product[claim.external_id].append(claim)
    report.unclaimed = sum(product.external_id not in by_product for product in vendor_products)
    rejections = load_rejections(uow.connection, source, siblings)
    by_product = rejections.applied(by_product)
    products = products_of_ids(uow.history, source, siblings)
    card_ids = {claim.card_id for group in by_product.values() for claim in group}
    printings = printings_of(uow.connection, card_ids)
    present = links_of(uow.connection, [product.id for product in products])
    # What a person refused may turn out to be another card, never the refused one again.
    refused = {
        product.id
        for product in products
        if (link := present.get(product.id)) is not None
        and link.state is LinkState.REJECTED
        and rejections.concern(product.external_id, product.sub_key)
    }
    kept = {name for name, link in present.items() if is_kept(link) and name not in refused}
    decisions = decide(
        [product for product in products if product.id not in kept],
        by_product,
        printings,
        rejections.refuse_printing,
        asian=asian_of(uow.connection, card_ids),
    )
    decided = decided_links(uow.connection, source, card_ids)
    external_ids = {product.id: product.external_id for product in products}
    external_ids |= external_ids_of(uow.history, decided.keys() - external_ids.keys())
    known = [link for name, link in decided.items() if name in external_ids]
    refuse_rivals(decisions, known, external_ids)
    refuse_unseen_rivals(decisions, by_product, {product.external_id for product in products})
    decisions = [one for one in decisions if one.product.id not in refused or one.state.trusted]
    asked = {product.id for product in vendor_products}
    kept |= refused - {one.product.id for one in decisions}
    report.kept = len(asked & kept)
    states = Counter(decision.state for decision in decisions if decision.product.id in asked)
    report.confirmed = states[LinkState.CONFIRMED]
    report.derived = states[LinkState.DERIVED]
    report.unknown = states[LinkState.UNKNOWN]
    rows = [
        LinkRow(
            vendor_product_id=decision.product.id,
            card_id=decision.claim.card_id,
            printing=decision.printing,
            state=decision.state,
            evidence=decision.evidence,
            score=_score(decision),
        )
        for decision in decisions
    ]
    changed = [row for row in rows if row != present.get(row.vendor_product_id)]
    grown = write_links(
        uow.connection,
        source,
        changed,
        present=present,
        printings_by_card=printings,
        rule_version=RULE_VERSION,
        checked_at=clock.now(),
    )
    report.written = len(changed)
    report.cards = {row.card_id for row in changed} | {
        present[row.vendor_product_id].card_id
        for row in changed
        if row.vendor_product_id in present
    }
    for other in OWN_SOURCES if grown else ():
        # A plain product was the only printing's; now there is one more.
        if other is not source:
            link_cards(uow, other, grown, report, clock=clock)
    return report


def _score(decision: Decision) -> float:
    """Return how sure a link is, 0 to 1; that of a suggestion is kept for whoever looks at it."""
    suggested = decision.claim.origin == Origin.SUGGESTED
    return decision.claim.score if decision.state.trusted or suggested else 0.0


def link_cards(
    uow: UnitOfWork, source: Source, card_ids: Set[int], report: LinkReport, *, clock: Clock
) -> None:
    """Decide again the links of a source to some cards, and note in the report what changed."""
    external_ids = {
        claim.external_id for claim in claims_of_cards(uow.connection, source, card_ids)
    }
    products = products_of_ids(uow.history, source, external_ids)
    if products:
        other = link_products(uow, source, products, clock=clock)
        report.written += other.written
        report.cards |= other.cards


def link_all(
    database: Database,
    history: Database,
    source: Source,
    *,
    clock: Clock,
    on_progress: OnProgress | None = None,
) -> LinkReport:
    """Decide the links of all products of a source; one transaction a batch."""
    report = LinkReport()
    after = 0
    done = 0

    def one_batch(uow: UnitOfWork) -> tuple[LinkReport, list[VendorProduct]]:
        products = products_after(uow.history, after, BATCH, source=source)
        return link_products(uow, source, products, clock=clock), products

    while True:
        batch, products = _repeated(database, history, one_batch)
        if not products:
            return report
        report.add(batch)
        after = products[-1].id
        done += len(products)
        if on_progress:
            on_progress(done)


def link_ids(
    database: Database,
    history: Database,
    external_ids: Iterable[str],
    *,
    clock: Clock,
    on_progress: OnProgress | None = None,
) -> LinkReport:
    """Decide the links of TCGplayer's product ids, of each source that uses them."""
    report = LinkReport()
    wanted = sorted(external_ids)

    def one_batch(uow: UnitOfWork) -> LinkReport:
        batch = LinkReport()
        asked = wanted[start : start + BATCH]
        for source in ID_SOURCES:
            products = products_of_ids(uow.history, source, asked)
            batch.add(link_products(uow, source, products, clock=clock))
        cards = {
            claim.card_id for claim in claims_of_products(uow.connection, Source.TCGCSV, asked)
        }
        for source in OWN_SOURCES:  # a catalog may have named more printings of their cards
            link_cards(uow, source, cards, batch, clock=clock)
        return batch

    for start in range(0, len(wanted), BATCH):
        report.add(_repeated(database, history, one_batch))
        if on_progress:
            on_progress(min(start + BATCH, len(wanted)))
    return report


def link_new(
    database: Database,
    history: Database,
    *,
    clock: Clock,
    on_progress: OnProgress | None = None,
) -> LinkReport:
    """Decide the links of products that came since the last call, whatever their source.

    The cursor stands in the main database, beside the links, so that both move together.
    """
    report = LinkReport()
    done = 0

    def one_batch(uow: UnitOfWork) -> tuple[LinkReport, list[VendorProduct]]:
        batch = LinkReport()
        after = load_cursor(uow.connection)
        if products_after(uow.history, after, 1):
            # Ids are handed out before the commit: wait for the recorders under way, or the cursor
            # would pass by what they commit next.
            history.dialect.hold_tables(uow.history, exclusive=True)
        products = products_after(uow.history, after, BATCH)
        for source in sorted({product.source for product in products}):
            own = [product for product in products if product.source is source]
            batch.add(link_products(uow, source, own, clock=clock))
        if products:
            save_cursor(uow.connection, database.dialect, products[-1].id)
        return batch, products

    while True:
        batch, products = _repeated(database, history, one_batch)
        if not products:
            return report
        report.add(batch)
        done += len(products)
        if on_progress:
            on_progress(done)


def _repeated(database: Database, history: Database, act: Callable[[UnitOfWork], _T]) -> _T:
    """Run one transaction, again when another one made the same link or printing meanwhile."""

    def once() -> _T:
        with unit_of_work(database, history) as uow:
            return act(uow)

    try:
        return repeated(once, on=(IntegrityError,))
    except IntegrityError as exc:
        raise Conflict("links are being made by somebody else all the time: run it again") from exc
