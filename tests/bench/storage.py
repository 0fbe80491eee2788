"""Bytes per series and day of real history, in rows and sealed, beside Parquet of the same changes.

The real days are 28; 84 days are made by putting three real paths of different series, of like
price, one after the other (each starts where the one before ended), so that no path is used twice.
"""

import io
import shutil
import sqlite3
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tcgtracker.database.dialects.base import HistoryRows
from tcgtracker.database.engine import Database
from tcgtracker.domain.clock import DAY_S, SystemClock
from tcgtracker.domain.quote import VALUE_NAMES, Facet
from tcgtracker.domain.source import Source
from tcgtracker.integrations.contract import NO_PRICE, IntArray, PricePage
from tcgtracker.integrations.price_files import iter_price_pages
from tcgtracker.prices.months import load_months
from tcgtracker.prices.products import load_series
from tcgtracker.prices.rows import load_many
from tcgtracker.prices.seal import seal_months
from tcgtracker.quotes.service import Intake
from tests.bench.support import REAL_DATA, emit, note, scratch_database, timed

LIMITS = {"sqlite": 1.0, "postgresql": 1.2}
HISTORY_TABLES = ("price_blocks", "price_late", "price_months", "observations", "item_observations")
DAYS = 28


def run() -> None:
    """Print the sizes for 28 real days and for 84 days of real paths, on both databases."""
    files = sorted((REAL_DATA / "tcgcsv" / "prices").glob("*/*.ndjson.gz"))
    pages = list(iter_price_pages(files))
    note(f"{len(pages)} pages of {DAYS} real days")
    long_pages = _stitched(pages)
    for name, days, chosen in (("28_days", DAYS, pages), ("84_days", 84, long_pages)):
        for kind in ("sqlite", "postgresql"):
            with scratch_database(kind) as database:
                _measure(database, chosen, name, days)


def _measure(database: Database, pages: list[PricePage], name: str, days: int) -> None:
    kind = database.dialect.name
    took = timed(lambda: Intake(database, SystemClock()).collect(pages, input_name="b", trust=True))
    with database.read() as connection:
        series = load_series(connection)
        months = sorted(one.month for one in load_months(connection))
        rows = load_many(connection, database.dialect, np.array([one.id for one in series]))
    series_days = len(series) * days
    parquet = _parquet_bytes(rows)
    tables = [f"price_history_{month // 100:04d}_{month % 100:02d}" for month in months]
    before = _history_bytes(database, (*tables, *HISTORY_TABLES))
    emit(f"storage_parquet_{name}_{kind}", parquet / series_days, "B/series-day")
    emit(
        f"storage_rows_{name}_{kind}",
        before / series_days,
        "B/series-day",
        ratio=before / parquet,
    )
    sealed = timed(lambda: seal_months(database, months))
    after = _history_bytes(database, HISTORY_TABLES)
    emit(
        f"storage_sealed_{name}_{kind}",
        after / series_days,
        "B/series-day",
        limit=LIMITS[kind],
        ratio=after / parquet,
    )
    emit(f"seal_{name}_{kind}", len(rows) / sealed, "rows/s")
    note(
        f"{kind}: {len(series)} series, {len(rows)} rows, import {took:.0f} s, seal {sealed:.0f} s"
    )


def _parquet_bytes(rows: HistoryRows) -> int:
    """Return the bytes of the same sorted rows as pyarrow writes them by default with zstd."""
    table = pa.table(
        {
            "series_id": pa.array(rows.series_id, pa.int32()),
            "day": pa.array(rows.observed_at // DAY_S, pa.int32()),
            **{
                name: pa.array(rows.values[:, column], pa.int32(), mask=rows.values[:, column] < 0)
                for column, name in enumerate(VALUE_NAMES)
            },
        }
    )
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return len(sink.getvalue())


def _history_bytes(database: Database, tables: tuple[str, ...]) -> int:
    """Return the bytes of tables with their indexes, nothing else."""
    if database.dialect.name == "postgresql":
        with database.engine(writes=True).connect() as connection:
            plain = connection.execution_options(isolation_level="AUTOCOMMIT")
            for table in tables:
                plain.exec_driver_sql(f"VACUUM {table}")
        with database.read() as connection:
            return database.dialect.size_bytes(connection, tables)
    # SQLite has no size of a table: a copy of the file with these tables alone is measured.
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.db"
        with database.engine(writes=True).connect() as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        assert database.path is not None
        shutil.copy(database.path, copy)
        raw = sqlite3.connect(copy, isolation_level=None)
        raw.execute("PRAGMA journal_mode = DELETE")
        names = raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (name,) in names:
            if name not in tables and not name.startswith("sqlite_"):
                raw.execute(f"DROP TABLE {name}")
        raw.execute("VACUUM")
        raw.close()
        return copy.stat().st_size


def _stitched(pages: list[PricePage]) -> list[PricePage]:
    """Return 84 daily pages made of the real paths of series that were there on all 28 days."""
    paths = _full_paths(pages)
    order = np.argsort(paths[:, 0, 0], kind="stable")
    count = len(order) // 3
    groups = paths[order[: count * 3]].reshape(count, 3, DAYS, 5).copy()
    for part in (1, 2):
        shift = groups[:, part - 1, -1] - groups[:, part, 0]
        both = (groups[:, part - 1, -1] >= 0) & (groups[:, part, 0] >= 0)
        moved = np.maximum(groups[:, part] + np.where(both, shift, 0)[:, None], 1)
        groups[:, part] = np.where(groups[:, part] < 0, NO_PRICE, moved)
    whole = groups.reshape(count, 84, 5)
    first = datetime(2025, 1, 1, 20, tzinfo=UTC)
    template = PricePage(
        source=Source.TCGCSV,
        scope="3",
        observed_at=first,
        external_id=np.arange(1, count + 1),
        facet=np.zeros(count, np.int64),
        facets=(Facet(sub_key="Normal"),),
        values=whole[:, 0],
    )
    return [
        replace(template, observed_at=first + timedelta(days=day), values=whole[:, day])
        for day in range(84)
    ]


def _full_paths(pages: list[PricePage]) -> IntArray:
    """Return (series, day, value) of the series that every day lists."""
    by_day: dict[datetime, dict[tuple[str, int, str], IntArray]] = {}
    for page in pages:
        day = by_day.setdefault(page.observed_at, {})
        names = [facet.sub_key for facet in page.facets]
        for key, facet, values in zip(
            page.external_id.tolist(), page.facet.tolist(), page.values, strict=True
        ):
            day[page.scope, key, names[facet]] = values
    days = [by_day[moment] for moment in sorted(by_day)]
    always = sorted(set(days[0]).intersection(*days[1:]))
    return np.array([[day[key] for day in days] for key in always])
