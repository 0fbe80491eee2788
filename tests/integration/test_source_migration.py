"""The runbook of another source, command by command, from an old schema with prices in it."""

import logging
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import CheckConstraint, Column, insert
from sqlalchemy.exc import IntegrityError

from tcgtracker.cli import app
from tcgtracker.cli.errors import run
from tcgtracker.database import migrate
from tcgtracker.database.copies import table_sums
from tcgtracker.database.engine import Database
from tcgtracker.database.tables import metadata
from tcgtracker.database.tables.prices import scopes
from tcgtracker.domain.clock import SystemClock
from tcgtracker.domain.source import Source
from tcgtracker.sandbox.serving import Sandbox
from tests.integration.sandboxed import base_cards, import_cards, prove_pricecharting, world_of
from tests.support import import_days, import_products

RUNBOOK = Path(__file__).resolve().parents[2] / "docs" / "operations" / "migrating-a-source.md"
_BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
PRICES = 1_000


def _checks(column: Column[Any]) -> list[CheckConstraint]:
    return [one for one in column.constraints if isinstance(one, CheckConstraint)]


TABLES = [
    (table.name, column.name)
    for table in metadata.sorted_tables
    for column in table.columns
    if any("'justtcg'" in str(check.sqltext) for check in _checks(column))
]
"""Each column that names a source."""
OLD = ["tcgplayer", "tcgcsv", "manual"]
_REVISION = """
from tcgtracker.database.migrations.checks import admit

revision, down_revision = {revision!r}, {down!r}
TABLES = {tables!r}

def upgrade():
    for table, column in TABLES:
        admit(table, column, {up!r})

def downgrade():
    for table, column in TABLES:
        admit(table, column, {back!r})
"""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def engine_name(request: pytest.FixtureRequest) -> str:
    """SQLite each time: its definitions are changed in an unusual way."""
    return str(request.param)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    from tests.integration.sandboxed import a_sandbox

    with a_sandbox() as running:
        yield running


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The program's migrations, then one that takes two sources away, and one that admits them.

    Returns the revision of the old schema.
    """
    folder = tmp_path / "migrations"
    shutil.copytree(migrate._SCRIPTS, folder)
    head, every = migrate.head_revision(), [str(source) for source in Source]
    for revision, down, up, back in (
        ("9001", head, OLD, every),
        ("9002", "9001", every, OLD),
    ):
        (folder / "versions" / f"{revision}_sources.py").write_text(
            _REVISION.format(revision=revision, down=down, tables=TABLES, up=up, back=back)
        )
    monkeypatch.setattr(migrate, "_SCRIPTS", folder)
    return "9001"


@pytest.fixture
def old(
    scripts: str, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Database]:
    """A database whose sources are TCGplayer's alone, with 1,000 prices."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("DB_URL", database_url)
    monkeypatch.setenv("APP_LOG_LEVEL", "ERROR")
    monkeypatch.delenv("HISTORY_URL", raising=False)
    database = Database(database_url)
    migrate.upgrade(database, scripts)
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date()
    products = {number: f"Old {number}" for number in range(1, PRICES + 1)}
    import_products(database, tmp_path / "old", products)
    listed = {(number, "Normal"): {"market": float(number)} for number in products}
    report = import_days(
        database, tmp_path / "days", {yesterday: listed}, clock=SystemClock(), trust=True
    )
    assert report.stored == PRICES
    yield database
    database.close()


@pytest.fixture
def commands() -> Iterator[list[str]]:
    """The commands of the runbook; logging is left as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    found = [
        line.strip()
        for block in _BLOCK.findall(RUNBOOK.read_text())
        for line in block.splitlines()
        if line.strip()
    ]
    assert len(found) > 30
    assert all(line.startswith("tcgtracker ") for line in found)
    yield found
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def refuses(database: Database, source: Source) -> bool:
    """Tell whether the schema knows no such source."""
    row = {"source": source.value, "name": "probe", "interval_s": 1}
    with database.engine(writes=True).connect() as connection:
        try:
            connection.execute(insert(scopes).values(row))
        except IntegrityError:
            return True
        finally:
            connection.rollback()
    return False


def test_the_runbook_from_an_old_schema_and_back(
    old: Database,
    sandbox: Sandbox,
    commands: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for key, value in sandbox.environment().items():
        monkeypatch.setenv(key, value)
    assert refuses(old, Source.JUSTTCG)
    assert refuses(old, Source.PRICECHARTING)
    before = table_sums(old)
    shown: list[str] = []  # sources of the prices that `update CARD` gave
    card = ""
    checks: dict[str, Callable[[str], object]] = {
        "db check": lambda out: out,
        "sources list": lambda out: re.search(r"^justtcg\tenabled", out, re.MULTILINE),
        "history CARD --source justtcg": lambda out: "justtcg" in out,
        "history CARD --source pricecharting": lambda out: "pricecharting" in out,
        "card CARD": lambda out: "pricecharting" in out,
        "flags get pricing.primary_source": lambda out: out == "justtcg\n",
    }
    for position, line in enumerate(commands):
        words = line.removeprefix("tcgtracker ")
        if words == "db check":  # the upgrade is done twice by now
            after = table_sums(old)
            changed = {name for name in before if after[name] != before[name]}
            assert changed <= {"alembic_version"}, "no row was touched"
            assert not refuses(old, Source.JUSTTCG)
            assert not refuses(old, Source.PRICECHARTING)
            (wanted,) = base_cards(world_of(sandbox), 1)
            made = import_cards(old, tmp_path / "new", world_of(sandbox), [wanted])
            card = str(made[wanted.name])
            prove_pricecharting(old, {int(card): wanted.pricecharting_ids[""]})
        if position == len(commands) - 2:
            assert "With an empty `API_PRICECHARTING_API_KEY`" in RUNBOOK.read_text()
            monkeypatch.setenv("API_PRICECHARTING_API_KEY", "")
        old.close()
        capsys.readouterr()
        first = position == 0  # it says that the schema is an old one
        code = run(app, words.replace("CARD", card).split())
        said = capsys.readouterr()
        assert code == (1 if first else 0), (line, said)
        if first:
            assert "run 'tcgtracker db upgrade'" in said.out
        if words.startswith("db upgrade"):
            twice = commands[position - 1] == line
            assert ("already at" if twice else "upgraded to") in said.out
        if words in checks:
            assert checks[words](said.out), (line, said.out)
        if words == "update CARD":
            fields = dict(zip(*(row.split("\t") for row in said.out.splitlines()), strict=True))
            shown.append(fields["source"])
    assert shown == [
        "pricecharting",  # the other one was only asked once, by name
        "justtcg",  # it is the primary one
        "pricecharting",  # it is a shadow
        "justtcg",  # all cards are moved to it
        "pricecharting",  # back with one flag
        "justtcg",  # the key of the other one is empty
    ]
    after = table_sums(old)
    assert after["audit_log"].rows >= 10
    with pytest.raises(Exception, match="no longer admitted"):
        migrate.downgrade(old, "9001")
    assert table_sums(old) == after, "what would be lost is not lost"


def test_down_to_nothing_and_up_again_with_prices(old: Database) -> None:
    assert migrate.upgrade(old)
    assert migrate.downgrade(old, "base")
    assert migrate.upgrade(old)
    assert migrate.drift(old) == []
    assert not refuses(old, Source.JUSTTCG)
