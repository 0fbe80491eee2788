"""Catalog files, told apart by what is in them: NDJSON, JSON answers and CSV, gzip or not.

Nothing is trusted: a page of HTML, a cut-off gzip or a file without its columns is refused by
name; a row that cannot be used is counted with its reason. Memory is bounded by the longest line,
for a whole-file JSON document by `MAX_DOCUMENT`; of a ProductsAndPrices.csv the products are held.
"""

import codecs
import csv
import gzip
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

import msgspec

from tcgtracker.domain.errors import InvalidInput
from tcgtracker.integrations.catalog_records import (
    BadRow,
    CardRecord,
    RowCounts,
    SetRecord,
    clean_text,
)
from tcgtracker.integrations.onepiece import catalog as onepiece
from tcgtracker.integrations.tcgcsv import catalog as tcgcsv
from tcgtracker.integrations.tcgdex import catalog as tcgdex

MAX_LINE = 16 << 20
MAX_DOCUMENT = 256 << 20
_R = TypeVar("_R")
_GZIP = b"\x1f\x8b"
_KNOWN = (
    "known are TCGCSV groups, products, Groups.csv and ProductsAndPrices.csv, tcgdex cards and"
    " sets, One Piece cards and packs"
)


class FileKind(StrEnum):
    """What a catalog file holds."""

    TCGDEX_SETS = "tcgdex sets"
    TCGDEX_CARDS = "tcgdex cards"
    ONEPIECE_PACKS = "One Piece packs"
    ONEPIECE_CARDS = "One Piece cards"
    GROUPS = "TCGCSV groups"
    PRODUCTS = "TCGCSV products"
    EMPTY = "empty answer"


class _Form(StrEnum):
    LINES = "lines"
    DOCUMENT = "document"
    CSV = "csv"


SET_KINDS = frozenset({FileKind.TCGDEX_SETS, FileKind.ONEPIECE_PACKS, FileKind.GROUPS})


@dataclass(slots=True)
class CatalogFile:
    """One file and what it holds; `sets` and `cards` read it anew each time."""

    path: Path
    kind: FileKind
    form: _Form
    counts: RowCounts = field(default_factory=RowCounts)

    def sets(self) -> Iterator[SetRecord]:
        """Yield the sets; counts start anew.

        Raises:
            InvalidInput: the file is cut off or not what it seemed.
        """
        read = {
            FileKind.TCGDEX_SETS: tcgdex.set_record,
            FileKind.ONEPIECE_PACKS: onepiece.pack_record,
            FileKind.GROUPS: tcgcsv.group_record,
        }.get(self.kind)
        if read:
            yield from self._records(read)

    def cards(self) -> Iterator[CardRecord]:
        """Yield the cards; counts start anew.

        Raises:
            InvalidInput: the file is cut off or not what it seemed.
        """
        if self.kind is FileKind.TCGDEX_CARDS:
            yield from self._records(lambda row: tcgdex.card_record(row, self.counts.skipped))
        elif self.kind is FileKind.ONEPIECE_CARDS:
            yield from self._records(onepiece.card_record)
        elif self.kind is FileKind.PRODUCTS and self.form is _Form.CSV:
            yield from self._product_rows()
        elif self.kind is FileKind.PRODUCTS:
            yield from self._records(tcgcsv.product_record)

    def _records(self, read: Callable[[Mapping[str, Any]], _R]) -> Iterator[_R]:
        self.counts = RowCounts()
        for line, row in self._rows():
            self.counts.read += 1
            try:
                record = read(_object(row))
            except BadRow as exc:
                self.counts.reject(line, str(exc), _shown(row))
                continue
            yield record

    def _rows(self) -> Iterator[tuple[int, object]]:
        """Yield (line, decoded row); a line that is no JSON comes as its bytes."""
        with _opened(self.path) as stream:
            if self.form is _Form.CSV:
                yield from _csv_rows(self.path, stream)
            elif self.form is _Form.DOCUMENT:
                yield from enumerate(_members(self.path, _document(self.path, stream)), start=1)
            else:
                for number, line in enumerate(_lines(self.path, stream), start=1):
                    if line.strip():
                        yield number, _decoded(line)

    def _product_rows(self) -> Iterator[CardRecord]:
        """Join the rows of a product: one a printing, all of them in one group's file."""
        self.counts = RowCounts()
        products: dict[str, tuple[int, Mapping[str, str], list[str]]] = {}
        with _opened(self.path) as stream:
            for line, row in _csv_rows(self.path, stream):
                self.counts.read += 1
                # The texts of abilities and attacks make up most of a row and are not wanted.
                kept = {name: row[name] for name in tcgcsv.USED_COLUMNS if name in row}
                known = products.setdefault(row.get("productId", ""), (line, kept, []))
                if row.get("subTypeName"):
                    known[2].append(row["subTypeName"])
        for line, row, printings in products.values():
            try:
                names = tuple(dict.fromkeys(clean_text(p, "subTypeName") for p in printings))
                record = tcgcsv.product_row_record(row, names)
            except BadRow as exc:
                self.counts.reject(line, str(exc), _shown(row))
                continue
            yield record


def open_catalog_file(path: Path) -> CatalogFile:
    """Find out what a file holds from its first line.

    Raises:
        InvalidInput: it cannot be read, or is no catalog file that we know.
    """
    with _opened(path) as stream:
        first = next((line for line in _lines(path, stream) if line.strip()), b"")
    first = first.removeprefix(codecs.BOM_UTF8).strip()
    if not first:
        raise InvalidInput(f"{path.name} is empty")
    if first.startswith(b"<"):
        raise InvalidInput(f"{path.name} is a web page or XML, not a catalog: download it again")
    if not first.startswith((b"{", b"[")):
        return CatalogFile(path, _csv_kind(path, first), _Form.CSV)
    row = _decoded(first)
    if isinstance(row, dict) and (kind := _row_kind(row)):
        return CatalogFile(path, kind, _Form.LINES)
    if isinstance(row, dict) and not _may_hold_rows(row):
        raise InvalidInput(f"{path.name} is no catalog file: {_KNOWN}")
    with _opened(path) as stream:
        document = _document(path, stream)
    return CatalogFile(path, _document_kind(path, document), _Form.DOCUMENT)


