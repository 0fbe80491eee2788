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

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

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
_ALL_COLUMNS = (1 << _COLUMNS) - 1
_CHANGED = (np.arange(_ALL_COLUMNS + 1) >> np.arange(_COLUMNS)[:, None] & 1).astype(bool)
"""Which columns each mask says to have changed: (column, mask)."""
_MORE = 0x80  # the continuation bit of LEB128
_SEPTET = 7  # bits of a number in each octet
SealedBlock = tuple[int, int, bytes]
"""Series id, UTC year, and the block's bytes."""


@lru_cache(maxsize=256)
def first_second(year: int) -> int:
    """Return the epoch second at which a UTC year begins."""
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp())


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


def decode_blocks(blocks: Sequence[SealedBlock]) -> HistoryRows:
    """Return the rows of blocks, one block after the other.

    All blocks at once: a call of numpy costs more than what it does to the few numbers of a block.

    Raises:
        StorageError: a block is of an unknown codec or damaged.
    """
    if not blocks:
        return HistoryRows.concatenate([])
    numbers, ends = _read_numbers([content for _, _, content in blocks])
    parts = [
        _split(numbers, start, end, series_id, year)
        for (series_id, year, _), start, end in zip(blocks, [0, *ends], ends, strict=False)
    ]
    sizes = np.array([part.rows for part in parts])
    first = sizes.cumsum() - sizes
    header = np.concatenate([numbers[part.header : part.header + part.rows] for part in parts])
    changed = _CHANGED.take(header & _ALL_COLUMNS, axis=1)
    values = _values(numbers, blocks, parts, changed, first)
    days = header >> _COLUMNS
    day_before = -days[first]
    days.cumsum(out=days)
    day_before += days[first]
    observed_at = days * DAY_S
    observed_at += (np.array([part.base for part in parts]) - day_before * DAY_S).repeat(sizes)
    state = np.zeros(len(header), np.int64)
    revision = np.zeros(len(header), np.int64)
    for begin, part in zip(first.tolist(), parts, strict=True):
        if part.seconds is not None:
            observed_at[begin : begin + part.rows] += part.seconds
        if part.odd is not None:
            places, codes = part.odd
            state[begin + places] = codes & 3
            revision[begin + places] = codes >> 2
            values[:, begin + places[codes & 3 != 0]] = _NO_PRICE
    ids = np.array([block[0] for block in blocks]).repeat(sizes)
    return HistoryRows(ids, observed_at, revision, state, values.T)


class _Part(NamedTuple):
    """Where the planes of a block lie among the numbers; what nearly no block has is None.

    base: epoch second to which the days are added. seconds: to be added to each row. odd: the rows
    that are not "priced, revision 0" and their codes.
    """

    base: int
    rows: int
    header: int
    planes: int
    end: int
    seconds: IntArray | None
    odd: tuple[IntArray, IntArray] | None


def _split(numbers: IntArray, start: int, end: int, series_id: int, year: int) -> _Part:
    codec = int(numbers[start])
    if codec != CODEC:
        raise StorageError(
            f"the price block of series {series_id}, {year}, has codec {codec}, which this"
            " program does not know: it was written by a newer version"
        )
    try:
        return _split_known(numbers, start, end, first_second(year))
    except (IndexError, ValueError) as exc:
        raise _damaged(series_id, year) from exc


def _damaged(series_id: int, year: int) -> StorageError:
    return StorageError(f"the price block of series {series_id}, {year}, is damaged")


