"""Budgets of calls a UTC day and a UTC month, and how they are spent evenly. Pure rules."""

from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tcgtracker.database.tables.sources import QuotaPeriod
from tcgtracker.domain.clock import start_of_day
from tcgtracker.runtime.ports import QuotaUnit, ReportedQuota

_HEED_AFTER = timedelta(minutes=1)
"""A vendor whose clock is a little behind ours still reports the period that has just ended."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be called in one period: `used` of `allowed` calls are taken."""

    period: QuotaPeriod
    starts_at: datetime
    resets_at: datetime
    allowed: int
    used: int = 0

    @property
    def left(self) -> int:
        return max(0, self.allowed - self.used)

    def taken(self) -> "Budget":
        """Return the budget with one call less."""
        return replace(self, used=self.used + 1)

    def unit(self) -> QuotaUnit:
        """Return the call that was taken last."""
        return QuotaUnit(self.period.value, self.starts_at, self.used)

    def heeding(
        self, unit: QuotaUnit, said: ReportedQuota, taken_at: datetime, most: int
    ) -> "Budget":
        """Return the budget after the vendor said what is left, counting the call `unit`.

        The lower remainder holds. A higher one is believed only when it is higher by more than half
        of the limit that the vendor states with it: then its period or its plan has changed. Even
        then nothing above `most`, our own limit, is allowed, and no call is uncounted.
        """
        if unit.starts_at != self.starts_at or taken_at < self.starts_at + _HEED_AFTER:
            return self
        told = unit.ordinal + max(0, said.remaining)
        if told < self.allowed:
            return replace(self, allowed=told)
        if said.limit is not None and 2 * (told - self.allowed) > said.limit:
            return replace(self, allowed=max(self.allowed, min(told, most)))
        return self


@dataclass(frozen=True, slots=True)
class Plan:
    """The limits of a service; None where it has none of that kind."""

    per_day: int | None = None
    per_month: int | None = None

    def at(
        self, now: datetime, day: Budget | None, month: Budget | None, *, anew: bool = False
    ) -> "Budgets":
        """Return the budgets of this moment out of those that are kept.

        A period is moved on when it has ended and never back, whatever the clock does. anew:
        forget what the vendor said, not what was used.
        """
        new_month = None
        if self.per_month is not None:
            new_month = _current(month, QuotaPeriod.MONTH, now, self.per_month, anew=anew)
        if self.per_day is None and new_month is None:
            return Budgets(self)
        moved = _current(day, QuotaPeriod.DAY, now, 0)
        is_new = anew or day is None or moved.starts_at != day.starts_at
        allowed = self.day_share(moved, new_month) if is_new else moved.allowed
        if self.per_day is not None:
            allowed = min(allowed, self.per_day)
        return Budgets(self, replace(moved, allowed=allowed), new_month)

    def day_share(self, day: Budget, month: Budget | None) -> int:
        """Return how many calls the day may make: its part of the month and what earlier days left.

        At least what is left divided by the days that are left, so that a month that began badly,
        or was corrected by the vendor, is not given up.
        """
        if month is None:
            return self.per_day or 0
        moment = max(day.starts_at, month.starts_at)
        days = monthrange(moment.year, moment.month)[1]
        before = max(0, month.used - day.used)
        left = max(0, month.allowed - before)
        days_left = days - moment.day + 1
        share = max(-(-left // days_left), month.allowed * moment.day // days - before)
        return share if self.per_day is None else min(share, self.per_day)


@dataclass(frozen=True, slots=True)
class Budgets:
    """Those of one service at one moment."""

    plan: Plan
    day: Budget | None = None
    month: Budget | None = None

    def each(self) -> tuple[Budget, ...]:
        return tuple(budget for budget in (self.day, self.month) if budget is not None)

    def spent_until(self) -> datetime | None:
        """Return until when there is nothing left, None when there is."""
        return max((one.resets_at for one in self.each() if not one.left), default=None)

    def most(self, budget: Budget) -> int:
        """Return what we ourselves allow in a period."""
        if budget.period is QuotaPeriod.MONTH:
            return self.plan.per_month or 0
        return self.plan.day_share(budget, self.month)


def _current(
    kept: Budget | None, period: QuotaPeriod, now: datetime, allowed: int, *, anew: bool = False
) -> Budget:
    if kept is None or now >= kept.resets_at:
        return Budget(period, *_bounds(period, now), allowed)
    if period is QuotaPeriod.DAY:
        return kept
    return replace(kept, allowed=allowed if anew else min(kept.allowed, allowed))


def _bounds(period: QuotaPeriod, now: datetime) -> tuple[datetime, datetime]:
    day = now.date()
    if period is QuotaPeriod.DAY:
        return start_of_day(day), start_of_day(day + timedelta(days=1))
    first = day.replace(day=1)
    return start_of_day(first), start_of_day((first + timedelta(days=32)).replace(day=1))
