"""Backup and restore: one file that says what it holds, and is believed only when it holds it."""

import json
import os
import struct
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import structlog

from tcgtracker import __version__
from tcgtracker.database import migrate
from tcgtracker.database.copies import Copied, TableSum, copy_in, copy_out, is_empty
from tcgtracker.database.engine import Database
from tcgtracker.domain.clock import Clock, iso
from tcgtracker.domain.errors import Conflict, InvalidInput, StorageError

log = structlog.get_logger(__name__)

FORMAT = 1
_BROKEN = (
    BadZipFile,
    zlib.error,
    struct.error,
    KeyError,
    ValueError,
    EOFError,
    NotImplementedError,  # a method of compression that a flipped bit names
    RuntimeError,  # as above: encryption
)
"""What reading an archive raises when it is damaged."""
_MANIFEST = "manifest.json"
_LARGEST_MANIFEST = 1 << 20
_PREFIX, _SUFFIX = "tcgtracker-", ".backup"
Databases = Mapping[str, Database]
"""By the name in the archive: `main`, and `history` where that is another one."""


@dataclass(frozen=True, slots=True)
class Part:
    """One database of a backup."""

    engine: str
    revision: str
    copied: Copied


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds."""

    version: str
    made_at: str
    parts: Mapping[str, Part]

    @property
    def rows(self) -> int:
        return sum(one.rows for part in self.parts.values() for one in part.copied.tables.values())


def make_backup(databases: Databases, file: Path, clock: Clock) -> Manifest:
    """Write a backup; readers and writers go on meanwhile.

    The main database first: what it derives from the history it follows by cursor, and catches up.

    Raises:
        InvalidInput: the file is there already, or its folder is not.
        StorageError: a database cannot be read, or the file not be written.
    """
    if file.exists():
        raise InvalidInput(f"{file} is there already: name another file")
    if not file.parent.is_dir():
        raise InvalidInput(f"there is no folder {file.parent}")
    part = file.with_name(f".{file.name}.part")
    try:
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w+b") as sink:
            with ZipFile(sink, "w", allowZip64=True) as archive:
                parts = {name: _out(one, archive, name) for name, one in databases.items()}
                made = Manifest(__version__, iso(clock.now()), parts)
                archive.writestr(_MANIFEST, json.dumps(_as_dict(made)))
            sink.flush()
            os.fsync(sink.fileno())
        part.replace(file)
    except OSError as exc:
        raise StorageError(f"{file}: {exc.strerror or exc}") from exc
    finally:
        with suppress(FileNotFoundError):
            part.unlink()
    log.info("backup.made", file=str(file), rows=made.rows, bytes=file.stat().st_size)
    return made


def read_manifest(file: Path) -> Manifest:
    """Return what a backup says that it holds.

    Raises:
        InvalidInput: the file is none of ours, or cut off.
    """
    try:
        with ZipFile(file) as archive:
            if archive.getinfo(_MANIFEST).file_size > _LARGEST_MANIFEST:
                raise InvalidInput(f"{file} is no backup: its manifest is too large")
            return _manifest(json.loads(archive.read(_MANIFEST)), file)
    except OSError as exc:
        raise InvalidInput(f"{file}: {exc.strerror or exc}") from exc
    except _BROKEN as exc:
        raise InvalidInput(f"{file} is no backup, or is cut off: {exc}") from exc


def restore(databases: Databases, file: Path, *, replace: bool = False) -> Manifest:
    """Put a backup where the databases are; each is checked before it takes its place.

    replace: what is there is lost.

    Raises:
        InvalidInput: the file is no whole backup, or of other databases than these.
        Conflict: a database is not empty.
        StorageError: the backup is damaged, or a database cannot be written.
    """
    manifest = read_manifest(file)
    _require_fitting(manifest, databases)
    for name, database in databases.items():
        if not is_empty(database) and not replace:
            where = database.url.render_as_string(hide_password=True)
            raise Conflict(f"{where} is not empty ({name}): --replace loses what is there")
    try:
        with ZipFile(file) as archive:
            broken = archive.testzip()  # reads everything, before anything is written
            if broken is not None:
                raise InvalidInput(f"{file} is damaged at {broken}")
            for name, database in databases.items():
                _in(database, archive, name, manifest.parts[name])
    except _BROKEN as exc:
        raise InvalidInput(f"{file} is damaged: {exc}") from exc
    log.info("backup.restored", file=str(file), rows=manifest.rows)
    return manifest


def backup_into(databases: Databases, folder: Path, clock: Clock, *, keep: int) -> Path:
    """Write a backup named by its moment into a folder, and drop all but the newest.

    Raises:
        InvalidInput, StorageError: as `make_backup`.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = folder / f"{_PREFIX}{_stamp(clock.now())}{_SUFFIX}"
    make_backup(databases, file, clock)
    for old in list_backups(folder)[keep:]:
        old.unlink()
        log.info("backup.dropped", file=str(old))
    return file


