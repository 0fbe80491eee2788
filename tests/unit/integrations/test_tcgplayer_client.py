"""TCGplayer's API: batches, partial answers, paging that lies, and real rows."""

from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from tcgtracker.domain.catalog import ProductType
from tcgtracker.domain.clock import FixedClock
from tcgtracker.domain.errors import (
    BadCredentials,
    ContractBroken,
    InvalidInput,
    RateLimited,
    RequestRefused,
)
from tcgtracker.domain.quote import Facet, PriceValues
from tcgtracker.integrations import tcgplayer
from tcgtracker.integrations.contract import IdKind, ProductRef
from tcgtracker.integrations.tcgplayer.normalize import asked_ids, item_page
from tcgtracker.vendor_settings import TcgplayerSettings
from tests.unit.integrations.asking import NOW, Scripted, all_of, answering, ask
from tests.unit.integrations.builders import a_row
from tests.unit.integrations.calling import OpenGate

HOUR = datetime(2026, 11, 22, 15, tzinfo=UTC)
SETTINGS = TcgplayerSettings(client_id="public", client_secret=SecretStr("private"))


class Api:
    """A token for everybody; prices by id, groups and products as lists."""

    def __init__(self, *, rows=(), listing=(), total=None, answer=None):
        self.rows = list(rows)
        self.listing = list(listing)
        self.total = total
        self.answer = answer

    def __call__(self, request):
        if request.path == "/token":
            return answering({"access_token": "t", "expires_in": 1_209_599})
        assert request.headers["authorization"] == "bearer t"
        if self.answer is not None:
            return self.answer
        if request.path.startswith("/pricing/product/"):
            return self._prices(request.path.rpartition("/")[2].split(","))
        offset, limit = int(request.arg("offset", "0")), int(request.arg("limit", "10"))
        assert limit <= 100
        rows = self.listing[offset : offset + limit]
        total = len(self.listing) if self.total is None else self.total
        return answering({"totalItems": total, "success": True, "errors": [], "results": rows})

    def _prices(self, ids):
        found = [row for row in self.rows if str(row["productId"]) in ids]
        known = {str(row["productId"]) for row in found}
        body = {"success": True, "errors": [], "results": found}
        if known == set(ids):
            return answering(body)
        body |= {"success": False, "errors": ["No product was found."]}
        return answering(body, 207 if found else 404)


def asking(api, do, **more):
    vendor = Scripted(api)
    clock = FixedClock(NOW)

    async def run(http):
        return await do(tcgplayer.create(http, SETTINGS, clock))

    return ask(vendor, run, clock=clock, **more), vendor


def items(api, *ids, **more):
    refs = [ref if isinstance(ref, ProductRef) else ProductRef(str(ref)) for ref in ids]
    return asking(api, lambda made: all_of(made.items(refs)), **more)


def a_group(group, **more):
    return {"groupId": group, "categoryId": 3, "name": f"Set {group}"} | more


def a_product(product, **more):
    extended = [{"name": "Number", "displayName": "Card Number", "value": f"{product}/99"}]
    row = {"productId": product, "categoryId": 3, "groupId": 605, "name": f"Card {product}"}
    return (
        row
        | {"url": f"https://www.tcgplayer.com/product/{product}", "extendedData": extended}
        | more
    )


def test_each_printing_of_a_product_is_one_item_at_the_hour():
    api = Api(
        rows=[a_row(7, "Holofoil", market=1.5, low=1, high=9.99, mid=2.25, direct=1.1), a_row(7)]
    )

    [page], _ = items(api, 7)

    assert [(item.external_id, item.observed_at) for item in page.items] == [("7", HOUR)] * 2
    assert [dict(item.quotes) for item in page.items] == [
        {Facet("Holofoil"): PriceValues(150, 100, 999, 225, 110)},
        {Facet("Normal"): PriceValues()},  # listed without any price
    ]
    assert page.answered == {ProductRef("7"): "7"}
    assert page.absent == ()


