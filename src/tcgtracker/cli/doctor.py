"""`tcgtracker doctor`: what is well, what is not, and how to mend it."""

import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from tcgtracker.cli.doctor_operation import examine_operation, examine_reach
from tcgtracker.cli.finding import Finding, Level
from tcgtracker.cli.opening import databases, open_tracker, require_existing
from tcgtracker.cli.output import write_json, write_table
from tcgtracker.domain.errors import InvalidInput, StorageError, TrackerError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from tcgtracker.database.engine import Database
    from tcgtracker.tracker import Tracker

_OLDEST, _NEWEST = (3, 11), (3, 14)
_MIB = 1 << 20
_LITTLE_DISK = 2048 * _MIB
_NO_DISK = 200 * _MIB


def doctor(
    *, as_json: Annotated[bool, typer.Option("--json", help="Write JSON instead of text.")] = False
) -> None:
    """Look for faults and say how to mend them.

    Exit code 1 when something fails; a warning alone is no failure.
    """
    findings = list(examine())
    if as_json:
        write_json([asdict(finding) for finding in findings])
    else:
        rows = [(item.level, item.check, item.detail, item.mend) for item in findings]
        write_table(("state", "check", "found", "mend"), rows)
    if any(finding.level is Level.FAIL for finding in findings):
        raise typer.Exit(1)


def examine() -> Iterator[Finding]:
    """Yield the findings in the order in which they build on one another. Changes nothing."""
    yield check_python(sys.version_info[:3])
    try:
        with open_tracker(require_current=False) as tracker:
            yield Finding("configuration", Level.OK, "read from the environment and .env")
            yield from examine_reach(tracker)
            for database in databases(tracker):
                prefix = "" if database is tracker.database else "history "
                for finding in _examine_database(tracker, database):
                    yield Finding(
                        prefix + finding.check, finding.level, finding.detail, finding.mend
                    )
    except InvalidInput as exc:
        yield Finding("configuration", Level.FAIL, str(exc), "correct the setting it names")


def check_python(version: tuple[int, ...]) -> Finding:
    """Say whether the program is tested with this Python."""
    text = ".".join(str(part) for part in version)
    if version[:2] < _OLDEST:
        return Finding("python", Level.FAIL, text, "use Python 3.11 or newer")
    if version[:2] > _NEWEST:
        return Finding("python", Level.WARN, text, "tested with 3.11 to 3.14 only")
    return Finding("python", Level.OK, text)


def _examine_database(tracker: "Tracker", database: "Database") -> Iterator[Finding]:
    from tcgtracker.database import migrate

    where = database.url.render_as_string(hide_password=True)
    try:
        require_existing(database)
        found = migrate.current_revision(database)
    except StorageError as exc:
        yield Finding("database", Level.FAIL, str(exc), "check DB_URL and that the server runs")
        return
    yield Finding("database", Level.OK, where)
    if database.path is not None:
        yield _check_disk(database)
        yield _quick_check(database)
    try:
        migrate.require_current(database)
    except TrackerError as exc:
        yield Finding("revision", Level.FAIL, str(exc), "run 'tcgtracker db upgrade'")
        return
    yield Finding("revision", Level.OK, found)
    differences = migrate.drift(database)
    if differences:
        mend = "run 'tcgtracker db check' and undo what was changed by hand"
        yield Finding("schema", Level.FAIL, f"{len(differences)} differences", mend)
    else:
        yield Finding("schema", Level.OK, "as the program defines it")
    with database.read() as connection:
        yield _check_durability(database, connection)
        if database is tracker.database:
            yield from examine_operation(tracker, connection)
        if database is tracker.history:
            yield _check_months(tracker, connection)


def _check_disk(database: "Database") -> Finding:
    import shutil

    path = database.path
    folder = path.parent if path is not None else "."
    free = shutil.disk_usage(folder).free
    return judge_disk(free)


def judge_disk(free: int) -> Finding:
    """Say whether `free` bytes are enough beside a SQLite file."""
    detail = f"{free // _MIB} MiB free"
    if free < _NO_DISK:
        return Finding("disk", Level.FAIL, detail, "free some space: writes will soon be refused")
    if free < _LITTLE_DISK:
        return Finding("disk", Level.WARN, detail, "free some space")
    return Finding("disk", Level.OK, detail)


def _quick_check(database: "Database") -> Finding:
    from sqlalchemy.exc import DatabaseError

    mend = "stop all that writes, keep a copy of the file, restore a backup"
    try:
        with database.read() as connection:
            lines = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA quick_check(5)")]
    except (StorageError, DatabaseError) as exc:
        return Finding("file", Level.FAIL, str(exc).splitlines()[0], mend)
    if lines != ["ok"]:
        return Finding("file", Level.FAIL, "; ".join(lines), mend)
    return Finding("file", Level.OK, "quick_check finds no damage")


def _check_durability(database: "Database", connection: "Connection") -> Finding:
    problems = database.dialect.durability_problems(connection)
    if problems:
        mend = "set them back: a power cut would lose prices that were acknowledged"
        return Finding("durability", Level.FAIL, "; ".join(problems), mend)
    return Finding("durability", Level.OK, "acknowledged writes survive a power cut")


def _check_months(tracker: "Tracker", connection: "Connection") -> Finding:
    """Count the months that are free to be compressed but lie in rows still, or lie half done."""
    from datetime import timedelta

    from tcgtracker.database.tables.prices import MonthState
    from tcgtracker.prices.months import load_months

    last = tracker.clock.now() - timedelta(days=tracker.settings.history.seal_after_days)
    months = load_months(connection)
    sealing = sum(1 for one in months if one.state is MonthState.SEALING)
    free = sum(
        1
        for one in months
        if one.state is MonthState.OPEN and one.month < last.year * 100 + last.month
    )
    if sealing or free:
        detail = f"{free} months of prices wait to be compressed, {sealing} are being compressed"
        return Finding("months", Level.WARN, detail, "run 'tcgtracker seal'")
    return Finding("months", Level.OK, "none waits to be compressed")