def list_backups(folder: Path) -> Sequence[Path]:
    """Return the backups in a folder, the newest first."""
    return sorted(folder.glob(f"{_PREFIX}*{_SUFFIX}"), reverse=True)


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y%m%dT%H%M%SZ")


def _out(database: Database, archive: ZipFile, name: str) -> Part:
    revision = migrate.current_revision(database)
    engine = database.dialect.name
    return Part(engine, revision, copy_out[engine](database, archive, name))


def _in(database: Database, archive: ZipFile, name: str, part: Part) -> None:
    found = migrate.current_revision(database) if not _is_file(database) else part.revision
    if not found:
        migrate.upgrade(database, part.revision)
    elif found != part.revision:
        raise Conflict(
            f"the backup is of revision {part.revision}, the database is at {found}: restore into"
            f" an empty database, or 'tcgtracker db downgrade {part.revision}' first"
        )
    copy_in[part.engine](database, archive, name, part.copied)


def _is_file(database: Database) -> bool:
    return database.path is not None


def _require_fitting(manifest: Manifest, databases: Databases) -> None:
    if set(manifest.parts) != set(databases):
        raise InvalidInput(
            f"the backup holds {' and '.join(manifest.parts)}, the settings name"
            f" {' and '.join(databases)}: set or empty HISTORY_URL as it was"
        )
    known = migrate.known_revisions()
    for name, part in manifest.parts.items():
        engine = databases[name].dialect.name
        if part.engine != engine:
            raise InvalidInput(f"the backup is of {part.engine}, the database is {engine}")
        if part.revision not in known:
            raise InvalidInput(
                f"the backup is of revision {part.revision}, made by version {manifest.version}:"
                " install that version to restore it"
            )


def _as_dict(manifest: Manifest) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": manifest.version,
        "made_at": manifest.made_at,
        "parts": {name: asdict(part) for name, part in manifest.parts.items()},
    }


def _manifest(said: object, file: Path) -> Manifest:
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise InvalidInput(f"{file} is no backup of this format")
    try:
        parts = {
            str(name): Part(
                str(part["engine"]),
                str(part["revision"]),
                Copied(
                    {
                        str(table): TableSum(int(one["rows"]), str(one["digest"]))
                        for table, one in part["copied"]["tables"].items()
                    },
                    [int(month) for month in part["copied"]["months"]],
                    {str(k): [str(c) for c in v] for k, v in part["copied"]["columns"].items()},
                    {str(k): int(v) for k, v in part["copied"]["sequences"].items()},
                ),
            )
            for name, part in said["parts"].items()
        }
    except (KeyError, TypeError, AttributeError, ValueError) as exc:
        raise InvalidInput(f"{file} is no backup: its manifest lacks {exc}") from exc
    return Manifest(str(said.get("version", "")), str(said.get("made_at", "")), parts)
