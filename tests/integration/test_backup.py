"""Backups of both databases: the same rows come back, or nothing changes."""

import json
import random
import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zipfile import ZipFile

import pytest
from sqlalchemy import select

from tcgtracker.database.copies import is_empty, table_sums
from tcgtracker.database.engine import Database
from tcgtracker.database.migrate import drift, upgrade
from tcgtracker.database.tables.prices import change_cursors
from tcgtracker.domain.clock import FixedClock
from tcgtracker.domain.errors import Conflict, InvalidInput, StorageError, TrackerError
from tcgtracker.operations.backup import (
    backup_into,
    list_backups,
    make_backup,
    read_manifest,
    restore,
)
from tcgtracker.prices.months import load_months
from tcgtracker.prices.seal import seal_months
from tests.conftest import new_postgres_database
from tests.integration.made_days import make_day
from tests.integration.real_days import contents, import_files
from tests.support import import_products

NOW = datetime(2026, 6, 1, 4, 10, tzinfo=UTC)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def fresh(engine_name: str, tmp_path: Path) -> Iterator[Database]:
    """Another database of the same engine, with nothing in it."""
    if engine_name == "sqlite":
        database = Database(f"sqlite:///{tmp_path / 'fresh' / 'fresh.db'}")
        yield database
        database.close()
        return
    with new_postgres_database() as url:
        database = Database(url)
        yield database
        database.close()


@pytest.fixture
def filled(database: Database, tmp_path: Path) -> Database:
    """Prices in a sealed month and in open ones, beside a catalog."""
    import_products(database, tmp_path / "catalog", {1: "Alakazam \n\t\\N é", 2: "Other"})
    import_files(database, [make_day(tmp_path, day) for day in range(6)])
    with database.read() as connection:
        months = sorted(month.month for month in load_months(connection))
    seal_months(database, months[:1])
    return database


def test_what_comes_back_is_what_was_there(
    filled: Database, fresh: Database, tmp_path: Path, clock: FixedClock
) -> None:
    file = tmp_path / "all.backup"
    made = make_backup({"main": filled}, file, clock)
    assert file.stat().st_mode & 0o077 == 0, "for nobody else"
    wanted = table_sums(filled)
    assert made.parts["main"].copied.tables == wanted
    assert made.rows > 100
    assert read_manifest(file) == made

    assert is_empty(fresh)
    restore({"main": fresh}, file)
    assert table_sums(fresh) == wanted
    assert contents(fresh) == contents(filled)
    assert drift(fresh) == []
    # It is a working database: the next import gives ids after those that are taken.
    import_files(fresh, [make_day(tmp_path, 7)])
    import_products(fresh, tmp_path / "more", {3: "New"})


def test_a_writer_goes_on_and_the_backup_is_of_one_moment(
    filled: Database, fresh: Database, tmp_path: Path, clock: FixedClock
) -> None:
    """Each transaction writes two rows that belong together; no backup has one alone."""
    stop = threading.Event()
    written: list[int] = []

    def write() -> None:
        while not stop.is_set():
            with filled.write() as connection:
                for side in ("left", "right"):
                    name = f"{side}{len(written)}"
                    connection.execute(
                        change_cursors.insert().values(consumer=name, change_set_id=1)
                    )
            written.append(1)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while len(written) < 20:
            writer.join(0.01)
        file = tmp_path / "busy.backup"
        began = len(written)
        make_backup({"main": filled}, file, clock)
        ended = len(written)
    finally:
        stop.set()
        writer.join()
    assert ended > began, "it wrote meanwhile"
    restore({"main": fresh}, file)
    with fresh.read() as connection:
        names = list(connection.execute(select(change_cursors.c.consumer)).scalars())
    left = {name.removeprefix("left") for name in names if name.startswith("left")}
    right = {name.removeprefix("right") for name in names if name.startswith("right")}
    assert left == right == {str(number) for number in range(len(left))}
    assert began <= len(left) <= ended + 1


def test_a_full_database_is_replaced_only_when_asked(
    filled: Database, tmp_path: Path, clock: FixedClock
) -> None:
    file = tmp_path / "all.backup"
    make_backup({"main": filled}, file, clock)
    wanted = table_sums(filled)
    import_files(filled, [make_day(tmp_path, 9)])
    later = table_sums(filled)
    with pytest.raises(Conflict, match="is not empty"):
        restore({"main": filled}, file)
    assert table_sums(filled) == later != wanted
    restore({"main": filled}, file, replace=True)
    assert table_sums(filled) == wanted
    with pytest.raises(InvalidInput, match="is there already"):
        make_backup({"main": filled}, file, clock)


