"""The search of the eBay sandbox against vendors/ebay.md section 2: paging, filters, warnings."""

from decimal import Decimal
from typing import Any

import pytest

from tcgtracker.sandbox.world import World
from tests.unit.sandbox.asking import tree
from tests.unit.sandbox.browsing import NOON, SEARCH, Browser

ALL_OPTIONS = "buyingOptions:%7BAUCTION%7CFIXED_PRICE%7CBEST_OFFER%7D"


@pytest.fixture(scope="module")
def browser(world: World) -> Browser:
    return Browser(world)


def items(answer: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer["itemSummaries"]
    return found


@pytest.mark.parametrize(
    ("query", "status", "number"),
    [
        ("", 400, 12001),
        ("limit=5", 400, 12001),
        ("q=a&offset=-1", 400, 12004),
        ("q=a&offset=x", 400, 12005),
        ("q=a&limit=0", 400, 12006),
        ("q=a&limit=201", 400, 12006),
        ("q=a&limit=x", 400, 12007),
        ("category_ids=220", 409, 12013),
        ("q=a&offset=10000", 400, 12029),
        ("q=a&category_ids=1,2", 400, 12030),
        ("q=a&limit=50&offset=75", 400, 12515),
    ],
)
def test_refused_parameters(browser: Browser, query: str, status: int, number: int) -> None:
    answer = browser.ask(f"{SEARCH}?{query}")
    error = tree(answer)["errors"][0]
    assert (answer.status, error["errorId"]) == (status, number)
    assert set(error) == {"errorId", "domain", "category", "message", "longMessage"}


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("filter=colour:red", 12002),
        ("filter=buyingOptions:%7BGIFT%7D", 12002),
        ("filter=conditionIds:%5B1..2%5D", 12002),
        ("filter=itemEndDate:%5B..soon%5D", 12002),
        ("sort=cheapest", 12008),
        ("category_ids=999", 12009),
        ("filter=price:%5B1..2%5D", 12012),
        ("fieldgroups=EVERYTHING", 12016),
        ("aspect_filter=Grade", 12018),
        ("epid=x", 12021),
        ("gtin=x", 12022),
    ],
)
def test_what_cannot_be_used_is_ignored_with_a_warning(
    browser: Browser, query: str, number: int
) -> None:
    plain = browser.search("q=pikachu")
    warned = browser.search(f"q=pikachu&{query}")
    assert [each["errorId"] for each in warned["warnings"]] == [number]
    assert items(warned) == items(plain)
    assert "warnings" not in plain


def test_default_limit_is_50(browser: Browser) -> None:
    answer = browser.search("q=pokemon")
    assert (answer["limit"], answer["offset"], len(items(answer))) == (50, 0, 50)
    assert "prev" not in answer


def test_following_next_reaches_everything_once(browser: Browser) -> None:
    answer = browser.search("q=pikachu&limit=10", host="127.0.0.1:4711")
    assert answer["href"].startswith("http://127.0.0.1:4711/buy/browse/v1/item_summary/search?")
    total, seen = answer["total"], []
    while True:
        seen += [each["itemId"] for each in items(answer)]
        if "next" not in answer:
            break
        here = answer["href"]
        answer = tree(browser.ask(answer["next"], host="127.0.0.1:4711"))
        assert answer["prev"] == here
    assert len(seen) == len(set(seen)) == total > 20


def test_zero_hits_have_no_summaries(browser: Browser) -> None:
    for query in ("q=zzzz", "q=pika*", "epid=1"):
        answer = browser.search(query)
        assert answer["total"] == 0
        assert "itemSummaries" not in answer
        assert "next" not in answer


def test_all_words_must_be_there_and_brackets_are_or(browser: Browser) -> None:
    both = browser.search("q=pikachu%20set&limit=200")
    assert all({"pikachu", "set"} <= set(each["title"].lower().split()) for each in items(both))
    either = browser.search("q=(pikachu,%20charizard)%20pokemon&limit=200")
    alone = browser.search("q=pikachu%20pokemon")["total"]
    assert either["total"] > alone > both["total"] > 0


def test_only_fixed_price_unless_asked(browser: Browser) -> None:
    plain = items(browser.search("q=pokemon&limit=200"))
    assert all("FIXED_PRICE" in each["buyingOptions"] for each in plain)
    auctions = items(browser.search("q=pokemon&limit=200&filter=buyingOptions:%7BAUCTION%7D"))
    for each in auctions:
        assert each["buyingOptions"] == ["AUCTION"]
        assert "price" not in each
        assert isinstance(each["currentBidPrice"]["value"], str)
        assert isinstance(each["bidCount"], int)
        assert each["itemEndDate"] > f"{NOON:%Y-%m-%dT%H:%M:%S}.000Z"
    every = browser.search(f"q=pokemon&filter={ALL_OPTIONS}")["total"]
    assert every > browser.search("q=pokemon")["total"]


