"""What the page of a card shows, made of what the services answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from urllib.parse import urlencode

from tcgtracker.analytics.card_history import Candidate, CardHistory
from tcgtracker.analytics.windows import FRESH_S, SeriesWindow
from tcgtracker.database.dialects.base import HistoryRows
from tcgtracker.domain.clock import to_epoch
from tcgtracker.domain.quote import RowState
from tcgtracker.domain.variant import RAW, is_graded
from tcgtracker.prices.plan import NO_PRICE
from tcgtracker.web import filters

FIRST_LINES = 6
"""Buttons of a chart that are seen at once."""
RANGES = ((7, "7 d"), (30, "30 d"), (90, "90 d"), (365, "1 y"), (3660, "All"))
DEFAULT_DAYS = 90
MOST_ROWS = 60


@dataclass(frozen=True, slots=True)
class SeriesLine:
    """One series of a card with its newest price; minor units, epoch seconds."""

    series_id: int
    source: str
    kind: str
    variant: str
    printing: str
    language: str
    currency: str
    market: int | None
    observed_at: int | None
    listed: bool
    stale: bool
    chosen: bool
    query: str

    @property
    def graded(self) -> bool:
        return is_graded(self.variant)


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One change; minor units, epoch seconds. `values` in the order of `VALUE_NAMES`."""

    observed_at: int
    state: str
    values: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Drawn:
    """One line of a chart: where its JSON is, and how it is called."""

    src: str
    label: str
    currency: str
    on: bool


def series_lines(found: CardHistory, now: datetime) -> list[SeriesLine]:
    """Return all series of a card, the chosen one first."""
    at = to_epoch(now)
    lines = []
    if found.found is not None and found.window is not None:
        current = found.window.current
        lines.append(
            _line(
                found.found,
                current.values[0] if current else None,
                current.observed_at if current else None,
                at,
                listed=bool(current and current.listed),
                chosen=True,
            )
        )
    lines.extend(
        _line(
            one.candidate,
            one.newest.market,
            one.newest.market_at,
            at,
            listed=one.newest.listed,
            chosen=False,
        )
        for one in found.others
    )
    return lines


def grade_ladder(lines: Sequence[SeriesLine]) -> list[SeriesLine]:
    """Return the rungs, the ungraded one first and then by grade; none without a grade."""
    graded = sorted(
        (one for one in lines if one.graded and one.market is not None), key=_grade_order
    )
    if not graded:
        return []
    sources = {one.source for one in graded}
    raw = [one for one in lines if one.variant == RAW and one.source in sources and one.market]
    return [*raw[:1], *graded]


def history_lines(window: SeriesWindow, *, most: int = MOST_ROWS) -> list[HistoryLine]:
    """Return the changes of a window, the newest first."""
    return [_history_line(window.rows, place) for place in reversed(range(len(window.rows)))][:most]


def drawn_lines(card_id: int, label: str, lines: Sequence[SeriesLine]) -> list[Drawn]:
    """Return what the chart can draw of a card; the chosen series is drawn at once."""
    priced = [one for one in lines if one.market is not None]
    # The chosen one, then the first of each other source, then what else there is.
    first = {one.source: one.series_id for one in reversed(priced) if not one.chosen}
    priced.sort(key=lambda one: (not one.chosen, first.get(one.source) != one.series_id))
    return [
        Drawn(
            src=f"/api/v1/prices/card/{card_id}?{one.query}",
            label=" · ".join(part for part in (label, *line_words(one)) if part),
            currency=one.currency,
            on=one.chosen,
        )
        for one in priced
    ]


def line_words(line: SeriesLine) -> tuple[str, ...]:
    """Return what tells a series from the others of its card."""
    return (filters.source(line.source), line.printing, filters.variant(line.variant))


def _line(
    one: Candidate,
    market: int | None,
    observed_at: int | None,
    at: int,
    *,
    listed: bool,
    chosen: bool,
) -> SeriesLine:
    facet = one.series.facet
    printing = one.printing or facet.sub_key
    state = "grade" if is_graded(facet.variant) else "condition"
    query = {"source": one.series.source.value, "printing": printing, state: facet.variant}
    return SeriesLine(
        series_id=one.series.id,
        source=one.series.source.value,
        kind=facet.kind.value,
        variant=facet.variant,
        printing=printing,
        language=facet.language,
        currency=facet.currency,
        market=market,
        observed_at=observed_at,
        listed=listed,
        stale=observed_at is None or at - observed_at > FRESH_S,
        chosen=chosen,
        query=urlencode({name: value for name, value in query.items() if value}),
    )


def _grade_order(line: SeriesLine) -> tuple[Decimal, str, int]:
    number = line.variant.split("-")[1]
    return Decimal(number), line.variant, line.series_id


def _history_line(rows: HistoryRows, place: int) -> HistoryLine:
    return HistoryLine(
        observed_at=int(rows.observed_at[place]),
        state=RowState(int(rows.state[place])).name.lower(),
        values=tuple(None if value == NO_PRICE else value for value in rows.values[place].tolist()),
    )
