"""Asking the sources for the prices of some cards: the first source, then the fallbacks.

No database connection is held while a vendor is waited for. A fallback's price stays in its own
source's series; the answer names the source that it is from and why it is not the first one's.
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from tcgtracker.database.engine import Database
from tcgtracker.domain.clock import Clock, to_epoch
from tcgtracker.domain.errors import (
    InvalidInput,
    SourceDisabled,
)
from tcgtracker.domain.source import FRESH_FOR, Source
from tcgtracker.integrations.contract import (
    JOB_CALL,
    PAGE_CALL,
    CallPolicy,
    Capability,
    VendorInfo,
)
from tcgtracker.operations.flags import SourceFlags
from tcgtracker.quotes.asking import Asking, load_asking
from tcgtracker.quotes.due_cards import existing, next_check, save_checks
from tcgtracker.quotes.item_calls import ItemAnswers, ItemCalls, in_order
from tcgtracker.quotes.offers import ReadFlags, default_flags
from tcgtracker.quotes.outcomes import (
    ANSWERED,
    CardOutcome,
    Miss,
    MissKind,
    Outcome,
    ShownPrice,
)
from tcgtracker.quotes.shown_prices import CardPrices, held_series, load_shown, load_ties
from tcgtracker.quotes.vendors import VendorEntry, Vendors
from tcgtracker.runtime.metrics import Metrics
from tcgtracker.runtime.ports import Cache

_log = structlog.get_logger()
_CARDS_NAMED = 50
"""Of cards in a line of the log."""
_LOOK_S = 1.0
"""How often the flags are looked at again while calls are made, monotonic seconds."""

OnProgress = Callable[[int, int], None]
"""Is told how many of how many cards are done."""


@dataclass(slots=True)
class _Update:
    """One call of `CardUpdater.update`."""

    waiting: dict[int, None]
    """Cards that no source has given a price for yet, in the order in which they are asked for."""
    misses: dict[int, list[Miss]]
    flags: SourceFlags
    done: dict[int, CardOutcome] = field(default_factory=dict)
    answered: dict[int, datetime] = field(default_factory=dict)
    """When the cards that a source answered for are due again."""
    looked_at: float = field(default_factory=time.monotonic)
    """When the flags were read, monotonic seconds."""

    def miss(self, card_id: int, miss: Miss) -> None:
        self.misses[card_id].append(miss)


class CardUpdater:
    """Updates cards of one tracker; safe to use from several threads.

    flags: read in which order the sources are asked. cache: where rendered prices are dropped from.
    """

    def __init__(
        self,
        database: Database,
        history: Database,
        vendors: Vendors,
        clock: Clock,
        *,
        cache: Cache,
        flags: ReadFlags = default_flags,
        metrics: Metrics | None = None,
    ) -> None:
        self._database = database
        self._history = history
        self._vendors = vendors
        self._clock = clock
        self._cache = cache
        self._flags = flags
        self._metrics = metrics or Metrics()
        self._calls = ItemCalls(database, history, vendors, clock, self._metrics)

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
        says when the cards are due again; it may refuse it by raising. When the flags change
        meanwhile, what was not asked yet is asked as they say then.

        Raises:
            InvalidInput: `source` cannot be asked for single cards.
        """
        wanted = list(dict.fromkeys(card_ids))
        with self._database.read() as connection:
            flags = self._flags(connection)
            known = existing(connection, wanted)
        self._entries(flags.order, source)  # refuse a source that cannot be asked, whatever cards
        run = _Update(
            waiting={card_id: None for card_id in wanted if card_id in known},
            misses={card_id: [] for card_id in known},
            flags=flags,
        )
        while not self._ask_all(run, source, policy, on_progress):
            _log.info("quotes.flags_changed", waiting=len(run.waiting))
        self._settle(run)
        self._save(run, guard)
        self._cache.delete(*(f"card:price:{card_id}" for card_id in sorted(known)))
        _log.info("quotes.cache_dropped", card_ids=sorted(known)[:_CARDS_NAMED], cards=len(known))
        self._count(run)
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

    def shadow(self) -> Source | None:
        """Return the source to be asked for comparison, if one is and answers for products."""
        with self._database.read() as connection:
            source = self._flags(connection).shadow
        entry = None if source is None else self._vendors.of_source(source)
        can_ask = entry is not None and Capability.ITEMS in entry.info.capabilities
        return source if can_ask else None

    def take_shadow(self, card_ids: Iterable[int], source: Source) -> dict[str, int]:
        """Ask a source for cards, to be compared; return how many products it was asked for.

        Its answers are recorded in its own series. Nothing else of the cards changes: neither when
        they are due, nor what was answered for them.

        Raises:
            InvalidInput: the source cannot be asked for single cards.
            VendorError: it failed for all that was left to ask.
        """
        (entry, *_) = self._entries([source], source)
        with self._database.read() as connection, self._history.read() as history:
            asking = load_asking(connection, history, entry.info, list(card_ids))
        refs = in_order(asking, asking.refs)
        if refs and entry.disabled:
            raise SourceDisabled(entry.info.vendor, "items", entry.disabled)
        answers = self._calls.ask(entry.info, refs, policy=PAGE_CALL, run_name="shadow")
        if answers.failed and not answers.products:
            raise next(iter(answers.failed.values()))
        return {
            "asked": len(refs),
            "answered": len(answers.products),
            "failed": len(answers.failed),
        }

    def _ask_all(
        self, run: _Update, source: Source | None, policy: CallPolicy, tell: OnProgress | None
    ) -> bool:
        """Ask the sources of each card in their order; return whether the flags stayed the same.

        Cards of one order are asked together, so that a batch is as full as it can be.
        """
        flags, total = run.flags, len(run.misses)
        for moved in (False, True):
            order = flags.moved if moved else flags.order
            for entry in self._entries(order, source):
                tried = {
                    card_id
                    for card_id, misses in run.misses.items()
                    if any(miss.source is entry.info.source for miss in misses)
                }
                asked = [
                    card_id
                    for card_id in run.waiting
                    if card_id not in tried and flags.is_moved(card_id) is moved
                ]
                if asked:
                    self._ask_source(entry, run, asked, policy)
                    if tell:
                        tell(len(run.done), total)
                if run.flags != flags:
                    return False
        return True

    def _flags_changed(self, run: _Update) -> bool:
        now = time.monotonic()
        if now - run.looked_at < _LOOK_S:
            return False
        run.looked_at = now
        before = run.flags
        with self._database.read() as connection:
            run.flags = self._flags(connection)
        return run.flags != before

    def _entries(self, order: Sequence[Source], source: Source | None) -> list[VendorEntry]:
        """Return the vendors in the order in which they are asked for single products.

        Raises:
            InvalidInput: `source` is none of them.
        """
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

    def _ask_source(
        self, entry: VendorEntry, run: _Update, card_ids: Collection[int], policy: CallPolicy
    ) -> None:
        info, source = entry.info, entry.info.source
        assert source is not None  # noqa: S101 - found by its source
        with self._database.read() as connection, self._history.read() as history:
            asking = load_asking(connection, history, info, card_ids)
        for card_id, reason in asking.without.items():
            run.miss(card_id, Miss(source, MissKind.NO_PRODUCT, reason.value))
        if not asking.refs:
            return
        if entry.disabled:
            off = SourceDisabled(info.vendor, "items", entry.disabled)
            for card_id in asking.refs:
                run.miss(card_id, Miss(source, MissKind.FATAL, f"disabled: {entry.disabled}", off))
            return
        named = sorted(asking.refs)[:_CARDS_NAMED]
        _log.info("quotes.asking", source=source.value, card_ids=named, cards=len(asking.refs))
        answers = self._calls.ask(
            info,
            in_order(asking, card_ids),
            policy=policy,
            enough=lambda: self._flags_changed(run),
        )
        self._judge(info, source, asking, answers, run)

    def _judge(
        self, info: VendorInfo, source: Source, asking: Asking, answers: ItemAnswers, run: _Update
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
            if not trusted and answers.left.intersection(refs):
                continue  # it is asked for again, where the flags say now
            if not trusted:
                run.miss(card_id, answers.why_not(source, refs))
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
            last = _last_known(prices, run.flags.shadow)
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

    def _count(self, run: _Update) -> None:
        """Count how each source did: a card that falls back counts at each source asked."""
        counter = self._metrics.price_updates
        for outcome in run.done.values():
            for miss in outcome.misses:
                if miss.kind is not MissKind.NO_PRODUCT:
                    counter.labels(miss.source.value, miss.kind.value).inc()
            if outcome.answered and outcome.price is not None:
                counter.labels(outcome.price.source.value, outcome.outcome.value).inc()
            elif not outcome.answered:
                counter.labels("none", outcome.outcome.value).inc()

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


def _listed_price(prices: CardPrices | None, source: Source) -> ShownPrice | None:
    if prices is None or source not in prices.listed:
        return None
    price = prices.by_source[source]
    return None if price.market_price is None else price


def _last_known(prices: CardPrices | None, shadow: Source | None) -> ShownPrice | None:
    found: Mapping[Source, ShownPrice] = prices.by_source if prices else {}
    priced = [
        one for one in found.values() if one.market_price is not None and one.source is not shadow
    ]
    return max(priced, key=lambda one: (one.observed_at is not None, one.observed_at), default=None)