def _split_known(numbers: IntArray, start: int, end: int, year_start: int) -> _Part:
    _, flags, count = numbers[start : min(start + 3, end)].tolist()
    at = start + 3
    time_kind = flags & 3
    base = year_start + (_EVENING_S if time_kind == _ALL_EVENING else 0)
    if time_kind == _ONE_TIME:
        base += int(numbers[at])
        at += 1
    odd = None
    if flags & _EXCEPTIONS:
        pairs = numbers[at + 1 : min(at + 1 + 2 * int(numbers[at]), end)].reshape(-1, 2)
        at += 1 + pairs.size
        odd = np.cumsum(pairs[:, 0]), pairs[:, 1]
        if len(pairs) and not 0 <= int(odd[0][-1]) < count:
            raise ValueError("an exception of a row that is not there")
    header, planes = at, at + count
    seconds = None
    if time_kind == _EACH_TIME:
        seconds = numbers[planes : planes + count]
        planes += count
    if count < 1 or planes > end:
        raise ValueError("fewer numbers than there should be")
    return _Part(base, count, header, planes, end, seconds, odd)


def _values(
    numbers: IntArray,
    blocks: Sequence[SealedBlock],
    parts: Sequence[_Part],
    changed: NDArray[np.bool_],
    first: IntArray,
) -> IntArray:
    """Return the five values of each row, as (column, row).

    changed: the same of which of them changed. first: the first row of each block.
    """
    zigzag = numbers - 1
    # 0, which says "no price", leaves the sum as it is: it becomes -1, and then 0.
    difference = (zigzag >> 1) ^ -(zigzag & 1)
    values = np.zeros(changed.shape, np.int64)
    says_none = None if numbers.all() else np.zeros(changed.shape, bool)
    for (series_id, year, _), part, begin in zip(blocks, parts, first.tolist(), strict=True):
        mine = changed[:, begin : begin + part.rows]
        plane = slice(part.planes, part.end)
        if np.count_nonzero(mine) != part.end - part.planes:
            raise _damaged(series_id, year)
        # Planes and masks run through the columns alike, and through the rows of each.
        values[:, begin : begin + part.rows][mine] = difference[plane]
        if says_none is not None:
            says_none[:, begin : begin + part.rows][mine] = numbers[plane] == 0
    values.cumsum(axis=1, out=values)
    if len(parts) > 1:
        # Each block begins anew.
        sizes = [part.rows for part in parts[1:]]
        values[:, first[1] :] -= values[:, first[1:] - 1].repeat(sizes, axis=1)
    if says_none is not None or not changed[:, first].all():
        values[_absent(changed, says_none, first)] = _NO_PRICE
    return values


def _absent(
    changed: NDArray[np.bool_], says_none: NDArray[np.bool_] | None, first: IntArray
) -> NDArray[np.bool_]:
    """Return where a column has no price: before its first change, and where a change says so."""
    begin = np.zeros(changed.shape[1], np.int64)
    begin[first] = first
    last = np.where(changed, np.arange(changed.shape[1]), -1)
    np.maximum.accumulate(last, axis=1, out=last)
    absent: NDArray[np.bool_] = last < np.maximum.accumulate(begin)
    if says_none is not None:
        absent |= np.take_along_axis(says_none, last, axis=1)
    return absent


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


def _read_numbers(blocks: list[bytes]) -> tuple[IntArray, list[int]]:
    """Return the numbers of all blocks, and how many there are up to the end of each block."""
    if not all(blocks) or any(block[-1] & _MORE for block in blocks):
        raise StorageError("a price block ends in the middle of a number")
    octets = np.frombuffer(b"".join(blocks), np.uint8)
    ends = (octets < _MORE).nonzero()[0]
    numbers = octets[ends].astype(np.int64)  # nearly every number has no other septet
    more = (octets >= _MORE).nonzero()[0]
    low = octets[more] & (_MORE - 1)
    place = more - np.arange(len(more))
    while len(place):  # the last septet is the highest
        highest = np.ones(len(place), bool)
        np.not_equal(place[1:], place[:-1], out=highest[:-1])
        chosen = place[highest]
        numbers[chosen] = (numbers[chosen] << _SEPTET) | low[highest]
        lower = ~highest
        place, low = place[lower], low[lower]
    if len(blocks) == 1:
        return numbers, [len(numbers)]
    last = [end - 1 for end in accumulate(map(len, blocks))]
    return numbers, (ends.searchsorted(last) + 1).tolist()
