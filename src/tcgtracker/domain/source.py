"""The parties that state prices or cards, and how often each refreshes."""

from datetime import timedelta
from enum import StrEnum


class Source(StrEnum):
    """Who says so. The stored values are these names."""

    PRICECHARTING = "pricecharting"
    JUSTTCG = "justtcg"
    TCGPLAYER = "tcgplayer"
    TCGCSV = "tcgcsv"
    MANUAL = "manual"


# vendors/README: TCGCSV and PriceCharting are rebuilt daily, JustTCG about every 6 hours, the
# TCGplayer API answers continuously and is asked at most hourly.
REFRESH_INTERVAL: dict[Source, timedelta] = {
    Source.PRICECHARTING: timedelta(days=1),
    Source.JUSTTCG: timedelta(hours=6),
    Source.TCGPLAYER: timedelta(hours=1),
    Source.TCGCSV: timedelta(days=1),
    Source.MANUAL: timedelta(days=1),
}

# DESIGN section 8: the defaults of the flags `pricing.primary_source` and
# `pricing.fallback_sources`; what no flag names comes after, in this order.
PRIMARY_SOURCE = Source.PRICECHARTING
FALLBACK_SOURCES = (Source.JUSTTCG,)
SOURCE_ORDER = (
    PRIMARY_SOURCE,
    *FALLBACK_SOURCES,
    Source.TCGCSV,
    Source.TCGPLAYER,
    Source.MANUAL,
)

FRESH_FOR = timedelta(days=7)
"""A price observed longer ago is shown as stale (DESIGN section 4)."""
