"""The rules of vendors/justtcg.md section 8."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tcgtracker.domain.clock import to_epoch
from tcgtracker.sandbox.justtcg import KEY, JustTcgSandbox
from tcgtracker.sandbox.prices import justtcg_cents
from tcgtracker.sandbox.traps import Trap
from tcgtracker.sandbox.wire import Request, Response
from tcgtracker.sandbox.world import World, WorldCard
from tests.unit.sandbox.asking import get, tree

NOW = datetime(2026, 9, 3, 12, tzinfo=UTC)


class Ticker:
    """A monotonic clock that is moved by hand."""

    at = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def ticker() -> Ticker:
    return Ticker()


@pytest.fixture
def vendor(world: World, ticker: Ticker) -> JustTcgSandbox:
    return JustTcgSandbox(world, monotonic=ticker)


@pytest.fixture
def calm(vendor: JustTcgSandbox) -> JustTcgSandbox:
    vendor.tune({"pacing": 0.0, "plan": "enterprise"})
    return vendor


def asked(vendor: JustTcgSandbox, url: str, now: datetime = NOW) -> Response:
    return vendor.handle(get(url, x_api_key=KEY), now)


def batch(vendor: JustTcgSandbox, items: object, query: str = "", now: datetime = NOW) -> Response:
    base = get(f"/v1/cards{query}", x_api_key=KEY)
    body = json.dumps(items).encode()
    return vendor.handle(Request("POST", base.path, base.query, base.headers, body), now)


def ordinary(world: World, number: int = 1) -> list[WorldCard]:
    return [card for card in world.sets[0].cards if not card.traps and not card.sealed][:number]


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "MISSING_API_KEY"),
        ({"authorization": f"Bearer {KEY}"}, "MISSING_API_KEY"),
        ({"x_api_key": "tcg_wrong"}, "INVALID_API_KEY"),
    ],
)
def test_only_the_api_key_header_counts(vendor, headers, code):
    answer = vendor.handle(get("/v1/games", **headers), NOW)
    assert (answer.status, tree(answer)["code"]) == (401, code)


def test_metadata_counts_day_and_month(vendor):
    asked(vendor, "/v1/games")
    metadata = tree(asked(vendor, "/v1/games"))["_metadata"]
    assert metadata == {
        "apiPlan": "Free Tier",
        "apiRequestLimit": 1000,
        "apiRequestsUsed": 2,
        "apiRequestsRemaining": 998,
        "apiDailyLimit": 100,
        "apiDailyRequestsUsed": 2,
        "apiDailyRequestsRemaining": 98,
        "apiRateLimit": 10,
    }
    tomorrow = tree(asked(vendor, "/v1/games", NOW + timedelta(hours=12)))["_metadata"]
    assert (tomorrow["apiDailyRequestsUsed"], tomorrow["apiRequestsUsed"]) == (1, 3)
    next_month = tree(asked(vendor, "/v1/games", NOW + timedelta(days=30)))["_metadata"]
    assert next_month["apiRequestsUsed"] == 1


def test_failed_calls_count_and_unknown_keys_do_not(vendor):
    asked(vendor, "/v1/sets")
    asked(vendor, "/v1/nowhere")
    vendor.handle(get("/v1/games", x_api_key="tcg_wrong"), NOW)
    assert tree(asked(vendor, "/v1/games"))["_metadata"]["apiRequestsUsed"] == 3


def test_limit_per_minute(vendor, ticker):
    assert [asked(vendor, "/v1/games").status for _ in range(11)] == [200] * 10 + [429]
    refused = asked(vendor, "/v1/games")
    assert tree(refused)["code"] == "RATE_LIMIT_EXCEEDED"
    assert refused.headers["Retry-After"] == "60"
    ticker.at += 60
    assert asked(vendor, "/v1/games").status == 200


def test_quota_of_the_day_and_of_the_month(vendor):
    vendor.tune({"pacing": 0.0, "calls_elsewhere": 99})
    assert asked(vendor, "/v1/games").status == 200
    refused = asked(vendor, "/v1/games")
    assert (refused.status, tree(refused)["code"]) == (429, "DAILY_LIMIT_EXCEEDED")
    assert tree(refused)["_metadata"]["apiDailyRequestsRemaining"] == 0
    vendor.tune({"calls_elsewhere": 1000})
    assert tree(asked(vendor, "/v1/games"))["code"] == "REQUEST_LIMIT_EXCEEDED"


@pytest.mark.parametrize(
    ("plan", "cards"), [("free", 20), ("starter", 100), ("professional", 100), ("enterprise", 200)]
)
def test_cards_of_a_call_by_plan(vendor, world, plan, cards):
    vendor.tune({"plan": plan, "pacing": 0.0})
    assert asked(vendor, f"/v1/cards?game=pokemon&limit={cards}").status == 200
    refused = asked(vendor, f"/v1/cards?game=pokemon&limit={cards + 1}")
    assert (refused.status, tree(refused)["code"]) == (403, "FORBIDDEN")
    item = {"cardId": world.sets[0].cards[0].justtcg_id, "condition": "NM"}
    assert batch(vendor, [item] * cards).status == 200
    assert batch(vendor, [item] * (cards + 1)).status == 403


def test_unknown_plan_is_refused(vendor):
    with pytest.raises(ValueError, match="plan must be one of"):
        vendor.tune({"plan": "gold"})


def test_card_has_variants_and_no_price_of_its_own(calm, world):
    (card,) = ordinary(world)
    answer = tree(asked(calm, f"/v1/cards?tcgplayerId={card.justtcg_product}"))
    (found,) = answer["data"]
    assert answer["meta"] == {"total": 1, "limit": 20, "offset": 0, "hasMore": False}
    assert not [key for key in found if "price" in key.lower()]
    assert (found["id"], found["uuid"]) == (card.justtcg_id, card.justtcg_uuid)
    for variant in found["variants"]:
        at = datetime.fromtimestamp(variant["lastUpdated"], UTC)
        cents = justtcg_cents(world, card, variant["printing"], variant["condition"], at.date())
        assert cents is not None
        assert variant["price"] == cents / 100


def test_identifiers_find_the_same_card(calm, world):
    (card,) = ordinary(world)
    (found,) = tree(asked(calm, f"/v1/cards?cardId={card.justtcg_id}"))["data"]
    variant = found["variants"][0]
    for query in (
        f"cardId={card.justtcg_uuid}",
        f"tcgplayerId={card.justtcg_product}&cardId=nonsense",
    ):
        (same,) = tree(asked(calm, f"/v1/cards?{query}"))["data"]
        assert same["id"] == card.justtcg_id
    for name, value in (
        ("variantId", variant["id"]),
        ("tcgplayerSkuId", variant["tcgplayerSkuId"]),
    ):
        (same,) = tree(asked(calm, f"/v1/cards?{name}={value}&cardId={card.justtcg_id}"))["data"]
        assert [each["id"] for each in same["variants"]] == [variant["id"]]


def test_batch_has_no_meta_and_leaves_unknown_ids_away(calm, world):
    one, other = ordinary(world, 2)
    items = [
        {"tcgplayerId": other.justtcg_product, "condition": "NM", "printing": "Normal,Holofoil"},
        {"tcgplayerId": "1"},
        {"cardId": one.justtcg_uuid, "condition": "Lightly Played"},
    ]
    before = tree(asked(calm, "/v1/games"))["_metadata"]["apiRequestsUsed"]
    answer = tree(batch(calm, items))
    assert "meta" not in answer
    assert [card["id"] for card in answer["data"]] == [other.justtcg_id, one.justtcg_id]
    assert {each["condition"] for each in answer["data"][0]["variants"]} == {"Near Mint"}
    assert {each["condition"] for each in answer["data"][1]["variants"]} == {"Lightly Played"}
    assert answer["_metadata"]["apiRequestsUsed"] == before + 1


def test_history_and_statistics_are_left_away_when_not_wanted(calm, world):
    (card,) = ordinary(world)
    item = {"cardId": card.justtcg_id, "include_statistics": "7d"}
    bare = tree(batch(calm, [item], "?include_price_history=false"))["data"][0]["variants"]
    assert not any("priceHistory" in variant for variant in bare)
    assert not any("minPrice30d" in variant for variant in bare)
    full = tree(batch(calm, [{"cardId": card.justtcg_id}], "?priceHistoryDuration=30d"))
    history = full["data"][0]["variants"][0]["priceHistory"]
    assert history[-1]["t"] - history[0]["t"] > 20 * 86_400
    assert [point["t"] for point in history] == sorted(point["t"] for point in history)


def test_some_statistics_and_uuids_are_absent(calm):
    cards = tree(asked(calm, "/v1/cards?game=pokemon&limit=100"))["data"]
    variants = [variant for card in cards for variant in card["variants"]]
    assert {"avgPrice" in variant for variant in variants} == {True, False}
    assert {"uuid" in variant for variant in variants} == {True, False}
    assert {"set_name" in card for card in cards} == {True, False}


def test_null_prices_only_when_wanted(calm):
    url = "/v1/cards?game=pokemon&condition=DMG&limit=200"
    plain = tree(asked(calm, url))["data"]
    asking = tree(asked(calm, f"{url}&include_null_prices=true"))["data"]
    assert None not in {each["price"] for card in plain for each in card["variants"]}
    assert None in {each["price"] for card in asking for each in card["variants"]}


def test_updated_after_and_min_price_narrow(calm):
    known = {
        card["variants"][0]["lastUpdated"]
        for card in tree(asked(calm, "/v1/cards?game=pokemon&limit=200"))["data"]
    }
    assert to_epoch(NOW) - min(known) <= 6 * 3600
    middle = sorted(known)[len(known) // 2]
    newer = tree(asked(calm, f"/v1/cards?game=pokemon&limit=200&updated_after={middle}"))["data"]
    assert min(each["variants"][0]["lastUpdated"] for each in newer) > middle
    dear = tree(asked(calm, "/v1/cards?game=pokemon&min_price=50&limit=200"))["data"]
    assert min(each["price"] for card in dear for each in card["variants"]) >= 50


def test_refreshed_every_six_hours(calm, world):
    (card,) = ordinary(world)

    def updated(hours: int) -> int:
        url = f"/v1/cards?cardId={card.justtcg_id}"
        answer = tree(asked(calm, url, NOW + timedelta(hours=hours)))
        return int(answer["data"][0]["variants"][0]["lastUpdated"])

    assert updated(6) - updated(0) == 6 * 3600
    assert len({updated(hour) for hour in range(12)}) in (2, 3)


def test_what_is_missing_at_this_vendor(calm, world):
    def found(trap: Trap) -> dict[str, Any]:
        (card, *_) = [each for each in world.trapped(trap) if each.justtcg_id]
        (record,) = tree(asked(calm, f"/v1/cards?cardId={card.justtcg_id}"))["data"]
        return dict(record)

    assert found(Trap.JUSTTCG_NUMBER_NULL)["number"] is None
    assert found(Trap.JUSTTCG_NUMBER_NA)["number"] == "N/A"
    assert found(Trap.JUSTTCG_NO_PRODUCT)["tcgplayerId"] is None
    bare = found(Trap.SLUG_ONLY)
    assert "uuid" not in bare
    assert all("uuid" not in variant for variant in bare["variants"])


def test_paging_gives_every_card_once(calm, world):
    (made, *_) = [each for each in world.sets if each.code == "base1"]
    seen: list[str] = []
    more = True
    while more:
        url = f"/v1/cards?game=pokemon&set={made.justtcg_id}&limit=25&offset={len(seen)}"
        answer = tree(asked(calm, url))
        seen += [card["id"] for card in answer["data"]]
        more = answer["meta"]["hasMore"]
    assert sorted(seen) == sorted(card.justtcg_id for card in made.cards if card.justtcg_id)


def test_search_is_dearest_first_by_default(calm):
    def tops(query: str) -> list[float]:
        cards = tree(asked(calm, f"/v1/cards?game=Pokemon&condition=NM&limit=50{query}"))["data"]
        return [max(each["price"] for each in card["variants"]) for card in cards]

    assert tops("") == sorted(tops(""), reverse=True)
    assert tops("&order=asc") == sorted(tops("&order=asc"))
    assert tops("") != tops("&orderBy=7d")


def test_games_and_sets(calm, world):
    games = tree(asked(calm, "/v1/games"))["data"]
    assert [type(game["last_updated"]) for game in games] == [str] * 3
    refused = asked(calm, "/v1/sets")
    assert (refused.status, tree(refused)["error"], tree(refused)["code"]) == (
        400,
        'Required query parameter "game" is missing',
        "INVALID_REQUEST",
    )
    answer = tree(asked(calm, "/v1/sets?game=one-piece-card-game"))
    wanted = {each.justtcg_id for each in world.sets if each.game == "onepiece"}
    assert {each["id"] for each in answer["data"]} == wanted
    assert answer["meta"]["limit"] == answer["meta"]["total"]
    page = tree(asked(calm, "/v1/sets?game=pokemon&limit=2&offset=1&orderBy=release_date"))
    assert page["meta"]["hasMore"]
    dates = [each["release_date"] for each in page["data"]]
    assert dates == sorted(dates)


@pytest.mark.parametrize("path", ["/v1/pokemon/cards", "/v1/onepiece/cards", "/cards"])
def test_what_the_vendor_does_not_have(calm, path):
    assert asked(calm, path).status == 404


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=x",
        "offset=-1",
        "orderBy=name",
        "condition=shiny",
        "priceHistoryDuration=2d",
        "include_price_history=maybe",
        "min_price=nan",
        "updated_after=yesterday",
        "include_statistics=2d",
    ],
)
def test_wrong_parameters(calm, query):
    answer = asked(calm, f"/v1/cards?game=pokemon&{query}")
    assert (answer.status, tree(answer)["code"]) == (400, "INVALID_REQUEST")


@pytest.mark.parametrize("items", [{}, [], "x", [1], [{"tcgplayerId": 5}], [{"condition": "NM"}]])
def test_wrong_batches(calm, items):
    answer = batch(calm, items)
    assert (answer.status, tree(answer)["code"]) == (400, "INVALID_REQUEST")
