"""The TCGplayer sandbox against vendors/tcgplayer.md sections 1 to 4 and 7."""

from datetime import UTC, datetime, timedelta

import pytest

from tcgtracker.sandbox.tcgcsv import TcgcsvSandbox
from tcgtracker.sandbox.tcgplayer import PRIVATE_KEY, PUBLIC_KEY, TcgplayerSandbox
from tcgtracker.sandbox.traps import Trap
from tcgtracker.sandbox.wire import Response
from tcgtracker.sandbox.world import World
from tests.unit.sandbox.asking import get, post, tree

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)
FORM = {
    "grant_type": "client_credentials",
    "client_id": PUBLIC_KEY,
    "client_secret": PRIVATE_KEY,
}
PRICE_KEYS = [
    "productId",
    "lowPrice",
    "midPrice",
    "highPrice",
    "marketPrice",
    "directLowPrice",
    "subTypeName",
]


class Client:
    """Asks with a token of its own."""

    def __init__(self, world: World) -> None:
        self.vendor = TcgplayerSandbox(world)
        self.token = tree(self.vendor.handle(post("/token", FORM), NOON))["access_token"]

    def ask(self, path: str, now: datetime = NOON) -> Response:
        return self.vendor.handle(get(path, authorization=f"bearer {self.token}"), now)


@pytest.fixture
def client(world: World) -> Client:
    return Client(world)


def some_ids(world: World, count: int) -> list[int]:
    gone = {Trap.VANISHES, Trap.NO_PRICES}
    return [each for each, card in world.by_product.items() if not gone & {*card.traps}][:count]


@pytest.mark.parametrize("path", ["/token", "/v1.39.0/token"])
def test_token_answer(world: World, path: str) -> None:
    answer = tree(TcgplayerSandbox(world).handle(post(path, FORM), NOON))
    assert answer.pop("access_token")
    assert answer == {
        "token_type": "bearer",
        "expires_in": 1_209_599,
        "userName": PUBLIC_KEY,
        ".issued": "Thu, 01 Oct 2026 12:00:00 GMT",
        ".expires": "Thu, 15 Oct 2026 11:59:59 GMT",
    }


@pytest.mark.parametrize(
    "change", [{"client_secret": "wrong"}, {"client_id": "wrong"}, {"grant_type": "password"}]
)
def test_bad_key_is_400_with_an_error(world: World, change: dict[str, str]) -> None:
    answer = TcgplayerSandbox(world).handle(post("/token", FORM | change), NOON)
    assert answer.status == 400
    assert "error" in tree(answer)


def test_token_wants_a_form(world: World) -> None:
    request = post("/token", FORM, content_type="application/json")
    assert TcgplayerSandbox(world).handle(request, NOON).status == 400
    assert TcgplayerSandbox(world).handle(get("/token"), NOON).status == 400


def test_no_bearer_or_a_wrong_or_stale_one_is_401(client: Client) -> None:
    path = "/catalog/categories"
    assert client.vendor.handle(get(path), NOON).status == 401
    assert client.vendor.handle(get(path, authorization="bearer no"), NOON).status == 401
    assert client.vendor.handle(get(path, authorization=client.token), NOON).status == 401
    assert client.ask(path, NOON + timedelta(days=13)).status == 200
    assert client.ask(path, NOON + timedelta(days=14)).status == 401


def test_revoked_key_refuses_tokens_and_calls(client: Client) -> None:
    client.vendor.tune({"keys_revoked": True})
    assert client.ask("/catalog/categories").status == 401
    assert client.vendor.handle(post("/token", FORM), NOON).status == 400


@pytest.mark.parametrize("prefix", ["", "/v1.39.0"])
def test_versioned_and_unversioned_paths(client: Client, prefix: str) -> None:
    answer = tree(client.ask(f"{prefix}/catalog/categories"))
    assert {3, 68, 85} <= {each["categoryId"] for each in answer["results"]}


