"""What to fetch now under the budgets that are left: decided before anything is called. Pure.

Nothing here reads a clock, a database or the network, and the same input gives the same plan.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from itertools import chain
from math import ceil

from tcgtracker.domain.clock import EPOCH
from tcgtracker.domain.source import Source
from tcgtracker.integrations.contract import ProductRef

LEAST_VALUE_MINOR = 100
"""What a card counts for beside its price, minor units: cheap and unpriced ones have a turn."""


class Operation(StrEnum):
    """The unit that a step asks a vendor for."""

    BULK = "bulk"
    ITEMS = "items"


@dataclass(frozen=True, slots=True)
class DueCard:
    """A card whose time has come.

    waiting_since: since when it is due, aware UTC; None when it was never checked.
    staleness_s: seconds since its price was last confirmed.
    value_minor: its headline price in minor units, 0 for none. need, volatility: 0 and more.
    refs: by which ids each vendor is asked for it, by vendor. first: the vendor that has its turn
    before all others, for this card alone; '' for none.
    """

    card_id: int
    game: str
    waiting_since: datetime | None
    staleness_s: int
    value_minor: int = 0
    need: float = 0.0
    volatility: float = 0.0
    refs: Mapping[str, tuple[ProductRef, ...]] = field(default_factory=dict)
    first: str = ""

    @property
    def weight(self) -> float:
        return (LEAST_VALUE_MINOR + self.value_minor) * (1 + self.need) * (1 + self.volatility)

    @property
    def urgency(self) -> float:
        """Return what a look at the card is worth: staleness squared, times weight.

        The sum over time of staleness times weight falls fastest when the card with the largest
        weight x staleness^2 is looked at next (the index rule for the age of information); the
        square also lets no card wait for ever.
        """
        return self.weight * self.staleness_s**2


@dataclass(frozen=True, slots=True)
class BulkScope:
    """A whole game at once. calls: what it costs; closed: why not now, '' when it may be asked.

    unread: nothing of it was ever taken in, so nobody knows which cards are in it.
    """

    game: str
    calls: int
    closed: str = ""
    unread: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """What one vendor can do now.

    batch: products of one call, 0 when it does not answer for single products.
    left: calls left by window; empty when nothing bounds them. closed: why it is not asked.
    """

    vendor: str
    source: Source
    batch: int
    left: Mapping[str, int] = field(default_factory=dict)
    closed: str = ""
    scopes: tuple[BulkScope, ...] = ()

    @property
    def calls_left(self) -> int | None:
        return max(0, min(self.left.values())) if self.left else None

    @property
    def answers_items(self) -> bool:
        return self.batch > 0 and not self.closed


@dataclass(frozen=True, slots=True)
class Step:
    """Calls to one vendor; cards and refs in the order in which they are asked."""

    vendor: str
    source: Source
    operation: Operation
    card_ids: tuple[int, ...]
    calls: int
    why: str
    game: str = ""
    refs: tuple[ProductRef, ...] = ()


@dataclass(frozen=True, slots=True)
class Budget:
    """Calls to one vendor: what is left by window, and what the plan takes of each."""

    vendor: str
    left: Mapping[str, int]
    planned: int
    closed: str = ""


@dataclass(slots=True)
class Plan:
    """Steps in order, cards left out by reason, and the budgets."""

    steps: list[Step] = field(default_factory=list)
    left_out: dict[str, list[int]] = field(default_factory=dict)
    budgets: list[Budget] = field(default_factory=list)

    @property
    def calls(self) -> int:
        return sum(step.calls for step in self.steps)


def compute_plan(due: Sequence[DueCard], offers: Sequence[Offer], *, limit: int) -> Plan:
    """Give each card to the first offer that has a product and a budget for it.

    limit: cards at most, the longest due first, that go to vendors that answer one product a call;
    the rest of those wait for the next run. A budget that does not reach for all is spent where
    staleness, value and need are highest.
    """
    plan = Plan()
    waiting = {card.card_id: card for card in sorted(due, key=_urgent_first)}
    reasons: dict[int, str] = {}
    for offer, place in _turns(due, offers):
        early = place is None
        spent = sum(step.calls for step in plan.steps if step.vendor == offer.vendor)
        asking = [card for card in waiting.values() if not early or card.first == offer.vendor]
        mine = [card for card in asking if offer.vendor in card.refs]
        steps: list[Step] = []
        if offer.closed:
            reasons |= {card.card_id: f"{offer.vendor}: {offer.closed}" for card in mine}
        else:
            left = None if offer.calls_left is None else offer.calls_left - spent
            later = [other for other in offers[(place or 0) :] if _follows(offer, other)]
            bulk = _bulk_steps(_without_planned(offer, plan), asking, later, left)
            taken = set(chain.from_iterable(step.card_ids for step in bulk))
            left = None if left is None else left - sum(step.calls for step in bulk)
            rest = [card for card in mine if card.card_id not in taken]
            room = limit - _single_cards(plan, offer)
            chosen, cut = _within(rest, room) if offer.batch == 1 else (rest, [])
            items, unpaid = _items_step(offer, chosen, left)
            steps = bulk + items
            reasons |= {card.card_id: f"{offer.vendor}: no calls left" for card in unpaid}
            if not offer.batch:
                reasons |= {
                    card.card_id: f"{offer.vendor}: {_why_no_file(offer, card.game, left)}"
                    for card in rest
                }
            for card in cut:  # it has its source: it waits for its turn there
                reasons[card.card_id] = f"{offer.vendor}: more than {limit} cards, one a call"
                _leave_out(plan, waiting.pop(card.card_id), reasons)
        for card_id in chain.from_iterable(step.card_ids for step in steps):
            del waiting[card_id]
        plan.steps += steps
        if not early:
            planned = spent + sum(step.calls for step in steps)
            plan.budgets.append(Budget(offer.vendor, dict(offer.left), planned, offer.closed))
    for card in sorted(waiting.values(), key=_oldest_first):
        _leave_out(plan, card, reasons)
    return plan


def _turns(due: Sequence[DueCard], offers: Sequence[Offer]) -> Iterator[tuple[Offer, int | None]]:
    """Yield offers in the order of their turns, each with its place among them.

    An offer that is the first one of some cards has an early turn, for these alone: its place there
    is None.
    """
    wanted = {card.first for card in due}
    yield from ((offer, None) for offer in offers if offer.vendor in wanted)
    yield from ((offer, place) for place, offer in enumerate(offers))


def _follows(offer: Offer, other: Offer) -> bool:
    return other.answers_items and other.vendor != offer.vendor


def _without_planned(offer: Offer, plan: Plan) -> Offer:
    """Return the offer without the files that an early turn has planned."""
    planned = {step.game for step in plan.steps if step.vendor == offer.vendor and step.game}
    return replace(offer, scopes=tuple(one for one in offer.scopes if one.game not in planned))


def _single_cards(plan: Plan, offer: Offer) -> int:
    """Return how many cards an early turn asks for one by one."""
    return sum(
        len(step.card_ids)
        for step in plan.steps
        if step.vendor == offer.vendor and step.operation is Operation.ITEMS
    )


def batches(refs: Sequence[ProductRef], size: int) -> Iterable[Sequence[ProductRef]]:
    """Yield the refs of each call: exactly ceil(len(refs) / size) parts."""
    for start in range(0, len(refs), size):
        yield refs[start : start + size]


def _bulk_steps(
    offer: Offer, waiting: Sequence[DueCard], later: Sequence[Offer], left: int | None
) -> list[Step]:
    steps = []
    for scope in offer.scopes:
        of_game = [card for card in waiting if card.game == scope.game]
        covered = [card for card in of_game if offer.vendor in card.refs]
        if not of_game or scope.closed or (left is not None and scope.calls > left):
            continue
        asked = sum(len(card.refs[offer.vendor]) for card in covered)
        by_items = scope.calls * max(1, offer.batch)
        # Cards that nobody answers for one by one are worth the file whatever they are.
        alone = not offer.answers_items and any(
            not any(other.vendor in card.refs for other in later) for card in covered
        )
        if scope in unread_scopes(offer):
            covered = of_game  # no vendor behind this one is asked before the file has told
        elif asked <= by_items and not alone:
            continue
        steps.append(
            Step(
                vendor=offer.vendor,
                source=offer.source,
                operation=Operation.BULK,
                card_ids=tuple(card.card_id for card in covered),
                calls=scope.calls,
                why=f"may hold all {scope.game} cards: it was never read"
                if scope.unread
                else f"covers {len(covered)} due cards of {scope.game}",
                game=scope.game,
            )
        )
        left = None if left is None else left - scope.calls
    return steps


def unread_scopes(offer: Offer) -> list[BulkScope]:
    """Return the files that come before the vendors behind this one: which cards they hold, only
    they can tell. A vendor of files alone is the last resort, not the first.
    """
    if not offer.answers_items:
        return []
    return [scope for scope in offer.scopes if scope.unread and not scope.closed]


def _why_no_file(offer: Offer, game: str, left: int | None) -> str:
    for scope in offer.scopes:
        if scope.game == game:
            if scope.closed or left is None or scope.calls <= left:
                return scope.closed or f"its files cost {scope.calls} calls"
            return f"its files cost {scope.calls} calls, {left} are left"
    return f"it publishes no files of {game}"


def _items_step(
    offer: Offer, cards: Sequence[DueCard], left: int | None
) -> tuple[list[Step], list[DueCard]]:
    """Return the step, if any, and the cards that the calls left do not pay for."""
    if not offer.batch:
        return [], []
    room = None if left is None else left * offer.batch
    taken: list[DueCard] = []
    refs: dict[ProductRef, None] = {}
    unpaid = []
    for card in cards:
        wanted = [ref for ref in card.refs[offer.vendor] if ref not in refs]
        if room is not None and len(refs) + len(wanted) > room:
            unpaid.append(card)
            continue
        refs.update(dict.fromkeys(wanted))
        taken.append(card)
    if not taken:
        return [], unpaid
    calls = ceil(len(refs) / offer.batch)
    step = Step(
        vendor=offer.vendor,
        source=offer.source,
        operation=Operation.ITEMS,
        card_ids=tuple(card.card_id for card in taken),
        calls=calls,
        why=f"{len(refs)} products, {offer.batch} a call",
        refs=tuple(refs),
    )
    return [step], unpaid


def _within(cards: Sequence[DueCard], limit: int) -> tuple[list[DueCard], list[DueCard]]:
    """Return the `limit` cards that are due longest, in the order given, and the others."""
    first = {card.card_id for card in sorted(cards, key=_oldest_first)[:limit]}
    return (
        [card for card in cards if card.card_id in first],
        [card for card in cards if card.card_id not in first],
    )


def _leave_out(plan: Plan, card: DueCard, reasons: Mapping[int, str]) -> None:
    reason = reasons.get(card.card_id, "no source that may be asked has a product for it")
    plan.left_out.setdefault(reason, []).append(card.card_id)


def _urgent_first(card: DueCard) -> tuple[float, datetime, int]:
    return (-card.urgency, *_oldest_first(card))


def _oldest_first(card: DueCard) -> tuple[datetime, int]:
    return (card.waiting_since or EPOCH, card.card_id)
