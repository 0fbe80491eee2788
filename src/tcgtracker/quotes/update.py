"""Asking the sources for the prices of some cards: the first source, then the fallbacks.

No database connection is held while a vendor is waited for. A fallback's price stays in its own
source's series; the answer names the source that it is from and why it is not the first one's.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from tcgtracker.database.engine import Database
from tcgtracker.domain.clock import Clock, iso, to_epoch
from tcgtracker.domain.errors import (
    BadCredentials,
    InvalidInput,
    RateLimited,
    RetryableVendorError,
    SourceDisabled,
    SourcePaused,
    VendorError,
)
from tcgtracker.domain.source import FRESH_FOR, Source
from tcgtracker.integrations.contract import (
    JOB_CALL,
    CallPolicy,
    Capability,
    ItemPage,
    ProductRef,
    VendorInfo,
)
from tcgtracker.quotes.asking import Asking, load_asking
from tcgtracker.quotes.due_cards import existing, next_check, save_checks
from tcgtracker.quotes.items_intake import ItemIntake, ItemRun, TakenItem
from tcgtracker.quotes.offers import SourceOrder, default_order
from tcgtracker.quotes.outcomes import (
    ANSWERED,
    CardOutcome,
    Miss,
    MissKind,
    Outcome,
    ShownPrice,
)
from tcgtracker.quotes.plan import batches
from tcgtracker.quotes.shown_prices import CardPrices, held_series, load_shown, load_ties
from tcgtracker.quotes.vendors import VendorEntry, Vendors
from tcgtracker.runtime.ports import Cache

_log = structlog.get_logger()
_FAILURES_IN_A_ROW = 2
"""After so many failed calls the rest of the products is not asked for: the vendor is not well."""
_ENDS_THE_SOURCE = (SourceDisabled, BadCredentials, SourcePaused, RateLimited)

OnProgress = Callable[[int, int], None]
"""Is told how many of how many cards are done."""


@dataclass(slots=True)
class _Answers:
    """What one source said: the vendor's id of each ref, its products, and what failed."""

    products: dict[ProductRef, str] = field(default_factory=dict)
    taken: dict[str, TakenItem] = field(default_factory=dict)
    failed: dict[ProductRef, VendorError] = field(default_factory=dict)


@dataclass(slots=True)
class _Update:
    """One call of `CardUpdater.update`."""

    waiting: dict[int, None]
    """Cards that no source has given a price for yet, in the order in which they are asked for."""
    misses: dict[int, list[Miss]]
    done: dict[int, CardOutcome] = field(default_factory=dict)
    answered: dict[int, datetime] = field(default_factory=dict)
    """When the cards that a source answered for are due again."""

    def miss(self, card_id: int, miss: Miss) -> None:
        self.misses[card_id].append(miss)


