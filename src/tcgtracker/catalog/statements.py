"""What vendors state of their products: taken down, compared with the cards, and acted upon.

A statement that stops agreeing with its card takes the trust away in the transaction that takes it
down, so that the price beside it is never shown for the card.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from tcgtracker.catalog import claims as rules
from tcgtracker.catalog.agreement import CardFacts, compare
from tcgtracker.catalog.link_rows import (
    ClaimRow,
    LinkRow,
    Origin,
    VendorProduct,
    claims_of_products,
    links_of,
    products_of_ids,
)
from tcgtracker.catalog.links import OWN_SOURCES, LinkReport, link_products
from tcgtracker.catalog.rejections import load_rejections, refused
from tcgtracker.catalog.statement_rows import (
    cards_of_aliases,
    load_facts,
    load_rule_versions,
    load_stated,
    save_stated,
    set_link_states,
    write_claims,
)
from tcgtracker.database.dialects.base import DatabaseDialect
from tcgtracker.database.unit_of_work import UnitOfWork
from tcgtracker.domain.catalog import LinkState
from tcgtracker.domain.clock import Clock
from tcgtracker.domain.source import Source
from tcgtracker.integrations.contract import StatedProduct

RULE_VERSION = "agreement-1"
"""Marks the links that these rules suspended: only those may come back by themselves."""
GUIDES = frozenset({Source.PRICECHARTING})
"""Sources whose products make cards only while no catalog has the cards that they name."""
_EXAMPLES = 20


@dataclass(slots=True)
class StatedReport:
    """What became of statements. Claims tie a vendor's own id to a card.

    refused: an id points at a card that the statement does not agree with. notes: the first
    suspensions and refusals, in words. cards: whose links changed; their quotes are made anew.
    """

    seen: int = 0
    new: int = 0
    renamed: int = 0
    claimed: int = 0
    refused: int = 0
    suspended: int = 0
    restored: int = 0
    notes: list[str] = field(default_factory=list)
    links: LinkReport = field(default_factory=LinkReport)

    @property
    def cards(self) -> set[int]:
        return self.links.cards

    def add(self, other: "StatedReport") -> None:
        self.seen += other.seen
        self.new += other.new
        self.renamed += other.renamed
        self.claimed += other.claimed
        self.refused += other.refused
        self.suspended += other.suspended
        self.restored += other.restored
        self.notes = (self.notes + other.notes)[:_EXAMPLES]
        self.links.add(other.links)

    def note(self, text: str) -> None:
        if len(self.notes) < _EXAMPLES:
            self.notes.append(text)


def take_stated(
    uow: UnitOfWork,
    dialect: DatabaseDialect,
    source: Source,
    products: Sequence[StatedProduct],
    *,
    clock: Clock,
) -> StatedReport:
    """Take down what a source says of its products; claim, refuse, suspend and restore.

    In the transaction that records the prices of the same answer, or before it. Saying the same
    again changes nothing. dialect: of the main database.
    """
    # The last word counts; products of one set stand side by side, so that siblings are judged
    # together whatever the order of the answer.
    latest = {product.external_id: product for product in products}
    taking = _Taking(uow, source, latest, clock.now())
    save_stated(uow.connection, dialect, source, list(latest.values()), now=taking.now)
    if source in OWN_SOURCES:
        taking.claim()
    taking.check_links()
    if taking.touched:
        vendor_products = products_of_ids(uow.history, source, taking.touched)
        taking.report.links.add(link_products(uow, source, vendor_products, clock=clock))
    return taking.report


class _Taking:
    """One call of `take_stated`."""

    def __init__(
        self, uow: UnitOfWork, source: Source, products: dict[str, StatedProduct], now: datetime
    ) -> None:
        self.now = now
        self.report = StatedReport(seen=len(products))
        self.touched: set[str] = set()
        """External ids whose links are to be decided again."""
        self._uow = uow
        self._source = source
        self._products = products
        self._before = load_stated(uow.connection, source, products.keys())
        self._rejections = load_rejections(uow.connection, source, products.keys())
        self._renamed = {
            name
            for name, product in products.items()
            if name in self._before
            and rules.identity(self._before[name]) != rules.identity(product)
        }
        self._lost: dict[str, str] = {}
        """External ids whose claim was suspended now, with the reason."""
        self._found: set[str] = set()
        """External ids whose claim holds again."""
        self.report.new = len(products.keys() - self._before.keys())
        self.report.renamed = len(self._renamed)

    def claim(self) -> None:
        """Judge each statement, and write the claims that came, changed, or hold no longer."""
        connection = self._uow.connection
        held: dict[str, list[ClaimRow]] = defaultdict(list)
        for claim in claims_of_products(connection, self._source, self._products.keys()):
            held[claim.external_id].append(claim)
        shared: dict[str, list[ClaimRow]] = defaultdict(list)
        ids = {product.tcgplayer_id for product in self._products.values()} - {""}
        for claim in claims_of_products(connection, Source.TCGCSV, ids):
            shared[claim.external_id].append(claim)
        own = cards_of_aliases(connection, [f"{self._source}:{name}" for name in self._products])
        every = [claim for group in (*held.values(), *shared.values()) for claim in group]
        facts = load_facts(connection, {claim.card_id for claim in every} | set(own.values()))
        gone, new, changed = [], [], []
        for name, product in self._products.items():
            pointing = shared[product.tcgplayer_id] if product.tcgplayer_id else ()
            own_card = own.get(f"{self._source}:{name}")
            if pointing and self._source in GUIDES:
                own_card = None
            leads = rules.Leads(self._source, pointing, own_card, facts)
            if len(held[name]) > 1:
                continue  # two cards for one id: nobody's word settles that
            old = held[name][0] if held[name] else None
            claim_now = self._allowed(self._judged(product, old, leads))
            if claim_now == old:
                continue
            self.touched.add(name)
            if claim_now and old and claim_now.card_id == old.card_id:
                changed.append(claim_now)
                continue
            if old:
                gone.append(old)
            if claim_now:
                new.append(claim_now)
        write_claims(connection, self._source, gone=gone, new=new, changed=changed)

    def _judged(
        self, product: StatedProduct, old: ClaimRow | None, leads: rules.Leads
    ) -> ClaimRow | None:
        """Return the product's claim from now on."""
        if old is None or old.origin in (Origin.REFUSED, Origin.SUGGESTED):
            claim = self._allowed(rules.judge(product, leads))
            if claim is None and old and old.origin == Origin.SUGGESTED:
                return None if product.external_id in self._renamed else old
            if claim and claim != old:
                if claim.trusted:
                    self.report.claimed += 1
                else:
                    self.report.refused += 1
                    self.report.note(f"{product.external_id}: refused: {claim.evidence}")
            return claim
        if old.origin == Origin.SUSPENDED:
            if not old.evidence.startswith(f"{rules.said(self._source, product)}; "):
                return old
            again, _ = rules.recheck(product, old, None, leads)
            if again is None:
                return old
            self._found.add(product.external_id)
            return again if again.trusted else replace(again, origin=Origin.NUMBER_AND_NAME)
        claim, reason = rules.recheck(product, old, self._before.get(product.external_id), leads)
        if claim is None:
            self._lost[product.external_id] = reason
            return replace(old, origin=Origin.SUSPENDED)
        return claim

    def _allowed(self, claim: ClaimRow | None) -> ClaimRow | None:
        """Return a claim that proves nothing where a person refused the pair."""
        if claim and self._rejections.refuse_card(claim.external_id, claim.card_id):
            return refused(claim)
        return claim

    def check_links(self) -> None:
        """Suspend the links of statements that agree no longer, restore those that do again."""
        wanted = self._renamed | self._lost.keys() | self._found
        if not wanted:
            return
        connection = self._uow.connection
        products = {one.id: one for one in products_of_ids(self._uow.history, self._source, wanted)}
        links = links_of(connection, products.keys())
        versions = load_rule_versions(connection, links.keys())
        facts = load_facts(connection, {link.card_id for link in links.values()})
        suspend: dict[int, str] = {}
        restore: dict[int, str] = {}
        for product_id, link in links.items():
            name = products[product_id].external_id
            now = self._products[name]
            if link.state.trusted:
                reason = self._lost.get(name) or self._doubt(link, products[product_id], now, facts)
                if reason:
                    before = self._before.get(name, now)
                    suspend[product_id] = (
                        f"trusted as {rules.said(self._source, before)}; now"
                        f" {rules.said(self._source, now)}: {reason}"
                    )
                    self.report.note(f"{name}: suspended: {suspend[product_id]}")
            elif (
                link.state is LinkState.SUSPENDED
                and not link.decided_by
                and versions[product_id] == RULE_VERSION
                and self._holds_again(name, now, link)
            ):
                restore[product_id] = f"{rules.said(self._source, now)} again"
        set_link_states(
            connection, LinkState.SUSPENDED, suspend, rule_version=RULE_VERSION, now=self.now
        )
        set_link_states(
            connection, LinkState.UNKNOWN, restore, rule_version=RULE_VERSION, now=self.now
        )
        self.report.suspended = len(suspend)
        self.report.restored = len(restore)
        self.report.links.cards |= {links[one].card_id for one in (*suspend, *restore)}
        self.touched |= {products[one].external_id for one in (*suspend, *restore)}

    def _holds_again(self, name: str, now: StatedProduct, link: LinkRow) -> bool:
        if self._source in OWN_SOURCES:
            return name in self._found
        return link.evidence.startswith(f"trusted as {rules.said(self._source, now)}; now ")

    def _doubt(
        self,
        link: LinkRow,
        product: VendorProduct,
        now: StatedProduct,
        facts: Mapping[int, CardFacts],
    ) -> str:
        """Return why a renamed product is no longer the card of its link, '' when it is.

        Links by claims of the vendor's own ids are judged with those; these are a person's, and
        those of TCGplayer's ids.
        """
        if product.external_id not in self._renamed:
            return ""
        if self._source in OWN_SOURCES and not link.decided_by:
            return ""
        agreement = compare(now, facts[link.card_id], vendor=self._source)
        before = rules.identity(self._before[product.external_id])
        return "" if agreement.proves and before[2] == now.tcgplayer_id else agreement.text
