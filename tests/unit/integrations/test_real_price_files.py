"""Real files, every figure compared with an independent reading of the text."""

import csv
import gzip
import io
import json
from decimal import Decimal

import pytest

from tcgtracker.integrations.price_files import iter_price_pages
from tcgtracker.integrations.pricecharting.columns import CARD_VARIANTS
from tests.peak_memory import peak_mib
from tests.unit.integrations.builders import Key, a_gzip, values_of
from tests.unit.integrations.guides import LONG_HEADER, SHORT_HEADER

pytestmark = pytest.mark.data

FIELDS = ("marketPrice", "lowPrice", "highPrice", "midPrice", "directLowPrice")


def cents(amount):
    if not amount:
        return None
    scaled = Decimal(amount) * 100
    assert scaled == int(scaled)
    return int(scaled)


def tcgcsv_by_decimal(path):
    """Return what a file of lines says, by category, and the groups that it holds."""
    says: dict[str, dict[Key, tuple[int | None, ...]]] = {}
    groups: dict[str, set[str]] = {}
    for line in gzip.decompress(path.read_bytes()).splitlines():
        entry = json.loads(line, parse_float=Decimal)
        scope = str(entry["categoryId"])
        groups.setdefault(scope, set()).add(str(entry["groupId"]))
        for row in entry["body"]["results"]:
            key = (row["productId"], row["subTypeName"], "market", "raw")
            says.setdefault(scope, {})[key] = tuple(cents(row[name]) for name in FIELDS)
    return says, groups


def test_every_row_of_a_day_of_pokemon_is_exact(real_data):
    path = real_data / "tcgcsv/prices/2025-09-21/3.ndjson.gz"
    says, groups = tcgcsv_by_decimal(path)

    (page,) = iter_price_pages([path])

    assert len(says["3"]) > 30_000
    assert values_of(page) == says["3"]
    assert page.parts == groups["3"]
    assert (page.scope, page.missing, page.rejected, page.skipped) == ("3", (), [], {})
    assert page.observed_at.isoformat() == "2025-09-21T20:00:00+00:00"


def test_every_row_of_a_whole_catalogue_day_is_exact(real_data):
    path = real_data / "tcgcsv/prices_full/2025-10-02.ndjson.gz"
    says, groups = tcgcsv_by_decimal(path)

    pages = {page.scope: page for page in iter_price_pages([path])}

    assert sum(page.rows_read for page in pages.values()) == 472_038
    assert {scope: page.parts for scope, page in pages.items()} == groups
    for scope, page in pages.items():
        assert values_of(page) == says.get(scope, {})
        assert (page.missing, page.rejected, page.skipped) == ((), [], {})


def test_the_archives_say_what_the_lines_say(real_data):
    folder = real_data / "tcgcsv"
    days = ("2025-10-01", "2025-10-02")
    archives = [folder / f"archive_sample/prices-{day}.ppmd.7z" for day in days]
    lines = [folder / f"prices/{day}/{scope}.ndjson.gz" for day in days for scope in (68, 71)]

    unpacked, read = list(iter_price_pages(archives)), list(iter_price_pages(lines))

    assert len(unpacked) == len(read) == 4
    for left, right in zip(unpacked, read, strict=True):
        assert (left.scope, left.observed_at) == (right.scope, right.observed_at)
        assert left.parts == right.parts
        assert values_of(left) == values_of(right)
        assert len(left.external_id) > 3_000


def guide_rows(real_data):
    path = real_data / "pricecharting/price-guide_baseball_2025_topps_chrome.csv.gz"
    return list(csv.DictReader(io.StringIO(gzip.decompress(path.read_bytes()).decode())))


def guide_by_decimal(rows):
    says = {}
    for row in rows:
        number = int(row["id"])
        prices = {name: cents(row.get(name, "").strip("$")) for name in CARD_VARIANTS}
        if "#" in row["product-name"]:
            for name, price in prices.items():
                if price or name == "loose-price":
                    key = (number, "", "guide", CARD_VARIANTS[name])
                    says[key] = (price, None, None, None, None)
        else:
            loose, complete, new = (prices[f"{name}-price"] for name in ("loose", "cib", "new"))
            assert complete is None  # so there is no mean to compare
            says[(number, "", "boxed", "sealed")] = (None, loose, new, None, None)
    return says


@pytest.mark.parametrize("header", [SHORT_HEADER, LONG_HEADER], ids=["27", "37"])
def test_every_filled_price_of_a_whole_guide_is_exact(real_data, tmp_path, header):
    rows = guide_rows(real_data)
    assert len(rows) == 13_034
    if header is LONG_HEADER:
        for number, row in enumerate(rows):
            row["condition-20-price"] = f"${number}.{number % 100:02d}"
    out = io.StringIO()
    writer = csv.DictWriter(out, header, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    path = tmp_path / "guide-2026-02-24.csv.gz"
    path.write_bytes(a_gzip(out.getvalue().encode()))

    (page,) = iter_price_pages([path])

    assert values_of(page) == guide_by_decimal(rows)
    assert page.scope == "baseball-cards"
    assert page.parts == {row["console-name"] for row in rows}
    assert set(page.texts) == {int(row["id"]) for row in rows}
    assert (page.missing, page.rejected, page.skipped) == ((), [], {})


def test_the_real_row_of_a_trading_card_is_read(real_data):
    (page,) = iter_price_pages([real_data / "pricecharting/tcg_row_pokemon_2026-04-18.csv"])

    assert page.scope == "pokemon-cards"
    assert values_of(page)[(6277151, "", "guide", "psa-10")][0] == 232_500
    assert page.texts[6277151].number == "232"


@pytest.mark.long
def test_a_month_needs_the_memory_of_a_day(real_data):
    days = sorted((real_data / "tcgcsv/prices").iterdir())
    for _ in iter_price_pages(days[:1]):
        pass
    before = peak_mib()

    pages = 0
    for page in iter_price_pages(days):
        assert (page.missing, page.rejected, page.skipped) == ((), [], {})
        pages += 1

    grown = peak_mib() - before
    assert pages == 3 * len(days) == 84
    assert grown < 60