class CardUpdater:
    """Updates cards of one tracker; safe to use from several threads.

    order: in which order the sources are asked. cache: where rendered prices are dropped from.
    """

    def __init__(
        self,
        database: Database,
        history: Database,
        vendors: Vendors,
        clock: Clock,
        *,
        cache: Cache,
        order: SourceOrder = default_order,
    ) -> None:
        self._database = database
        self._history = history
        self._vendors = vendors
        self._clock = clock
        self._cache = cache
        self._order = order
        self._intake = ItemIntake(database, history, clock)

    def update(
        self,
        card_ids: Iterable[int],
        *,
        source: Source | None = None,
        policy: CallPolicy = JOB_CALL,
        guard: Callable[[Connection], None] | None = None,
        on_progress: OnProgress | None = None,
    ) -> list[CardOutcome]:
        """Ask for the cards' prices; return what became of each, in the order given.

        source: asked first, before the configured order. guard: called in the transaction that
        says when the cards are due again; it may refuse it by raising.

        Raises:
            InvalidInput: `source` cannot be asked for single cards.
        """
        wanted = list(dict.fromkeys(card_ids))
        entries = self.entries(source)
        with self._database.read() as connection:
            known = existing(connection, wanted)
        run = _Update(
            waiting={card_id: None for card_id in wanted if card_id in known},
            misses={card_id: [] for card_id in known},
        )
        for entry in entries:
            if run.waiting:
                self._ask_source(entry, run, policy)
                if on_progress:
                    on_progress(len(run.done), len(wanted))
        self._settle(run)
        self._save(run, guard)
        self._cache.delete(*(f"card:price:{card_id}" for card_id in sorted(known)))
        if on_progress:
            on_progress(len(wanted), len(wanted))
        return [
            run.done[card_id] if card_id in known else CardOutcome(card_id, Outcome.UNKNOWN)
            for card_id in wanted
        ]

    def shown(self, card_ids: Collection[int], source: Source) -> list[CardOutcome]:
        """Return the outcome of cards whose price a file of this source has just brought.

        Cards that the file has no price for are left out.
        """
        with self._database.read() as connection, self._history.read() as history:
            found = load_shown(connection, history, card_ids)
        now = self._clock.now()
        outcomes = []
        for card_id in sorted(found):
            price = _listed_price(found[card_id], source)
            if price is not None and price.observed_at is not None:
                age = max(timedelta(0), now - price.observed_at)
                outcomes.append(CardOutcome(card_id, Outcome.STORED, price, age > FRESH_FOR, age))
        return outcomes

    def entries(self, source: Source | None = None) -> list[VendorEntry]:
        """Return the vendors in the order in which they are asked for single products.

        Raises:
            InvalidInput: `source` is none of them.
        """
        with self._database.read() as connection:
            order = list(self._order(connection))
        if source is not None:
            order = [source, *(one for one in order if one is not source)]
        found = [
            entry
            for one in order
            if (entry := self._vendors.of_source(one)) is not None
            and Capability.ITEMS in entry.info.capabilities
        ]
        if source is not None and (not found or found[0].info.source is not source):
            known = ", ".join(str(entry.info.source) for entry in found) or "none"
            raise InvalidInput(f"{source} cannot be asked for single cards; these can: {known}")
        return found

    def _ask_source(self, entry: VendorEntry, run: _Update, policy: CallPolicy) -> None:
        info, source = entry.info, entry.info.source
        assert source is not None  # noqa: S101 - found by its source
        with self._database.read() as connection, self._history.read() as history:
            asking = load_asking(connection, history, info, run.waiting)
        for card_id, reason in asking.without.items():
            run.miss(card_id, Miss(source, MissKind.NO_PRODUCT, reason.value))
        if not asking.refs:
            return
        if entry.disabled:
            off = SourceDisabled(info.vendor, "items", entry.disabled)
            for card_id in asking.refs:
                run.miss(card_id, Miss(source, MissKind.FATAL, f"disabled: {entry.disabled}", off))
            return
        answers = self._ask(info, _in_order(asking, run.waiting), policy)
        self._judge(info, source, asking, answers, run)

    def _ask(self, info: VendorInfo, refs: Sequence[ProductRef], policy: CallPolicy) -> _Answers:
        """Ask in batches and record each answer at once; a failed batch keeps its error."""
        answers = _Answers()
        in_a_row = 0
        ended: VendorError | None = None
        with ExitStack() as stack:
            run: ItemRun | None = None
            for batch in batches(refs, info.batch):
                if ended is not None:
                    answers.failed.update(dict.fromkeys(batch, ended))
                    continue
                try:
                    for page in self._vendors.items(info.vendor, batch, policy=policy):
                        if run is None:  # a run is of answers: calls that fail leave none
                            run = stack.enter_context(self._intake.run(page.source, "update"))
                        self._record(page, run, answers)
                    in_a_row = 0
                except VendorError as exc:
                    unanswered = [ref for ref in batch if ref not in answers.products]
                    answers.failed.update(dict.fromkeys(unanswered, exc))
                    in_a_row += 1
                    if isinstance(exc, _ENDS_THE_SOURCE) or in_a_row == _FAILURES_IN_A_ROW:
                        ended = exc
                    _log.warning("quotes.call_failed", vendor=info.vendor, error=str(exc))
        return answers

    def _record(self, page: ItemPage, run: ItemRun, answers: _Answers) -> None:
        answers.taken.update(self._intake.take(page, run).items)
        answers.products.update(page.answered)

    def _judge(
        self, info: VendorInfo, source: Source, asking: Asking, answers: _Answers, run: _Update
    ) -> None:
        """Tell which cards the source has given a price for, and why not the others."""
        with self._database.read() as connection, self._history.read() as history:
            shown = load_shown(connection, history, asking.refs.keys())
            ties = load_ties(connection, history, source, answers.taken.keys())
            held = held_series(
                history,
                {
                    series_id: to_epoch(answers.taken[tie.external_id].observed_at)
                    for tie in ties
                    for series_id in tie.series_ids
                },
            )
        tied: dict[int, set[str]] = {}
        held_cards: dict[int, set[int]] = {}
        for tie in ties:
            tied.setdefault(tie.card_id, set()).add(tie.external_id)
            held_cards.setdefault(tie.card_id, set()).update(held.intersection(tie.series_ids))
        for card_id, refs in asking.refs.items():
            products = {answers.products[ref] for ref in refs if ref in answers.products}
            trusted = products & tied.get(card_id, set()) & answers.taken.keys()
            if not trusted:
                run.miss(card_id, _no_answer(source, refs, products, answers))
                continue
            items = [answers.taken[external_id] for external_id in trusted]
            observed_at = max(item.observed_at for item in items)
            run.answered.setdefault(
                card_id,
                next_check(self._clock.now(), observed_at=observed_at, refresh=info.refresh),
            )
            price = _listed_price(shown.get(card_id), source)
            kept_back = held_cards.get(card_id, set())
            if kept_back and (price is None or price.series_id in kept_back):
                outcome = Outcome.HELD
            elif price is None:
                run.miss(card_id, Miss(source, MissKind.NO_PRICE, "states no price"))
                continue
            elif any(item.stored for item in items):
                outcome = Outcome.STORED
            else:
                outcome = Outcome.UNCHANGED
            self._finish(run, card_id, outcome, price)

    def _settle(self, run: _Update) -> None:
        """Give the cards without an answer their last known price."""
        with self._database.read() as connection, self._history.read() as history:
            shown = load_shown(connection, history, run.waiting)
        for card_id in sorted(run.waiting):
            prices = shown.get(card_id)
            last = _last_known(prices)
            if last is not None:
                outcome = Outcome.STALE
            elif all(
                miss.kind in (MissKind.NO_PRODUCT, MissKind.UNTRUSTED)
                for miss in run.misses[card_id]
            ):
                outcome = Outcome.NO_TRUSTED_LINK
            else:
                outcome = Outcome.FAILED
            self._finish(run, card_id, outcome, last)

    def _finish(
        self, run: _Update, card_id: int, outcome: Outcome, price: ShownPrice | None
    ) -> None:
        age: timedelta | None = None
        if price is not None and price.observed_at is not None:
            age = max(timedelta(0), self._clock.now() - price.observed_at)
        run.done[card_id] = CardOutcome(
            card_id=card_id,
            outcome=outcome,
            price=price,
            stale=price is not None and (outcome not in ANSWERED or age is None or age > FRESH_FOR),
            age=age,
            misses=tuple(run.misses[card_id]),
        )
        run.waiting.pop(card_id, None)

    def _save(self, run: _Update, guard: Callable[[Connection], None] | None) -> None:
        """Say when the cards are due again.

        A card that no source has said a word about keeps its time, and one that a source failed
        for in passing: an outage is no fault of the card, and the job that asked repeats it.
        """
        missed = [
            card_id
            for card_id, misses in run.misses.items()
            if card_id not in run.answered
            and any(miss.kind.asked for miss in misses)
            and not any(miss.kind is MissKind.RETRYABLE for miss in misses)
        ]
        with self._database.write() as connection:
            if guard:
                guard(connection)
            save_checks(connection, answered=run.answered, missed=missed, now=self._clock.now())


