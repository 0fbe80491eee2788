"""The eBay sandbox against vendors/ebay.md sections 1 to 4 and 7: tokens, quota, one item."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tcgtracker.sandbox.ebay import SCOPE, EbaySandbox
from tcgtracker.sandbox.wire import Response
from tcgtracker.sandbox.world import World
from tests.unit.sandbox.asking import get, post, tree
from tests.unit.sandbox.browsing import BASIC, FORM, NOON, SEARCH, TOKEN, Browser


@pytest.fixture
def browser(world: World) -> Browser:
    return Browser(world)


def test_token_answer(world: World) -> None:
    answer = tree(EbaySandbox(world).handle(post(TOKEN, FORM, authorization=BASIC), NOON))
    assert answer.pop("access_token").startswith("v^1.1#")
    assert answer == {"expires_in": 7_200, "token_type": "Application Access Token"}


@pytest.mark.parametrize("authorization", ["", "Basic", "Basic !!", "Basic bm8=", BASIC[6:]])
def test_bad_credentials_are_401_invalid_client(world: World, authorization: str) -> None:
    answer = EbaySandbox(world).handle(post(TOKEN, FORM, authorization=authorization), NOON)
    assert answer.status == 401
    assert tree(answer) == {
        "error": "invalid_client",
        "error_description": "client authentication failed",
    }


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"grant_type": "refresh_token"}, "unsupported_grant_type"),
        ({"scope": SCOPE + ".buy"}, "invalid_scope"),
    ],
)
def test_bad_form_is_400(world: World, change: dict[str, str], error: str) -> None:
    request = post(TOKEN, FORM | change, authorization=BASIC)
    answer = EbaySandbox(world).handle(request, NOON)
    assert (answer.status, tree(answer)["error"]) == (400, error)


def test_token_in_json_is_400(world: World) -> None:
    request = post(TOKEN, FORM, authorization=BASIC, content_type="application/json")
    assert EbaySandbox(world).handle(request, NOON).status == 400


def refused(answer: Response) -> tuple[int, int]:
    return answer.status, tree(answer)["errors"][0]["errorId"]


def test_expired_or_wrong_token_is_401_1001(browser: Browser) -> None:
    url = f"{SEARCH}?q=pikachu"
    assert browser.ask(url, NOON + timedelta(seconds=7_199)).status == 200
    stale = browser.ask(url, NOON + timedelta(seconds=7_200))
    assert refused(stale) == (401, 1001)
    error = tree(stale)["errors"][0]
    assert (error["domain"], error["category"]) == ("OAuth", "REQUEST")
    assert "Authorization" in error["longMessage"]
    wrong = browser.vendor.handle(get(url, authorization="Bearer no"), NOON)
    assert refused(wrong) == (401, 1001)


def test_missing_header_is_403_without_json(browser: Browser) -> None:
    answer = browser.vendor.handle(get(f"{SEARCH}?q=pikachu"), NOON)
    assert answer.status == 403
    assert answer.headers["Content-Type"] == "text/html"
    other = browser.vendor.handle(get("/developer/analytics/v1_beta/rate_limit/"), NOON)
    assert refused(other) == (400, 1002)


def test_quota_of_a_day_then_429_2001(browser: Browser) -> None:
    browser.vendor.tune({"daily_calls": 3})
    url = f"{SEARCH}?q=pikachu&limit=1"
    assert [browser.ask(url).status for _ in range(5)] == [200, 200, 200, 429, 429]
    answer = browser.ask(url)
    error = tree(answer)["errors"][0]
    assert (error["errorId"], error["domain"], error["category"], error["message"]) == (
        2001,
        "ACCESS",
        "REQUEST",
        "Too many requests.",
    )
    assert "Retry-After" not in answer.headers
    tomorrow = NOON + timedelta(days=1)
    browser.renew(tomorrow)
    assert browser.ask(url, tomorrow).status == 200


def test_default_quota_is_5000_a_day(world: World) -> None:
    assert EbaySandbox(world).options()["daily_calls"] == 5_000


def test_rate_limit_call_counts_and_costs_nothing(browser: Browser) -> None:
    browser.ask(f"{SEARCH}?q=pikachu&limit=1")
    path = "/developer/analytics/v1_beta/rate_limit/?api_name=browse&api_context=buy"
    for _ in range(2):
        api = tree(browser.ask(path))["rateLimits"][0]
        browse = next(each for each in api["resources"] if each["name"] == "buy.browse")
        assert browse["rates"] == [
            {
                "count": 1,
                "limit": 5_000,
                "remaining": 4_999,
                "reset": "2026-10-02T08:00:00.000Z",
                "timeWindow": 86_400,
            }
        ]


def test_one_item(browser: Browser) -> None:
    hit = tree(browser.ask(f"{SEARCH}?q=pikachu&limit=1"))["itemSummaries"][0]
    path = hit["itemHref"].removeprefix("http://api.ebay.com")
    assert "%7C" in path
    for form in (path, path.replace("%7C", "|")):
        whole = tree(browser.ask(form))
        assert whole["itemId"] == hit["itemId"]
        assert whole["price"] == hit["price"]
        assert "description" in whole
    assert refused(browser.ask("/buy/browse/v1/item/v1|1|0")) == (404, 11001)
    assert refused(browser.ask("/buy/browse/v1/item/nonsense")) == (404, 11001)
    assert refused(browser.ask("/buy/browse/v1/item/?item_ids=v1|1|0")) == (403, 1100)


def test_summaries_have_the_keys_of_real_ones(browser: Browser, real_data: Path) -> None:
    sample = json.loads((real_data / "ebay/item_summary_search_best_match.json").read_text())
    answer = tree(browser.ask(f"{SEARCH}?q=pokemon&limit=200"))
    assert set(answer) == set(sample)
    everywhere = set.intersection(*(set(each) for each in sample["itemSummaries"]))
    known = set.union(*(set(each) for each in sample["itemSummaries"]))
    linked = {"itemAffiliateWebUrl"}  # with an affiliate header alone
    documented = {"itemOriginDate"}  # vendors/ebay.md section 2, newer than the sample
    for each in answer["itemSummaries"]:
        assert everywhere - linked <= set(each) <= known | documented
        for name in ("seller", "price", "image", "itemLocation"):
            assert set(each[name]) == set(sample["itemSummaries"][0][name])
        assert set(each["shippingOptions"][0]) == set(
            sample["itemSummaries"][0]["shippingOptions"][0]
        )
    assert any("marketingPrice" in each for each in answer["itemSummaries"])


def test_prices_differ_from_day_to_day(browser: Browser) -> None:
    url = f"{SEARCH}?q=pokemon&limit=200"
    today = tree(browser.ask(url))["itemSummaries"]
    later = datetime(2026, 10, 5, 12, tzinfo=UTC)
    browser.renew(later)
    then = tree(browser.ask(url, later))["itemSummaries"]
    assert [each["itemId"] for each in today] == [each["itemId"] for each in then]
    assert [each["price"] for each in today] != [each["price"] for each in then]
