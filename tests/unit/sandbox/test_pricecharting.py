"""The rules of vendors/pricecharting.md section 8."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tcgtracker.sandbox.pricecharting import TOKEN, PriceChartingSandbox
from tcgtracker.sandbox.pricecharting_catalog import console_uid
from tcgtracker.sandbox.prices import ladder_cents
from tcgtracker.sandbox.traps import Trap
from tcgtracker.sandbox.world import World
from tests.unit.sandbox.asking import get, tree

NOW = datetime(2026, 9, 3, 12, tzinfo=UTC)
HEADER_27 = (
    "id,console-name,product-name,loose-price,cib-price,new-price,graded-price,box-only-price,"
    "manual-only-price,bgs-10-price,condition-17-price,condition-18-price,gamestop-price,"
    "gamestop-trade-price,retail-loose-buy,retail-loose-sell,retail-cib-buy,retail-cib-sell,"
    "retail-new-buy,retail-new-sell,upc,sales-volume,genre,tcg-id,asin,epid,release-date"
)


class Ticker:
    """A monotonic clock that is moved by hand."""

    at = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def ticker() -> Ticker:
    return Ticker()


@pytest.fixture
def vendor(world: World, ticker: Ticker) -> PriceChartingSandbox:
    return PriceChartingSandbox(world, monotonic=ticker)


@pytest.fixture
def calm(vendor: PriceChartingSandbox) -> PriceChartingSandbox:
    vendor.tune({"call_pause_s": 0.0, "csv_pause_s": 0.0})
    return vendor


def product(vendor: PriceChartingSandbox, page: str, now: datetime = NOW) -> dict[str, Any]:
    return dict(tree(vendor.handle(get(f"/api/product?t={TOKEN}&id={page}"), now)))


def guide(vendor: PriceChartingSandbox, query: str, now: datetime = NOW) -> list[dict[str, str]]:
    answer = vendor.handle(get(f"/price-guide/download-custom?t={TOKEN}&{query}"), now)
    return list(csv.DictReader(io.StringIO(answer.body.decode(), newline="")))


def page_of(world: World, trap: Trap) -> str:
    (card, *_) = [each for each in world.trapped(trap) if each.pricecharting_ids]
    return next(iter(card.pricecharting_ids.values()))


@pytest.mark.parametrize("query", ["id=630067", "t=wrong&id=630067", "t=&id=630067"])
def test_only_the_token_in_the_query_counts(vendor, query):
    answer = vendor.handle(get(f"/api/product?{query}", x_api_key=TOKEN), NOW)
    assert tree(answer) == {"status": "error", "error-message": "Unknown access token"}
    vendor.tune({"error_status": 401})
    assert vendor.handle(get("/api/product?id=1"), NOW).status == 401


def test_api_counts_pennies_of_the_day(calm, world):
    card = next(each for each in world.cards() if "" in each.pricecharting_ids)
    page = card.pricecharting_ids[""]
    wanted = ladder_cents(world, card, card.printings[0].name, NOW.date())
    answer = product(calm, page)
    assert answer["status"] == "success"
    assert answer["loose-price"] == wanted["loose-price"]
    assert all(answer[key] == cents for key, cents in wanted.items())
    later = product(calm, page, NOW + timedelta(days=40))
    assert later["loose-price"] != answer["loose-price"]


def test_missing_prices_are_zero_or_absent_never_null(calm, world):
    keys = {"cib-price", "new-price", "graded-price", "manual-only-price"}
    answers = [
        product(calm, page)
        for card in world.sets[0].cards
        for page in card.pricecharting_ids.values()
    ]
    values = [answer.get(key, "absent") for answer in answers for key in keys]
    assert 0 in values
    assert "absent" in values
    assert None not in values


def test_csv_has_dollars_and_empty_for_no_price(calm, world):
    rows = {row["id"]: row for row in guide(calm, "category=pokemon-cards")}
    answer = product(calm, next(iter(rows)))
    row = rows[answer["id"]]
    assert row["loose-price"] == f"${answer['loose-price'] / 100:.2f}"
    assert "$0.00" not in {value for each in rows.values() for value in each.values()}
    assert "" in {each["manual-only-price"] for each in rows.values()}
    assert "," not in row["loose-price"]


def test_both_headers(calm):
    assert len(guide(calm, "category=pokemon-cards")[0]) == 37
    calm.tune({"columns": 27})
    assert ",".join(guide(calm, "category=one-piece-cards")[0]) == HEADER_27
    with pytest.raises(ValueError, match="columns"):
        calm.tune({"columns": 30})


def test_unknown_category_answers_the_guide_of_everything(calm):
    rows = guide(calm, "category=nonsense")
    assert rows[0]["console-name"] == "3DO"
    assert {row["genre"] for row in rows} >= {"Pokemon Card", "One Piece Cards", "Sealed Product"}


def test_guide_of_one_set(calm):
    uid = console_uid("Pokemon Jungle")
    rows = guide(calm, f"category=pokemon-cards&console-uids={uid}")
    assert {row["console-name"] for row in rows} == {"Pokemon Jungle"}


def test_search_is_capped_and_has_three_keys(calm):
    answer = tree(calm.handle(get(f"/api/products?t={TOKEN}&q=pokemon&offset=20&limit=99"), NOW))
    assert len(answer["products"]) == 20
    assert set(answer["products"][0]) == {"id", "product-name", "console-name"}
    calm.tune({"full_hits": True})
    answer = tree(calm.handle(get(f"/api/products?t={TOKEN}&q=pokemon"), NOW))
    assert "loose-price" in answer["products"][0]


def test_search_reads_name_and_set(calm):
    answer = tree(calm.handle(get(f"/api/products?t={TOKEN}&q=jungle+PIKACHU"), NOW))
    assert {hit["console-name"] for hit in answer["products"]} == {"Pokemon Jungle"}
    best = tree(calm.handle(get(f"/api/product?t={TOKEN}&q=jungle+pikachu"), NOW))
    assert best["id"] == answer["products"][0]["id"]


def test_nothing_found_is_an_error(calm):
    assert product(calm, "999999999")["error-message"] == "no product found"
    assert tree(calm.handle(get(f"/api/product?t={TOKEN}"), NOW))["status"] == "error"


def test_some_products_have_no_tcg_id_and_some_share_one(calm, world):
    assert "tcg-id" not in product(calm, page_of(world, Trap.NO_TCG_ID))
    (card, *_) = [each for each in world.cards() if "1st Edition" in each.pricecharting_ids]
    answers = [product(calm, page) for page in card.pricecharting_ids.values()]
    assert len({answer["tcg-id"] for answer in answers}) == 1
    assert len({answer["id"] for answer in answers}) == 2


def test_names_carry_bracket_and_number(calm):
    names = {row["product-name"] for row in guide(calm, "category=pokemon-cards")}
    assert any("[Shadowless] #" in name for name in names)
    assert any("[1st Edition] #" in name for name in names)
    assert any("[Reverse Holo] #" in name for name in names)
    names = {row["product-name"] for row in guide(calm, "category=one-piece-cards")}
    assert any("[Alternate Art] OP" in name for name in names)
    assert not any("#" in name for name in names)


def test_one_call_a_second(vendor, ticker):
    def status():
        return vendor.handle(get(f"/api/product?t={TOKEN}&id=1"), NOW).status

    assert (status(), status()) == (200, 429)
    ticker.at += 0.99
    assert status() == 429
    ticker.at += 0.02
    assert status() == 200


def test_one_guide_in_ten_minutes_apart_from_the_api(vendor, ticker):
    def answer():
        path = f"/price-guide/download-custom?t={TOKEN}&category=one-piece-cards"
        return vendor.handle(get(path), NOW)

    assert answer().status == 200
    refused = answer()
    assert (refused.status, "retry-after" in map(str.lower, refused.headers)) == (429, False)
    assert vendor.handle(get(f"/api/product?t={TOKEN}&id=1"), NOW).status == 200
    ticker.at += 601
    assert answer().status == 200
    vendor.reset()
    assert answer().status == 200


@pytest.mark.parametrize("path", ["/api/consoles", "/api/product/1/history", "/api/v1/product"])
def test_what_the_vendor_does_not_have(calm, path):
    assert calm.handle(get(f"{path}?t={TOKEN}"), NOW).status == 404


def test_wrong_options_change_nothing(vendor):
    with pytest.raises(ValueError, match="no option"):
        vendor.tune({"call_pause_s": 0.0, "colour": "red"})
    assert vendor.options()["call_pause_s"] == 1.0
