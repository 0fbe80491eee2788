"""The TCGCSV sandbox against vendors/tcgcsv.md section 8 and against real files."""

import csv
import gzip
import io
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tcgtracker.sandbox.prices import tcgplayer_prices
from tcgtracker.sandbox.tcgcsv import TcgcsvSandbox
from tcgtracker.sandbox.traps import Trap
from tcgtracker.sandbox.wire import Request, Response, SandboxVendor
from tcgtracker.sandbox.world import World, WorldSet
from tests.unit.sandbox.asking import get, tree

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)
AGENT = "tcgtracker/0.3.0"


@pytest.fixture
def vendor(world: World) -> TcgcsvSandbox:
    made = TcgcsvSandbox(world)
    made.pacing = False
    return made


def ask(vendor: SandboxVendor, path: str, now: datetime = NOON) -> Response:
    return vendor.handle(get(path, user_agent=AGENT), now)


def set_of(world: World, code: str) -> WorldSet:
    return next(each for each in world.sets if each.code == code)


def path_of(world: World, code: str, file: str) -> str:
    made = set_of(world, code)
    return f"/tcgplayer/{made.category_id}/{made.group_id}/{file}"


def test_listings_are_counted(vendor: TcgcsvSandbox, world: World) -> None:
    categories = tree(ask(vendor, "/tcgplayer/categories"))
    assert list(categories) == ["totalItems", "success", "errors", "results"]
    assert {3, 85, 68} <= {each["categoryId"] for each in categories["results"]}
    for category in (3, 85, 68):
        groups = tree(ask(vendor, f"/tcgplayer/{category}/groups"))
        wanted = {each.group_id for each in world.sets if each.category_id == category}
        assert {each["groupId"] for each in groups["results"]} == wanted
        assert groups["totalItems"] == len(wanted)


def test_rows_have_the_keys_of_real_ones(
    vendor: TcgcsvSandbox, world: World, real_data: Path
) -> None:
    with gzip.open(real_data / "tcgcsv/prices/2025-10-01/3.ndjson.gz", "rt") as lines:
        body = json.loads(next(lines))["body"]
    prices = tree(ask(vendor, path_of(world, "swsh7", "prices")))
    assert list(prices) == list(body)
    assert {tuple(row) for row in prices["results"]} == {tuple(row) for row in body["results"]}

    with gzip.open(real_data / "tcgcsv/products_assembled_3.ndjson.gz", "rt") as lines:
        real = json.loads(next(lines))
    products = tree(ask(vendor, path_of(world, "swsh7", "products")))["results"]
    more = {"modifiedOn", "imageCount", "presaleInfo"}  # vendors/tcgcsv.md section 4
    assert all(set(row) == set(real) - {"_assembled"} | more for row in products)
    assert set(products[0]["extendedData"][0]) == set(real["extendedData"][0])
    assert {tuple(each) for each in (row["presaleInfo"] for row in products)} == {
        ("isPresale", "releasedOn", "note")
    }


def test_subtypes_are_real_ones(vendor: TcgcsvSandbox, world: World, real_data: Path) -> None:
    for category in (3, 68):
        with gzip.open(real_data / f"tcgcsv/prices/2025-10-01/{category}.ndjson.gz", "rt") as lines:
            real = {
                row["subTypeName"] for line in lines for row in json.loads(line)["body"]["results"]
            }
        ours = {
            row["subTypeName"]
            for each in world.sets
            if each.category_id == category
            for row in tree(ask(vendor, path_of(world, each.code, "prices")))["results"]
        }
        assert ours <= real
        assert len(ours) > 1


def test_single_cards_have_a_number_and_sealed_ones_none(
    vendor: TcgcsvSandbox, world: World
) -> None:
    products = tree(ask(vendor, path_of(world, "OP01", "products")))["results"]
    names = {row["productId"]: {each["name"] for each in row["extendedData"]} for row in products}
    for card in set_of(world, "OP01").cards:
        assert ("Number" in names[card.product_id]) is not card.sealed


