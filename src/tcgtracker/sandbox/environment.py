"""The settings that point every client of the tracker at the sandbox."""

from collections.abc import Callable, Mapping

from tcgtracker.sandbox.justtcg_meter import PLANS
from tcgtracker.sandbox.wire import SandboxVendor, TunableVendor

Options = Mapping[str, object]


def environment(vendors: Mapping[str, SandboxVendor], urls: Mapping[str, str]) -> dict[str, str]:
    """Return environment variables, with the keys and limits that the vendors have now."""
    found: dict[str, str] = {}
    for name, vendor in vendors.items():
        settings = _SETTINGS.get(name)
        if settings is not None and isinstance(vendor, TunableVendor):
            found |= settings(vendor.options(), urls[name])
    return found


def _pricecharting(options: Options, url: str) -> dict[str, str]:
    return {
        "API_PRICECHARTING_API_KEY": str(options["token"]),
        "API_PRICECHARTING_BASE_URL": url,
    }


def _justtcg(options: Options, url: str) -> dict[str, str]:
    plan = PLANS[str(options["plan"])]
    return {
        "API_JUSTTCG_API_KEY": str(options["key"]),
        "API_JUSTTCG_BASE_URL": f"{url}/v1",
        "API_JUSTTCG_RATE_LIMIT": str(plan.minute),
        "API_JUSTTCG_DAILY_LIMIT": str(plan.day),
        "API_JUSTTCG_MONTHLY_LIMIT": str(plan.month),
        "API_JUSTTCG_BATCH_SIZE": str(plan.cards),
    }


def _tcgcsv(_options: Options, url: str) -> dict[str, str]:
    return {"API_TCGCSV_ENABLED": "true", "API_TCGCSV_BASE_URL": url}


def _tcgplayer(options: Options, url: str) -> dict[str, str]:
    return {
        "API_TCGPLAYER_CLIENT_ID": str(options["public_key"]),
        "API_TCGPLAYER_CLIENT_SECRET": str(options["private_key"]),
        "API_TCGPLAYER_BASE_URL": url,
    }


def _ebay(options: Options, url: str) -> dict[str, str]:
    return {
        "API_EBAY_CLIENT_ID": str(options["client_id"]),
        "API_EBAY_CLIENT_SECRET": str(options["client_secret"]),
        "API_EBAY_DAILY_LIMIT": str(options["daily_calls"]),
        "API_EBAY_BASE_URL": url,
    }


_SETTINGS: Mapping[str, Callable[[Options, str], dict[str, str]]] = {
    "pricecharting": _pricecharting,
    "justtcg": _justtcg,
    "tcgcsv": _tcgcsv,
    "tcgplayer": _tcgplayer,
    "ebay": _ebay,
}
