"""A real price guide through the intake: each filled cell exact under its own grade, no more."""

import csv
import gzip
import io
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tcgtracker.database.engine import Database
from tcgtracker.domain.quote import Facet
from tcgtracker.domain.source import Source
from tcgtracker.domain.variant import PriceKind
from tcgtracker.prices.products import load_series
from tcgtracker.prices.reading import Answer
from tcgtracker.prices.store import load_histories
from tests.integration.real_days import import_files, stored_rows

pytestmark = [pytest.mark.data, pytest.mark.one_engine]

AT = 1_771_891_200  # 2026-02-24 00:00 UTC, the date in the file's name
# The vendor's key descriptions, written down once more.
GRADE = {
    "loose-price": "raw",
    "cib-price": "any-7",
    "new-price": "any-8",
    "graded-price": "any-9",
    "box-only-price": "any-9.5",
    "manual-only-price": "psa-10",
    "bgs-10-price": "bgs-10",
    "condition-17-price": "cgc-10",
    "condition-18-price": "sgc-10",
    "condition-9-price": "any-1",
    "condition-10-price": "any-2",
    "condition-13-price": "any-3",
    "condition-14-price": "any-4",
    "condition-15-price": "any-5",
    "condition-16-price": "any-6",
    "condition-19-price": "cgc-10-pristine",
    "condition-20-price": "bgs-10-black",
    "condition-21-price": "tag-10",
    "condition-22-price": "ace-10",
}
LATER_COLUMNS = [name for name in GRADE if name.startswith("condition-")][2:]


def guide_rows(real_data: Path) -> list[dict[str, str]]:
    path = real_data / "pricecharting/price-guide_baseball_2025_topps_chrome.csv.gz"
    return list(csv.DictReader(io.StringIO(gzip.decompress(path.read_bytes()).decode())))


def write_guide(folder: Path, rows: list[dict[str, str]], header: list[str]) -> Path:
    out = io.StringIO()
    writer = csv.DictWriter(out, header, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    path = folder / "guide-2026-02-24.csv.gz"
    path.write_bytes(gzip.compress(out.getvalue().encode()))
    return path


def cents(text: str) -> int | None:
    if not text:
        return None
    scaled = Decimal(text.removeprefix("$").replace(",", "")) * 100
    assert scaled == int(scaled)
    return int(scaled) or None


def columns_of(row: dict[str, str]) -> list[str]:
    """Return the columns that mean a price: a sealed box has no grades."""
    return list(GRADE) if "#" in row["product-name"] else ["loose-price", "cib-price", "new-price"]


def expected(rows: list[dict[str, str]]) -> dict[tuple[int, str, str], tuple[int | None, ...]]:
    """Return by product, kind and variant what the guide says."""
    says: dict[tuple[int, str, str], tuple[int | None, ...]] = {}
    for row in rows:
        number = int(row["id"])
        if "#" in row["product-name"]:
            for column, variant in GRADE.items():
                price = cents(row.get(column, ""))
                if price is not None or column == "loose-price":
                    says[number, "guide", variant] = (price, None, None, None, None)
        else:
            assert not row["cib-price"]  # so no mean either
            prices = (None, cents(row["loose-price"]), cents(row["new-price"]), None, None)
            says[number, "boxed", "sealed"] = prices
    return says


def readings(database: Database) -> dict[tuple[int, str, str], Any]:
    with database.read() as connection:
        series = load_series(connection, source=Source.PRICECHARTING)
        histories = load_histories(
            connection, database.dialect, np.array([one.id for one in series])
        )
    found = {}
    for one in series:
        plain = Facet(kind=PriceKind(one.facet.kind), variant=one.facet.variant)
        assert one.facet == plain  # no printing, language unknown, US dollars
        reading = histories[one.id].at(AT)
        assert reading.answer is Answer.PRICED
        assert histories[one.id].at(AT - 1).answer is Answer.NOT_OBSERVED
        found[int(one.external_id), one.facet.kind.value, one.facet.variant] = reading.values
    return found


def test_every_filled_cell_is_exact_under_its_own_grade(
    real_data: Path, database: Database, tmp_path: Path
) -> None:
    rows = guide_rows(real_data)
    assert len(rows) == 13_034
    path = write_guide(tmp_path, rows, list(rows[0]))

    report = import_files(database, [path])

    says = expected(rows)
    assert readings(database) == says
    filled = sum(bool(row[name]) for row in rows for name in columns_of(row) if name in row)
    priced = sum(value is not None for values in says.values() for value in values)
    assert priced == filled > 20_000
    assert report.stored == len(says) == stored_rows(database)
    assert (report.quarantined, report.skipped, report.incomplete) == ({}, {}, [])
    again = import_files(database, [path])
    assert (again.stored, again.history_rows) == (0, 0)
    assert stored_rows(database) == len(says)


def test_a_longer_header_in_another_order_is_read_by_name(
    real_data: Path, database: Database, tmp_path: Path
) -> None:
    rows = guide_rows(real_data)[:3_000]
    header = [*rows[0], *(name for name in GRADE if name not in rows[0])]
    extra = 37 - len(header)
    header += [f"unknown-{number}-price" for number in range(extra)]
    assert extra >= 0
    assert len(header) == 37
    for number, row in enumerate(rows):
        for place, name in enumerate(header):
            if name not in rows[0] or name.startswith("unknown-"):
                row.setdefault(name, "")
            if name in LATER_COLUMNS and number % 50 == place and "#" in row["product-name"]:
                row[name] = f"${number + 1}.{place:02d}"
            if name.startswith("unknown-"):
                row[name] = "$999.99"
    random.Random(3).shuffle(header)
    path = write_guide(tmp_path, rows, header)

    import_files(database, [path])

    says = expected(rows)
    assert readings(database) == says
    assert {variant for _, kind, variant in says if kind == "guide"} >= {
        GRADE[name] for name in LATER_COLUMNS
    }
