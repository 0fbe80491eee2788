"""Quotes of sources, for one test."""

from typing import Any

from tcgtracker.analytics.source_prices import SourceQuote
from tcgtracker.domain.source import Source
from tcgtracker.domain.variant import PriceKind

NOW = 1_780_000_000
DAY_S = 86_400


def a_quote(source: Source, market: int, *, days: float = 0, **extra: Any) -> SourceQuote:
    """Return what a source says; `days`: how long ago it was seen."""
    guide = source is Source.PRICECHARTING
    return SourceQuote(
        source=source,
        link_id=1,
        series_id=1,
        external_id="1",
        kind=extra.pop("kind", PriceKind.GUIDE if guide else PriceKind.MARKET),
        variant=extra.pop("variant", "raw"),
        language=extra.pop("language", "und"),
        market=market,
        before=extra.pop("before", None),
        seen_at=NOW - round(days * DAY_S),
    )
