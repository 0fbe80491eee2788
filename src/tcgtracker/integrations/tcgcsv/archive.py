"""The daily archive `prices-YYYY-MM-DD.ppmd.7z`: the folder layout, compressed as one."""

import lzma
import re
import struct
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any

import py7zr
from py7zr.exceptions import ArchiveError, PasswordRequired
from py7zr.io import Py7zIO, WriterFactory

from tcgtracker.domain.errors import InvalidInput
from tcgtracker.integrations.files import MAX_LINE, OnRead, ignore_progress
from tcgtracker.integrations.tcgcsv.days import Contents
from tcgtracker.integrations.tcgcsv.folders import Location, locate
from tcgtracker.integrations.tcgcsv.prices import GroupAnswer, Scope

MAX_UNPACKED = 512 * 2**20
"""Bytes that an archive may unpack to; a whole day unpacks to 70 MB."""

MAX_MEMBERS = 100_000
"""Files and folders an archive may have; a whole day has about 9,000."""

_ABSOLUTE = re.compile(r"[/\\]|[A-Za-z]:")
# What py7zr and the decoders below it raise on damaged input, beside its own errors.
_DAMAGE = (
    ArchiveError, PasswordRequired, lzma.LZMAError, struct.error, EOFError, ValueError, TypeError,
    IndexError, KeyError, AttributeError, AssertionError, OverflowError, MemoryError,
    NotImplementedError, RuntimeError, OSError,
)  # fmt: skip


class AnswerArchive:
    """A 7z archive. It is unpacked into memory, never onto the disk, when its answers are asked.

    Raises:
        InvalidInput: it is damaged, holds links or paths that lead out of it, would unpack to more
            than `max_unpacked` bytes, or holds no answers.
    """

    def __init__(
        self,
        path: Path,
        on_read: OnRead = ignore_progress,
        *,
        max_unpacked: int = MAX_UNPACKED,
    ) -> None:
        self._path = path
        self._on_read = on_read
        self._max_unpacked = max_unpacked
        self._members = self._survey()
        self._contents = Contents()
        for location in self._members.values():
            self._contents.answers[location.scope] += 1

    @property
    def name(self) -> str:
        return str(self._path)

    @property
    def contents(self) -> Contents:
        return self._contents

    def answers(self) -> Iterator[tuple[Scope, GroupAnswer]]:
        with self._opened() as (archive, raw):
            bodies = _Bodies(raw, self._on_read)
            archive.extract(targets=list(self._members), factory=bodies)
        bodies.tell(self._path.stat().st_size)
        found = bodies.by_scope()
        if sum(map(len, found.values())) != len(self._members):
            raise InvalidInput(f"{self._path}: changed while it was read")
        for scope in list(found):
            for group, place, body in found.pop(scope):
                yield scope, GroupAnswer(group, f"{self._path.name} {place}", body)

    @contextmanager
    def _opened(self) -> Iterator[tuple[Any, IO[bytes]]]:
        try:
            # given an open file, py7zr unpacks in this thread and starts none; it never inflates
            # more of a member than the size declared for it, which the survey bounds
            with self._path.open("rb") as raw, py7zr.SevenZipFile(raw) as archive:
                yield archive, raw
        except _DAMAGE as exc:
            raise InvalidInput(
                f"{self._path}: the 7z archive is damaged or of an unknown kind"
                f" ({type(exc).__name__}: {str(exc)[:120]})"
            ) from exc

    def _survey(self) -> dict[str, Location]:
        members: dict[str, Location] = {}
        unpacked = 0
        with self._opened() as (archive, _):
            entries = archive.list()
        if len(entries) > MAX_MEMBERS:
            raise InvalidInput(f"{self._path}: has more than {MAX_MEMBERS:,} members")
        for entry in entries:
            name = str(entry.filename)
            self._check_name(name)
            if entry.is_directory:
                continue
            if not entry.is_file:
                raise InvalidInput(f"{self._path}: {name!r} is a link or special file; refused")
            unpacked += entry.uncompressed
            location = locate(name)
            if location is None:
                continue
            if name in members:
                raise InvalidInput(f"{self._path}: holds {name!r} twice")
            if entry.uncompressed > MAX_LINE:
                raise InvalidInput(f"{self._path}: {name!r} is larger than {MAX_LINE:,} bytes")
            members[name] = location
        if unpacked > self._max_unpacked:
            raise InvalidInput(
                f"{self._path}: would unpack to {unpacked:,} bytes, more than"
                f" {self._max_unpacked:,}; no archive of daily prices does"
            )
        if not members:
            raise InvalidInput(f"{self._path}: holds no <date>/<categoryId>/<groupId>/prices")
        return members

    def _check_name(self, name: str) -> None:
        parts = PurePosixPath(name.replace("\\", "/")).parts
        if _ABSOLUTE.match(name) or ".." in parts:
            raise InvalidInput(f"{self._path}: the path {name[:200]!r} leads out of it; refused")


class _Body(Py7zIO):
    """Takes one member. What it may hold was bounded by the survey."""

    def __init__(self) -> None:
        self.content = bytearray()

    def write(self, s: bytes | bytearray) -> int:
        self.content += s
        return len(s)

    def read(self, size: int | None = None) -> bytes:
        return bytes(self.content[:size])

    def seek(self, offset: int, _whence: int = 0) -> int:
        return offset

    def flush(self) -> None:
        """Hold nothing back."""

    def size(self) -> int:
        return len(self.content)


class _Bodies(WriterFactory):
    """Keeps the members, and tells how far the archive `raw` was read."""

    def __init__(self, raw: IO[bytes], on_read: OnRead) -> None:
        self._raw = raw
        self._on_read = on_read
        self._told = 0
        self._bodies: list[tuple[str, _Body]] = []

    def tell(self, position: int) -> None:
        self._on_read(position - self._told)
        self._told = position

    def create(self, filename: str) -> Py7zIO:
        self.tell(self._raw.tell())
        body = _Body()
        self._bodies.append((filename, body))
        return body

    def by_scope(self) -> defaultdict[Scope, list[tuple[int, str, bytes]]]:
        found: defaultdict[Scope, list[tuple[int, str, bytes]]] = defaultdict(list)
        for filename, body in self._bodies:
            location = locate(filename)
            if location is not None:
                place = "/".join(filename.split("/")[-4:])
                found[location.scope].append((location.group, place, bytes(body.content)))
                body.content = bytearray()
        return found
