"""Money columns from what JSON decoders deliver: 64-bit floats in, integer minor units out.

Why this is exact. A decimal of at most 15 significant digits survives the way through binary64: no
two such decimals have the same nearest double (DBL_DIG is 15). An amount of two decimals up to
`MAX_MINOR` has 10 digits. So when a double is the one nearest to `minor / 100`, the text was that
amount. IEEE 754 division is correctly rounded and both operands are exact integers, so the float
quotient `minor / 100` *is* the double nearest to the true quotient, and comparing it with the
input decides without an error bound. What fails the comparison has more than two decimals (32-bit
noise such as 51.9900016784668) and goes through `Decimal(repr(x))`, the shortest decimal that
names the double, rounded half-even: for text of at most 15 digits the same as the text itself.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from tcgtracker.domain.errors import InvalidInput
from tcgtracker.domain.money import MAX_MINOR, minor_from_decimal
from tcgtracker.domain.quote import VALUE_NAMES, Facet
from tcgtracker.integrations.contract import NO_PRICE, IntArray, RejectedRow

FloatArray = NDArray[np.float64]

_MINOR_PER_UNIT = 100


def minor_from_binary64(values: FloatArray) -> IntArray:
    """Return US dollar amounts as cents, `NO_PRICE` for NaN; any shape.

    Raises:
        InvalidInput: an amount is negative, infinite or above `MAX_MINOR`.
    """
    absent = np.isnan(values)
    amounts = np.where(absent, 0.0, values)
    if bool(((amounts < 0) | (amounts > MAX_MINOR)).any()):
        raise InvalidInput("an amount is negative or larger than a price column holds")
    minor = np.rint(amounts * _MINOR_PER_UNIT)
    inexact = np.flatnonzero(minor / _MINOR_PER_UNIT != amounts)
    result: IntArray = minor.astype(np.int64)
    if len(inexact):
        flat, source = result.reshape(-1), amounts.reshape(-1)
        for index in inexact.tolist():
            flat[index] = minor_from_decimal(Decimal(repr(float(source[index]))), "USD")
    if bool((result > MAX_MINOR).any()):
        raise InvalidInput("an amount is larger than a price column holds")
    result[absent] = NO_PRICE
    return result


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one page: columns of equal length, `facet` indexes `facets`."""

    external_id: IntArray
    facet: IntArray
    values: IntArray
    facets: tuple[Facet, ...]

    def take(self, keep: NDArray[np.bool_]) -> "Rows":
        return Rows(self.external_id[keep], self.facet[keep], self.values[keep], self.facets)

    def compact(self) -> "Rows":
        """Return the same rows without facets that no row has."""
        used = np.bincount(self.facet, minlength=len(self.facets)) > 0
        if bool(used.all()):
            return self
        number = np.cumsum(used) - 1
        facets = tuple(facet for facet, wanted in zip(self.facets, used, strict=True) if wanted)
        return Rows(self.external_id, number[self.facet].astype(np.int64), self.values, facets)


@dataclass(frozen=True, slots=True)
class Settled:
    """Rows with one row a series; how many repeated another, and those that contradict one."""

    rows: Rows
    duplicates: int = 0
    conflicting: list[RejectedRow] = field(default_factory=list)


def settle_duplicates(rows: Rows, rejected: Sequence[RejectedRow] = ()) -> Settled:
    """Keep one of equal rows of a series and none of rows that contradict one another.

    A row also contradicts a row of its series that was `rejected` before.
    """
    keep = np.ones(len(rows.external_id), dtype=np.bool_)
    conflicts: list[int] = []
    duplicates = 0
    refused = {(row.external_id, row.facet) for row in rejected if row.facet is not None}
    for members in _repeated(rows):
        known = rows.values[members[0]]
        if bool((rows.values[members] == known).all()):
            duplicates += len(members) - 1
            keep[members[1:]] = False
        else:
            conflicts += members
    if refused:
        names = [(str(key), rows.facets[facet]) for key, facet in _keys(rows)]
        conflicts += [index for index, name in enumerate(names) if name in refused and keep[index]]
    if not duplicates and not conflicts:
        return Settled(rows)
    conflicts = sorted(set(conflicts))
    keep[conflicts] = False
    return Settled(rows.take(keep), duplicates, [_conflicting(rows, index) for index in conflicts])


def _keys(rows: Rows) -> Iterator[tuple[int, int]]:
    return zip(rows.external_id.tolist(), rows.facet.tolist(), strict=True)


def _repeated(rows: Rows) -> Iterator[list[int]]:
    """Yield the row numbers of each series that has several rows."""
    if len(rows.external_id) == 0:
        return
    order = np.lexsort((rows.facet, rows.external_id))
    ids, facets = rows.external_id[order], rows.facet[order]
    same = (ids[1:] == ids[:-1]) & (facets[1:] == facets[:-1])
    if not bool(same.any()):
        return
    starts = np.flatnonzero(np.concatenate([[True], ~same]))
    ends = np.append(starts[1:], len(order))
    several = ends - starts > 1
    for start, end in zip(starts[several].tolist(), ends[several].tolist(), strict=True):
        yield order[start:end].tolist()


def _conflicting(rows: Rows, index: int) -> RejectedRow:
    facet = rows.facets[int(rows.facet[index])]
    cents = [None if minor == NO_PRICE else minor for minor in rows.values[index].tolist()]
    raw = json.dumps(dict(zip(VALUE_NAMES, cents, strict=True)) | {"unit": "minor"})
    return RejectedRow(str(rows.external_id[index]), facet, "conflicting-duplicate", raw)
