"""Migrations on a database with prices in it, by many at once, and killed in the middle."""

import random
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from tcgtracker.database.engine import Database
from tcgtracker.database.migrate import (
    current_revision,
    downgrade,
    drift,
    head_revision,
    require_current,
    upgrade,
)
from tcgtracker.domain.errors import StorageError
from tcgtracker.prices.months import load_months
from tcgtracker.prices.seal import seal_months
from tests.integration.made_days import make_day
from tests.integration.real_days import contents, import_files, stored_rows
from tests.integration.workers import Worker, run_all


@pytest.fixture
def empty_database(database_url: str):
    database = Database(database_url)
    yield database
    database.close()


def tables_of(database: Database) -> set[str]:
    with database.read() as connection:
        return set(inspect(connection).get_table_names()) - {"alembic_version"}


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    return [make_day(tmp_path, day) for day in range(10)]


def test_up_down_up_with_prices_in_it(database: Database, paths: list[Path]) -> None:
    import_files(database, paths)
    with database.read() as connection:
        first, *_, last = sorted(month.month for month in load_months(connection))
    assert first != last
    seal_months(database, [first])
    wanted = contents(database)
    assert drift(database) == []

    assert downgrade(database, "base")
    assert tables_of(database) == set()
    assert upgrade(database)

    assert drift(database) == []
    assert current_revision(database) == head_revision()
    assert stored_rows(database) == 0
    import_files(database, paths)
    assert contents(database) == wanted


def test_of_eight_migrators_exactly_one_applies(empty_database: Database) -> None:
    said = run_all(*(Worker("migrate", empty_database, "head") for _ in range(8)))
    answers = [lines[-2] for lines in said]
    assert sorted(answers) == ["done head False"] * 7 + ["done head True"]
    assert drift(empty_database) == []


def test_a_newer_database_is_refused_and_left_alone(database: Database, paths: list[Path]) -> None:
    import_files(database, paths[:2])
    wanted = contents(database)
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for act in (upgrade, require_current, lambda one: downgrade(one, "base")):
        with pytest.raises(StorageError, match=r"9999.*newer version"):
            act(database)
    assert contents(database) == wanted


def kill_migrators(database: Database, *, kills: int, seed: int) -> None:
    """Kill migrators on their way up or down; after each the database is whole, up or down."""
    upgrade(database)
    every = tables_of(database)
    downgrade(database, "base")
    rng = random.Random(seed)
    hit = 0
    while hit < kills:
        # back and forth, so that a kill finds it in the middle of one or the other
        worker = Worker("migrate", database, *(("head", "base") * 20))
        worker.go()
        said = worker.kill_after(rng.uniform(0.05, 1.5))
        if said is None:
            continue
        hit += bool(said) and said[-1].startswith("begin")
        found = tables_of(database)
        assert (found, current_revision(database)) in ((every, head_revision()), (set(), ""))
        upgrade(database)
        assert drift(database) == []
        assert tables_of(database) == every


def test_a_killed_migrator_leaves_all_or_nothing(empty_database: Database) -> None:
    kill_migrators(empty_database, kills=3, seed=5)


@pytest.mark.long
def test_many_killed_migrators_leave_all_or_nothing(empty_database: Database) -> None:
    kill_migrators(empty_database, kills=30, seed=6)
