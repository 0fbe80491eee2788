"""Columns of amounts as JSON text, all at once: one Python string an amount took far longer."""

from functools import lru_cache

import numpy as np
import orjson
from numpy.typing import NDArray

from tcgtracker.database.dialects.base import IntArray
from tcgtracker.domain.money import exponent_of

_GROUP = 4
_SIZE = 10**_GROUP
"""Digits are looked up in groups of four."""
_BLANK = b" "
"""Fills what an amount does not need, and is taken out at the end: no amount has one."""
_END = b"\n"
Texts = NDArray[np.bytes_]


def amounts_json(minor: IntArray, currency: str) -> list[orjson.Fragment]:
    """Return each column of a table as a JSON array of what `format_minor` writes.

    minor: (rows, columns) of minor units, below 0 where there is none, which is written null.
    """
    rows, columns = minor.shape
    if not rows:
        return [orjson.Fragment(b"[]")] * columns
    places = exponent_of(currency)
    flat = minor.T.ravel()
    none = flat < 0
    some_none = none.any()
    amounts = np.where(none, 0, flat) if some_none else flat
    whole = amounts // 10**places
    groups = _digits(whole)
    empty, record = _template(len(groups), places)
    table = np.frombuffer(bytearray(empty * len(flat)), record)
    for place, group in enumerate(groups):
        table[f"whole{place}"] = group
    if places:
        table["part"] = _padded(places)[amounts - whole * 10**places]
    if some_none:
        table[none] = np.frombuffer(b"null".ljust(record.itemsize - 1) + b",", record)
    table["after"][rows - 1 :: rows] = _END
    text: bytes = table.tobytes().translate(None, _BLANK)
    return [orjson.Fragment(b"[" + column + b"]") for column in text.split(_END)[:-1]]


def _digits(numbers: IntArray) -> list[Texts]:
    """Return the digits of each number in groups, the highest one first, blanks before them."""
    padded, leading, empty = _padded(_GROUP), *_leading()
    groups: list[Texts] = []
    while True:
        rest = numbers // _SIZE
        low = numbers - rest * _SIZE
        if not rest.any():
            return [leading[low], *groups]
        groups.insert(0, np.where(rest > 0, padded[low], leading[low]))
        numbers, leading = rest, empty


@lru_cache(maxsize=8)
def _padded(digits: int) -> Texts:
    """Return all numbers of so many digits, with noughts before them."""
    return np.array([f"{number:0{digits}d}".encode() for number in range(10**digits)])


@lru_cache(maxsize=1)
def _leading() -> tuple[Texts, Texts]:
    """Return the numbers of a group with blanks before them, and the same with nothing for 0."""
    lowest = np.array([f"{number:{_GROUP}d}".encode() for number in range(_SIZE)])
    higher = lowest.copy()
    higher[0] = _BLANK * _GROUP
    return lowest, higher


@lru_cache(maxsize=16)
def _template(groups: int, places: int) -> tuple[bytes, np.dtype[np.void]]:
    """Return an amount whose digits are still to be filled in, and where its parts stand."""
    fields = [("before", "S1"), *((f"whole{place}", f"S{_GROUP}") for place in range(groups))]
    text = b'"' + _BLANK * _GROUP * groups
    if places:
        fields += [("point", "S1"), ("part", f"S{places}")]
        text += b"." + _BLANK * places
    fields += [("quote", "S1"), ("after", "S1")]
    return text + b'",', np.dtype(fields)
