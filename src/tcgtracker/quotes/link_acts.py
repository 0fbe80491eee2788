"""What a person does with a link, within one transaction: accept, relink, refuse, skip, undo.

The history hangs on the vendor's product, so whatever a link is changed to, all its prices are
there at once; the quotes of all cards that are concerned are made anew in the same transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from uuid_utils.compat import uuid7

from tcgtracker.catalog import claims as rules
from tcgtracker.catalog.agreement import compare
from tcgtracker.catalog.decision_rows import (
    Decision,
    LinkStanding,
    NewDecision,
    mark_undone,
    save_decisions,
    set_link,
    set_skipped,
)
from tcgtracker.catalog.link_rows import VendorProduct, printings_of, products_of_ids
from tcgtracker.catalog.link_rules import printing_of_sub_key
from tcgtracker.catalog.links import OWN_SOURCES, LinkReport, link_cards, link_products
from tcgtracker.catalog.rejections import (
    Rejection,
    add_rejection,
    drop_rejections,
    list_rejections,
    load_rejections,
    shared_sources,
)
from tcgtracker.catalog.review_rows import LinkRecord, links_at, links_of_products
from tcgtracker.catalog.statement_rows import load_facts, load_stated
from tcgtracker.catalog.writer import ID_SOURCES
from tcgtracker.database.engine import Database
from tcgtracker.database.unit_of_work import UnitOfWork
from tcgtracker.domain.catalog import LinkAction, LinkState
from tcgtracker.domain.clock import Clock
from tcgtracker.domain.errors import Conflict, InvalidInput
from tcgtracker.domain.source import Source
from tcgtracker.quotes.card_quotes import refresh_within
from tcgtracker.quotes.link_groups import LinkGroups

RULE_VERSION = "person-1"
"""Marks links that a person decided."""
MAX_PRINTING = 100
_BEFORE = "; before: "


@dataclass(frozen=True, slots=True)
class Target:
    """Where a product belongs. new_printing: the printing may be one that the card lacks."""

    card_id: int
    printing: str
    new_printing: bool = False


class Act:
    """One act of one person; `cards` collects whose prices change by it, `changed` counts links."""

    def __init__(
        self, uow: UnitOfWork, history: Database, clock: Clock, *, by: str, note: str = ""
    ) -> None:
        self.uow = uow
        self.groups = LinkGroups(uow)
        self.by = by
        self.note = note
        self.batch = uuid7()
        self.now = clock.now()
        self.cards: set[int] = set()
        self.changed = 0
        self._history = history
        self._clock = clock

    def finish(self) -> None:
        """Make the quotes of all concerned cards anew."""
        if self.cards:
            refresh_within(self.uow, self._history.dialect, sorted(self.cards))

    # --- the acts

    def accept(self, link: LinkRecord, target: Target) -> None:
        """Let a product be this printing of this card, by a person's word.

        The other conditions of the same printing that no person decided come along.

        Raises:
            InvalidInput: no such card or printing, or one of another game.
            Conflict: the pair was refused, or another product is that printing by a person's word.
        """
        group = self.groups.sold_together(link)
        self._check_target(link, target, [product for product, _ in group])
        self._require_no_rival(link, target, {product.id for product, _ in group})
        moved = target.card_id != link.card_id
        if moved:
            self._refuse(group[0][0], link.card_id, "")
        same = not moved and link.printing in ("", target.printing)
        action = LinkAction.ACCEPT if same else LinkAction.RELINK
        evidence = self._evidence(link, group[0][0], target)
        new = LinkStanding(
            LinkState.CONFIRMED,
            target.card_id,
            target.printing,
            1.0,
            evidence,
            RULE_VERSION,
            self.now,
            self.by,
        )
        self._write(action, group, [new] * len(group))
        self._decide_again(link.source, {link.card_id, target.card_id})

    def reject(self, link: LinkRecord, *, printing: str = "") -> None:
        """Refuse a pair for good: the card under every sub key, or one printing of it.

        Raises:
            Conflict: it was refused before.
        """
        product = self.groups.product(link)
        if printing:
            group = self.groups.sold_together(link)
        else:
            group = self.groups.all_of(product, link.card_id)
        known = load_rejections(self.uow.connection, link.source, [product.external_id])
        done = (
            known.refuse_printing(product.external_id, product.sub_key, link.card_id, printing)
            if printing
            else known.refuse_card(product.external_id, link.card_id)
        )
        if done:
            raise Conflict("this pair was refused before")
        for one in [one for one, _ in group] if printing else [product]:
            self._refuse(one, link.card_id, printing)
        what = printing or "this card"
        news = [
            LinkStanding(
                LinkState.REJECTED,
                link.card_id,
                printing or record.printing,
                0.0,
                f"{self.by} refused {what}{self._noted()}{_BEFORE}{_first_words(record)}",
                RULE_VERSION,
                self.now,
                self.by,
            )
            for _, record in group
        ]
        self._write(LinkAction.REJECT, group, news)
        self._decide_again(link.source, {link.card_id})

    def skip(self, link: LinkRecord) -> None:
        """Leave a link for later: it comes after all that nobody looked at."""
        group = self.groups.sold_together(link)
        self._write(LinkAction.SKIP, group, [_standing(record) for _, record in group])
        set_skipped(self.uow.connection, [product.id for product, _ in group], self.now)

    def undo(self, decisions: Sequence[Decision]) -> None:
        """Let links say what they said before, and the rules decide what rules may decide.

        Raises:
            Conflict: a link or card is gone.
        """
        connection = self.uow.connection
        links = links_of_products(
            connection, [one.made.vendor_product_id for one in decisions], lock=True
        )
        touched: dict[Source, set[str]] = {}
        for one in reversed(decisions):
            made, link = one.made, links.get(one.made.vendor_product_id)
            if made.action is LinkAction.SKIP:
                set_skipped(connection, [made.vendor_product_id], None)
                continue
            if link is None or made.old.card_id is None:
                raise Conflict(f"what product {made.external_id} was tied to is gone")
            unchanged = self.groups.said(made.source, made.external_id) == made.stated
            drop_rejections(
                connection, made.source, made.external_id, made.batch, with_claims=unchanged
            )
            old = made.old
            if old.state.trusted and not old.decided_by:
                # The rules say below whether they still would.
                old = replace(old, state=LinkState.UNKNOWN, score=0.0)
            elif old.state.trusted and not unchanged:
                said = self.groups.said(made.source, made.external_id)
                old = replace(
                    old,
                    state=LinkState.SUSPENDED,
                    score=0.0,
                    evidence=f"trusted as {made.stated}; now {said}: an undo brings no trust back",
                )
            set_link(connection, made.vendor_product_id, old)
            self.cards |= {made.old.card_id, link.card_id}
            touched.setdefault(made.source, set()).add(made.external_id)
        mark_undone(connection, [one.id for one in decisions], at=self.now, by=self.by)
        self.changed += len(decisions)
        for source, external_ids in touched.items():
            products = products_of_ids(self.uow.history, source, external_ids)
            report = link_products(self.uow, source, products, clock=self._clock)
            self.cards |= report.cards
            self._decide_again(source, set(self.cards))

    # --- what they check

    def _check_target(
        self, link: LinkRecord, target: Target, products: Sequence[VendorProduct]
    ) -> None:
        connection = self.uow.connection
        facts = load_facts(connection, {target.card_id}).get(target.card_id)
        if facts is None:
            raise InvalidInput(f"there is no card {target.card_id}")
        if facts.game != link.game:
            raise InvalidInput(f"card {target.card_id} is of {facts.game}, not of {link.game}")
        name = target.printing
        known = sorted(printings_of(connection, {target.card_id})[target.card_id])
        listed = ", ".join(known) or "none"
        if not name:
            raise InvalidInput(f"name the printing; the card has {listed}")
        if name not in known and not target.new_printing:
            raise InvalidInput(f"the card has no printing {name!r}; it has {listed}")
        if name != name.strip() or not name.isprintable() or len(name) > MAX_PRINTING:
            raise InvalidInput(f"a printing has at most {MAX_PRINTING} visible characters")
        if (link.state, link.card_id, link.printing) == (
            LinkState.CONFIRMED,
            target.card_id,
            name,
        ) and link.decided_by:
            raise Conflict(f"{link.decided_by} accepted this before")
        refused = load_rejections(connection, link.source, [products[0].external_id])
        for one in products:
            if refused.refuse_card(one.external_id, target.card_id) or refused.refuse_printing(
                one.external_id, one.sub_key, target.card_id, name
            ):
                by = {
                    one.decided_by
                    for one in list_rejections(connection, link.source, [one.external_id])
                }
                raise Conflict(f"{', '.join(sorted(by))} refused this pair: undo that first")

    def _require_no_rival(self, link: LinkRecord, target: Target, group: set[int]) -> None:
        """Refuse a second product, or another language of it, for one printing."""
        at = links_at(self.uow.connection, link.source, target.card_id, target.printing)
        rivals = [one for one in at if one.vendor_product_id not in group]
        mine = self.groups.product(link)
        for rival in rivals:
            other = self.groups.product(rival)
            alike = other.external_id == mine.external_id and printing_of_sub_key(
                link.source, other.sub_key
            ) == printing_of_sub_key(link.source, mine.sub_key)
            if alike:
                continue
            if rival.decided_by or other.external_id == mine.external_id:
                raise Conflict(
                    f"product {other.external_id} {other.sub_key} is tied to this printing"
                    f" (link {rival.id}): reject or relink that first"
                )

    # --- what they write

    def _refuse(self, product: VendorProduct, card_id: int, printing: str) -> None:
        sub_key = product.sub_key if printing else ""
        one = Rejection(product.external_id, sub_key, card_id, printing, self.by, self.batch)
        add_rejection(self.uow.connection, product.source, one, decided_at=self.now)

    def _write(
        self,
        action: LinkAction,
        group: Sequence[tuple[VendorProduct, LinkRecord]],
        news: Sequence[LinkStanding],
    ) -> None:
        stated = self.groups.said(group[0][0].source, group[0][0].external_id)
        decisions = [
            NewDecision(
                batch=self.batch,
                action=action,
                source=product.source,
                external_id=product.external_id,
                sub_key=product.sub_key,
                vendor_product_id=product.id,
                decided_by=self.by,
                decided_at=self.now,
                note=self.note,
                stated=stated,
                old=_standing(record),
                new_state=new.state,
                new_card_id=new.card_id,
                new_printing=new.printing,
            )
            for (product, record), new in zip(group, news, strict=True)
        ]
        save_decisions(self.uow.connection, decisions)
        self.changed += len(decisions)
        if action is LinkAction.SKIP:
            return
        grown = False
        for (product, record), new in zip(group, news, strict=True):
            grown |= set_link(self.uow.connection, product.id, new)
            self.cards.add(record.card_id)
        self.cards |= {new.card_id for new in news if new.card_id is not None}
        if grown:  # a plain product was the only printing's; now there is one more
            for source in (*ID_SOURCES, *OWN_SOURCES):
                self._decide_again(source, {new.card_id for new in news if new.card_id})

    def _decide_again(self, source: Source, card_ids: set[int]) -> None:
        """Let the rules look again at all products of cards, in the light of what was decided."""
        report = LinkReport()
        for named in shared_sources(source):
            link_cards(self.uow, named, card_ids, report, clock=self._clock)
        self.cards |= report.cards

    def _evidence(self, link: LinkRecord, product: VendorProduct, target: Target) -> str:
        connection = self.uow.connection
        text = f"{self.by} accepted {target.printing}{self._noted()}"
        stated = load_stated(connection, link.source, [product.external_id])
        if product.external_id in stated:
            one = stated[product.external_id]
            facts = load_facts(connection, {target.card_id})[target.card_id]
            agreement = compare(one, facts, vendor=link.source)
            text += f"; {rules.said(link.source, one)}; {agreement.text}"
        return f"{text}{_BEFORE}{_first_words(link)}"

    def _noted(self) -> str:
        return f" ({self.note})" if self.note else ""


def _standing(record: LinkRecord) -> LinkStanding:
    return LinkStanding(
        record.state,
        record.card_id,
        record.printing,
        record.score,
        record.evidence,
        record.rule_version,
        record.checked_at,
        record.decided_by,
    )


def _first_words(record: LinkRecord) -> str:
    """Return what the rules said of a link; what people decided since stands in the decisions."""
    said = record.evidence.rpartition(_BEFORE)[2] if record.decided_by else record.evidence
    return f"{record.state}, {said}" if not record.decided_by else said
