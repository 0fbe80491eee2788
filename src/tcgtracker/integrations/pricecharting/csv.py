"""PriceCharting's price guide, CSV -> price pages, one a category.

Prices are dollar text (`$748.75`), empty where there is none. Columns are found by their name, so
that the 27- and the 37-column header, and any later one, are read alike.
"""

import csv
import re
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np

from tcgtracker.domain.errors import InvalidInput
from tcgtracker.domain.quote import VALUE_NAMES, Facet
from tcgtracker.domain.source import Source
from tcgtracker.integrations.catalog_records import BadRow
from tcgtracker.integrations.columns import Rows, settle_duplicates
from tcgtracker.integrations.contract import (
    MAX_EXTERNAL_ID,
    BulkPage,
    CatalogPage,
    PricePage,
    ProductText,
    RejectedRow,
)
from tcgtracker.integrations.files import (
    DamagedFile,
    OnRead,
    bounded_lines,
    ignore_progress,
    read_chunks,
)
from tcgtracker.integrations.pricecharting.columns import (
    CONSOLE,
    GENRE,
    ID,
    KNOWN_SCOPES,
    LOOSE,
    NAME,
    TCG_ID,
    classify,
    number_of,
    scope_of,
)
from tcgtracker.integrations.pricecharting.figures import cents_of_text, read_figures
from tcgtracker.integrations.pricecharting.products import stated_product
from tcgtracker.integrations.raw_text import RAW_LENGTH

MAX_GUIDE = 256 * 2**20
"""Bytes of text a guide may have; the whole guide of a game has about 10 MB."""

_MAX_RECORD = 2**20
_MAX_TEXT = 300
_FIRST_ROWS = 100
"""When none of these is of the category, the rest (a million rows) is not read."""
_DATE = re.compile(r"(?<!\d)(\d{4}-\d\d-\d\d)(?!\d)")
_ID_TEXT = re.compile(r"[0-9]{1,19}")
_NOT_UTF8 = "\N{REPLACEMENT CHARACTER}"


def is_price_guide(head: bytes) -> bool:
    """Tell by the first line whether the content is a price guide, whole or with columns lost."""
    header = head.split(b"\n", 1)[0]
    return b"product-name" in header or b"console-name" in header or b"loose-price" in header


def moment_of(path: Path, observed_at: datetime | None) -> datetime:
    """Return when a guide is true (aware UTC, whole seconds): as given, else by its file name.

    Raises:
        InvalidInput: neither says it.
    """
    if observed_at is not None:
        if observed_at.tzinfo is None:
            raise InvalidInput("the observation time needs a time zone, as 2026-04-18T00:00:00Z")
        return observed_at.astimezone(UTC).replace(microsecond=0)
    named = set(_DATE.findall(path.name))
    if len(named) == 1:
        try:
            day = date.fromisoformat(named.pop())
        except ValueError as exc:
            raise InvalidInput(f"{path}: the date in the file name is none ({exc})") from exc
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
    found = "several dates" if named else "no date"
    raise InvalidInput(
        f"{path}: the file name has {found}, so it is not known when its prices were true;"
        " give --observed-at"
    )


class OtherCategory(InvalidInput):
    """The guide is not that of the category that was asked for."""


def _int64() -> "array[int]":
    return array("q")  # a list of tuples would take ten times the memory


@dataclass(slots=True)
class _Scope:
    ids: "array[int]" = field(default_factory=_int64)
    facet_numbers: "array[int]" = field(default_factory=_int64)
    values: "array[int]" = field(default_factory=_int64)
    facets: dict[Facet, int] = field(default_factory=dict)
    parts: set[str] = field(default_factory=set)
    rejected: list[RejectedRow] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    texts: dict[int, ProductText] = field(default_factory=dict)
    catalog: CatalogPage = field(default_factory=CatalogPage)

    def add(self, product: int, facet: Facet, values: tuple[int, ...]) -> None:
        self.ids.append(product)
        self.facet_numbers.append(self.facets.setdefault(facet, len(self.facets)))
        self.values.extend(values)

    def page(self, scope: str, observed_at: datetime, missing: Sequence[str]) -> PricePage:
        rows = Rows(
            np.frombuffer(self.ids, np.int64),
            np.frombuffer(self.facet_numbers, np.int64),
            np.frombuffer(self.values, np.int64).reshape(-1, len(VALUE_NAMES)),
            tuple(self.facets),
        )
        settled = settle_duplicates(rows, self.rejected)
        if settled.duplicates:
            self.skipped["duplicate"] = settled.duplicates
        return PricePage(
            source=Source.PRICECHARTING,
            scope=scope,
            observed_at=observed_at,
            external_id=settled.rows.external_id,
            facet=settled.rows.facet,
            facets=settled.rows.facets,
            values=settled.rows.values,
            parts=frozenset(self.parts),
            missing=tuple(missing),
            rejected=self.rejected + settled.conflicting,
            skipped=self.skipped,
            texts=self.texts,
            flags=self.flags,
        )


