"""What PriceCharting is asked, and what becomes of its answers."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from tcgtracker.domain.catalog import ProductType
from tcgtracker.domain.errors import (
    BadCredentials,
    ContractBroken,
    InvalidInput,
    RateLimited,
    RequestRefused,
    SourcePaused,
)
from tcgtracker.integrations import pricecharting
from tcgtracker.integrations.contract import (
    BulkVendor,
    CallPolicy,
    Capability,
    CatalogVendor,
    IdKind,
    ItemVendor,
    ProductRef,
    SearchVendor,
)
from tcgtracker.integrations.pricecharting.client import PriceChartingClient
from tcgtracker.runtime.ports import CallOutcome
from tcgtracker.sandbox.wire import Response
from tcgtracker.vendor_settings import PriceChartingSettings
from tests.unit.integrations.builders import values_of
from tests.unit.integrations.calling import Wire, a_json, a_wire, drain
from tests.unit.integrations.test_pricecharting_api import a_hit, a_product

TOKEN = "f" * 40
DAY = datetime(2026, 5, 1, tzinfo=UTC)
PATIENT = CallPolicy(deadline_s=10.0)

HEADER = "id,console-name,product-name,loose-price,cib-price,new-price,genre,tcg-id\r\n"
GUIDE = (
    HEADER + "630417,Pokemon Base Set,Charizard [Shadowless] #4,$347.16,$760.39,,Pokemon Card,42382"
    "\r\n9000,Pokemon Base Set,Booster Box,$10.00,$25.00,$35.00,Sealed Product,\r\n"
)


def a_csv(text: str, status: int = 200, **headers: str) -> Response:
    return Response(status, text.encode(), {"Content-Type": "text/csv", **headers})


def a_client(wire: Wire, *, mapping: str = "grades") -> PriceChartingClient:
    settings = PriceChartingSettings(api_key=TOKEN, mapping=mapping)  # type: ignore[arg-type]
    return pricecharting.create(wire.http("pricecharting", TOKEN), settings, wire.clock)


def items(client: PriceChartingClient, *refs: ProductRef):
    return drain(lambda: client.items(refs, policy=PATIENT), client.close)


def bulk(client: PriceChartingClient, game: str = "pokemon"):
    return drain(lambda: client.bulk(game), client.close)


def searched(client: PriceChartingClient, **given):
    async def run():
        try:
            return await client.search("charizard", **given)
        finally:
            await client.close()

    return asyncio.run(run())


def test_info_names_what_the_client_can_do():
    info = pricecharting.describe(PriceChartingSettings(rate_limit=30))
    assert info.capabilities == {
        Capability.ITEMS,
        Capability.BULK,
        Capability.SEARCH,
        Capability.LOOKUP,
    }
    assert (info.batch, info.id_kinds) == (1, (IdKind.OWN,))
    assert (info.limits.per_minute, info.limits.min_interval_s) == (30, 1.0)
    with a_wire(a_json({})) as wire:
        client = a_client(wire)
    assert isinstance(client, ItemVendor)
    assert isinstance(client, BulkVendor)
    assert isinstance(client, SearchVendor)
    assert not isinstance(client, CatalogVendor)


def test_one_call_a_product_with_the_token_as_parameter():
    with a_wire(a_json(a_product()), a_json(a_product(id="2"))) as wire:
        pages = items(a_client(wire), ProductRef("630417"), ProductRef("2"))
    assert [dict(call.query) for call in wire.vendor.asked] == [
        {"t": (TOKEN,), "id": ("630417",)},
        {"t": (TOKEN,), "id": ("2",)},
    ]
    assert {call.path for call in wire.vendor.asked} == {"/api/product"}
    assert [page.items[0].external_id for page in pages] == ["630417", "2"]
    assert pages[0].items[0].observed_at == DAY
    assert wire.gate.outcomes == [CallOutcome.OK] * 2


@pytest.mark.parametrize("status", [200, 404])
def test_unknown_product_is_absent_and_the_next_one_is_asked(status):
    unknown = a_json({"status": "error", "error-message": "No such product"}, status)
    with a_wire(unknown, a_json(a_product())) as wire:
        first, second = items(a_client(wire), ProductRef("1"), ProductRef("630417"))
    assert (first.absent, first.answered, first.items) == ((ProductRef("1"),), {}, [])
    assert second.answered == {ProductRef("630417"): "630417"}


def test_error_at_200_that_is_not_about_the_product_is_no_absence():
    trouble = a_json({"status": "error", "error-message": f"Try later {TOKEN}"})
    with a_wire(trouble) as wire, pytest.raises(RequestRefused, match="Try later") as told:
        items(a_client(wire), ProductRef("1"))
    assert TOKEN not in str(told.value)


def test_unknown_path_names_the_setting():
    page = Response(404, b"<html>Not Found</html>", {"Content-Type": "text/html"})
    with a_wire(page) as wire, pytest.raises(RequestRefused, match="API_PRICECHARTING_BASE_URL"):
        items(a_client(wire), ProductRef("1"))


@pytest.mark.parametrize("status", [200, 401, 403])
def test_refused_token_is_one_call_and_stops(status):
    refused = a_json({"status": "error", "error-message": "Unknown access token"}, status)
    with a_wire(refused) as wire, pytest.raises(BadCredentials) as told:
        items(a_client(wire), ProductRef("1"), ProductRef("2"))
    assert "API_PRICECHARTING_API_KEY" in str(told.value)
    assert len(wire.vendor.asked) == 1
    assert wire.gate.outcomes == [CallOutcome.BAD_CREDENTIALS]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"{", b'{"status": 1}'])
def test_answer_that_is_not_documented_breaks_the_contract(body):
    answer = Response(200, body, {"Content-Type": "application/json"})
    with a_wire(answer) as wire, pytest.raises(ContractBroken):
        items(a_client(wire), ProductRef("1"))


def test_products_are_asked_by_own_ids_only():
    with a_wire(a_json({})) as wire, pytest.raises(InvalidInput, match="own product ids"):
        items(a_client(wire), ProductRef("42382", IdKind.TCGPLAYER))
    assert wire.vendor.asked == []


def test_search_asks_once_and_keeps_the_game():
    found = {"status": "success", "products": [a_hit(1), a_hit(2, "One Piece Romance Dawn")]}
    with a_wire(a_json(found)) as wire:
        answer = searched(a_client(wire), game="pokemon")
    assert dict(wire.vendor.asked[0].query) == {"t": (TOKEN,), "q": ("charizard",)}
    assert wire.vendor.asked[0].path == "/api/products"
    assert [hit.external_id for hit in answer.hits] == ["1"]


def test_search_that_finds_nothing_is_empty_but_one_without_a_list_is_broken():
    with a_wire(a_json({"status": "success", "products": []})) as wire:
        assert searched(a_client(wire)).hits == []
    with a_wire(a_json({"status": "success"})) as wire, pytest.raises(ContractBroken):
        searched(a_client(wire))


def test_guide_is_one_page_of_prices_and_of_what_is_stated():
    with a_wire(a_csv(GUIDE)) as wire:
        (page,) = bulk(a_client(wire))
    assert dict(wire.vendor.asked[0].query) == {"t": (TOKEN,), "category": ("pokemon-cards",)}
    assert wire.vendor.asked[0].path == "/price-guide/download-custom"
    assert (page.prices.scope, page.prices.observed_at) == ("pokemon-cards", DAY)
    assert page.prices.missing == ()
    assert values_of(page.prices) == {
        (630417, "", "guide", "raw"): (34716, None, None, None, None),
        (630417, "", "guide", "any-7"): (76039, None, None, None, None),
        (9000, "", "boxed", "sealed"): (2500, 1000, 3500, 2333, None),
    }
    assert page.catalog is not None
    assert [
        (row.external_id, row.game, row.number, row.printing, row.tcgplayer_id, row.product_type)
        for row in page.catalog.stated
    ] == [
        ("630417", "pokemon", "4", "Shadowless", "42382", ProductType.SINGLE),
        ("9000", "pokemon", "", "", "", ProductType.SEALED),
    ]


def test_guide_follows_the_boxed_mapping():
    with a_wire(a_csv(GUIDE)) as wire:
        (page,) = bulk(a_client(wire, mapping="boxed"))
    assert values_of(page.prices)[630417, "", "boxed", "raw"] == (76039, 34716, None, None, None)


def test_guide_of_everything_is_not_the_category():
    rows = "".join(f"{n},3DO,Game {n},$1.00,,,Platformer,\r\n" for n in range(1, 500))
    everything = a_csv(HEADER + rows + GUIDE.removeprefix(HEADER))
    with a_wire(everything) as wire, pytest.raises(ContractBroken, match="that of other products"):
        bulk(a_client(wire))


@pytest.mark.parametrize("text", ["", "<html>Please sign in</html>", HEADER])
def test_answer_that_is_no_guide_breaks_the_contract(text):
    with a_wire(a_csv(text)) as wire, pytest.raises(ContractBroken) as told:
        bulk(a_client(wire))
    assert "/tmp" not in str(told.value)  # noqa: S108 - the folder is nobody's business


def test_broken_row_makes_the_guide_incomplete():
    with a_wire(a_csv(GUIDE + "77,Pokemon Base Set,Cut #5\r\n")) as wire:
        (page,) = bulk(a_client(wire))
    assert page.catalog is not None
    assert "77" in page.catalog.incomplete
    assert page.prices.missing


def test_second_guide_within_ten_minutes_is_not_asked_for():
    with a_wire(a_csv(GUIDE)) as wire:
        client = a_client(wire)
        bulk(client)
        wire.clock.advance(timedelta(minutes=9))
        with pytest.raises(SourcePaused) as told:
            bulk(client)
        assert told.value.until == datetime(2026, 5, 1, 15, 40, tzinfo=UTC)
        assert len(wire.vendor.asked) == 1
        wire.clock.advance(timedelta(minutes=1))
        bulk(client)
    assert len(wire.vendor.asked) == 2


def test_guide_refused_as_too_soon_is_one_call_and_ten_minutes():
    with a_wire(a_csv("Too Many Requests", 429)) as wire, pytest.raises(RateLimited) as told:
        bulk(a_client(wire))
    assert told.value.retry_at == datetime(2026, 5, 1, 15, 40, tzinfo=UTC)
    assert len(wire.vendor.asked) == 1


def test_refused_token_is_told_for_the_guide_too():
    refused = a_json({"status": "error", "error-message": "Unknown access token"})
    with a_wire(refused) as wire, pytest.raises(BadCredentials):
        bulk(a_client(wire))


def test_game_without_a_guide_is_refused_before_any_call():
    with a_wire(a_csv(GUIDE)) as wire, pytest.raises(InvalidInput, match="digimon"):
        bulk(a_client(wire), "digimon")
    assert wire.vendor.asked == []


def test_check_is_one_search():
    with a_wire(a_json({"status": "success", "products": [a_hit(1)]})) as wire:
        client = a_client(wire)

        async def run() -> str:
            try:
                await client.check()
                return await client.version()
            finally:
                await client.close()

        assert asyncio.run(run()) == ""
    assert [call.path for call in wire.vendor.asked] == ["/api/products"]
