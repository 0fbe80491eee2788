"""The answers of one category on one day -> one price page. No I/O, no clock.

Whole answers are decoded into typed structs and judged as columns, which takes all but the few
that are odd; those are read again, row by row, by `answers.read_carefully`.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import chain
from operator import attrgetter
from typing import Annotated, NamedTuple

import msgspec
import numpy as np

from tcgtracker.domain.money import MAX_MINOR
from tcgtracker.domain.quote import VALUE_NAMES, Facet
from tcgtracker.domain.source import Source
from tcgtracker.integrations.columns import FloatArray, Rows, minor_from_binary64, settle_duplicates
from tcgtracker.integrations.contract import (
    MAX_EXTERNAL_ID,
    NO_PRICE,
    IntArray,
    PricePage,
)
from tcgtracker.integrations.tcgcsv.answers import (
    PRICE_FIELDS,
    CarefulRows,
    UnreadableAnswer,
    read_carefully,
    sub_type_fits,
)

REBUILT_AT = time(20, 0, tzinfo=UTC)
"""When the vendor's day is true: the content is rebuilt daily around 20:00 UTC."""

_MAX_AMOUNT = MAX_MINOR / 100
_Price = float | None
_WIDTH = len(VALUE_NAMES)


class Scope(NamedTuple):
    """One category on one day, the smallest unit whose absence means something."""

    day: date
    category: int

    @property
    def observed_at(self) -> datetime:
        return datetime.combine(self.day, REBUILT_AT)


@dataclass(frozen=True, slots=True)
class GroupAnswer:
    """What the vendor answered for one group. `place` says where it was read, for messages.

    `line` is the object with a member `body` from whose text the body was cut out on the
    assumption that nothing follows it; empty when it was not.
    """

    group: int
    place: str
    body: bytes | memoryview
    line: bytes = b""

    def exact_body(self) -> bytes:
        """Return the body without that assumption."""
        if self.line:
            try:
                return bytes(_WRAPPED_DECODER.decode(self.line).body)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                pass  # the line is no JSON, so neither is what was cut from it
        return bytes(self.body)


class _Wrapped(msgspec.Struct):
    body: msgspec.Raw


_WRAPPED_DECODER = msgspec.json.Decoder(_Wrapped)


class _Row(msgspec.Struct, gc=False, kw_only=True):
    # In the vendor's order: the decoder looks for the next field first.
    productId: Annotated[int, msgspec.Meta(gt=0, le=MAX_EXTERNAL_ID)]  # noqa: N815
    lowPrice: _Price = None  # noqa: N815
    midPrice: _Price = None  # noqa: N815
    highPrice: _Price = None  # noqa: N815
    marketPrice: _Price = None  # noqa: N815
    directLowPrice: _Price = None  # noqa: N815
    subTypeName: str  # noqa: N815


class _Answer(msgspec.Struct, gc=False):
    success: bool
    results: list[_Row]


_DECODER = msgspec.json.Decoder(_Answer)
_product_of = attrgetter("productId")
_sub_type_of = attrgetter("subTypeName")
_prices_of = attrgetter(*PRICE_FIELDS)


class _Columns(NamedTuple):
    external_id: IntArray
    facet: IntArray
    values: IntArray


def price_page(
    scope: Scope,
    answers: Sequence[GroupAnswer],
    missing: Iterable[str] = (),
    *,
    observed_at: datetime | None = None,
) -> PricePage:
    """Return the page of a scope from the answers of its groups.

    observed_at: aware UTC, whole seconds; without it the moment that a day's file stands for.
    An answer that cannot be read makes the page incomplete, with the reason in `missing`.
    """
    reasons = list(missing)
    fast, odd = _decode(answers)
    sub_types = _SubTypes()
    columns, odd_too = _columns_of(fast, sub_types)
    parts = {str(answer.group) for answer, _ in fast}
    careful = CarefulRows()
    for answer in (*odd, *odd_too):
        try:
            rows = read_carefully(answer.exact_body())
        except UnreadableAnswer as exc:
            reasons.append(f"{answer.place}: {exc}")
            parts.discard(str(answer.group))
            continue
        parts.add(str(answer.group))
        careful.good += rows.good
        careful.rejected += rows.rejected
    page = _assemble(scope, columns, careful, sub_types)
    page.observed_at = observed_at or scope.observed_at
    page.parts = frozenset(parts)
    page.missing = tuple(reasons)
    return page