@pytest.mark.parametrize("path", ["/catalog/categories/3/groups", "/catalog/groups?categoryId=3"])
def test_groups_are_paged_and_sorted(client: Client, world: World, path: str) -> None:
    join = "&" if "?" in path else "?"
    first = tree(client.ask(f"{path}{join}sortOrder=groupId"))
    assert len(first["results"]) == 10
    rest = tree(client.ask(f"{path}{join}sortOrder=groupId&offset=10&limit=100"))
    ids = [each["groupId"] for each in first["results"] + rest["results"]]
    wanted = sorted(each.group_id for each in world.sets if each.category_id == 3)
    assert ids == wanted
    assert first["totalItems"] == rest["totalItems"] == len(wanted)
    turned = tree(client.ask(f"{path}{join}sortOrder=groupId&sortDesc=true&limit=100"))
    assert [each["groupId"] for each in turned["results"]] == wanted[::-1]


def test_limit_is_capped_at_100(client: Client) -> None:
    page = tree(client.ask("/catalog/products?categoryId=3&limit=250"))
    assert len(page["results"]) == 100
    assert page["totalItems"] > 900


@pytest.mark.parametrize("query", ["limit=0", "limit=-1", "limit=x", "offset=-1", "offset=x"])
def test_bad_paging_is_400(client: Client, query: str) -> None:
    assert client.ask(f"/catalog/products?{query}").status == 400


def test_products_of_a_group_walked_to_the_end(client: Client, world: World) -> None:
    made = next(each for each in world.sets if each.code == "swsh7")
    ids: list[int] = []
    while True:
        path = f"/catalog/products?groupId={made.group_id}&limit=30&offset={len(ids)}"
        page = tree(client.ask(path))
        ids += [each["productId"] for each in page["results"]]
        if len(ids) >= page["totalItems"]:
            break
    assert sorted(ids) == sorted(card.product_id for card in made.cards)


def test_extended_fields_and_skus_only_when_asked(client: Client, world: World) -> None:
    (product_id,) = some_ids(world, 1)
    plain = tree(client.ask(f"/catalog/products/{product_id}"))["results"][0]
    assert "extendedData" not in plain
    assert "skus" not in plain
    full = tree(
        client.ask(f"/catalog/products/{product_id}?getExtendedFields=true&includeSkus=true")
    )["results"][0]
    assert {each["name"] for each in full["extendedData"]} >= {"Number", "Rarity"}
    assert list(full["skus"][0]) == [
        "skuId",
        "productId",
        "languageId",
        "printingId",
        "conditionId",
    ]
    alone = tree(client.ask(f"/catalog/products/{product_id}/skus"))
    assert alone["results"] == full["skus"]
    assert "totalItems" not in alone


def test_search_by_name_and_singles_only(client: Client) -> None:
    path = "/catalog/products?productName=base%20set%202&limit=100"
    every = tree(client.ask(path))["totalItems"]
    assert every == 2
    assert client.ask(f"{path}&productTypes=Cards").status == 404
    found = tree(client.ask("/catalog/products?productName=PIKACHU&categoryId=3&limit=100"))
    assert {"Pikachu" in each["name"] for each in found["results"]} == {True}
    assert len({each["groupId"] for each in found["results"]}) > 5


def test_part_of_the_ids_is_207(client: Client, world: World) -> None:
    good = some_ids(world, 2)
    for path in ("/pricing/product/", "/catalog/products/"):
        answer = client.ask(f"{path}{good[0]},1,{good[1]},2")
        assert answer.status == 207
        body = tree(answer)
        assert body["success"] is False
        assert len(body["errors"]) == 2
        assert {each["productId"] for each in body["results"]} == {*good}


def test_none_of_the_ids_is_404_with_json(client: Client) -> None:
    answer = client.ask("/pricing/product/1,2")
    assert answer.status == 404
    assert tree(answer) == {
        "success": False,
        "errors": ["No products were found."],
        "results": [],
    }


