"""One price of a printing out of several sources, or why there is none: pure.

The definitions are in ADR 20. Amounts are minor units of one currency; nothing is converted.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

from tcgtracker.analytics.ratios import LEAST_DEPARTURE, LIMIT_SPREADS, Usual, log_ratio
from tcgtracker.analytics.source_prices import SourceQuote
from tcgtracker.domain.source import Source
from tcgtracker.domain.variant import UNKNOWN_LANGUAGE, kind_rank

HALF_LIFE_DAYS = 7.0
OLDEST_DAYS = 30
FRESH_DAYS = 7
UNLEARNED = 0.5
"""The weight of a source whose usual ratio to the others is not known."""
UNLEARNED_SPREAD = math.log(1.1)
_DAY_S = 86_400
_DECIDING = 3
"""Sources that it takes to say which of them is wrong."""
_SAME_MARKET = {Source.TCGCSV: Source.TCGPLAYER}
"""TCGCSV's files are TCGplayer's own prices: two copies of one opinion count once."""

UsualOf = Callable[[SourceQuote, SourceQuote], Usual | None]
"""What is usual between two quotes (logarithm of the second over the first), None if unknown."""


@dataclass(frozen=True, slots=True)
class Voice:
    """What one source contributes. adjusted: its price on the scale of the reference.

    ratio: what its price was divided by; None when nothing is known of it, and it is taken as is.
    weight: 0 for a source that is left out; `reason` says why, or what was done.
    """

    quote: SourceQuote
    adjusted: int
    ratio: float | None
    spread: float
    weight: float
    age_s: int
    reason: str


@dataclass(frozen=True, slots=True)
class Consensus:
    """A price and how far it may be believed; `price` is None when the sources do not tell.

    confidence: 0 to 1 (ADR 20), no probability. spread: of the voices that count, largest over
    smallest, minus 1; None for a single one. scale: the source whose prices it is comparable with.
    """

    price: int | None
    currency: str
    scale: Source | None
    confidence: float
    spread: float | None
    sources: int
    voices: tuple[Voice, ...]
    reasons: tuple[str, ...]


def consensus(
    quotes: Sequence[SourceQuote],
    currency: str,
    *,
    order: Sequence[Source],
    usual_of: UsualOf,
    now: int,
) -> Consensus:
    """Return one price of the quotes of one thing; `now` in epoch seconds.

    order: the sources that may speak for the card, in their order.
    """
    voices, fresh = _heard(quotes, order, now)
    if not fresh:
        reason = f"no source priced it within {OLDEST_DAYS} days" if quotes else "no source"
        return Consensus(None, currency, None, 0.0, None, 0, tuple(voices), (reason,))
    reference = min(fresh, key=lambda one: (kind_rank(one.kind), _place(order, one.source)))
    counted: list[Voice] = []
    for quote in fresh:
        voice = _voice(quote, reference, usual_of, now)
        (counted if voice.weight else voices).append(voice)
    reasons = [f"on the scale of {reference.source}'s {reference.kind} prices"]
    counted, left_out = _without_outlier(counted)
    voices += left_out
    disagreeing = _disagreement(counted)
    if disagreeing:
        everything = tuple(_ordered([*counted, *voices], order))
        return Consensus(
            None,
            currency,
            reference.source,
            0.0,
            _spread(counted),
            0,
            everything,
            (*reasons, disagreeing),
        )
    price = _mean(counted)
    if len(counted) == 1:
        reasons.append("one source alone: nobody contradicts it, nobody confirms it")
    if min(one.age_s for one in counted) > FRESH_DAYS * _DAY_S:
        reasons.append(f"nobody saw it within {FRESH_DAYS} days")
    return Consensus(
        price=price,
        currency=currency,
        scale=reference.source,
        confidence=_confidence(counted, price),
        spread=_spread(counted),
        sources=len(counted),
        voices=tuple(_ordered([*counted, *voices], order)),
        reasons=tuple(reasons),
    )


def _heard(
    quotes: Sequence[SourceQuote], order: Sequence[Source], now: int
) -> tuple[list[Voice], list[SourceQuote]]:
    """Return the voices that are left out at once, and the quotes that may count."""
    out: list[Voice] = []
    fresh: list[SourceQuote] = []
    newest_first = sorted(quotes, key=lambda one: (-one.seen_at, _place(order, one.source)))
    markets: dict[Source, Source] = {}
    for quote in newest_first:
        age = max(0, now - quote.seen_at)
        market = _SAME_MARKET.get(quote.source, quote.source)
        if quote.source not in order:
            out.append(_out(quote, age, "fetched to be compared, speaks for no card"))
        elif age > OLDEST_DAYS * _DAY_S:
            out.append(_out(quote, age, f"last seen {age // _DAY_S} days ago"))
        elif market in markets:
            out.append(_out(quote, age, f"the same market as {markets[market]}"))
        else:
            markets[market] = quote.source
            fresh.append(quote)
    languages = {one.language for one in fresh} - {UNKNOWN_LANGUAGE}
    if len(languages) > 1:
        first = min(fresh, key=lambda one: _place(order, one.source)).language
        kept = first if first != UNKNOWN_LANGUAGE else min(languages)
        for one in [one for one in fresh if one.language not in (kept, UNKNOWN_LANGUAGE)]:
            fresh.remove(one)
            out.append(_out(one, max(0, now - one.seen_at), f"another language: {one.language}"))
    return out, fresh


def _voice(quote: SourceQuote, reference: SourceQuote, usual_of: UsualOf, now: int) -> Voice:
    age = max(0, now - quote.seen_at)
    weight = 0.5 ** (age / _DAY_S / HALF_LIFE_DAYS)
    if quote is reference:
        return Voice(quote, quote.market, 1.0, 0.0, weight, age, "sets the scale")
    usual = usual_of(reference, quote)
    if usual is not None:
        adjusted = _divided(quote.market, usual.ratio)
        reason = f"divided by {usual.ratio:.3f}, as usual in {usual.pairs} pairs"
        return Voice(quote, adjusted, usual.ratio, usual.spread, weight, age, reason)
    if quote.kind is not reference.kind:
        reason = f"a {quote.kind} price, and its usual ratio to {reference.kind} is not known"
        return _out(quote, age, reason)
    reason = "as it is: its usual ratio is not known"
    return Voice(quote, quote.market, None, UNLEARNED_SPREAD, weight * UNLEARNED, age, reason)


def _without_outlier(voices: list[Voice]) -> tuple[list[Voice], list[Voice]]:
    """Leave out, one at a time, what departs from all others, while others can tell."""
    counted, out = list(voices), []
    while len(counted) >= _DECIDING:
        distances = {
            place: abs(log_ratio(_mean([*counted[:place], *counted[place + 1 :]]), one.adjusted))
            for place, one in enumerate(counted)
        }
        worst = max(distances, key=lambda place: distances[place])
        if distances[worst] <= _limit(counted[worst], counted):
            break
        factor = math.exp(distances[worst])
        one = counted.pop(worst)
        out.append(replace(one, weight=0.0, reason=f"departs {factor:.3g} x from the others"))
    return counted, out


def _disagreement(voices: Sequence[Voice]) -> str:
    """Return why the voices cannot be one price, '' when they can."""
    low = min(voices, key=lambda one: one.adjusted)
    high = max(voices, key=lambda one: one.adjusted)
    distance = log_ratio(low.adjusted, high.adjusted)
    if distance <= max(_limit(low, voices), _limit(high, voices)):
        return ""
    return (
        f"{low.quote.source} and {high.quote.source} disagree {math.exp(distance):.3g} x,"
        " and nothing tells which is right"
    )


def _limit(one: Voice, voices: Sequence[Voice]) -> float:
    spread = max([one.spread, *(other.spread for other in voices if other is not one)])
    return max(LIMIT_SPREADS * spread, LEAST_DEPARTURE)


def _mean(voices: Sequence[Voice]) -> int:
    """Return the weighted mean, rounded half-even once."""
    weights = [Fraction(one.weight) for one in voices]
    total = sum(
        (weight * one.adjusted for weight, one in zip(weights, voices, strict=True)), Fraction(0)
    )
    return max(1, round(total / sum(weights)))


def _confidence(voices: Sequence[Voice], price: int) -> float:
    """Return how far the price may be believed: number of sources, agreement, freshness."""
    count = sum(UNLEARNED if one.ratio is None else 1.0 for one in voices)
    weight = sum(one.weight for one in voices)
    squares = sum(one.weight * log_ratio(price, one.adjusted) ** 2 for one in voices)
    agreement = math.exp(-math.sqrt(squares / weight) / LEAST_DEPARTURE)
    freshest = max(0.5 ** (one.age_s / _DAY_S / HALF_LIFE_DAYS) for one in voices)
    return float((1 - math.pow(0.5, count)) * agreement * freshest)


def _spread(voices: Sequence[Voice]) -> float | None:
    if len(voices) < 2:  # noqa: PLR2004 - one has none
        return None
    amounts = [one.adjusted for one in voices]
    return max(amounts) / min(amounts) - 1


def _divided(minor: int, ratio: float) -> int:
    exact = Decimal(minor) / Decimal(ratio)
    return max(1, int(exact.quantize(Decimal(1), ROUND_HALF_EVEN)))


def _out(quote: SourceQuote, age: int, reason: str) -> Voice:
    return Voice(quote, quote.market, None, 0.0, 0.0, age, reason)


def _ordered(voices: Sequence[Voice], order: Sequence[Source]) -> list[Voice]:
    return sorted(voices, key=lambda one: _place(order, one.quote.source))


def _place(order: Sequence[Source], source: Source) -> int:
    return order.index(source) if source in order else len(order)
