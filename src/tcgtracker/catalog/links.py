"""Ties of vendors' products (with their sub keys) to printings: rule version `ids-1`.

A product id that exactly one card claims proves the card, never the printing: that needs the sub
key, or a card with one printing. What is not proven is kept as unknown, with the reason.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from tcgtracker.catalog.importer import VENDOR_ORIGIN
from tcgtracker.catalog.link_rows import (
    ClaimRow,
    LinkRow,
    VendorProduct,
    claims_of_cards,
    claims_of_products,
    links_of,
    load_cursor,
    printings_of,
    products_after,
    products_of_ids,
    save_cursor,
    write_links,
)
from tcgtracker.catalog.numbers import printing_label
from tcgtracker.catalog.writer import ID_SOURCES
from tcgtracker.database.engine import Database
from tcgtracker.database.unit_of_work import UnitOfWork, unit_of_work
from tcgtracker.domain.catalog import LinkState
from tcgtracker.domain.clock import Clock
from tcgtracker.domain.source import Source

RULE_VERSION = "ids-1"
BATCH = 5_000
_SHOWN_CARDS = 5

OnProgress = Callable[[int], None]
"""Is told how many products were looked at so far."""


@dataclass(slots=True)
class LinkReport:
    """What became of the products looked at, by state of their link.

    unclaimed: products that no catalog knows; they keep their history, unlinked.
    kept: links that a person decided, or that are rejected or suspended: never overwritten.
    written: links that are new or changed; `cards` are theirs.
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


@dataclass(slots=True)
class _Decision:
    product: VendorProduct
    claim: ClaimRow
    state: LinkState
    printing: str
    evidence: str


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
    products = products_of_ids(uow.history, source, siblings)
    printings = printings_of(
        uow.connection, {claim.card_id for group in by_product.values() for claim in group}
    )
    present = links_of(uow.connection, [product.id for product in products])
    decisions = [
        _decide(product, by_product[product.external_id], printings, source)
        for product in products
        if not _is_kept(present.get(product.id))
    ]
    _refuse_rivals(decisions, [link for link in present.values() if _is_kept(link)])
    asked = {product.id for product in vendor_products}
    report.kept = len(asked & {name for name, link in present.items() if _is_kept(link)})
    for decision in decisions:
        if decision.product.id not in asked:
            continue
        name = decision.state.value
        setattr(report, name, getattr(report, name) + 1)
    rows = [
        LinkRow(
            vendor_product_id=decision.product.id,
            card_id=decision.claim.card_id,
            printing=decision.printing,
            state=decision.state,
            evidence=decision.evidence,
        )
        for decision in decisions
    ]
    changed = [row for row in rows if row != present.get(row.vendor_product_id)]
    write_links(
        uow.connection,
        source,
        changed,
        known=present.keys(),
        printings_by_card=printings,
        rule_version=RULE_VERSION,
        checked_at=clock.now(),
    )
    report.written = len(changed)
    report.cards = {row.card_id for row in changed}
    return report


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
    while True:
        with unit_of_work(database, history) as uow:
            products = products_after(uow.history, after, BATCH, source=source)
            if not products:
                return report
            report.add(link_products(uow, source, products, clock=clock))
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
    done = 0
    for chunk in _chunks(sorted(external_ids), BATCH):
        with unit_of_work(database, history) as uow:
            for source in ID_SOURCES:
                products = products_of_ids(uow.history, source, chunk)
                report.add(link_products(uow, source, products, clock=clock))
        done += len(chunk)
        if on_progress:
            on_progress(done)
    return report


def link_new(
    database: Database,
    history: Database,
    *,
    clock: Clock,
    on_progress: OnProgress | None = None,
) -> LinkReport:
    """Decide the links of products that came since the last call, whatever their source.

    The cursor stands in the main database, beside the links, so that both move together. A product
    whose transaction commits after one with a higher id is left to `link_all`.
    """
    report = LinkReport()
    done = 0
    while True:
        with unit_of_work(database, history) as uow:
            after = load_cursor(uow.connection)
            products = products_after(uow.history, after, BATCH)
            if not products:
                return report
            for source in ID_SOURCES:
                own = [product for product in products if product.source is source]
                report.add(link_products(uow, source, own, clock=clock))
            report.unclaimed += sum(product.source not in ID_SOURCES for product in products)
            save_cursor(uow.connection, database.dialect, products[-1].id)
        done += len(products)
        if on_progress:
            on_progress(done)


def _decide(
    product: VendorProduct,
    claims: Sequence[ClaimRow],
    printings: dict[int, dict[str, int]],
    source: Source,
) -> _Decision:
    claim = min(claims, key=lambda one: one.card_id)
    if len(claims) > 1:
        named = ", ".join(str(one.card_id) for one in sorted(claims, key=lambda one: one.card_id))
        return _Decision(
            product,
            claim,
            LinkState.UNKNOWN,
            "",
            f"product {product.external_id} is claimed by {len(claims)} cards: {named}",
        )
    state = LinkState.CONFIRMED if claim.origin == VENDOR_ORIGIN else LinkState.DERIVED
    if product.sub_key and source in ID_SOURCES:
        printing = printing_label(product.sub_key, claim.variant)
        return _Decision(
            product, claim, state, printing, f"{claim.evidence}; sub key {product.sub_key}"
        )
    names = sorted(printings.get(claim.card_id, {}))
    if len(names) == 1:
        return _Decision(
            product, claim, state, names[0], f"{claim.evidence}; the card's only printing"
        )
    return _Decision(
        product,
        claim,
        LinkState.UNKNOWN,
        "",
        f"{claim.evidence}; no sub key, and the card has {len(names)} known printings",
    )


def _refuse_rivals(decisions: Sequence[_Decision], kept: Sequence[LinkRow]) -> None:
    """Trust no two products of one card that name the same printing.

    The one whose catalog states that very printing stays; where a person has decided for one,
    that one stays.
    """
    taken = {(link.card_id, link.printing) for link in kept if link.state.trusted and link.printing}
    rivals: dict[tuple[int, str], list[_Decision]] = defaultdict(list)
    for decision in decisions:
        if decision.state.trusted:
            rivals[decision.claim.card_id, decision.printing].append(decision)
    for place, group in rivals.items():
        ids = sorted({decision.product.external_id for decision in group})
        stated = {
            decision.product.external_id
            for decision in group
            if decision.claim.printing == decision.printing
        }
        if len(ids) == 1 and place not in taken:
            continue
        for decision in group:
            if place not in taken and stated == {decision.product.external_id}:
                continue
            decision.state = LinkState.UNKNOWN
            decision.evidence += (
                "; a person has tied another product to this printing"
                if place in taken
                else f"; products {', '.join(ids[:_SHOWN_CARDS])} all say {decision.printing}"
            )
            decision.printing = ""


def _is_kept(link: LinkRow | None) -> bool:
    return link is not None and (
        bool(link.decided_by) or link.state in (LinkState.REJECTED, LinkState.SUSPENDED)
    )


def _chunks(values: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]
