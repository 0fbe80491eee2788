"""eBay: listings as hits with the lister's own figure, no seller, and a quota that is believed."""

import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from tcgtracker.domain.clock import FixedClock
from tcgtracker.domain.errors import (
    BadCredentials,
    ContractBroken,
    InvalidInput,
    QuotaExhausted,
    RateLimited,
    RequestRefused,
)
from tcgtracker.domain.money import Money
from tcgtracker.integrations import ebay
from tcgtracker.integrations.contract import SearchAnswer
from tcgtracker.integrations.ebay.normalize import add_hits
from tcgtracker.integrations.ebay.notices import challenge_response
from tcgtracker.integrations.ebay.words import search_words
from tcgtracker.runtime.ports import CallOutcome, ReportedQuota
from tcgtracker.vendor_settings import EbaySettings
from tests.unit.integrations.asking import NOW, Scripted, answering, ask
from tests.unit.integrations.calling import OpenGate

SETTINGS = EbaySettings(client_id="app", client_secret=SecretStr("cert"))
QUOTA = {"errors": [{"errorId": 2001, "domain": "ACCESS", "category": "REQUEST"}]}
OLD_TOKEN = {"errors": [{"errorId": 1001, "domain": "OAuth", "category": "REQUEST"}]}


def a_listing(number=1, **more):
    row = {"itemId": f"v1|{number}|0", "title": f"Card {number}", "buyingOptions": ["FIXED_PRICE"]}
    price = {"value": "249.99", "currency": "USD"}
    seller = {"username": "example_seller", "feedbackScore": 100}
    return row | {"price": price, "seller": seller} | more


class Ebay:
    """Takes the token that it gave last; lists `count` cards, or answers with `answer`."""

    def __init__(self, count=0, *, answer=None, limits=None):
        self.count = count
        self.answer = answer
        self.limits = limits
        self.given = 0
        self.stale = 0

    def __call__(self, request):
        if request.path == "/identity/v1/oauth2/token":
            self.given += 1
            assert request.headers["authorization"] == "Basic YXBwOmNlcnQ="
            return answering({"access_token": f"v^1.1#{self.given}", "expires_in": 7200})
        if self.given <= self.stale:
            return answering(OLD_TOKEN, 401)
        assert request.headers["authorization"] == f"Bearer v^1.1#{self.given}"
        if request.path.startswith("/developer/"):
            return self.limits
        if self.answer is not None:
            return self.answer
        offset, limit = int(request.arg("offset")), int(request.arg("limit"))
        assert 1 <= limit <= 200
        assert offset % limit == 0
        found = [a_listing(number) for number in range(self.count)][offset : offset + limit]
        body = {"total": self.count, "limit": limit, "offset": offset}
        if found:
            body["itemSummaries"] = found
        if offset + limit < self.count:
            body["next"] = "http://evil.example/next"
        return answering(body)


def asking(vendor, do, *, gate=None, clock=None):
    scripted = Scripted(vendor)
    clock = clock or FixedClock(NOW)

    async def run(http):
        return await do(ebay.create(http, SETTINGS, clock))

    return ask(scripted, run, gate=gate, clock=clock), scripted


def searched(vendor, query="charizard", **more):
    kept = {name: more.pop(name) for name in ("gate", "clock") if name in more}
    return asking(vendor, lambda made: made.search(query, **more), **kept)


def hit_of(**more):
    found = SearchAnswer()
    add_hits(found, "ebay", [a_listing(**more)], 5)
    return found.hits[0], found


def test_a_search_asks_for_singles_of_the_game_with_auctions():
    found, vendor = searched(Ebay(3), game="pokemon", limit=20)

    request = vendor.asked[-1]
    assert request.path == "/buy/browse/v1/item_summary/search"
    assert request.arg("q") == "charizard pokemon"
    assert request.arg("category_ids") == "183454"
    assert request.arg("filter") == "buyingOptions:{FIXED_PRICE|AUCTION}"
    assert request.headers["x-ebay-c-marketplace-id"] == "EBAY_US"
    assert [hit.external_id for hit in found.hits] == ["v1|0|0", "v1|1|0", "v1|2|0"]
    assert not found.truncated


def test_nothing_found_is_an_empty_answer():
    found, _ = searched(Ebay(0))

    assert found == SearchAnswer()


@pytest.mark.parametrize(
    ("limit", "count", "offsets"), [(20, 90, [0]), (200, 500, [0]), (450, 500, [0, 200, 400])]
)
def test_pages_are_counted_by_our_own_offsets(limit, count, offsets):
    found, vendor = searched(Ebay(count), limit=limit)

    assert len(found.hits) == limit
    assert found.truncated
    assert [int(request.arg("offset")) for request in vendor.asked[1:]] == offsets