def damaged(file: Path, how: str) -> None:
    body = bytearray(file.read_bytes())
    if how == "empty":
        body = bytearray()
    elif how == "cut":
        body = body[: len(body) // 2]
    elif how == "flipped":
        body[len(body) // 3] ^= 0xFF
    elif how == "no-backup":
        body = bytearray(b"select 1;" * 100)
    file.write_bytes(body)


def rewritten(file: Path, how: str) -> None:
    """Write the archive anew with one thing wrong; its own check sums are right."""
    with ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(parts["manifest.json"])
    if how == "other-format":
        manifest["format"] = 99
    elif how == "newer":
        manifest["parts"]["main"]["revision"] = "9999"
    elif how == "lies":
        tables = manifest["parts"]["main"]["copied"]["tables"]
        tables["cards"]["digest"] = "0" * 32
    elif how == "hollow":
        del manifest["parts"]["main"]["copied"]
    elif how == "missing":
        parts = {name: body for name, body in parts.items() if name == "manifest.json"}
    parts["manifest.json"] = json.dumps(manifest).encode()
    with ZipFile(file, "w") as archive:
        for name, body in parts.items():
            archive.writestr(name, body)


def test_a_damaged_file_changes_nothing(
    filled: Database, tmp_path: Path, clock: FixedClock
) -> None:
    whole = tmp_path / "whole.backup"
    make_backup({"main": filled}, whole, clock)
    import_files(filled, [make_day(tmp_path, 9)])
    before = table_sums(filled)
    for how in ("empty", "cut", "flipped", "no-backup"):
        file = tmp_path / f"{how}.backup"
        shutil.copy(whole, file)
        damaged(file, how)
        with pytest.raises(TrackerError, match=r"no backup|damaged|cut off"):
            restore({"main": filled}, file, replace=True)
        assert table_sums(filled) == before, how
    for how, said in {
        "other-format": "no backup of this format",
        "newer": "revision 9999",
        "lies": "damaged",
        "hollow": "its manifest lacks",
        "missing": "damaged",
    }.items():
        file = tmp_path / f"{how}.backup"
        shutil.copy(whole, file)
        rewritten(file, how)
        with pytest.raises((InvalidInput, StorageError), match=said):
            restore({"main": filled}, file, replace=True)
        assert table_sums(filled) == before, how
    with pytest.raises(InvalidInput, match="No such file"):
        restore({"main": filled}, tmp_path / "nothing.backup", replace=True)


@pytest.mark.long
def test_no_flipped_bit_restores_something_else(
    filled: Database, tmp_path: Path, clock: FixedClock
) -> None:
    whole = tmp_path / "whole.backup"
    make_backup({"main": filled}, whole, clock)
    before = table_sums(filled)
    chance, refused = random.Random(6), 0
    for number in range(12):
        body = bytearray(whole.read_bytes())
        body[chance.randrange(len(body))] ^= 1 << chance.randrange(8)
        file = tmp_path / f"{number}.backup"
        file.write_bytes(body)
        try:
            restore({"main": filled}, file, replace=True)
        except TrackerError:
            refused += 1
        assert table_sums(filled) == before
    assert refused >= 6


def test_a_folder_keeps_the_newest(filled: Database, tmp_path: Path, clock: FixedClock) -> None:
    folder = tmp_path / "backups"
    for _ in range(4):
        clock.advance(timedelta(days=1))
        newest = backup_into({"main": filled}, folder, clock, keep=2)
    kept = list_backups(folder)
    assert (len(kept), kept[0]) == (2, newest)
    assert newest.name == "tcgtracker-20260605T041000Z.backup"
    assert {path.name for path in folder.iterdir()} == {path.name for path in kept}


def test_two_databases_go_together(tmp_path: Path, clock: FixedClock) -> None:
    main = Database(f"sqlite:///{tmp_path / 'main.db'}")
    history = Database(f"sqlite:///{tmp_path / 'history.db'}")
    for database in (main, history):
        upgrade(database)
    file = tmp_path / "both.backup"
    assert set(make_backup({"main": main, "history": history}, file, clock).parts) == {
        "main",
        "history",
    }
    with pytest.raises(InvalidInput, match="HISTORY_URL"):
        restore({"main": main}, file)
    restore({"main": main, "history": history}, file)
    for database in (main, history):
        database.close()
