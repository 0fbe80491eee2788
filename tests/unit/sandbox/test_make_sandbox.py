"""All vendors together, over sockets: settings, faults at real answers, the trail of a price."""

import base64
import json
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from tcgtracker.config import Settings
from tcgtracker.sandbox.ebay import CLIENT_ID, CLIENT_SECRET, SCOPE
from tcgtracker.sandbox.justtcg import KEY
from tcgtracker.sandbox.make_sandbox import make_sandbox
from tcgtracker.sandbox.pricecharting import TOKEN
from tcgtracker.sandbox.world import WorldCard
from tests.unit.sandbox.calling import Reply, call

DAY = date(2026, 5, 1)


@pytest.fixture(scope="module")
def sandbox():
    with make_sandbox(first_day=DAY, pacing=False) as running:
        yield running


@pytest.fixture
def clean(sandbox):
    sandbox.clear_faults()
    sandbox.reset()
    yield sandbox
    sandbox.clear_faults()


@pytest.fixture(scope="module")
def card(sandbox):
    cards = sandbox.vendors["justtcg"].world.sets[0].cards
    return next(each for each in cards if not each.traps and not each.sealed)


def _justtcg(sandbox, card: WorldCard, query: str = "&include_price_history=false"):
    url = f"{sandbox.urls['justtcg']}"
    path = f"/v1/cards?tcgplayerId={card.justtcg_product}{query}"
    return call(url, path, headers={"x-api-key": KEY})


def test_environment_is_accepted_by_the_settings(clean, monkeypatch):
    for name, value in clean.environment().items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings.pricecharting.base_url == clean.urls["pricecharting"]
    assert settings.pricecharting.api_key.get_secret_value() == TOKEN
    assert settings.justtcg.base_url == f"{clean.urls['justtcg']}/v1"
    assert settings.tcgcsv.enabled


def test_environment_follows_the_plan(clean):
    clean.tune("justtcg", plan="starter")
    assert clean.environment()["API_JUSTTCG_BATCH_SIZE"] == "100"
    clean.tune("justtcg", plan="free")


def test_two_sandboxes_of_a_seed_say_the_same(clean, card):
    with make_sandbox(first_day=DAY, pacing=False) as twin:
        assert _justtcg(twin, card).body == _justtcg(clean, card).body


def test_price_can_be_traced_to_the_answer(clean, card):
    answer = _justtcg(clean, card).json()
    (logged,) = clean.calls("justtcg")
    variant = answer["data"][0]["variants"][0]
    trail = [
        price
        for price in clean.served("justtcg")
        if variant["id"] in price.products and price.facet[-1] == "price"
    ]
    assert [(price.call, price.value) for price in trail] == [
        (logged.number, str(variant["price"]))
    ]
    assert card.justtcg_product in trail[0].products
    assert trail[0].facet == (variant["condition"], variant["printing"], "English", "price")


@pytest.mark.parametrize(
    ("fault", "value"), [("price_spike", 1000), ("price_negative", -1), ("price_zero", 0)]
)
def test_price_faults_at_each_vendor(clean, card, fault, value):
    page = next(iter(card.pricecharting_ids.values()))
    path = f"/api/product?t={TOKEN}&id={page}"
    plain = call(clean.urls["pricecharting"], path).json()["loose-price"]
    variant = _justtcg(clean, card).json()["data"][0]["variants"][0]["price"]
    clean.fault(fault)
    assert call(clean.urls["pricecharting"], path).json()["loose-price"] == plain * value
    spoilt = _justtcg(clean, card).json()["data"][0]["variants"][0]["price"]
    assert spoilt == pytest.approx(variant * value)


def test_yesterdays_prices_as_new(clean, card):
    def stamp() -> int:
        return int(_justtcg(clean, card).json()["data"][0]["variants"][0]["lastUpdated"])

    fresh = stamp()
    clean.fault("stale", vendor="justtcg")
    assert fresh - stamp() == 86_400


def test_vendor_counts_more_calls_than_were_made(clean, card):
    before = _justtcg(clean, card).json()["_metadata"]["apiDailyRequestsRemaining"]
    clean.fault("quota_differs", vendor="justtcg", params={"by": -20})
    after = _justtcg(clean, card).json()["_metadata"]["apiDailyRequestsRemaining"]
    assert before - after == 21


def test_endless_paging_of_a_real_search(clean):
    clean.fault("paging_loop", vendor="justtcg")
    clean.fault("endless_next", vendor="justtcg")
    url = clean.urls["justtcg"]
    pages = [
        call(url, f"/v1/cards?game=pokemon&offset={at}", headers={"x-api-key": KEY}).json()
        for at in (0, 20)
    ]
    assert pages[0]["data"] == pages[1]["data"]
    assert pages[1]["meta"]["hasMore"] is True


def test_fault_at_one_vendor_leaves_the_others_alone(clean, card):
    clean.fault("refuse", vendor="pricecharting")
    with pytest.raises(ConnectionRefusedError):
        call(clean.urls["pricecharting"])
    assert _justtcg(clean, card).status == 200


def test_options_through_the_control_port(clean):
    def options(**changes: object):
        body = {"action": "options", "vendor": "pricecharting", "set": changes}
        return call(clean.control_url, "/_control", method="POST", body=json.dumps(body).encode())

    assert options(columns=27).json()["columns"] == 27
    assert options(columns=28).status == 400
    assert options(columns=37).json()["columns"] == 37


def test_prices_move_with_the_days(clean, card):
    before = _justtcg(clean, card).json()["data"][0]["variants"][0]["price"]
    now = clean.clock.now()
    clean.clock.set(now.replace(month=9))
    assert _justtcg(clean, card).json()["data"][0]["variants"][0]["price"] != before
    clean.clock.set(now)


def test_ebays_tokens_follow_the_clock_and_the_fault(clean):
    def token() -> dict[str, Any]:
        pair = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        form = urlencode({"grant_type": "client_credentials", "scope": SCOPE}).encode()
        headers = {
            "Authorization": f"Basic {pair}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        url = clean.urls["ebay"]
        path = "/identity/v1/oauth2/token"
        return dict(call(url, path, method="POST", headers=headers, body=form).json())

    def search(bearer: str) -> Reply:
        headers = {"Authorization": f"Bearer {bearer}", "Accept-Encoding": "gzip"}
        path = "/buy/browse/v1/item_summary/search?q=pikachu&limit=3"
        return call(clean.urls["ebay"], path, headers=headers)

    first = token()
    assert search(first["access_token"]).status == 200
    assert clean.served("ebay")[0].facet[-1] == "value"
    clean.clock.advance(timedelta(seconds=first["expires_in"] + 1))
    assert search(first["access_token"]).status == 401
    clean.fault("token_lifetime", vendor="ebay", params={"value": -60})
    assert token()["expires_in"] == -60
    assert "Bearer" not in repr(clean.calls("ebay"))