@pytest.mark.parametrize(("count", "calls"), [(0, 0), (1, 1), (200, 1), (201, 2), (450, 3)])
def test_there_are_as_many_calls_as_batches(count, calls):
    api = Api(rows=[a_row(product, market=1) for product in range(1, count + 1)])

    pages, vendor = items(api, *range(1, count + 1))

    assert vendor.count("/pricing/") == calls
    assert sum(len(page.items) for page in pages) == count


def test_a_partial_answer_names_the_absent():
    [page], _ = items(Api(rows=[a_row(2, market=3)]), 1, 2)

    assert page.answered == {ProductRef("2"): "2"}
    assert page.absent == (ProductRef("1"),)


def test_not_found_with_json_means_that_all_are_absent():
    [page], _ = items(Api(), 1, 2)

    assert page.items == []
    assert page.absent == (ProductRef("1"), ProductRef("2"))


def test_an_id_that_is_none_does_not_spoil_the_call():
    [page], vendor = items(Api(rows=[a_row(2)]), "0", 2, "-3", "x,9", "²")

    assert vendor.asked[-1].path == "/pricing/product/2"
    assert {ref.value for ref in page.absent} == {"0", "-3", "x,9", "²"}


def test_without_an_askable_id_there_is_no_call():
    [page], vendor = items(Api(), "abc")

    assert vendor.asked == []
    assert page.absent == (ProductRef("abc"),)


def test_two_ways_to_name_one_product_are_one_id():
    own, other = ProductRef("7"), ProductRef("7", IdKind.TCGPLAYER)

    [page], vendor = items(Api(rows=[a_row(7)]), own, other)

    assert vendor.asked[-1].path == "/pricing/product/7"
    assert page.answered == {own: "7", other: "7"}


def test_rows_that_cannot_be_right_are_refused_with_their_reason():
    rows = [
        a_row(1, market=-1),
        a_row(2, market="1.50"),
        a_row(3, market=1),
        a_row(3, market=2),
        a_row(4, market=5),
        a_row(4, market=5),
        a_row(9, market=5),
        a_row(0, market=5),
        "row",
    ]
    asked, _ = asked_ids(ProductRef(str(product)) for product in (1, 2, 3, 4))

    page = item_page(rows, asked, HOUR)

    assert [item.external_id for item in page.items] == ["4"]
    assert {(row.external_id, row.reason) for row in page.rejected} == {
        ("1", "negative-price"),
        ("2", "not-a-number"),
        ("3", "conflicting-duplicate"),
        ("", "not-an-object"),
    }
    assert page.skipped == {"duplicate": 1, "not asked for": 2}
    assert page.absent == ()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (answering({"success": False, "errors": ["no"], "results": []}), ContractBroken),
        (answering({"success": True, "results": {}}), ContractBroken),
        (answering([]), ContractBroken),
        (answering(b"<html>", 404), ContractBroken),
        (answering({}, 400), RequestRefused),
        (answering({}, 401), BadCredentials),
        (answering({}, 403), BadCredentials),
        (answering({}, 429), RateLimited),
    ],
)
def test_an_answer_that_is_none_is_an_error(answer, error):
    with pytest.raises(error):
        items(Api(answer=answer), 1)


def test_sets_are_read_to_the_end_of_both_categories():
    def api(request):
        category = 85 if "/85/" in request.path else 3
        many = [a_group(number, categoryId=category) for number in range(1, 251)]
        return Api(listing=many if category == 3 else many[:3])(request)

    pages, vendor = asking(api, lambda made: all_of(made.sets("pokemon")))

    assert [len(page.sets) for page in pages] == [100, 100, 50, 3]
    assert vendor.count("/catalog/") == 4
    assert {page.incomplete for page in pages} == {""}
    assert pages[0].sets[0].code == "tcgplayer:1"
    assert pages[-1].sets[0].region == "asia"