def _may_hold_rows(document: Mapping[str, Any]) -> bool:
    return "results" in document or all(isinstance(row, dict) for row in document.values())


def _row_kind(row: Mapping[str, Any]) -> FileKind | None:
    keys = row.keys()
    if "subTypeName" in keys:
        return None
    for needed, kind in (
        ({"productId", "groupId", "name"}, FileKind.PRODUCTS),
        ({"groupId", "categoryId", "name"}, FileKind.GROUPS),
        ({"localId", "setId", "region"}, FileKind.TCGDEX_CARDS),
        ({"id", "pack_id", "name"}, FileKind.ONEPIECE_CARDS),
        ({"id", "serie", "region"}, FileKind.TCGDEX_SETS),
        ({"id", "raw_title"}, FileKind.ONEPIECE_PACKS),
    ):
        if keys >= needed:
            return kind
    return None


def _document_kind(path: Path, document: object) -> FileKind:
    rows = _members(path, document)
    if not rows and isinstance(document, dict) and "results" in document:
        return FileKind.EMPTY
    first = next((row for row in rows if isinstance(row, dict)), {})
    if "subTypeName" in first:
        raise InvalidInput(f"{path.name} holds prices, not a catalog: use 'import prices'")
    kind = _row_kind(first)
    if kind is None:
        raise InvalidInput(f"{path.name} is no catalog file: {_KNOWN}")
    return kind


def _members(path: Path, document: object) -> list[Any]:
    """Return the rows of a document: a vendor's envelope, a list, or an object of objects."""
    if isinstance(document, list):
        return document
    if not isinstance(document, dict):
        raise InvalidInput(f"{path.name} is no catalog file: {_KNOWN}")
    if "results" not in document:
        return list(document.values())
    if document.get("success") is not True or not isinstance(document["results"], list):
        raise InvalidInput(f"{path.name} is an answer without success: {document.get('errors')}")
    return document["results"]


def _csv_kind(path: Path, header: bytes) -> FileKind:
    try:
        columns = set(next(csv.reader([header.decode()])))
    except (UnicodeDecodeError, csv.Error) as exc:
        raise InvalidInput(f"{path.name} is no text: {_KNOWN}") from exc
    wanted = tcgcsv.PRODUCT_COLUMNS if "productId" in columns else tcgcsv.GROUP_COLUMNS
    if columns >= wanted:
        return FileKind.PRODUCTS if "productId" in columns else FileKind.GROUPS
    if not columns & wanted:
        raise InvalidInput(f"{path.name} is no catalog file: {_KNOWN}")
    missing = ", ".join(sorted(wanted - columns))
    raise InvalidInput(f"{path.name} lacks the column(s) {missing}: download it again")


def _csv_rows(path: Path, stream: BinaryIO) -> Iterator[tuple[int, Mapping[str, str]]]:
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    try:
        reader = csv.DictReader(
            (decoder.decode(line) for line in _lines(path, stream)), strict=True
        )
        for row in reader:
            # A row of another length than the header has lost its columns.
            row.pop(cast("str", None), None)
            yield reader.line_num, {name: value or "" for name, value in row.items()}
    except UnicodeDecodeError as exc:
        raise InvalidInput(f"{path.name} is not UTF-8: {exc.reason}") from exc
    except csv.Error as exc:
        raise InvalidInput(f"{path.name}: {exc}: the file is cut off or damaged") from exc


def _document(path: Path, stream: BinaryIO) -> object:
    content = stream.read(MAX_DOCUMENT + 1)
    if len(content) > MAX_DOCUMENT:
        raise InvalidInput(f"{path.name} is one JSON document of more than {MAX_DOCUMENT} bytes")
    document = _decoded(content.removeprefix(codecs.BOM_UTF8))
    if isinstance(document, bytes):
        raise InvalidInput(f"{path.name} is not valid JSON: it is cut off or damaged")
    return document


def _lines(path: Path, stream: BinaryIO) -> Iterator[bytes]:
    while line := stream.readline(MAX_LINE + 1):
        if len(line) > MAX_LINE:
            raise InvalidInput(f"{path.name} has a line of more than {MAX_LINE} bytes")
        yield line


def _decoded(line: bytes) -> object:
    """Return the decoded JSON, or the bytes themselves when they are none."""
    try:
        return msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return line


def _object(row: object) -> Mapping[str, Any]:
    if not isinstance(row, Mapping):
        raise BadRow("no JSON object")
    return row


def _shown(row: object) -> object:
    return row if isinstance(row, bytes) else msgspec.json.encode(row)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file, gzip or not, and name it in every error.

    Raises:
        InvalidInput: it cannot be opened, or its gzip is cut off or damaged.
    """
    try:
        with path.open("rb") as raw:
            zipped = raw.read(len(_GZIP)) == _GZIP
            raw.seek(0)
            if not zipped:
                yield raw
                return
            with gzip.GzipFile(fileobj=raw) as unzipped:
                yield cast("BinaryIO", unzipped)
    except (EOFError, gzip.BadGzipFile, zlib.error) as exc:
        raise InvalidInput(f"{path.name}: the gzip is cut off or damaged: {exc}") from exc
    except OSError as exc:
        raise InvalidInput(f"{path.name} cannot be read: {exc.strerror or exc}") from exc