def test_some_market_prices_are_null_and_a_product_has_no_rows(
    vendor: TcgcsvSandbox, world: World
) -> None:
    rows = [
        row
        for each in world.sets
        for row in tree(ask(vendor, path_of(world, each.code, "prices")))["results"]
    ]
    assert any(row["marketPrice"] is None for row in rows)
    assert any(row["directLowPrice"] is None for row in rows)
    assert all(0 < row["lowPrice"] <= row["midPrice"] <= row["highPrice"] for row in rows)
    priced = {row["productId"] for row in rows}
    listed = [card for card in world.by_product.values() if card.vanishes is None]
    assert {card.product_id for card in listed} - priced == {
        card.product_id for card in world.trapped(Trap.NO_PRICES)
    }
    assert len({(row["productId"], row["subTypeName"]) for row in rows}) == len(rows)


def test_empty_group_is_an_empty_list(vendor: TcgcsvSandbox, world: World) -> None:
    (empty,) = [each for each in world.sets if Trap.EMPTY_GROUP in each.traps]
    answer = tree(ask(vendor, path_of(world, empty.code, "products")))
    assert answer == {"totalItems": 0, "success": True, "errors": [], "results": []}
    answer = tree(ask(vendor, path_of(world, empty.code, "prices")))
    assert answer == {"success": True, "errors": [], "results": []}
    table = ask(vendor, path_of(world, empty.code, "ProductsAndPrices.csv"))
    assert table.body.count(b"\r\n") == 1


def test_joined_table_says_what_the_json_files_say(vendor: TcgcsvSandbox, world: World) -> None:
    code = world.trapped(Trap.NO_PRICES)[0].set_code
    answer = ask(vendor, path_of(world, code, "ProductsAndPrices.csv"))
    assert answer.headers["Content-Type"] == "text/csv"
    rows = list(csv.DictReader(io.StringIO(answer.body.decode(), newline="")))
    products = tree(ask(vendor, path_of(world, code, "products")))["results"]
    prices = tree(ask(vendor, path_of(world, code, "prices")))["results"]
    names = {row["productId"]: row["name"] for row in rows}
    assert names == {str(each["productId"]): each["name"] for each in products}
    cells = {
        (int(row["productId"]), row["subTypeName"]): row["marketPrice"]
        for row in rows
        if row["subTypeName"]
    }
    assert cells == {
        (each["productId"], each["subTypeName"]): (
            "" if each["marketPrice"] is None else str(each["marketPrice"])
        )
        for each in prices
    }
    without = [row for row in rows if not row["subTypeName"]]
    assert len(without) == 1
    assert without[0]["lowPrice"] == ""
    assert any("\r\n" in row.get("extAttack1", "") for row in rows)


def test_column_order_varies_by_file(vendor: TcgcsvSandbox, world: World) -> None:
    heads = [
        ask(vendor, path_of(world, code, "ProductsAndPrices.csv")).body.split(b"\r\n")[0]
        for code in ("OP01", "OP02", "OP03")
    ]
    assert len(set(heads)) > 1
    assert len({frozenset(head.split(b",")) for head in heads}) == 1


@pytest.mark.parametrize("path", ["/tcgplayer/Categories.csv", "/tcgplayer/3/Groups.csv"])
def test_listings_as_tables(vendor: TcgcsvSandbox, path: str) -> None:
    answer = ask(vendor, path)
    assert answer.headers["Content-Type"] == "text/csv"
    rows = list(csv.DictReader(io.StringIO(answer.body.decode(), newline="")))
    listing = tree(
        ask(vendor, path.replace("Categories.csv", "categories").replace("Groups.csv", "groups"))
    )
    assert list(rows[0]) == list(listing["results"][0])
    assert [row["name"] for row in rows] == [each["name"] for each in listing["results"]]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/tcgplayer/4/groups",
        "/tcgplayer/3/1/prices",
        "/tcgplayer/69/2690/products",
        "/tcgplayer/Categories",
        "/tcgplayer/3/Groups",
        "/tcgplayer/3/groups/",
        "/archive/tcgplayer/prices-2026-09-30.ppmd.7z",
        "/Last-Updated.txt",
    ],
)
def test_unknown_path_is_403_with_xml(vendor: TcgcsvSandbox, path: str) -> None:
    answer = ask(vendor, path)
    assert answer.status == 403
    assert answer.headers["Content-Type"] == "application/xml"
    assert b"<Code>AccessDenied</Code>" in answer.body


