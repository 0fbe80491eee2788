"""The rule on implausible prices, said once more and slowly: one series, one day after another."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction

from tests.integration.real_days import Values

ABSENT = None


@dataclass(slots=True)
class HeldQuote:
    """A quote that the rule names. `level` is its market price in cents."""

    day: date
    values: Values
    state: str
    confirmed: list[date] = field(default_factory=list)

    @property
    def level(self) -> int:
        assert self.values[0] is not None
        return self.values[0]


@dataclass(slots=True)
class Judged:
    """What one series reads on each day, and what was held of it."""

    reads: dict[date, Values | None] = field(default_factory=dict)
    holds: list[HeldQuote] = field(default_factory=list)


def judge_series(said: dict[date, Values | None]) -> Judged:
    """Return what a series reads when nothing of it is trusted; ABSENT = not listed that day."""
    done = Judged()
    before: Values | None = ABSENT
    started = False
    for day in sorted(said):
        quote = said[day]
        started = started or quote is not ABSENT
        if not started:
            continue
        if quote is ABSENT:
            done.reads[day] = before = ABSENT
            continue
        market = quote[0]
        held = False
        if market is not None and _is_far(market, done.reads, day):
            held = not _repeats_a_released_level(market, done.holds, day)
            done.holds.append(HeldQuote(day, quote, "held" if held else "released"))
        done.reads[day] = before if held else quote
        if market is not None:
            _confirm(done, market, day)
        before = done.reads[day]
    return done


def _is_far(market: int, reads: dict[date, Values | None], day: date) -> bool:
    prices = [
        values[0]
        for known, values in sorted(reads.items())
        if known < day and values is not ABSENT and values[0] is not None
    ][-30:]
    if not prices:
        return False
    prices.sort()
    half = len(prices) // 2
    middle = prices[half : half + 1] if len(prices) % 2 else prices[half - 1 : half + 1]
    median = Fraction(sum(middle), len(middle))
    return market > 10 * median or market < median / 10


def _near(price: int, level: int) -> bool:
    return Fraction(4, 5) * level <= price <= Fraction(6, 5) * level


def _repeats_a_released_level(market: int, holds: list[HeldQuote], day: date) -> bool:
    oldest = day - timedelta(days=30)
    return any(
        hold.state == "released" and hold.day >= oldest and _near(market, hold.level)
        for hold in holds
    )


def _confirm(done: Judged, market: int, day: date) -> None:
    still = [hold for hold in done.holds if hold.state == "held"]
    for hold in still:
        if hold.day < day and _near(market, hold.level):
            hold.confirmed.append(day)
    for hold in still:
        if len(hold.confirmed) >= 3:
            group = [one for one in still if one.day >= hold.day and _near(one.level, hold.level)]
            for one in group:
                one.state = "released"
                done.reads[one.day] = one.values
                _read_on(done, one.day)


def _read_on(done: Judged, day: date) -> None:
    """Let the days after one, which are held themselves, read the price before them anew."""
    held = {hold.day for hold in done.holds if hold.state == "held"}
    for later in sorted(known for known in done.reads if known > day):
        if later not in held:
            break
        done.reads[later] = done.reads[day]
