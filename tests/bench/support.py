"""What every bench shares: output, medians, scratch databases, real days as columns."""

import gzip
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
from sqlalchemy import create_engine, make_url, text

from tcgtracker.database.engine import Database
from tcgtracker.database.migrate import upgrade
from tcgtracker.integrations.contract import PricePage
from tcgtracker.integrations.tcgcsv.lines import read_line
from tcgtracker.integrations.tcgcsv.prices import GroupAnswer, Scope, price_page

POSTGRES_URL = os.environ.get("TEST_DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
REAL_DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def emit(
    bench: str, value: float, unit: str, *, limit: float | None = None, ratio: float | None = None
) -> None:
    """Print one figure as a JSON line; `ratio` is what `limit` is held against."""
    line = {
        "bench": bench,
        "value": round(value, 4),
        "unit": unit,
        "limit": limit,
        "ratio": None if ratio is None else round(ratio, 3),
    }
    print(json.dumps(line), flush=True)


def note(words: str) -> None:
    """Say on standard error what goes on."""
    print(f"# {words}", file=sys.stderr, flush=True)


def median_of(runs: list[float]) -> float:
    return statistics.median(runs)


def timed(act: Callable[[], object]) -> float:
    """Return the seconds that a call takes."""
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


@contextmanager
def scratch_database(kind: str) -> Iterator[Database]:
    """Give a migrated database of its own, removed afterwards."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            database = Database(f"sqlite:///{folder}/bench.db")
            upgrade(database)
            yield database
            database.close()
        return
    server = make_url(POSTGRES_URL).set(drivername="postgresql+psycopg")
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    name = f"tcgtracker_bench_{os.getpid()}"
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {name}"))
    database = Database(server.set(database=name).render_as_string(hide_password=False))
    try:
        upgrade(database)
        yield database
    finally:
        database.close()
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        admin.dispose()


def plain_connection() -> psycopg.Connection:
    """Return a psycopg connection to the server itself, for yardsticks."""
    url = make_url(POSTGRES_URL).set(drivername="postgresql")
    return psycopg.connect(url.render_as_string(hide_password=False))


def full_day(day: str) -> bytes:
    """Return the unzipped lines of one whole-catalogue day."""
    path = REAL_DATA / "tcgcsv" / "prices_full" / f"{day}.ndjson.gz"
    return gzip.decompress(path.read_bytes())


def parse_day(content: bytes, *, rename: tuple[str, str] | None = None) -> list[PricePage]:
    """Return the pages of a day that lies in memory, category by category."""
    if rename:
        content = content.replace(
            f'"date":"{rename[0]}"'.encode(), f'"date":"{rename[1]}"'.encode()
        )
    answers: dict[Scope, list[GroupAnswer]] = {}
    for number, line in enumerate(content.splitlines()):
        found = read_line(line)
        if found is None:
            raise ValueError(f"line {number} is no answer")
        answers.setdefault(found.scope, []).append(
            GroupAnswer(found.group, f"line {number}", found.body, found.line)
        )
    return [price_page(scope, groups) for scope, groups in answers.items()]


def moved(page: PricePage, days: int) -> PricePage:
    """Return a page as of some days later (earlier when negative)."""
    from datetime import timedelta

    return replace(page, observed_at=page.observed_at + timedelta(days=days))
