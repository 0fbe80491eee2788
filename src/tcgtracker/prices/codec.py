"""The sealed form of a series' history: one block per UTC year, decodable alone.

Codec 1 is a row of unsigned LEB128 numbers (every number below is one):

    1                     the codec
    flags                 bits 0-1: time of day (0 all 00:00:00, 1 all 20:00:00, 2 one for all,
                          3 one for each); bit 2: exceptions follow
    n                     rows
    [second of day]       for time of day 2
    [count, (row gap, state + 4 * revision) ...]   rows that are not "priced, revision 0"
    header plane, n       day gap * 32 + mask; the first gap counts from 1 January, bit j of the
                          mask says that value j differs from the priced row before
    [seconds plane, n]    second of day of each row, for time of day 3
    five value planes     for each set bit of the plane's column: 0 for "no price", otherwise
                          1 + zigzag(difference to the column's last price)

Rows that are not priced have no values and leave the chain of differences alone.
"""

from datetime import UTC, datetime
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tcgtracker.database.dialects.base import HistoryRows, IntArray
from tcgtracker.domain.clock import DAY_S
from tcgtracker.domain.errors import StorageError

CODEC = 1
_COLUMNS = 5
_EVENING_S = 20 * 3600  # a TCGCSV day is observed at 20:00 UTC (DESIGN section 5)
_ALL_MIDNIGHT, _ALL_EVENING, _ONE_TIME, _EACH_TIME = range(4)
_EXCEPTIONS = 4
_NO_PRICE = -1


@lru_cache(maxsize=256)
def first_second(year: int) -> int:
    """Return the epoch second at which a UTC year begins."""
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp())


def year_of(observed_at: IntArray) -> IntArray:
    """Return the UTC year of each epoch second."""
    return observed_at.astype("datetime64[s]").astype("datetime64[Y]").astype(np.int64) + 1970


def encode_blocks(rows: HistoryRows, year: int) -> tuple[IntArray, list[bytes]]:
    """Return the series ids and their blocks of rows that lie in `year`, sorted by key."""
    count = len(rows)
    if not count:
        return np.empty(0, np.int64), []
    starts = _starts(rows.series_id)
    block_of = np.cumsum(starts) - 1
    first = np.flatnonzero(starts)
    blocks = len(first)
    sizes = np.diff(np.append(first, count))

    offset = rows.observed_at - first_second(year)
    day, second = np.divmod(offset, DAY_S)
    gap = np.diff(day, prepend=0)
    gap[first] = day[first]

    priced = rows.state == 0
    values = np.where(priced[:, None], rows.values, _NO_PRICE)
    mask, deltas = _differences(values, priced, block_of)
    header = gap * 32 + (mask * (1 << np.arange(_COLUMNS))).sum(axis=1)

    time_kind = _time_kinds(second, first, sizes)
    code = rows.state + 4 * rows.revision
    odd = np.flatnonzero(code != 0)
    odd_count = np.bincount(block_of[odd], minlength=blocks)
    flags = time_kind | np.where(odd_count > 0, _EXCEPTIONS, 0)

    # Every number with its block, its plane and its place there; sorting puts them in order.
    parts: list[tuple[IntArray, int, IntArray]] = []
    every = np.arange(blocks)
    parts.append((every, 0, np.full(blocks, CODEC)))
    parts.append((every, 1, flags))
    parts.append((every, 2, sizes))
    one = np.flatnonzero(time_kind == _ONE_TIME)
    parts.append((one, 3, second[first[one]]))
    with_odd = np.flatnonzero(odd_count)
    parts.append((with_odd, 4, odd_count[with_odd]))
    if len(odd):
        row_in_block = odd - first[block_of[odd]]
        row_gap = np.diff(row_in_block, prepend=0)
        new_block = _starts(block_of[odd])
        row_gap[new_block] = row_in_block[new_block]
        pairs = np.column_stack([row_gap, code[odd]]).ravel()
        parts.append((np.repeat(block_of[odd], 2), 5, pairs))
    parts.append((block_of, 6, header))
    each = time_kind[block_of] == _EACH_TIME
    parts.append((block_of[each], 7, second[each]))
    for column in range(_COLUMNS):
        chosen = mask[:, column]
        parts.append((block_of[chosen], 8 + column, deltas[chosen, column]))
    return rows.series_id[first], _pack(parts, blocks)


def decode_block(block: bytes, series_id: int, year: int) -> HistoryRows:
    """Return the rows of one block.

    Raises:
        StorageError: the block is of an unknown codec or damaged.
    """
    numbers = _read_numbers(block)
    try:
        return _unpack(numbers, series_id, year)
    except (IndexError, ValueError) as exc:
        raise StorageError(f"the price block of series {series_id}, {year}, is damaged") from exc


def _unpack(numbers: IntArray, series_id: int, year: int) -> HistoryRows:
    if int(numbers[0]) != CODEC:
        raise StorageError(
            f"the price block of series {series_id}, {year}, has codec {numbers[0]}, which this"
            " program does not know: it was written by a newer version"
        )
    flags, count = int(numbers[1]), int(numbers[2])
    at = 3
    time_kind = flags & 3
    common = {_ALL_MIDNIGHT: 0, _ALL_EVENING: _EVENING_S}.get(time_kind, 0)
    if time_kind == _ONE_TIME:
        common = int(numbers[at])
        at += 1
    code = np.zeros(count, np.int64)
    if flags & _EXCEPTIONS:
        pairs = numbers[at + 1 : at + 1 + 2 * int(numbers[at])].reshape(-1, 2)
        at += 1 + pairs.size
        code[np.cumsum(pairs[:, 0])] = pairs[:, 1]
    header = numbers[at : at + count]
    at += count
    seconds = np.full(count, common, np.int64)
    if time_kind == _EACH_TIME:
        seconds = numbers[at : at + count]
        at += count
    values = np.empty((count, _COLUMNS), np.int64)
    for column in range(_COLUMNS):
        changed = (header >> column) & 1
        changes = int(changed.sum())
        values[:, column] = _carry(numbers[at : at + changes], changed)
        at += changes
    if at != len(numbers):
        raise ValueError("trailing numbers")
    values[code & 3 != 0] = _NO_PRICE
    observed_at = first_second(year) + np.cumsum(header >> 5) * DAY_S + seconds
    return HistoryRows(
        np.full(count, series_id, np.int64), observed_at, code >> 2, code & 3, values
    )


