"""eBay: active listings for comparison. In: its JSON. Out: search hits, never prices to keep."""

import base64
from datetime import timedelta

from tcgtracker.domain.clock import Clock
from tcgtracker.integrations.contract import Capability, Limits, Terms, VendorInfo
from tcgtracker.integrations.ebay.client import EbayVendor
from tcgtracker.integrations.ebay.words import GAME_WORDS
from tcgtracker.integrations.http import VendorHttp
from tcgtracker.integrations.tokens import TokenCalls, TokenRequest
from tcgtracker.vendor_settings import EbaySettings

# vendors/ebay.md section 1
HOSTS = {"production": "https://api.ebay.com", "sandbox": "https://api.sandbox.ebay.com"}
SCOPE = "https://api.ebay.com/oauth/api_scope"
"""The same in eBay's own sandbox."""

_TERMS = Terms(
    may_store=False,
    may_display=True,
    must_purge=True,
    note=(
        "Listings may be shown for at most 6 hours and not be used to derive or model prices;"
        " no seller is stored."
    ),
)


def describe(settings: EbaySettings) -> VendorInfo:
    """Return what the vendor can be asked, with the configured limits."""
    return VendorInfo(
        vendor="ebay",
        source=None,
        title="eBay",
        capabilities=frozenset({Capability.SEARCH}),
        games={game: (words,) for game, words in GAME_WORDS.items()},
        limits=Limits(per_minute=settings.rate_limit, per_day=settings.daily_limit),
        refresh=timedelta(hours=6),
        terms=_TERMS,
        needs=("API_EBAY_CLIENT_ID", "API_EBAY_CLIENT_SECRET"),
    )


def base_url(settings: EbaySettings) -> str:
    """Return the configured host, else eBay's own of the configured environment."""
    return settings.base_url or HOSTS[settings.environment]


def create(http: VendorHttp, settings: EbaySettings, clock: Clock) -> EbayVendor:
    """Return the vendor; nothing is opened."""
    key = f"{settings.client_id}:{settings.client_secret.get_secret_value()}"
    basic = base64.b64encode(key.encode()).decode("ascii")
    http.conceal(basic)
    request = TokenRequest(
        path="/identity/v1/oauth2/token",
        scheme="Bearer",
        renew_before=timedelta(minutes=5),
        form={"grant_type": "client_credentials", "scope": SCOPE},
        headers={"Authorization": f"Basic {basic}"},
    )
    return EbayVendor(describe(settings), http, TokenCalls(http, request, clock), clock)
