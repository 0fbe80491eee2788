"""Sealing changes no reading: whole, killed at any moment, and while others import."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, select

from tcgtracker.database.engine import Database
from tcgtracker.database.migrate import upgrade
from tcgtracker.database.tables.prices import price_blocks
from tcgtracker.prices.months import load_months
from tcgtracker.prices.products import load_series
from tcgtracker.prices.seal import fold_late_rows, seal_months, seal_price_history
from tcgtracker.prices.store import load_histories, load_history
from tests.integration.made_days import make_day
from tests.integration.real_days import (
    contents,
    days_of,
    files_of,
    import_files,
    late_rows,
    stored_rows,
)
from tests.integration.workers import Worker, run_all
from tests.unit.prices.support import NOW

pytestmark = pytest.mark.one_engine


def readings(database: Database, *, every: int = 1) -> dict[Any, Any]:
    """Return what every n-th series reads at each look, between looks, before and after them."""
    found: dict[Any, Any] = {}
    with database.read() as connection:
        series = load_series(connection)[::every]
        histories = load_histories(
            connection, database.dialect, np.array([one.id for one in series])
        )
        for one in series:
            history = histories[one.id]
            looks = history.looks.tolist()
            moments = sorted({at + aside for at in looks for aside in (-1, 0, 1, 40_000)})
            key = (one.source, one.external_id, one.facet)
            found[key] = [
                (at, reading.answer, reading.values, reading.observed_at)
                for at in moments
                for reading in (history.at(at),)
            ]
            found[key] += [history.last_market(), history.last_seen_at(), history.market_range()]
        for one in series[::97]:  # the way of the card page reads the same
            alone = load_history(connection, database.dialect, one.id)
            together = histories[one.id]
            assert alone.rows.observed_at.tolist() == together.rows.observed_at.tolist()
            assert alone.rows.values.tolist() == together.rows.values.tolist()
    return found


def unsealed(folder: Path, paths: list[Path]) -> dict[Any, Any]:
    """Return the readings of a database of its own into which the files came in order."""
    plain = Database(f"sqlite:///{folder / 'plain.db'}")
    upgrade(plain)
    import_files(plain, paths)
    found = readings(plain)
    plain.close()
    return found


def months_of(database: Database) -> list[int]:
    with database.read() as connection:
        return sorted(one.month for one in load_months(connection) if one.has_table)


def blocks(database: Database) -> int:
    with database.read() as connection:
        query = select(func.count()).select_from(price_blocks)
        return int(connection.execute(query).scalar_one())


@pytest.fixture
def made(tmp_path: Path) -> list[Path]:
    return [make_day(tmp_path, day) for day in range(14)]


def test_readings_stay_and_late_rows_merge(database: Database, made: list[Path]) -> None:
    late = [made[2], made[9]]
    import_files(database, [path for path in made if path not in late])
    before = readings(database)
    wanted = contents(database)

    done = seal_price_history(database, now=NOW, after_days=30)

    assert done.months == [202509, 202510]
    assert months_of(database) == []
    assert done.rows > 0 == stored_rows(database)
    assert readings(database) == before
    assert contents(database) == wanted
    import_files(database, late)
    assert late_rows(database) > 0
    with_late = readings(database)
    assert with_late != before
    assert seal_price_history(database, now=NOW, after_days=30).late_rows > 0
    assert late_rows(database) == 0
    assert readings(database) == with_late


def test_late_rows_read_as_if_nothing_had_been_sealed(
    database: Database, made: list[Path], tmp_path: Path
) -> None:
    """The order of import and sealing leaves no trace in what is read."""
    import_files(database, [*made[3:6], *made[8:]])
    seal_months(database, [202509])
    import_files(database, [made[7], made[1]])
    fold_late_rows(database)
    seal_months(database, [202510])
    import_files(database, [made[6], made[0], made[2]])
    sealed = readings(database)
    fold_late_rows(database)
    assert readings(database) == sealed

    assert answers(sealed) == answers(unsealed(tmp_path, made))


def kill_sealers(database: Database, *, kills: int, batch: int, seed: int, every: int) -> None:
    before = readings(database, every=every)
    wanted = contents(database)
    rng = random.Random(seed)
    hit = partial = 0
    for _ in range(kills):
        worker = Worker("seal", database, batch)
        worker.go()
        said = worker.kill_after(rng.uniform(0.1, 0.8))
        assert readings(database, every=every) == before
        if said is None:
            break
        hit += 1
        partial += blocks(database) > 0 and bool(months_of(database))
    assert hit >= kills // 2
    assert partial > 0, "no kill found a month half sealed"
    last = Worker("seal", database, 5_000)
    assert run_all(last)[0][-1] == "end"
    assert months_of(database) == []
    assert readings(database, every=every) == before
    assert contents(database) == wanted


def test_killed_sealers_change_no_reading(database: Database, made: list[Path]) -> None:
    import_files(database, made)
    kill_sealers(database, kills=4, batch=1, seed=7, every=2)


@pytest.mark.long
@pytest.mark.data
def test_many_killed_sealers_change_no_reading(real_data: Path, database: Database) -> None:
    import_files(database, files_of(days_of(real_data)[4:16], ("68", "71")))
    kill_sealers(database, kills=30, batch=10, seed=8, every=20)


@pytest.mark.data
def test_real_readings_stay(real_data: Path, database: Database) -> None:
    import_files(database, files_of(days_of(real_data)[7:13], ("68", "71")))
    before = readings(database, every=8)
    rows = stored_rows(database)
    done = seal_price_history(database, now=NOW, after_days=30)
    assert (done.rows, stored_rows(database)) == (rows, 0)
    assert readings(database, every=8) == before


def test_importing_into_a_month_that_is_being_sealed(
    database: Database, made: list[Path], tmp_path: Path
) -> None:
    """Other days of the same months come in while a sealer folds them in small batches."""
    import_files(database, made[::2])
    run_all(
        Worker("seal", database, 5),
        Worker("import", database, "trust", *made[1::2]),
        Worker("import", database, "trust", *reversed(made)),
    )
    while months_of(database):
        seal_price_history(database, now=NOW, after_days=30)
    fold_late_rows(database)
    assert answers(readings(database)) == answers(unsealed(tmp_path, made))


def test_late_rows_that_come_while_others_are_folded(
    database: Database, made: list[Path], tmp_path: Path
) -> None:
    import_files(database, made[::4])
    seal_price_history(database, now=NOW, after_days=30)
    said = run_all(
        Worker("fold", database, 4),
        Worker("import", database, "trust", *made[1::2]),
        Worker("import", database, "trust", *made[2::4]),
    )
    assert int(said[0][-2].split()[1]) > 0, "nothing was folded meanwhile"
    fold_late_rows(database)
    assert late_rows(database) == 0
    assert answers(readings(database)) == answers(unsealed(tmp_path, made))


def answers(found: dict[Any, Any]) -> dict[Any, Any]:
    """Return readings without since when they stand: rows that say the same may have stayed."""
    return {
        key: [entry[:3] if isinstance(entry, tuple) and len(entry) == 4 else entry for entry in one]
        for key, one in found.items()
    }
