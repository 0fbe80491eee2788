"""Databases for the tests: a fresh SQLite file, a fresh PostgreSQL database, both migrated."""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn
from zlib import crc32

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from tcgtracker.database.engine import Database
from tcgtracker.database.migrate import upgrade
from tests.clean_postgres import CleanPostgres
from tests.sharing import Sharing

# Tests ask more often than people; those of the limits give their own.
os.environ.setdefault("APP_RATE_LIMIT", "0")
os.environ.setdefault("APP_RATE_LIMIT_ADDRESS", "0")

ENGINES = ("sqlite", "postgresql")
POSTGRES_URL = os.environ.get("TEST_DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
REAL_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
ON_CI = os.environ.get("CI") == "true"


def skip_or_fail(reason: str) -> NoReturn:
    """Skip with a reason; on CI, where everything must be there, fail instead."""
    if ON_CI:
        pytest.fail(f"CI must not skip: {reason}")
    pytest.skip(reason)


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Sharing:
    """Share the tests out over the processes."""
    return Sharing(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave one engine of what is marked `one_engine` to the long suite, by turns of the names."""
    for item in items:
        if item.get_closest_marker("one_engine") is None or not isinstance(item, pytest.Function):
            continue
        engine = next(one for one in map(str, item.callspec.params.values()) if one in ENGINES)
        name = item.nodeid.replace(engine, "")
        if engine != ENGINES[crc32(name.encode()) % 2]:
            item.add_marker(pytest.mark.long)


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test makes a secret in the data folder of whoever runs it."""
    monkeypatch.setenv("SECURITY_SECRET_KEY", "no secret, only long enough to be one")


@pytest.fixture
def real_data() -> Path:
    """The folder of real market data, which stands beside the checkout and is never shipped."""
    if not REAL_DATA.is_dir():
        skip_or_fail("the real market data (../shared/data) is not here")
    return REAL_DATA


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'test.db'}"


@contextmanager
def new_postgres_database(*, template: str = "") -> Iterator[str]:
    """Give the URL of a new database, empty or a copy of the named one; dropped afterwards."""
    server = make_url(POSTGRES_URL).set(drivername="postgresql+psycopg")
    name = f"tcgtracker_test_{uuid.uuid4().hex[:12]}"
    admin = create_engine(server, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 5})
    try:
        with admin.connect() as connection:
            copy = f" TEMPLATE {template}" if template else ""
            connection.execute(text(f"CREATE DATABASE {name}{copy}"))
    except OperationalError as exc:
        admin.dispose()
        skip_or_fail(f"no PostgreSQL at {server.render_as_string(hide_password=True)}: {exc.orig}")
    try:
        yield server.set(database=name).render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        admin.dispose()


@pytest.fixture
def postgres_url() -> Iterator[str]:
    with new_postgres_database() as url:
        yield url


@pytest.fixture(scope="module")
def module_postgres_url() -> Iterator[str]:
    """As `postgres_url`, one for all tests of a module."""
    with new_postgres_database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def engine_name(request: pytest.FixtureRequest) -> str:
    """Each engine in turn, the same for all fixtures of a test."""
    return str(request.param)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, engine_name: str) -> str:
    """The URL of an empty database, once for each engine."""
    fixture = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}[engine_name]
    url: str = request.getfixturevalue(fixture)
    return url


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "empty.db"
    database = Database(f"sqlite:///{path}")
    upgrade(database)
    database.close()
    return path


@pytest.fixture(scope="session")
def migrated_postgres() -> Iterator[CleanPostgres]:
    """A migrated PostgreSQL database of this test process, to be emptied after each use."""
    with new_postgres_database() as url:
        kept = CleanPostgres(url)
        yield kept
        kept.close()


@pytest.fixture
def database(
    request: pytest.FixtureRequest, engine_name: str, tmp_path: Path
) -> Iterator[Database]:
    """A migrated database without rows, once for each engine: that of `database_url` if asked."""
    if "database_url" in request.fixturenames:
        database = Database(request.getfixturevalue("database_url"))
        upgrade(database)
        yield database
        database.close()
        return
    if engine_name == "sqlite":
        path = tmp_path / "test.db"
        shutil.copyfile(request.getfixturevalue("migrated_sqlite"), path)
        database = Database(f"sqlite:///{path}")
        yield database
        database.close()
        return
    kept: CleanPostgres = request.getfixturevalue("migrated_postgres")
    database = Database(kept.url)
    yield database
    database.close()
    kept.empty()
