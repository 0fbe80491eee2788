"""What a copy says of itself, and sums of rows that do not depend on their order."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

SEEDED = frozenset({"alembic_version", "catalog_version"})
"""Tables that have a row from the first migration on."""

_BITS = 128
_LEVEL = 3


@dataclass(frozen=True, slots=True)
class TableSum:
    """How many rows a table has, and the sum of the digests of all of them, as hex."""

    rows: int
    digest: str


@dataclass(frozen=True, slots=True)
class Copied:
    """One database in an archive.

    months: those that have a table of their own. columns, sequences: of engines that copy rows.
    """

    tables: dict[str, TableSum]
    months: list[int] = field(default_factory=list)
    columns: dict[str, list[str]] = field(default_factory=dict)
    sequences: dict[str, int] = field(default_factory=dict)


class RowSum:
    """Adds rows up; the same rows in any order give the same sum."""

    def __init__(self) -> None:
        self._rows = 0
        self._sum = 0

    def add(self, row: bytes) -> None:
        digest = blake2b(row, digest_size=_BITS // 8).digest()
        self._sum = (self._sum + int.from_bytes(digest, "big")) % (1 << _BITS)
        self._rows += 1

    def add_all(self, rows: Iterable[tuple[Any, ...]]) -> "RowSum":
        for row in rows:
            self.add(repr(row).encode("utf-8", "backslashreplace"))
        return self

    def result(self) -> TableSum:
        return TableSum(self._rows, f"{self._sum:0{_BITS // 4}x}")


class Lines:
    """Cuts chunks of bytes into lines; a row of PostgreSQL's text COPY is one line."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the lines that are whole now, without their ends."""
        *whole, self._rest = (self._rest + chunk).split(b"\n")
        return whole


def write_stream(archive: ZipFile, name: str) -> IO[bytes]:
    """Open an entry of an archive for writing, compressed quickly, of any size."""
    entry = ZipInfo(name)
    entry.compress_type = ZIP_DEFLATED
    entry._compresslevel = _LEVEL  # type: ignore[attr-defined]
    return archive.open(entry, "w", force_zip64=True)
