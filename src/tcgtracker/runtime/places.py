"""Places in a rate limit, without any I/O: who may call when.

A bucket has `Pace.places` places; each comes back one window after it was taken, so no window of
that length ever holds more calls. A caller that must wait is promised a moment and asks again when
it has come: places are handed out in the order of the promises, and the wait is known at once.
"""

import asyncio
import math
import uuid
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from enum import IntEnum

from tcgtracker.runtime.ports import NoPlace

BETWEEN_S = 0.001
"""Two calls exactly one window apart would both be in a window that counts its two ends."""
LATE_S = 5.0
"""A promise that nobody takes up for so long is void: its caller was cancelled or killed.

A background caller that has waited for so much longer than promised, and for a part of the promise
as large as what is kept for live ones, lets none of them pass any more.
"""
_SPACING = 1.05
"""The vendor measures arrivals, not our departures: a call may travel longer than the next one."""
_RESERVE = 5
"""One place in so many is kept for live callers, where calls may come at once."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a service may be called: calls a window, least seconds between two calls."""

    places: int
    interval_s: float = 0.0
    window_s: float = 60.0

    def __post_init__(self) -> None:
        if self.places < 1 or self.interval_s < 0 or self.window_s <= 0:
            raise ValueError(f"{self} allows no call")

    @property
    def background(self) -> int:
        """The places that callers for whom nobody waits may take.

        All of them where the spacing alone never fills a window: then there is always a next place,
        and a live caller passes whoever queues for it.
        """
        if self.spacing_s and self.window_s / self.spacing_s + 1 <= self.places:
            return self.places
        return max(1, self.places - math.ceil(self.places / _RESERVE))

    @property
    def spacing_s(self) -> float:
        return self.interval_s * _SPACING

    def share(self, parts: int) -> "Pace":
        """Return the pace of one of several callers that do not see one another."""
        return Pace(max(1, self.places // parts), self.interval_s * parts, self.window_s)


@dataclass(frozen=True, slots=True)
class Question:
    """One caller's wish for a place; `pressing` when it lets no live caller pass any more."""

    caller: str
    live: bool
    patience_s: float
    pressing: bool = False


class Verdict(IntEnum):
    """What a caller is told."""

    TAKEN = 0
    WAIT = 1
    REFUSED = 2


@dataclass(frozen=True, slots=True)
class Reply:
    """`wait_s`: until the place is ready, 0 when it is taken."""

    verdict: Verdict
    wait_s: float = 0.0


@dataclass(slots=True)
class _Place:
    at: float
    live: bool
    taken: bool


class Places:
    """The bucket of one service, on one clock in seconds. `runtime/redis_places.py` is its twin."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._places: dict[str, _Place] = {}

    def ask(self, question: Question, now: float) -> Reply:
        """Take a place, or be promised one, or be refused."""
        self._drop(now)
        live = question.live
        first = self._places.pop(question.caller, None) is None
        seen = [
            place
            for place in self._places.values()
            if place.taken
            or (first and not live)
            or (place.live and (first or not (live or question.pressing)))
        ]
        at = self._earliest(now, seen, live=live)
        if at - now > question.patience_s:
            return Reply(Verdict.REFUSED, at - now)
        self._places[question.caller] = _Place(at, live, taken=at <= now)
        return Reply(Verdict.WAIT, at - now) if at > now else Reply(Verdict.TAKEN)

    def fill(self, moments: Iterable[float]) -> None:
        """Count places that were taken elsewhere."""
        for number, at in enumerate(moments):
            self._places[f"elsewhere {number}"] = _Place(at, live=False, taken=True)

    def give_back(self, caller: str) -> None:
        """Forget the promise to a caller that stopped waiting."""
        place = self._places.get(caller)
        if place is not None and not place.taken:
            del self._places[caller]

    def _earliest(self, now: float, seen: list[_Place], *, live: bool) -> float:
        pace = self._pace
        at = now
        if seen and pace.spacing_s:
            # What was promised is too early by the live callers that have pushed in since.
            newest = max((place.at for place in seen if place.taken), default=-math.inf)
            ahead = sum(not place.taken and place.at > now - pace.spacing_s for place in seen)
            last = max(newest + ahead * pace.spacing_s, *(place.at for place in seen))
            at = max(at, last + pace.spacing_s)
        at = max(at, self._free([place.at for place in seen], pace.places))
        if not live:
            taken = [place.at for place in seen if not place.live]
            at = max(at, self._free(taken, pace.background))
        return at

    def _free(self, taken: list[float], places: int) -> float:
        """Return when fewer than `places` of the moments are within the window."""
        if len(taken) < places:
            return -math.inf
        return sorted(taken)[-places] + self._pace.window_s + BETWEEN_S

    def _drop(self, now: float) -> None:
        gone = {True: now - self._pace.window_s - BETWEEN_S, False: now - LATE_S}
        self._places = {
            caller: place for caller, place in self._places.items() if place.at > gone[place.taken]
        }


async def wait_for_place(
    service: str,
    ask: Callable[[Question], Awaitable[Reply]],
    give_back: Callable[[Question], Awaitable[None]],
    *,
    live: bool,
    patience_s: float,
    monotonic: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]],
) -> None:
    """Ask until a place is taken; a caller that is cancelled gives its promise back.

    Raises:
        NoPlace: none comes free in time; known at the first question unless live callers push in.
    """
    until = monotonic() + patience_s
    question = Question(uuid.uuid4().hex, live, patience_s)
    pressing_at: float | None = None
    try:
        while (reply := await ask(question)).verdict is not Verdict.TAKEN:
            if reply.verdict is Verdict.REFUSED:
                raise NoPlace(service, reply.wait_s)
            if pressing_at is None:
                late = max(LATE_S, reply.wait_s / (_RESERVE - 1))
                pressing_at = monotonic() + reply.wait_s + late
            await sleep(reply.wait_s)
            now = monotonic()
            question = replace(
                question, patience_s=max(0.0, until - now), pressing=now > pressing_at
            )
    except asyncio.CancelledError:
        await give_back(question)
        raise