class _SubTypes:
    """Numbers the printings of one page in the order in which they come."""

    def __init__(self) -> None:
        self._index: dict[str, int] = {}

    def number(self, name: str) -> int:
        return self._index.setdefault(name, len(self._index))

    def column(self, names: list[str]) -> IntArray:
        index = {name: self.number(name) for name in dict.fromkeys(names)}
        return np.fromiter(map(index.__getitem__, names), np.int64, len(names))

    def unfit(self) -> list[int]:
        return [number for name, number in self._index.items() if not sub_type_fits(name)]

    def facets(self) -> tuple[Facet, ...]:
        return tuple(Facet(sub_key=name) for name in self._index)


_Decoded = list[tuple[GroupAnswer, list[_Row]]]


def _decode(answers: Sequence[GroupAnswer]) -> tuple[_Decoded, list[GroupAnswer]]:
    fast: _Decoded = []
    odd: list[GroupAnswer] = []
    for answer in answers:
        try:
            decoded = _DECODER.decode(answer.body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            odd.append(answer)  # read_carefully says what is wrong with it
            continue
        if decoded.success:
            fast.append((answer, decoded.results))
        else:
            odd.append(answer)
    return fast, odd


def _columns_of(decoded: _Decoded, sub_types: _SubTypes) -> tuple[_Columns, list[GroupAnswer]]:
    """Return the columns of the answers without an odd row, and the other answers."""
    rows = list(chain.from_iterable(results for _, results in decoded))
    count = len(rows)
    product = np.fromiter(map(_product_of, rows), np.int64, count)
    facet = sub_types.column(list(map(_sub_type_of, rows)))
    flat = chain.from_iterable(map(_prices_of, rows))
    # None becomes NaN; a price itself cannot be NaN, which is no JSON
    amounts: FloatArray = np.fromiter(flat, np.float64, count * _WIDTH).reshape(count, _WIDTH)
    odd = ((amounts < 0) | (amounts >= _MAX_AMOUNT)).any(axis=1)
    if unfit := sub_types.unfit():
        odd |= np.isin(facet, unfit)
    odd_answers: list[GroupAnswer] = []
    if bool(odd.any()):
        ends = np.cumsum([len(results) for _, results in decoded])
        owner = np.repeat(np.arange(len(decoded)), np.diff(ends, prepend=0))
        numbers = np.unique(owner[odd])
        odd_answers = [decoded[number][0] for number in numbers.tolist()]
        keep = ~np.isin(owner, numbers)
        product, facet, amounts = product[keep], facet[keep], amounts[keep]
    values = minor_from_binary64(amounts)
    values[values == 0] = NO_PRICE
    return _Columns(product, facet, values), odd_answers


def _assemble(
    scope: Scope, columns: _Columns, careful: CarefulRows, sub_types: _SubTypes
) -> PricePage:
    if careful.good:
        ids, names, values = zip(*careful.good, strict=True)
        columns = _Columns(
            np.concatenate([columns.external_id, np.array(ids, np.int64)]),
            np.concatenate([columns.facet, sub_types.column(list(names))]),
            np.concatenate([columns.values, np.array(values, np.int64)]),
        )
    rows = Rows(*columns, sub_types.facets()).compact()
    settled = settle_duplicates(rows, careful.rejected)
    return PricePage(
        source=Source.TCGCSV,
        scope=str(scope.category),
        observed_at=scope.observed_at,
        external_id=settled.rows.external_id,
        facet=settled.rows.facet,
        facets=settled.rows.facets,
        values=settled.rows.values,
        rejected=careful.rejected + settled.conflicting,
        skipped=Counter({"duplicate": settled.duplicates} if settled.duplicates else {}),
    )