def _carry(plane: IntArray, changed: IntArray) -> IntArray:
    """Return a column's value at each row from the plane of its changes."""
    if not len(plane):
        return np.full(len(changed), _NO_PRICE, np.int64)
    zigzag = plane - 1
    delta = (zigzag >> 1) ^ -(zigzag & 1)
    if changed[0] and plane.all():  # a price in every row, as nearly always
        return np.asarray(np.cumsum(delta)[np.cumsum(changed) - 1], np.int64)
    delta = np.where(plane == 0, 0, delta)
    price = np.where(plane == 0, _NO_PRICE, np.cumsum(delta))
    place = np.cumsum(changed) - 1
    return np.where(place < 0, _NO_PRICE, price[np.maximum(place, 0)])


def _starts(ids: IntArray) -> NDArray[np.bool_]:
    starts = np.ones(len(ids), bool)
    starts[1:] = ids[1:] != ids[:-1]
    return starts


def _differences(
    values: IntArray, priced: NDArray[np.bool_], block_of: IntArray
) -> tuple[NDArray[np.bool_], IntArray]:
    """Return what changed against the priced row before in the block, and the numbers to write."""
    count = len(values)
    mask = np.zeros((count, _COLUMNS), bool)
    numbers = np.zeros((count, _COLUMNS), np.int64)
    rows = np.flatnonzero(priced)
    if not len(rows):
        return mask, numbers
    listed, owner = values[rows], block_of[rows]
    new_block = _starts(owner)
    before = np.empty_like(listed)
    before[0] = _NO_PRICE
    before[1:] = listed[:-1]
    before[new_block] = _NO_PRICE
    mask[rows] = listed != before
    place = np.arange(len(rows))
    block_start = np.maximum.accumulate(np.where(new_block, place, 0))
    for column in range(_COLUMNS):
        price = listed[:, column]
        # the place of the last price before this row, in the same block
        last = np.maximum.accumulate(np.where(price >= 0, place, -1))
        previous = np.empty_like(last)
        previous[0] = -1
        previous[1:] = last[:-1]
        known = previous >= block_start
        base = np.where(known, price[np.maximum(previous, 0)], 0)
        difference = price - base
        zigzag = (difference << 1) ^ (difference >> 63)
        numbers[rows, column] = np.where(price >= 0, zigzag + 1, 0)
    return mask, numbers


def _time_kinds(second: IntArray, first: IntArray, sizes: IntArray) -> IntArray:
    lowest = np.minimum.reduceat(second, first)
    highest = np.maximum.reduceat(second, first)
    del sizes
    kinds = np.where(lowest == highest, _ONE_TIME, _EACH_TIME)
    kinds = np.where((lowest == 0) & (highest == 0), _ALL_MIDNIGHT, kinds)
    return np.where((lowest == _EVENING_S) & (highest == _EVENING_S), _ALL_EVENING, kinds)


def _pack(parts: list[tuple[IntArray, int, IntArray]], blocks: int) -> list[bytes]:
    owner = np.concatenate([part[0] for part in parts])
    plane = np.concatenate([np.full(len(part[0]), part[1]) for part in parts])
    number = np.concatenate([part[2] for part in parts]).astype(np.uint64)
    order = np.lexsort((plane, owner))  # stable: the places inside a plane stay as they are
    owner, number = owner[order], number[order]
    length = np.ones(len(number), np.int64)
    for bits in range(7, 64, 7):
        length += number >= np.uint64(1 << bits)
    ends = np.cumsum(length)
    out = np.empty(int(ends[-1]), np.uint8)
    start = ends - length
    for byte in range(int(length.max())):
        has = np.flatnonzero(length > byte)
        septet = (number[has] >> np.uint64(7 * byte)) & np.uint64(0x7F)
        more = np.where(length[has] > byte + 1, 0x80, 0).astype(np.uint64)
        out[start[has] + byte] = (septet | more).astype(np.uint8)
    data = out.tobytes()
    block_end = ends[np.searchsorted(owner, np.arange(blocks), side="right") - 1].tolist()
    cuts = [0, *block_end]
    return [data[cuts[block] : cuts[block + 1]] for block in range(blocks)]


def _read_numbers(block: bytes) -> IntArray:
    octets = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(octets < 0x80)  # noqa: PLR2004 - the continuation bit of LEB128
    if not len(ends) or ends[-1] != len(octets) - 1:
        raise StorageError("a price block ends in the middle of a number")
    starts = np.empty_like(ends)
    starts[0] = 0
    starts[1:] = ends[:-1] + 1
    numbers = (octets[starts] & 0x7F).astype(np.int64)
    length = ends - starts
    for byte in range(1, int(length.max()) + 1):
        has = np.flatnonzero(length >= byte)
        numbers[has] |= (octets[starts[has] + byte] & 0x7F).astype(np.int64) << (7 * byte)
    return numbers
