"""TCGCSV, the keyless daily mirror of TCGplayer.

In: its price answers, one a group and day, as files in a folder, in an archive, or as lines, or
from the network. Out: price pages, one a category and day; sets and cards from the network.
"""

from tcgtracker.domain.clock import Clock
from tcgtracker.domain.source import REFRESH_INTERVAL, Source
from tcgtracker.integrations.contract import Capability, Limits, Terms, VendorInfo
from tcgtracker.integrations.http import VendorHttp
from tcgtracker.integrations.tcgcsv.client import TcgcsvVendor
from tcgtracker.integrations.tcgcsv.pages import GAME_CATEGORIES
from tcgtracker.vendor_settings import TcgcsvSettings

_TERMS = Terms(
    may_store=True,
    may_display=True,
    must_purge=False,
    note=(
        "No licence is published. A hobby service: be gentle, keep the attribution, do not"
        " redistribute; TCGplayer's own terms forbid taking its prices from third parties."
    ),
)


def describe(settings: TcgcsvSettings) -> VendorInfo:
    """Return what the vendor can be asked; pause and calls a day as vendors/tcgcsv.md section 1."""
    return VendorInfo(
        vendor="tcgcsv",
        source=Source.TCGCSV,
        title="TCGCSV",
        capabilities=frozenset({Capability.BULK, Capability.SETS, Capability.CARDS}),
        games=GAME_CATEGORIES,
        # Evenly, as the site's own samples are: it counts 10 a second, and a call may overtake.
        limits=Limits(
            per_minute=settings.rate_limit,
            min_interval_s=max(0.12, 60 / settings.rate_limit),
            per_day=10_000,
        ),
        refresh=REFRESH_INTERVAL[Source.TCGCSV],
        terms=_TERMS,
        needs=("API_TCGCSV_ENABLED",),
        bulk_by_set=True,
    )


def create(http: VendorHttp, settings: TcgcsvSettings, clock: Clock) -> TcgcsvVendor:
    """Return the vendor; nothing is opened."""
    return TcgcsvVendor(describe(settings), http, clock)
