"""TCGplayer's own API, for holders of old keys. In: its JSON. Out: prices, sets, cards, hits."""

from datetime import timedelta

from tcgtracker.domain.clock import Clock
from tcgtracker.domain.source import REFRESH_INTERVAL, Source
from tcgtracker.integrations.contract import Capability, IdKind, Limits, Terms, VendorInfo
from tcgtracker.integrations.http import VendorHttp
from tcgtracker.integrations.tcgcsv.pages import GAME_CATEGORIES
from tcgtracker.integrations.tcgplayer.client import BATCH, TcgplayerVendor
from tcgtracker.integrations.tokens import TokenCalls, TokenRequest
from tcgtracker.vendor_settings import TcgplayerSettings

_TERMS = Terms(
    may_store=True,
    may_display=True,
    must_purge=False,
    note=(
        "Closed to new keys. Only to promote TCGplayer or for academic research; no combining with"
        " other prices, no redistribution; attribution and a link to the product are required."
    ),
)


def describe(settings: TcgplayerSettings) -> VendorInfo:
    """Return what the vendor can be asked, with the configured limit."""
    return VendorInfo(
        vendor="tcgplayer",
        source=Source.TCGPLAYER,
        title="TCGplayer",
        capabilities=frozenset(
            {
                Capability.ITEMS,
                Capability.SETS,
                Capability.CARDS,
                Capability.SEARCH,
                Capability.LOOKUP,
            }
        ),
        games=GAME_CATEGORIES,
        # ten calls a second are held to be the vendor's most (vendors/tcgplayer.md section 5)
        limits=Limits(per_minute=settings.rate_limit, min_interval_s=0.1),
        refresh=REFRESH_INTERVAL[Source.TCGPLAYER],
        terms=_TERMS,
        batch=BATCH,
        id_kinds=(IdKind.OWN, IdKind.TCGPLAYER),
        needs=("API_TCGPLAYER_CLIENT_ID", "API_TCGPLAYER_CLIENT_SECRET"),
    )


def create(http: VendorHttp, settings: TcgplayerSettings, clock: Clock) -> TcgplayerVendor:
    """Return the vendor; nothing is opened."""
    request = TokenRequest(
        path="/token",
        scheme="bearer",
        renew_before=timedelta(hours=1),  # vendors/tcgplayer.md section 1
        form={
            "grant_type": "client_credentials",
            "client_id": settings.client_id,
            "client_secret": settings.client_secret.get_secret_value(),
        },
    )
    return TcgplayerVendor(describe(settings), http, TokenCalls(http, request, clock), clock)