def test_pages_that_repeat_themselves_end():
    page = {"total": 10**6, "next": "x", "itemSummaries": [a_listing(n) for n in range(200)]}

    found, vendor = searched(Ebay(answer=answering(page)), limit=450)

    assert len(found.hits) == 200
    assert found.truncated
    assert len(vendor.asked) == 3


def test_warnings_on_an_answer_are_counted():
    page = {"total": 1, "itemSummaries": [a_listing()], "warnings": [{"errorId": 12012}]}

    found, _ = searched(Ebay(answer=answering(page)))

    assert found.skipped == {"warning 12012": 1}


BID = {"value": "12.50", "currency": "USD"}
PRICES = [
    ({}, Money(24_999, "USD"), "asking price"),
    ({"buyingOptions": ["AUCTION"], "currentBidPrice": BID}, Money(1250, "USD"), "current bid"),
    (
        {"buyingOptions": ["AUCTION", "FIXED_PRICE"], "currentBidPrice": BID},
        Money(24_999, "USD"),
        "asking price",
    ),
    (
        {"buyingOptions": ["AUCTION"], "price": None, "currentBidPrice": BID},
        Money(1250, "USD"),
        "current bid",
    ),
    ({"buyingOptions": ["AUCTION"]}, Money(24_999, "USD"), "starting price"),
    (
        {"itemGroupType": "SELLER_DEFINED_VARIATIONS"},
        Money(24_999, "USD"),
        "asking price of one variation",
    ),
    ({"price": {"value": "1500", "currency": "JPY"}}, Money(1500, "JPY"), "asking price"),
    (
        {
            "price": {
                "value": "27.13",
                "currency": "USD",
                "convertedFromValue": "20.00",
                "convertedFromCurrency": "GBP",
            }
        },
        Money(2000, "GBP"),
        "asking price",
    ),
    ({"price": {"value": "0.00", "currency": "USD"}}, None, ""),
    ({"price": None}, None, ""),
]  # fmt: skip


@pytest.mark.parametrize(("more", "price", "label"), PRICES)
def test_the_figure_is_the_listers_own_and_says_what_it_is(more, price, label):
    hit, found = hit_of(**more)

    assert (hit.price, hit.price_label) == (price, label)
    assert not found.skipped


@pytest.mark.parametrize("value", ["1,234.50", "-1.00", "NaN", "1e9", "", "99999999999.00", "٣"])
def test_a_figure_that_is_no_amount_is_counted_and_not_shown(value):
    hit, found = hit_of(price={"value": value, "currency": "USD"})

    assert hit.price is None
    assert hit.price_label == ""
    assert found.skipped == {"a price that is no amount": 1}


def test_a_listing_with_a_bad_field_does_not_cost_the_others():
    found = SearchAnswer()
    bad = [
        a_listing(price={"value": 5, "currency": "USD"}),
        a_listing(title=None),
        "x",
        a_listing(title="a\0b"),
    ]

    add_hits(found, "ebay", [*bad, a_listing(7)], 5)

    assert [hit.external_id for hit in found.hits] == ["v1|7|0"]
    assert sum(found.skipped.values()) == 4


def test_an_address_that_is_no_web_address_is_left_out():
    hit, _ = hit_of(itemWebUrl="javascript:alert(1)", image={"imageUrl": "data:x"})

    assert (hit.url, hit.image_url) == ("", "")


def test_no_seller_is_read():
    hit, _ = hit_of()

    assert "example_seller" not in repr(hit)


@pytest.mark.parametrize(
    ("query", "game", "words"),
    [
        ("Pikachu (V1), *", "", "Pikachu V1"),
        ("pikachu", "onepiece", "pikachu one piece"),
        ("Pokemon pikachu", "pokemon", "Pokemon pikachu"),
        ("pikachu", "tcgplayer-63", "pikachu"),
        ("w " * 49 + "w", "pokemon", "w " * 49 + "w"),
        ("word " * 30, "", "word " * 19 + "word"),
        ("x" * 150, "", "x" * 100),
    ],
)
def test_a_query_becomes_plain_words(query, game, words):
    assert search_words(query, game) == words


@pytest.mark.parametrize("query", ["", " ", "***", "(,)"])
def test_a_query_without_words_is_not_asked(query):
    with pytest.raises(InvalidInput):
        searched(Ebay(), query)


