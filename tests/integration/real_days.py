"""The real TCGCSV days, read with json and Decimal alone, and whole histories to compare."""

import gzip
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from sqlalchemy import func, select, text

from tcgtracker.database.engine import Database
from tcgtracker.database.tables.prices import observations, price_late, scopes
from tcgtracker.domain.clock import SystemClock
from tcgtracker.integrations.price_files import iter_price_pages
from tcgtracker.prices.months import row_tables
from tcgtracker.prices.products import load_series
from tcgtracker.prices.rows import load_many
from tcgtracker.quotes.report import CollectReport
from tcgtracker.quotes.service import Intake

FIELDS = ("marketPrice", "lowPrice", "highPrice", "midPrice", "directLowPrice")
DAY = 86_400
SIDES: tuple[Literal["left", "right"], ...] = ("left", "right")
Key = tuple[int, str]
"""Product id and printing."""
Values = tuple[int | None, ...]


@dataclass(slots=True)
class Truth:
    """What the files say: by category and day, the cents of every listed product."""

    says: dict[str, dict[date, dict[Key, Values]]] = field(default_factory=dict)
    rows: int = 0

    def keys(self, category: str) -> set[Key]:
        return {key for listed in self.says[category].values() for key in listed}


def days_of(real_data: Path) -> list[Path]:
    """Return the folders of the days, oldest first."""
    return sorted((real_data / "tcgcsv/prices").iterdir())


def files_of(days: Iterable[Path], categories: Sequence[str]) -> list[Path]:
    return [day / f"{category}.ndjson.gz" for day in days for category in categories]


@cache
def read_truth(days: tuple[Path, ...], categories: tuple[str, ...]) -> Truth:
    """Return what the files of some days say."""
    truth = Truth()
    known: dict[Values, Values] = {}
    for path in files_of(days, categories):
        for line in gzip.decompress(path.read_bytes()).splitlines():
            entry = json.loads(line, parse_float=Decimal)
            of_category = truth.says.setdefault(str(entry["categoryId"]), {})
            listed = of_category.setdefault(date.fromisoformat(entry["date"]), {})
            for row in entry["body"]["results"]:
                values = tuple(_cents(row[name]) for name in FIELDS)
                key = (row["productId"], row["subTypeName"])
                assert key not in listed
                listed[key] = known.setdefault(values, values)
                truth.rows += 1
    return truth


def _cents(amount: Any) -> int | None:
    if not amount:
        return None
    scaled = Decimal(amount) * 100
    assert scaled == int(scaled)
    return int(scaled)


def at_20(day: date) -> int:
    """Return the epoch second at which the vendor's day is true."""
    return int(datetime(day.year, day.month, day.day, 20, tzinfo=UTC).timestamp())


def import_files(
    database: Database, paths: Iterable[Path], *, trust: bool = True, **options: Any
) -> CollectReport:
    """Import price files as the program does and check that every row is counted once."""
    report = Intake(database, SystemClock()).collect(
        iter_price_pages(paths, **options), input_name="test", trust=trust
    )
    assert_adds_up(report)
    return report


def assert_adds_up(report: CollectReport) -> None:
    counted = report.stored + report.unchanged + report.held
    counted += report.skipped.total() + report.quarantined.total()
    assert report.rows_read == counted, report.as_dict()


def stored_rows(database: Database) -> int:
    """Return how many rows lie in the tables of months and among the late ones."""
    with database.read() as connection:
        return sum(
            connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608
            for table in row_tables(connection).names
        )


def late_rows(database: Database) -> int:
    with database.read() as connection:
        query = select(func.count()).select_from(price_late)
        return int(connection.execute(query).scalar_one())


def contents(database: Database, *, revisions: bool = True) -> dict[Any, Any]:
    """Return every row of every series under its natural key, and every look at every scope.

    Free of ids, which depend on the order in which series came in.
    """
    with database.read() as connection:
        series = load_series(connection)
        rows = load_many(connection, database.dialect, np.array([one.id for one in series]))
        looks = connection.execute(
            select(
                scopes.c.source,
                scopes.c.name,
                observations.c.observed_at,
                observations.c.complete,
                observations.c.digest,
            ).join(scopes, scopes.c.id == observations.c.scope_id)
        ).all()
    assert len(rows) == len({*zip(rows.series_id, rows.observed_at, rows.revision, strict=True)})
    found: dict[Any, Any] = {}
    for one in series:
        part = slice(*(int(np.searchsorted(rows.series_id, one.id, side=side)) for side in SIDES))
        key = (one.source, one.external_id, one.facet)
        assert key not in found
        found[key] = (
            rows.observed_at[part].tobytes(),
            rows.revision[part].tobytes() if revisions else b"",
            rows.state[part].tobytes(),
            rows.values[part].tobytes(),
        )
    for look in looks:
        found[look[:3]] = (look[3], bytes(look[4]))
    return found
