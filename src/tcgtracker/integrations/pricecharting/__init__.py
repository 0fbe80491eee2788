"""PriceCharting. In: its price-guide CSV and its API. Out: price pages, products, search hits."""

from tcgtracker.domain.clock import Clock
from tcgtracker.domain.source import REFRESH_INTERVAL, Source
from tcgtracker.integrations.contract import Capability, Limits, Terms, VendorInfo
from tcgtracker.integrations.http import VendorHttp
from tcgtracker.integrations.pricecharting.client import PriceChartingClient
from tcgtracker.integrations.pricecharting.columns import CATEGORIES
from tcgtracker.vendor_settings import PriceChartingSettings

_TERMS = Terms(
    may_store=True,
    may_display=False,
    must_purge=True,
    note=(
        "Internal use by the subscriber; showing prices to others needs a commercial licence;"
        " what is stored is purged when the subscription ends."
    ),
)


def describe(settings: PriceChartingSettings) -> VendorInfo:
    """Return what the vendor can be asked, with the configured pace."""
    return VendorInfo(
        vendor="pricecharting",
        source=Source.PRICECHARTING,
        title="PriceCharting",
        capabilities=frozenset(
            {Capability.ITEMS, Capability.BULK, Capability.SEARCH, Capability.LOOKUP}
        ),
        games=CATEGORIES,
        # one call a second, whatever is configured (vendor)
        limits=Limits(per_minute=settings.rate_limit, min_interval_s=1.0),
        refresh=REFRESH_INTERVAL[Source.PRICECHARTING],
        terms=_TERMS,
        needs=("API_PRICECHARTING_API_KEY",),
        retry_after_s=10.0,
    )


def create(http: VendorHttp, settings: PriceChartingSettings, clock: Clock) -> PriceChartingClient:
    """Return the client; nothing is opened."""
    return PriceChartingClient(
        http,
        describe(settings),
        token=settings.api_key.get_secret_value(),
        boxed=settings.mapping == "boxed",
        clock=clock,
    )
