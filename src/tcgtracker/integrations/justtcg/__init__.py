"""JustTCG. In: its JSON answers. Out: prices by printing and condition, sets, cards, hits."""

from tcgtracker.domain.clock import Clock
from tcgtracker.domain.source import REFRESH_INTERVAL, Source
from tcgtracker.integrations.contract import Capability, IdKind, Limits, Terms, VendorInfo
from tcgtracker.integrations.http import VendorHttp
from tcgtracker.integrations.justtcg.client import JustTcgClient
from tcgtracker.integrations.justtcg.names import GAME_IDS
from tcgtracker.vendor_settings import JustTcgSettings

_TERMS = Terms(
    may_store=True,
    may_display=True,
    must_purge=True,
    note=(
        "The free plan is for personal, non-commercial use; paid plans may store and display;"
        " raw data may not be passed on; the right to stored data ends with the subscription."
    ),
)


def describe(settings: JustTcgSettings) -> VendorInfo:
    """Return what the vendor can be asked, with the limits of the configured plan."""
    return VendorInfo(
        vendor="justtcg",
        source=Source.JUSTTCG,
        title="JustTCG",
        capabilities=frozenset(
            {
                Capability.ITEMS,
                Capability.SETS,
                Capability.CARDS,
                Capability.SEARCH,
                Capability.LOOKUP,
            }
        ),
        games=GAME_IDS,
        limits=Limits(
            per_minute=settings.rate_limit,
            per_day=settings.daily_limit,
            per_month=settings.monthly_limit,
        ),
        refresh=REFRESH_INTERVAL[Source.JUSTTCG],
        terms=_TERMS,
        batch=settings.batch_size,
        id_kinds=(IdKind.OWN, IdKind.TCGPLAYER),
        needs=("API_JUSTTCG_API_KEY",),
        retry_after_s=60.0,
    )


def create(http: VendorHttp, settings: JustTcgSettings, clock: Clock) -> JustTcgClient:
    """Return the client; nothing is opened."""
    return JustTcgClient(
        http, describe(settings), key=settings.api_key.get_secret_value(), clock=clock
    )