def test_money_is_text_with_a_currency(browser: Browser) -> None:
    for each in items(browser.search("q=pokemon&limit=200")):
        price = each["price"]
        assert set(price) == {"value", "currency"}
        assert price["currency"] == "USD"
        assert Decimal(price["value"]) > 0
        assert len(price["value"].partition(".")[2]) == 2
        assert len(each["title"]) <= 80


def test_sellers_are_named_so_that_a_client_must_drop_them(browser: Browser) -> None:
    for each in items(browser.search("q=pokemon")):
        assert set(each["seller"]) == {"username", "feedbackPercentage", "feedbackScore"}


def test_price_filter_needs_its_currency(browser: Browser) -> None:
    answer = browser.search("q=pokemon&limit=200&filter=price:%5B10..50%5D,priceCurrency:USD")
    assert "warnings" not in answer
    assert answer["total"] > 0
    assert all(10 <= Decimal(each["price"]["value"]) <= 50 for each in items(answer))


@pytest.mark.parametrize(
    ("rule", "field", "wanted"),
    [
        ("conditionIds:%7B2750%7D", "conditionId", "2750"),
        ("conditionIds:%7B4000%7D", "condition", "Ungraded"),
        ("conditions:%7BNEW%7D", "conditionId", "1000"),
    ],
)
def test_condition_filters(browser: Browser, rule: str, field: str, wanted: str) -> None:
    found = items(browser.search(f"q=pokemon&filter={rule}"))
    assert {each[field] for each in found} == {wanted}


def test_location_and_delivery_filters(browser: Browser) -> None:
    rules = "itemLocationCountry:GB,maxDeliveryCost:0,deliveryCountry:US"
    for each in items(browser.search(f"q=pokemon&filter={rules}")):
        assert each["itemLocation"]["country"] == "GB"
        assert each["shippingOptions"][0]["shippingCost"]["value"] == "0.00"


def test_sorted_by_price_with_shipping(browser: Browser) -> None:
    def cost(each: dict[str, Any]) -> Decimal:
        shipping = each["shippingOptions"][0]["shippingCost"]["value"]
        return Decimal(each["price"]["value"]) + Decimal(shipping)

    up = [cost(each) for each in items(browser.search("q=pokemon&sort=price&limit=200"))]
    down = [cost(each) for each in items(browser.search("q=pokemon&sort=-price&limit=200"))]
    assert up == sorted(up)
    assert down == sorted(down, reverse=True)
    assert down[0] > up[-1]


def test_soonest_ending_auctions_first(browser: Browser) -> None:
    found = items(browser.search(f"q=pokemon&sort=endingSoonest&filter={ALL_OPTIONS}"))
    ends = [each["itemEndDate"] for each in found]
    assert ends == sorted(ends)


def test_category_of_cards(browser: Browser) -> None:
    cards = browser.search("category_ids=183454&limit=200")
    assert {each["leafCategoryIds"][0] for each in items(cards)} == {"183454"}
    sealed = browser.search("category_ids=261044&limit=200")
    assert {each["conditionId"] for each in items(sealed)} == {"1000"}
    parent = browser.search("category_ids=2536")
    assert parent["total"] == cards["total"] + sealed["total"]
    assert browser.search("category_ids=220&q=pokemon")["total"] > 0


def test_foreign_marketplace_converts_prices(browser: Browser) -> None:
    home = items(browser.search("q=pikachu"))
    abroad = items(browser.search("q=pikachu", x_ebay_c_marketplace_id="EBAY_DE"))
    for here, there in zip(home, abroad, strict=True):
        assert there["price"]["currency"] == "EUR"
        assert there["price"]["convertedFromValue"] == here["price"]["value"]
        assert there["price"]["convertedFromCurrency"] == "USD"
    invalid = items(browser.search("q=pikachu", x_ebay_c_marketplace_id="NOWHERE"))
    assert invalid == home
    answer = browser.ask(f"{SEARCH}?q=pikachu", x_ebay_c_marketplace_id="EBAY_CN")
    assert (answer.status, tree(answer)["errors"][0]["errorId"]) == (409, 12019)


def test_extended_fields_only_when_asked(browser: Browser) -> None:
    plain = items(browser.search("q=pikachu"))[0]
    full = items(browser.search("q=pikachu&fieldgroups=EXTENDED"))[0]
    assert set(full) - set(plain) == {"shortDescription"}
    assert set(full["itemLocation"]) - set(plain["itemLocation"]) == {"city"}
