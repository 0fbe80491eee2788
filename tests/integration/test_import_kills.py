"""An import killed at any moment and started again loses nothing and stores nothing twice."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select, text

from tcgtracker.database.engine import Database
from tcgtracker.database.migrate import upgrade
from tcgtracker.database.tables.prices import observations, scopes
from tcgtracker.domain.clock import to_epoch
from tcgtracker.prices.months import row_tables
from tests.conftest import new_postgres_database
from tests.integration.real_days import contents, days_of, files_of
from tests.integration.workers import Worker

pytestmark = pytest.mark.data

Pages = Counter[tuple[str, int]]
MakeDatabase = Callable[[], Database]


@pytest.fixture(params=["sqlite", "postgresql"])
def make_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeDatabase]:
    """Makes one migrated database after another."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(fresh(request.param, tmp_path))


@contextmanager
def fresh(engine: str, folder: Path) -> Iterator[Database]:
    with ExitStack() as stack:
        if engine == "postgresql":
            url = stack.enter_context(new_postgres_database())
        else:
            url = f"sqlite:///{folder / f'{len(list(folder.iterdir()))}.db'}"
        database = Database(url)
        stack.callback(database.close)
        upgrade(database)
        yield database


def pages_in(database: Database) -> tuple[Pages, set[tuple[str, int]]]:
    """Return how many rows each page left, and which pages are written down as looked at."""
    rows: Pages = Counter()
    with database.read() as connection:
        epoch = database.dialect.epoch_of("h.observed_at")
        for table in row_tables(connection).names:
            found = connection.execute(
                text(
                    f"SELECT s.name, {epoch}, count(*) FROM {table} h"  # noqa: S608 - our own names
                    " JOIN price_series p ON p.id = h.series_id"
                    " JOIN vendor_products v ON v.id = p.vendor_product_id"
                    " JOIN scopes s ON s.id = v.scope_id GROUP BY 1, 2"
                )
            )
            rows.update({(name, int(at)): count for name, at, count in found})
        looks = connection.execute(
            select(scopes.c.name, observations.c.observed_at).join_from(observations, scopes)
        )
        return rows, {(name, to_epoch(at)) for name, at in looks}


def words(said: list[str], verb: str) -> list[tuple[str, int]]:
    parts = [line.split() for line in said if line.startswith(verb)]
    return [(scope, int(at)) for _, scope, at in parts]


def place_of(said: list[str]) -> str:
    """Tell where a killed import was: in the transaction of a page, or reading between pages."""
    if not said:
        return "before the first page"
    return "recording" if said[-1].startswith("begin") else "between pages"


def kill_until_done(
    database: Database,
    undisturbed: Pages,
    paths: list[Path],
    kill: Callable[[Worker], list[str] | None],
    *,
    trust: str,
) -> tuple[Counter[str], int]:
    """Import under kills to the end; return where they hit, and how often a part was there."""
    places: Counter[str] = Counter()
    partial = 0
    while True:
        worker = Worker("import", database, trust, *paths)
        worker.go()
        said = kill(worker)
        rows, looks = pages_in(database)
        assert rows == Counter({page: undisturbed[page] for page in looks if undisturbed[page]})
        if said is None:
            return places, partial
        assert looks >= set(words(said, "done")), "an acknowledged page is lost"
        places[place_of(said)] += 1
        partial += 0 < len(looks) < len(paths)


def check(
    make_database: MakeDatabase,
    paths: list[Path],
    *,
    kills: int,
    share: float,
    seed: int,
    trust: str = "trust",
) -> None:
    """Kill imports of the paths, each within a share of the time that an undisturbed one takes."""
    undisturbed = make_database()
    worker = Worker("import", undisturbed, trust, *paths)
    worker.go()
    started = time.perf_counter()
    worker.finish()
    took = time.perf_counter() - started
    wanted, (pages, _) = contents(undisturbed), pages_in(undisturbed)
    rng = random.Random(seed)
    places: Counter[str] = Counter()
    partial = 0

    def kill(worker: Worker) -> list[str] | None:
        # By the clock a kill hits anywhere; after a page that is done it hits in the middle.
        if rng.random() < 1 / 3:
            return worker.kill_after_saying("done", rng.randint(1, 4))
        return worker.kill_after(rng.uniform(0, share * took))

    while places.total() < kills:
        database = make_database()
        hit, in_part = kill_until_done(database, pages, paths, kill, trust=trust)
        assert contents(database) == wanted
        places += hit
        partial += in_part
    assert places.total() >= kills
    assert places["recording"] >= kills // 4, places
    assert partial >= kills // 4, places


@pytest.mark.one_engine
def test_some_kills_lose_nothing(real_data: Path, make_database: MakeDatabase) -> None:
    check(
        make_database, files_of(days_of(real_data)[7:13], ("68", "71")), kills=6, share=0.6, seed=1
    )


@pytest.mark.long
def test_fifty_kills_lose_nothing(real_data: Path, make_database: MakeDatabase) -> None:
    paths = files_of(days_of(real_data)[2:16], ("68", "71"))
    paths[7:7] = files_of(days_of(real_data)[5:6], ("3",))
    check(make_database, paths, kills=50, share=0.3, seed=2)


@pytest.mark.long
def test_kills_lose_no_hold(real_data: Path, make_database: MakeDatabase) -> None:
    paths = files_of(days_of(real_data)[2:16], ("68", "71"))
    check(make_database, paths, kills=20, share=0.3, seed=3, trust="judge")