def test_a_total_that_lies_makes_the_sets_incomplete():
    api = Api(listing=[a_group(1, categoryId=68)], total=150)

    pages, vendor = asking(api, lambda made: all_of(made.sets("onepiece")))

    assert (
        pages[-1].incomplete
        == "groups of category 68: the vendor counts 150 and gave 1 different ones"
    )
    assert vendor.count("/catalog/") == 2


def test_pages_that_repeat_themselves_end():
    same = [a_group(number, categoryId=68) for number in range(100)]
    body = {"totalItems": 10**9, "success": True, "errors": [], "results": same}

    pages, vendor = asking(Api(answer=answering(body)), lambda made: all_of(made.sets("onepiece")))

    assert "repeat" in pages[-1].incomplete
    assert vendor.count("/catalog/") == 2


def test_a_page_that_shifts_makes_the_cards_incomplete():
    listing = [a_product(number) for number in range(1, 121)]
    listing[100:110] = listing[90:100]

    pages, _ = asking(
        Api(listing=listing), lambda made: all_of(made.cards("pokemon", "tcgplayer:605"))
    )

    assert "counts 120 and gave 110" in pages[-1].incomplete


def test_cards_carry_what_the_vendor_states():
    sealed = a_product(2, name="Booster Box", extendedData=[], url="javascript:alert(1)")
    listing = [a_product(1), sealed, a_product(3, groupId=606), a_product(4, categoryId=1), {}]

    [page], vendor = asking(
        Api(listing=listing), lambda made: all_of(made.cards("pokemon", "tcgplayer:605"))
    )

    assert vendor.asked[-1].arg("groupId") == "605"
    assert vendor.asked[-1].arg("getExtendedFields") == "true"
    assert [card.key for card in page.cards] == ["tcgplayer:1", "tcgplayer:2"]
    one, box = page.stated
    assert (one.external_id, one.tcgplayer_id, one.game, one.number) == (
        "1",
        "1",
        "pokemon",
        "1/99",
    )
    assert one.url == "https://www.tcgplayer.com/product/1"
    assert (box.product_type, box.number, box.url) == (ProductType.SEALED, "", "")
    assert sum(page.bad.values()) == 3


def test_an_empty_group_has_no_cards():
    body = {"success": False, "errors": ["No products were found."], "results": []}

    [page], _ = asking(
        Api(answer=answering(body, 404)), lambda made: all_of(made.cards("pokemon", "605"))
    )

    assert page.cards == []
    assert page.incomplete == ""


@pytest.mark.parametrize("code", ["tcgdex:base1", "tcgplayer:", "tcgplayer:-1", "tcgplayer:1/../2"])
def test_a_set_of_another_catalog_is_refused(code):
    with pytest.raises(InvalidInput, match="not a set of TCGplayer"):
        asking(Api(), lambda made: all_of(made.cards("pokemon", code)))


def test_search_asks_each_category_until_it_has_enough():
    api = Api(listing=[a_product(number) for number in range(1, 31)])

    found, vendor = asking(api, lambda made: made.search("card", game="pokemon", limit=20))

    assert len(found.hits) == 20
    assert found.truncated
    assert [request.arg("categoryId") for request in vendor.asked[1:]] == ["3"]
    assert vendor.asked[1].arg("productName") == "card"
    assert found.hits[0].external_id == found.hits[0].tcgplayer_id == "1"
    assert found.hits[0].price is None


def test_search_that_gets_all_is_not_truncated():
    found, vendor = asking(Api(listing=[a_product(1)]), lambda made: made.search("card", limit=20))

    assert [hit.name for hit in found.hits] == ["Card 1"]
    assert not found.truncated
    assert vendor.asked[1].arg("categoryId") == ""


def test_check_costs_one_call():
    gate = OpenGate()

    _, vendor = asking(Api(), lambda made: made.check(), gate=gate)

    assert [request.path for request in vendor.asked] == ["/token", "/catalog/categories"]
