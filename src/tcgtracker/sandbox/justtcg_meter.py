"""What a key of JustTCG may call: per minute, per UTC day, per month."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Plan:
    """A subscription (vendors/justtcg.md section 2). cards: of one call."""

    label: str
    month: int
    day: int
    minute: int
    cards: int


PLANS = {
    "free": Plan("Free Tier", 1_000, 100, 10, 20),
    "starter": Plan("Starter", 10_000, 1_000, 50, 100),
    "professional": Plan("Pro", 50_000, 5_000, 100, 100),
    "enterprise": Plan("Enterprise", 500_000, 50_000, 500, 200),
}
_MINUTE_S = 60.0


class Meter:
    """Counts the calls of one key. Days and months are those of the sandbox's clock, UTC."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._recent: deque[float] = deque()
        self._day: date | None = None
        self.used_day = 0
        self.used_month = 0

    def refuses(self, plan: Plan, now: datetime, *, pacing: float, elsewhere: int) -> str:
        """Count a call, or return the code for which it is refused; a refused one is not counted.

        pacing: length of the vendor's minute in real minutes, 0 = no limit per minute. elsewhere:
        calls that others made with the key.
        """
        self._roll(now.date())
        if self.used_month + elsewhere >= plan.month:
            return "REQUEST_LIMIT_EXCEEDED"
        if self.used_day + elsewhere >= plan.day:
            return "DAILY_LIMIT_EXCEEDED"
        at = self._monotonic()
        while self._recent and at - self._recent[0] >= _MINUTE_S * pacing:
            self._recent.popleft()
        if pacing and len(self._recent) >= plan.minute:
            return "RATE_LIMIT_EXCEEDED"
        self._recent.append(at)
        self.used_day += 1
        self.used_month += 1
        return ""

    def _roll(self, today: date) -> None:
        before, self._day = self._day, today
        if before is not None and before != today:
            self.used_day = 0
            if (before.year, before.month) != (today.year, today.month):
                self.used_month = 0

    def metadata(self, plan: Plan, elsewhere: int) -> dict[str, object]:
        """Return the `_metadata` of an answer."""
        day, month = self.used_day + elsewhere, self.used_month + elsewhere
        return {
            "apiPlan": plan.label,
            "apiRequestLimit": plan.month,
            "apiRequestsUsed": month,
            "apiRequestsRemaining": max(0, plan.month - month),
            "apiDailyLimit": plan.day,
            "apiDailyRequestsUsed": day,
            "apiDailyRequestsRemaining": max(0, plan.day - day),
            "apiRateLimit": plan.minute,
        }
