"""The registry: every vendor can be made, knows what it needs, and hides its keys."""

import pytest

from tcgtracker.config import Settings
from tcgtracker.domain.clock import FixedClock
from tcgtracker.integrations.contract import (
    BulkVendor,
    Capability,
    CatalogVendor,
    ItemVendor,
    LookupVendor,
    SearchVendor,
)
from tcgtracker.integrations.http import VendorHttp
from tcgtracker.integrations.registry import configured_vendors
from tests.unit.integrations.calling import NOW, FreeLimiter, OpenGate

KINDS: dict[Capability, type] = {
    Capability.ITEMS: ItemVendor,
    Capability.BULK: BulkVendor,
    Capability.SETS: CatalogVendor,
    Capability.CARDS: CatalogVendor,
    Capability.SEARCH: SearchVendor,
    Capability.LOOKUP: LookupVendor,
}


@pytest.fixture(autouse=True)
def nothing_configured(monkeypatch, tmp_path):
    """Neither the environment nor a `.env` beside the tests says anything."""
    monkeypatch.chdir(tmp_path)
    for name in configured_vendors(Settings()).values():
        for need in name.info.needs:
            monkeypatch.delenv(need, raising=False)


NAMES = ("pricecharting", "justtcg", "tcgplayer", "tcgcsv", "ebay")


@pytest.mark.parametrize("name", NAMES)
def test_vendor_does_what_its_capabilities_say(name):
    configured = configured_vendors(Settings())[name]
    clock = FixedClock(NOW)
    http = VendorHttp(
        name, configured.base_url, limiter=FreeLimiter(), gate=OpenGate(), clock=clock
    )
    vendor = configured.create(http, clock)
    for capability in configured.info.capabilities:
        assert isinstance(vendor, KINDS[capability])
    assert configured.info.vendor == name
    assert vendor.info == configured.info


@pytest.mark.parametrize("name", NAMES)
def test_vendor_without_its_settings_is_disabled_and_says_which(name):
    configured = configured_vendors(Settings())[name]
    assert configured.missing == configured.info.needs
    assert configured.info.needs
    for need in configured.info.needs:
        assert need in configured.disabled


def test_vendor_with_its_key_is_enabled_and_the_key_is_a_secret(monkeypatch):
    monkeypatch.setenv("API_JUSTTCG_API_KEY", "tcg_secret")
    configured = configured_vendors(Settings())
    assert configured["justtcg"].disabled == ""
    assert configured["justtcg"].secrets == ("tcg_secret",)
    assert "tcg_secret" not in repr(configured["justtcg"])
    assert configured["pricecharting"].disabled