def test_an_old_token_is_exchanged_once():
    vendor = Ebay(1)
    vendor.stale = 1

    found, scripted = searched(vendor)

    assert len(found.hits) == 1
    assert scripted.count("/identity") == 2


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (answering(b"<html>Access denied", 403, Content_Type="text/html"), BadCredentials),
        (answering({"errors": [{"errorId": 1100}]}, 403), BadCredentials),
        (answering(OLD_TOKEN, 401), BadCredentials),
        (answering({"errors": [{"errorId": 12515}]}, 400), RequestRefused),
        (answering({"errors": [{"errorId": 12013}]}, 409), RequestRefused),
        (answering(b"slow down", 429), RateLimited),
        (answering({"itemSummaries": {}}), ContractBroken),
        (answering(b"{"), ContractBroken),
    ],
)
def test_an_answer_that_is_none_is_an_error(answer, error):
    with pytest.raises(error):
        searched(Ebay(answer=answer))


def test_a_spent_quota_without_a_known_reset_waits_an_hour():
    gate = OpenGate()

    with pytest.raises(QuotaExhausted) as caught:
        searched(Ebay(answer=answering(QUOTA, 429)), gate=gate)

    assert caught.value.until == NOW + timedelta(hours=1)
    assert (gate.outcomes[-1], gate.waits[-1]) == (CallOutcome.REFUSED, NOW + timedelta(hours=1))


def limits_of(*rates):
    resources = [{"name": "buy.browse", "rates": list(rates)}, {"name": "buy.browse.item.bulk"}]
    api = {"apiContext": "buy", "apiName": "browse", "apiVersion": "v1", "resources": resources}
    return answering({"rateLimits": [api]})


def test_check_reports_what_is_left_and_learns_when_it_ends():
    reset = "2026-11-23T08:00:00.000Z"
    limits = limits_of({"limit": 5000, "remaining": 17, "reset": reset, "timeWindow": 86400})
    gate = OpenGate()

    async def both(made):
        await made.check()
        with pytest.raises(QuotaExhausted) as caught:
            await made.search("x")
        return caught.value

    error, vendor = asking(Ebay(answer=answering(QUOTA, 429), limits=limits), both, gate=gate)

    assert gate.reported == [ReportedQuota("day", 17, 5000)]
    assert error.until == datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert vendor.asked[1].arg("api_name") == "browse"


def test_what_is_left_of_a_day_that_ends_before_ours_is_not_reported():
    early = datetime(2026, 11, 22, 5, tzinfo=UTC)
    limits = limits_of({"limit": 5000, "remaining": 0, "reset": "2026-11-22T08:00:00.000Z"})
    gate = OpenGate()

    asking(Ebay(limits=limits), lambda made: made.check(), gate=gate, clock=FixedClock(early))

    assert gate.reported == []


@pytest.mark.parametrize("reset", ["2036-11-23T08:00:00Z", "2026-11-01T08:00:00Z", "soon", None])
def test_a_reset_that_cannot_be_is_not_waited_for(reset):
    limits = limits_of({"limit": 5000, "remaining": 0, "reset": reset})

    async def both(made):
        await made.check()
        with pytest.raises(QuotaExhausted) as caught:
            await made.search("x")
        return caught.value

    error, _ = asking(Ebay(answer=answering(QUOTA, 429), limits=limits), both)

    assert error.until == NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({}, "https://api.ebay.com"),
        ({"environment": "sandbox"}, "https://api.sandbox.ebay.com"),
        ({"environment": "sandbox", "base_url": "http://127.0.0.1:9"}, "http://127.0.0.1:9"),
    ],
)
def test_the_host_follows_the_environment(settings, url):
    assert ebay.base_url(EbaySettings(**settings)) == url


def test_the_challenge_is_answered_over_code_token_and_address_in_this_order():
    code, token, endpoint = "code-1", "t" * 32, "https://cards.example/ebay"

    answer = challenge_response(code, token, endpoint)

    assert answer == hashlib.sha256(f"{code}{token}{endpoint}".encode()).hexdigest()
    assert answer != hashlib.sha256(f"{token}{code}{endpoint}".encode()).hexdigest()


@pytest.mark.data
def test_a_real_answer_reads_whole(real_data):
    raw = (real_data / "ebay" / "item_summary_search_best_match.json").read_bytes()
    page = json.loads(raw)
    sellers = {item["seller"]["username"] for item in page["itemSummaries"]}

    found, _ = searched(Ebay(answer=answering(raw)), limit=40)

    assert len(found.hits) == 40
    assert found.truncated
    assert not found.skipped
    first = page["itemSummaries"][0]
    assert found.hits[0].price == Money(18_999, "USD")
    assert (found.hits[0].name, found.hits[0].condition) == (first["title"], first["condition"])
    assert all(hit.url.startswith("https://www.ebay.com/itm/") for hit in found.hits)
    assert not any(seller in repr(found) for seller in sellers)
