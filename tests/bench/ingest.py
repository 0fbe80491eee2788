"""One real whole-catalogue day onto 60 days of history, against a raw COPY of the same rows."""

import time
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import Column, DateTime, ForeignKey, Integer, create_engine
from sqlalchemy.orm import DeclarativeBase, Session

from tcgtracker.database.engine import Database
from tcgtracker.domain.clock import SystemClock
from tcgtracker.integrations.contract import NO_PRICE, PricePage
from tcgtracker.quotes.service import Intake
from tests.bench.support import (
    emit,
    full_day,
    median_of,
    moved,
    note,
    parse_day,
    plain_connection,
    scratch_database,
    timed,
)

FIRST, SECOND = "2025-10-01", "2025-10-02"
CHANGE_SHARE = 0.39  # of the rows a day, over all games (measured on 36 real days)
LIMIT, PARSE_LIMIT, ORM_LIMIT = 8.0, 3.5, 100.0
ORM_SAMPLE = 300


def run(*, depth: int = 60, rounds: int = 3) -> None:
    """Print what a day costs on both databases, parsing apart.

    The day is moved to the 16th, so that its month holds 15 days already.
    """
    first = parse_day(full_day(FIRST))
    content = full_day(SECOND)
    last = [moved(page, 14) for page in parse_day(content)]
    rows = sum(len(page.external_id) for page in last)
    note(f"{rows} rows, {depth} days of history under them")
    for kind in ("sqlite", "postgresql"):
        with scratch_database(kind) as database:
            _fill(database, first, depth)
            copies, parses, records = [], [], []
            for number in range(rounds):
                copies.append(_copy(last))
                parses.append(timed(lambda: parse_day(content)))
                # every round is a day later: the same changes again onto the same depth
                day = [moved(page, number) for page in _alternate(last, first, number)]
                records.append(_record(database, day))
            copy, parse, record = median_of(copies), median_of(parses), median_of(records)
            ratios = [(p + r) / c for c, p, r in zip(copies, parses, records, strict=True)]
            total = parse + record
            emit(f"ingest_copy_{kind}", rows / copy, "rows/s")
            emit(f"ingest_parse_{kind}", parse, "s", limit=PARSE_LIMIT, ratio=parse / copy)
            emit(f"ingest_record_{kind}", record, "s", ratio=record / copy)
            emit(f"ingest_day_{kind}", total, "s", limit=LIMIT, ratio=median_of(ratios))
            orm = _orm_row_s(database)
            emit(f"ingest_orm_row_{kind}", orm, "s/row", limit=ORM_LIMIT, ratio=orm * rows / total)


def _fill(database: Database, pages: list[PricePage], depth: int) -> None:
    """Record `depth` days whose values change as real ones do, on the real keys."""
    start = time.perf_counter()
    intake = Intake(database, SystemClock())
    rng = np.random.default_rng(1)
    current = [page.values.copy() for page in pages]
    for day in range(depth):
        today = []
        for page, values in zip(pages, current, strict=True):
            if day:
                chosen = rng.random(len(values)) < CHANGE_SHARE
                moves = rng.integers(-3, 4, (int(chosen.sum()), 5))
                before = values[chosen]
                after = np.maximum(before + moves, 1)
                values[chosen] = np.where(before == NO_PRICE, NO_PRICE, after)
            dated = moved(page, 14 + day - depth)
            # the last day is the real one again, so that the measured day changes as it really did
            dated.values = page.values if day == depth - 1 else values.copy()
            today.append(dated)
        intake.collect(today, input_name="bench", trust=True)
    if database.dialect.name == "postgresql":  # what autovacuum does in the hours between two days
        with database.engine(writes=True).connect() as connection:
            plain = connection.execution_options(isolation_level="AUTOCOMMIT")
            plain.exec_driver_sql("VACUUM ANALYZE")
            plain.exec_driver_sql("CHECKPOINT")
    note(f"{database.dialect.name}: history filled in {time.perf_counter() - start:.0f} s")


def _alternate(last: list[PricePage], first: list[PricePage], number: int) -> list[PricePage]:
    """Return the real second day, and in odd rounds the first, so that each round changes much."""
    return last if number % 2 == 0 else [moved(page, 15) for page in first]


def _record(database: Database, pages: list[PricePage]) -> float:
    intake = Intake(database, SystemClock())  # cold: the state is loaded from the database
    start = time.perf_counter()
    intake.collect(pages, input_name="bench", trust=True)
    return time.perf_counter() - start


def _copy(pages: list[PricePage]) -> float:
    """Return the seconds of a binary COPY of the rows into a table without an index."""
    ids = np.concatenate([page.external_id for page in pages])
    values = np.concatenate([page.values for page in pages])
    data = _binary([ids, np.full(len(ids), 20_000), *values.T])
    with plain_connection() as connection:
        connection.execute("DROP TABLE IF EXISTS bench_copy")
        connection.execute(
            "CREATE TABLE bench_copy (s int, d int, m int, l int, h int, a int, x int)"
        )
        connection.commit()
        start = time.perf_counter()
        with connection.cursor() as cursor:
            with cursor.copy("COPY bench_copy FROM STDIN (FORMAT binary)") as copy:
                for at in range(0, len(data), 1 << 20):
                    copy.write(data[at : at + (1 << 20)])
            connection.commit()
        took = time.perf_counter() - start
        connection.execute("DROP TABLE bench_copy")
    return took


def _binary(columns: list[Any]) -> bytes:
    """Return columns of int4 in COPY's binary form (prepared before the clock starts)."""
    count, fields = len(columns[0]), len(columns)
    table = np.column_stack(columns)
    present = table != NO_PRICE
    lengths = 2 + 4 * fields + 4 * present.sum(axis=1)
    ends = np.cumsum(lengths)
    out = np.zeros(int(ends[-1]), np.uint8)
    at = ends - lengths
    out[at + 1] = fields
    at = at + 2
    for column in range(fields):
        has = present[:, column]
        sizes = np.where(has, 4, -1).astype(">i4").view(np.uint8).reshape(-1, 4)
        out[at[:, None] + np.arange(4)] = sizes
        at = at + 4
        octets = table[has, column].astype(">i4").view(np.uint8).reshape(-1, 4)
        out[at[has][:, None] + np.arange(4)] = octets
        at = at + 4 * has
    del count
    return b"PGCOPY\n\xff\r\n\0" + bytes(8) + out.tobytes() + b"\xff\xff"


class _Base(DeclarativeBase):
    pass


class _Card(_Base):
    __tablename__ = "bench_cards"
    id = Column(Integer, primary_key=True)


class _Price(_Base):
    __tablename__ = "bench_prices"
    id = Column(Integer, primary_key=True)
    card_id = Column(Integer, ForeignKey("bench_cards.id"), index=True)
    market = Column(Integer)
    low = Column(Integer)
    high = Column(Integer)
    average = Column(Integer)
    timestamp = Column(DateTime(timezone=True), index=True)


def _orm_row_s(database: Database) -> float:
    """Return the seconds that one row costs when it is added and committed by itself."""
    engine = create_engine(database.url)
    _Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(_Card(id=1))
        session.commit()
        start = time.perf_counter()
        for number in range(ORM_SAMPLE):
            session.add(
                _Price(
                    card_id=1,
                    market=number,
                    low=number,
                    high=number,
                    average=number,
                    timestamp=datetime.now(UTC),
                )
            )
            session.commit()
        took = time.perf_counter() - start
    _Base.metadata.drop_all(engine)
    engine.dispose()
    return took / ORM_SAMPLE
