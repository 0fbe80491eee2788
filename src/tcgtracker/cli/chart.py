"""A price chart of text: braille dots, two across and four down in each character."""

from collections.abc import Sequence
from itertools import pairwise

from tcgtracker.domain.clock import DAY_S, from_epoch
from tcgtracker.domain.errors import InvalidInput
from tcgtracker.domain.money import format_minor

# Unicode's braille patterns: the bit of each dot, by column and by row from the top.
_BLANK = 0x2800
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
_ACROSS, _DOWN = 2, 4
_LEAST_PLOT = 24
"""Two dates of ten characters and a little room, so that the axis can be read."""
_LEAST_HEIGHT = 4

Point = tuple[int, int | None]


def draw_chart(points: Sequence[Point], *, currency: str, width: int, height: int) -> str:
    """Return the chart as `height` lines of at most `width` characters.

    A point is (day since 1970-01-01, minor units or None); days in ascending order. A day that is
    None or missing is left blank, and no line is drawn across it. Where several days share a column
    of dots, the column spans their lowest to their highest value.

    Raises:
        InvalidInput: there is no point, the days do not ascend, or the space is too small.
    """
    if not points or any(a[0] >= b[0] for a, b in pairwise(points)):
        raise InvalidInput("a chart needs points in ascending order of their days")
    known = [value for _, value in points if value is not None]
    first, last = points[0][0], points[-1][0]
    if not known:
        return f"no price from {_date(first)} to {_date(last)}"
    low, high = min(known), max(known)
    margin = max(len(format_minor(value, currency)) for value in (low, high))
    columns, rows = width - margin - 2, height - 2
    if columns < _LEAST_PLOT or height < _LEAST_HEIGHT:
        raise InvalidInput(
            f"a chart needs at least {margin + 2 + _LEAST_PLOT} columns and {_LEAST_HEIGHT} lines"
        )
    grid = [[0] * columns for _ in range(rows)]
    days = dict(points)
    spans = _spans(days, first, last - first + 1, columns * _ACROSS)
    for column, span in enumerate(spans):
        if span is None:
            continue
        bottom, top = (_level(value, low, high, rows * _DOWN) for value in span)
        for level in range(bottom, top + 1):
            row, dot = divmod(rows * _DOWN - 1 - level, _DOWN)
            grid[row][column // _ACROSS] |= _DOTS[column % _ACROSS][dot]
    lines = []
    for row, cells in enumerate(grid):
        label = _label(row, rows, low, high, currency)
        drawn = "".join(chr(_BLANK + cell) if cell else " " for cell in cells).rstrip()
        lines.append(f"{label:>{margin}} {'┤' if label else '│'}{drawn}")
    lines.append(f"{'':>{margin}} └{'─' * columns}")
    begin, end = _date(first), _date(last)
    lines.append(f"{'':>{margin}}  {begin}{end:>{columns - len(begin)}}")
    return "\n".join(line.rstrip() for line in lines)


def _spans(
    days: dict[int, int | None], first: int, count: int, columns: int
) -> list[tuple[int, int] | None]:
    """Return the lowest and highest value of each column of dots, None where there is none."""
    spans: list[tuple[int, int] | None] = []
    previous = -1
    for column in range(columns):
        begin = column * count // columns
        end = max(begin + 1, (column + 1) * count // columns)
        values = [days.get(first + day) for day in range(begin, end)]
        known = [value for value in values if value is not None]
        before = days.get(first + previous) if previous >= 0 else None
        # The step from the day before is drawn only between neighbouring days that have a value.
        if known and values[0] is not None and before is not None:
            known.append(before)
        spans.append((min(known), max(known)) if known else None)
        previous = end - 1
    return spans


def _level(value: int, low: int, high: int, levels: int) -> int:
    """Return the row of dots of a value, from 0 at the bottom; a flat line lies in the middle."""
    if low == high:
        return levels // 2
    return (2 * (value - low) * (levels - 1) + (high - low)) // (2 * (high - low))


def _label(row: int, rows: int, low: int, high: int, currency: str) -> str:
    if low == high:
        return format_minor(low, currency) if row == (rows - 1) // 2 else ""
    if row == 0:
        return format_minor(high, currency)
    return format_minor(low, currency) if row == rows - 1 else ""


def _date(day: int) -> str:
    return from_epoch(day * DAY_S).date().isoformat()