class PriceGuide:
    """The guides of one moment: files are added, then the pages taken.

    category: the one scope of all rows; without it each row's console name tells. boxed: read
    cards too as loose, complete and new. stated: keep what each row says of its product.
    """

    def __init__(
        self,
        observed_at: datetime,
        category: str | None = None,
        *,
        boxed: bool = False,
        stated: bool = False,
    ) -> None:
        self._observed_at = observed_at
        self._category = category
        self._boxed = boxed
        self._stated = stated
        self._scopes: dict[str, _Scope] = {}
        self._missing: list[str] = []
        self._place = ""

    def add(self, path: Path, on_read: OnRead = ignore_progress) -> str:
        """Read a file; return why it broke off, empty when it was read to its end.

        Raises:
            InvalidInput: it is no price guide, or is larger or has longer lines than one has.
        """
        try:
            self._read(path, on_read)
        except DamagedFile as exc:
            self._missing.append(f"{path.name}: cut off or damaged")
            return str(exc)
        return ""

    def pages(self) -> Iterator[PricePage]:
        """Yield one page a category, in the order of the files."""
        for scope, content in self._scopes.items():
            yield content.page(scope, self._observed_at, self._missing)

    def bulk_pages(self) -> Iterator[BulkPage]:
        """Yield the same pages with what the rows say of their products (`stated`)."""
        for scope, content in self._scopes.items():
            prices = content.page(scope, self._observed_at, self._missing)
            content.catalog.incomplete = "; ".join(self._missing)[:RAW_LENGTH]
            yield BulkPage(prices, content.catalog)

    def _read(self, path: Path, on_read: OnRead) -> None:
        lines = _text_lines(path, on_read)
        header_line = next(lines, "")
        if ";" in header_line:
            raise InvalidInput(f"{path}: separate the columns by commas or tabs, not semicolons")
        delimiter = "\t" if header_line.count("\t") > header_line.count(",") else ","
        try:
            header = [name.strip().lower() for name in _split(header_line, delimiter)]
        except csv.Error as exc:
            raise InvalidInput(f"{path}: the header cannot be read: {exc}") from exc
        for needed in (ID, CONSOLE, NAME, LOOSE):
            if header.count(needed) != 1:
                raise InvalidInput(f"{path}: needs the column {needed!r} once; it has {header}")
        reader = csv.reader(lines, delimiter=delimiter)
        rows = strange = 0
        try:
            for cells in reader:
                if any(cells):
                    self._place = f"{path.name} line {reader.line_num + 1}"
                    told = self._add_row(header, cells)
                    rows += 1
                    strange += told != self._category
                    if rows == strange == _FIRST_ROWS:
                        self._check_category(path, rows, strange)
        except csv.Error as exc:
            raise InvalidInput(f"{path}: after line {reader.line_num}: {exc}") from exc
        if not rows:
            raise InvalidInput(f"{path}: the price guide has no rows")
        self._check_category(path, rows, strange)

    def _check_category(self, path: Path, rows: int, strange: int) -> None:
        if self._category in KNOWN_SCOPES and strange * 2 > rows:
            # the vendor answers an unknown category with its guide of all products
            raise OtherCategory(
                f"{path}: most of its rows are not of the category {self._category}; leave"
                " --category out to let each row tell its own"
            )

    def _add_row(self, header: list[str], cells: list[str]) -> str:
        """Take a row and return the scope that its console name tells."""
        row = dict(zip(header, (cell.strip() for cell in cells), strict=False))
        console, name = row.get(CONSOLE, ""), row.get(NAME, "")
        told = scope_of(console)
        kind = classify(console, name, row.get(GENRE, ""), self._category)
        scope = self._scopes.setdefault(kind.scope, _Scope())
        number = row.get(ID, "")
        if not _ID_TEXT.fullmatch(number) or not 0 < int(number) <= MAX_EXTERNAL_ID:
            reason = "bad-product-id" if number else "missing-field"
            scope.rejected.append(RejectedRow(number[:40], None, reason, _raw(cells)))
            return told
        if len(cells) != len(header) or any("\n" in cell for cell in cells):
            # A cell too many or too few has moved the prices into other columns; a quote left open
            # has joined the start of one product with the prices of another.
            scope.rejected.append(RejectedRow(number, None, "broken-row", _raw(cells)))
            self._missing.append(f"{self._place}: the row of product {number} is broken")
            return told
        product = int(number)
        if console:
            scope.parts.add(_clean(console))
        if kind.is_comic:
            scope.skipped["comic-book"] += 1
            return told
        if _NOT_UTF8 in console or _NOT_UTF8 in name:
            scope.flags["text-not-utf-8"] += 1
        scope.texts[product] = ProductText(
            name=_clean(name), set_name=_clean(console), number=_clean(number_of(name))
        )
        if self._stated:
            try:
                scope.catalog.stated.append(
                    stated_product(
                        str(product), _clean(name), _clean(console), row.get(TCG_ID), kind
                    )
                )
            except BadRow as exc:
                scope.catalog.bad[str(exc)] += 1
        figures = read_figures(row, cents_of_text, kind, boxed=self._boxed)
        for facet, values in figures.rows.items():
            scope.add(product, facet, values)
        for facet, reason, raw in figures.refused:
            scope.rejected.append(RejectedRow(str(product), facet, reason, raw))
        if figures.falling:
            scope.flags["ladder-not-rising"] += 1
        return told


def _text_lines(path: Path, on_read: OnRead) -> Iterator[str]:
    read = 0
    for line in bounded_lines(read_chunks(path, on_read), path, limit=_MAX_RECORD):
        content = line.removeprefix(b"\xef\xbb\xbf") if not read else line
        read += len(line) + 1
        if read > MAX_GUIDE:
            raise InvalidInput(f"{path}: is larger than {MAX_GUIDE:,} bytes, as no guide is")
        yield content.decode("utf-8", errors="replace") + "\n"


def _split(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter), [])


def _clean(text: str) -> str:
    """Return the text on one line, without control characters, at most 300 characters long."""
    if len(text) <= _MAX_TEXT and text.isprintable():
        return text
    return "".join(char if char.isprintable() else " " for char in text[:_MAX_TEXT]).strip()


def _raw(cells: list[str]) -> str:
    return ",".join(cells)[:RAW_LENGTH]