def _in_order(asking: Asking, card_ids: Iterable[int]) -> list[ProductRef]:
    """Return each ref once, in the order of the cards."""
    refs = (ref for card_id in card_ids for ref in asking.refs.get(card_id, ()))
    return list(dict.fromkeys(refs))


def _no_answer(
    source: Source, refs: Collection[ProductRef], products: Collection[str], answers: _Answers
) -> Miss:
    errors = [answers.failed[ref] for ref in refs if ref in answers.failed]
    if errors:
        error = errors[0]
        return Miss(source, _kind_of(error), _said(error), error)
    if products and not answers.taken.keys() & products:
        return Miss(source, MissKind.ABSENT, "its answer for the card could not be used")
    if products:
        return Miss(source, MissKind.UNTRUSTED, "its product is not proven to be this card")
    return Miss(source, MissKind.ABSENT, "does not know the product any more")


def _kind_of(error: VendorError) -> MissKind:
    if isinstance(error, SourcePaused):
        return MissKind.PAUSED
    if isinstance(error, RetryableVendorError):
        return MissKind.RETRYABLE
    return MissKind.FATAL


def _said(error: VendorError) -> str:
    """Return the error without the vendor's name, which stands before it."""
    text = str(error).removeprefix(f"{error.vendor}: ")
    until = f" (until {iso(error.until)})" if isinstance(error, SourcePaused) else ""
    return f"{text}{until}"


def _listed_price(prices: CardPrices | None, source: Source) -> ShownPrice | None:
    if prices is None or source not in prices.listed:
        return None
    price = prices.by_source[source]
    return None if price.market_price is None else price


def _last_known(prices: CardPrices | None) -> ShownPrice | None:
    found: Mapping[Source, ShownPrice] = prices.by_source if prices else {}
    priced = [one for one in found.values() if one.market_price is not None]
    return max(priced, key=lambda one: (one.observed_at is not None, one.observed_at), default=None)
