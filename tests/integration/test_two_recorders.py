"""Several processes that import at once end where one alone would."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tcgtracker.database.engine import Database
from tcgtracker.database.migrate import upgrade
from tests.integration.made_days import make_day
from tests.integration.real_days import contents, days_of, files_of, import_files, stored_rows
from tests.integration.workers import Worker, run_all


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Database]:
    """A database that one process fills."""
    database = Database(f"sqlite:///{tmp_path / 'alone.db'}")
    upgrade(database)
    yield database
    database.close()


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    return [make_day(tmp_path, day, products=900) for day in range(14)]


def stored_by(said: list[list[str]]) -> int:
    """Return how many rows the workers say that they stored, together."""
    return sum(int(lines[-2].split()[1]) for lines in said)


@pytest.mark.parametrize("seed", range(2))
def test_the_same_days_in_the_same_order(
    database: Database, alone: Database, paths: list[Path], seed: int
) -> None:
    chosen = paths[seed * 4 : seed * 4 + 5]
    report = import_files(alone, chosen)
    said = run_all(*(Worker("import", database, "trust", *chosen) for _ in range(3)))
    assert contents(database) == contents(alone)
    assert stored_by(said) == report.stored


@pytest.mark.parametrize("seed", range(2))
def test_the_same_days_in_other_orders(
    database: Database, alone: Database, paths: list[Path], seed: int
) -> None:
    import_files(alone, paths[:8])
    orders = [random.Random(seed * 10 + number).sample(paths[:8], 8) for number in range(2)]
    # each file is an import of its own, or the reader would put the days in order
    run_all(*(Worker("import", database, "trust", *order) for order in orders))
    assert contents(database) == contents(alone)


def test_different_days_of_one_scope(
    database: Database, alone: Database, paths: list[Path]
) -> None:
    import_files(alone, paths)
    run_all(
        Worker("import", database, "trust", *paths[::2]),
        Worker("import", database, "trust", *paths[1::2]),
    )
    assert contents(database) == contents(alone)


def test_different_scopes(database: Database, alone: Database, tmp_path: Path) -> None:
    by_scope = [[make_day(tmp_path, day, category) for day in range(6)] for category in (68, 71, 3)]
    for paths in by_scope:
        import_files(alone, paths)
    run_all(*(Worker("import", database, "trust", *paths) for paths in by_scope))
    assert contents(database) == contents(alone)


@pytest.mark.data
def test_real_days_at_once(real_data: Path, database: Database, alone: Database) -> None:
    paths = files_of(days_of(real_data)[8:13], ("68", "71"))
    import_files(alone, paths)
    run_all(
        Worker("import", database, "trust", *paths),
        Worker("import", database, "trust", *reversed(paths)),
    )
    assert contents(database) == contents(alone)
    assert stored_rows(database) == stored_rows(alone)