@pytest.mark.parametrize(
    "agent", ["", "curl/8.4.0", "python-httpx2/2.1", "Python/3.11", "Mozilla/5.0 (X11)", "x"]
)
def test_generic_agent_is_403(vendor: TcgcsvSandbox, agent: str) -> None:
    answer = vendor.handle(get("/last-updated.txt", user_agent=agent), NOON)
    assert answer.status == 403
    assert vendor.refused["agent"] == 1


def test_missing_agent_is_403(vendor: TcgcsvSandbox) -> None:
    assert vendor.handle(get("/last-updated.txt"), NOON).status == 403


def test_files_can_only_be_read(vendor: TcgcsvSandbox) -> None:
    for method, status in (("GET", 200), ("HEAD", 200), ("POST", 403), ("DELETE", 403)):
        request = Request(method, "/last-updated.txt", {}, {"user-agent": AGENT})
        assert vendor.handle(request, NOON).status == status


def test_build_changes_once_a_day_after_twenty(vendor: TcgcsvSandbox) -> None:
    seen = {
        ask(vendor, "/last-updated.txt", NOON + timedelta(minutes=10 * n)).body.decode()
        for n in range(6 * 24 * 4)
    }
    builds = sorted(datetime.strptime(each, "%Y-%m-%dT%H:%M:%S%z") for each in seen)
    assert [build.date() for build in builds] == [
        NOON.date() + timedelta(days=n) for n in range(-1, 4)
    ]
    assert {(build.hour, build.minute // 10) for build in builds} == {(20, 0)}


def test_prices_are_those_of_the_build(vendor: TcgcsvSandbox, world: World) -> None:
    path = path_of(world, "swsh7", "prices")
    morning = ask(vendor, path, NOON)
    assert ask(vendor, path, NOON + timedelta(hours=8)).body == morning.body
    assert ask(vendor, path, NOON + timedelta(hours=8, minutes=10)).body != morning.body
    row = tree(morning)["results"][0]
    prices = tcgplayer_prices(
        world, world.by_product[row["productId"]], row["subTypeName"], date(2026, 9, 30)
    )
    assert prices is not None
    assert prices.low == round(row["lowPrice"] * 100)


def test_unchanged_file_answers_304(vendor: TcgcsvSandbox, world: World) -> None:
    path = path_of(world, "swsh7", "prices")
    first = ask(vendor, path)
    later = NOON + timedelta(days=1)
    for header, value in (
        ("if_none_match", first.headers["ETag"]),
        ("if_modified_since", first.headers["Last-Modified"]),
    ):
        again = vendor.handle(get(path, user_agent=AGENT, **{header: value}), NOON)
        assert (again.status, again.body) == (304, b"")
        assert vendor.handle(get(path, user_agent=AGENT, **{header: value}), later).status == 200


def test_more_than_ten_a_second_closes_the_server_for_ten_minutes(world: World) -> None:
    vendor = TcgcsvSandbox(world)
    burst = [
        ask(vendor, "/last-updated.txt", NOON + timedelta(milliseconds=50 * n)).status
        for n in range(12)
    ]
    assert burst == [200] * 10 + [429] * 2
    assert ask(vendor, "/last-updated.txt", NOON + timedelta(minutes=9)).status == 429
    assert ask(vendor, "/last-updated.txt", NOON + timedelta(minutes=11)).status == 200


def test_slower_than_ten_a_second_is_served(world: World) -> None:
    vendor = TcgcsvSandbox(world)
    for n in range(100):
        now = NOON + timedelta(milliseconds=101 * n)
        assert ask(vendor, "/last-updated.txt", now).status == 200


def test_options_are_checked_before_any_is_changed(vendor: TcgcsvSandbox) -> None:
    with pytest.raises(ValueError, match="no option 'speed'"):
        vendor.tune({"pacing": True, "speed": 1})
    with pytest.raises(ValueError, match="pacing wants bool"):
        vendor.tune({"throttle_s": 5, "pacing": 1})
    assert vendor.options() == {
        "pacing": False,
        "max_per_second": 10,
        "throttle_s": 600,
        "throttle_status": 429,
    }
    vendor.tune({"throttle_status": 403})
    assert vendor.throttle_status == 403