def test_existing_but_empty_group_is_404_with_json(client: Client, world: World) -> None:
    (empty,) = [each for each in world.sets if Trap.EMPTY_GROUP in each.traps]
    for path in (
        f"/catalog/products?groupId={empty.group_id}",
        f"/pricing/group/{empty.group_id}",
    ):
        answer = client.ask(path)
        assert answer.status == 404
        assert tree(answer)["results"] == []


def test_more_than_250_ids_or_bad_ids_are_400(client: Client, world: World) -> None:
    ids = ",".join(map(str, some_ids(world, 251)))
    assert client.ask(f"/pricing/product/{ids}").status == 400
    assert client.ask(f"/pricing/product/{ids.rpartition(',')[0]}").status == 200
    for bad in ("0", "-5", "x", "1,,2"):
        assert client.ask(f"/pricing/product/{bad}").status == 400


def test_prices_are_not_counted_and_say_what_tcgcsv_says(client: Client, world: World) -> None:
    made = next(each for each in world.sets if each.code == "sv3pt5")
    answer = tree(client.ask(f"/pricing/group/{made.group_id}", NOON))
    assert "totalItems" not in answer
    assert {tuple(row) for row in answer["results"]} == {tuple(PRICE_KEYS)}
    mirror = TcgcsvSandbox(world)
    path = f"/tcgplayer/3/{made.group_id}/prices"
    evening = NOON.replace(hour=21)
    rows = tree(mirror.handle(get(path, user_agent="tcgtracker/1.0"), evening))["results"]
    stated = [row for row in answer["results"] if row["lowPrice"] is not None]
    assert stated == rows


def test_printings_without_data_are_rows_of_nulls(client: Client, world: World) -> None:
    card = world.trapped(Trap.NO_PRICES)[0]
    rows = tree(client.ask(f"/pricing/product/{card.product_id}"))["results"]
    assert rows
    for row in rows:
        assert [row[key] for key in PRICE_KEYS[1:-1]] == [None] * 5
    every = tree(client.ask(f"/pricing/product/{','.join(map(str, some_ids(world, 250)))}"))
    assert any(row["lowPrice"] is None and row["marketPrice"] is None for row in every["results"])
    assert any(row["marketPrice"] is None and row["lowPrice"] for row in every["results"])


def test_sku_prices_fall_with_the_condition(client: Client, world: World) -> None:
    card = next(
        card
        for card in world.by_product.values()
        if card.printings[0].cents > 5_000 and not card.traps and not card.sealed
    )
    name = card.printings[0].name
    skus = [card.sku_id(name, condition) for condition in card.conditions()]
    rows = tree(client.ask(f"/pricing/sku/{','.join(map(str, skus))}"))["results"]
    assert [row["skuId"] for row in rows] == skus
    lows = [row["lowPrice"] for row in rows]
    assert lows == sorted(lows, reverse=True)
    assert list(rows[0]) == [
        "skuId",
        "lowPrice",
        "lowestShipping",
        "lowestListingPrice",
        "marketPrice",
        "directLowPrice",
    ]
    assert client.ask("/pricing/sku/7").status == 404


def test_vanished_product_is_not_found(client: Client, world: World) -> None:
    for card in world.trapped(Trap.VANISHES):
        path = f"/pricing/product/{card.product_id}"
        assert client.ask(path, NOON).status == 404


def test_moved_product_names_its_new_group(client: Client, world: World) -> None:
    groups = {each.code: each.group_id for each in world.sets}
    for card in world.trapped(Trap.MOVES):
        assert card.moves is not None
        row = tree(client.ask(f"/catalog/products/{card.product_id}"))["results"][0]
        assert row["groupId"] == groups[card.moves[1]]


@pytest.mark.parametrize("kind", ["conditions", "printings", "languages", "rarities"])
def test_names_of_a_category(client: Client, kind: str) -> None:
    assert tree(client.ask(f"/catalog/categories/3/{kind}"))["results"]
    assert client.ask(f"/catalog/categories/4/{kind}").status == 404


def test_unknown_path_is_404(client: Client) -> None:
    assert client.ask("/catalog/everything").status == 404
