"""A card's history straight to JSON bytes, as `price_schemas.PriceHistory` describes it."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import orjson

from tcgtracker.analytics.card_history import Candidate, CardHistory, OtherSeries
from tcgtracker.analytics.statistics import NO_STATISTICS
from tcgtracker.analytics.windows import ANSWER_OF_STATE, CurrentPrice, SeriesWindow
from tcgtracker.api.amounts import amounts_json
from tcgtracker.api.parameters import Shape
from tcgtracker.database.dialects.base import HistoryRows, IntArray
from tcgtracker.domain.clock import DAY_S, from_epoch, iso
from tcgtracker.domain.money import format_minor
from tcgtracker.domain.quote import VALUE_NAMES, RowState
from tcgtracker.domain.variant import PriceKind, is_graded
from tcgtracker.prices.holds import Hold
from tcgtracker.prices.plan import NO_PRICE
from tcgtracker.quotes.manual_prices import ManualPrice

_MOST_AMOUNTS = 1 << 16
_MOST_MOMENTS = 1 << 15
Money = Callable[[int | None], str | None]


def render_history(
    history: CardHistory, shape: Shape, now: int, own_prices: Sequence[ManualPrice] = ()
) -> bytes:
    """Return the JSON document; `now` (epoch seconds) decides what is stale.

    own_prices: of the user who asks.
    """
    window = history.window
    currency = window.series.facet.currency if window else None
    code = currency or "USD"
    money = _money(code)
    statistics = window.statistics if window else NO_STATISTICS
    rows = window.rows if window else HistoryRows.concatenate([])
    body: dict[str, Any] = {
        "card": history.card,
        "chosen_by": history.chosen_by,
        "reason": history.reason,
        "series": _series(history.found) if history.found else None,
        "currency": currency,
        "first_day": _day(history.days.first_day),
        "last_day": _day(history.days.last_day),
        "days": history.days.last_day - history.days.first_day + 1,
        "days_with_price": statistics.days_with_price,
        "current": _current(window.current, money, now) if window and window.current else None,
        "average_price": money(statistics.average),
        "min_price": money(statistics.minimum),
        "max_price": money(statistics.maximum),
        "change": money(statistics.change),
        "change_pct": statistics.change_pct,
        "trend": statistics.trend,
        "volatility": statistics.volatility,
        "all_time_high": money(statistics.all_time_high),
        "all_time_low": money(statistics.all_time_low),
        "at_start": _start(window, money) if window else None,
        shape.value: _columns(rows, code) if shape is Shape.COLUMNS else _points(rows, code),
        "gaps": [
            {"kind": gap.kind, "from": _moment(gap.start), "to": _moment(gap.end)}
            for gap in (window.gaps if window else ())
        ],
        "holds": [_hold(hold, money) for hold in (window.holds if window else ())],
        "other_series": [_other(one) for one in history.others],
        "own_prices": [own_price(one) for one in own_prices],
    }
    return orjson.dumps(body)


def own_price(one: ManualPrice) -> dict[str, Any]:
    """Return a user's own price as JSON values, as `catalog_schemas.OwnPrice` describes it."""
    graded = is_graded(one.variant)
    return {
        "id": str(one.id),
        "card_id": one.card_id,
        "kind": PriceKind.MANUAL,
        "printing": one.printing or None,
        "condition": None if graded else one.variant,
        "grade": one.variant if graded else None,
        "price": str(one.money),
        "currency": one.money.currency,
        "observed_at": iso(one.observed_at),
        "note": one.note,
    }


def window_body(window: SeriesWindow, now: int) -> dict[str, Any]:
    """Return a series that needs no card as JSON values; the words are those of a history."""
    money = _money(window.series.facet.currency)
    said = window.statistics
    return {
        "series_id": window.series.id,
        "source": window.series.source,
        "external_id": window.series.external_id,
        "vendor_printing": window.series.facet.sub_key,
        "kind": window.series.facet.kind,
        "variant": window.series.facet.variant,
        "language": window.series.facet.language,
        "currency": window.series.facet.currency,
        "days_with_price": said.days_with_price,
        "current": _current(window.current, money, now) if window.current else None,
        "average_price": money(said.average),
        "min_price": money(said.minimum),
        "max_price": money(said.maximum),
        "change": money(said.change),
        "change_pct": said.change_pct,
        "trend": said.trend,
        "volatility": said.volatility,
        "all_time_high": money(said.all_time_high),
        "all_time_low": money(said.all_time_low),
        "points": _points(window.rows, window.series.facet.currency),
        "holds": [_hold(hold, money) for hold in window.holds],
    }


class _Amounts(dict[int | None, str | None]):
    """Amounts of a currency as text: the same few come again and again.

    A dict, since a thousand look-ups a document are what a document costs. nothing: what stands
    for no amount.
    """

    def __init__(self, currency: str, nothing: int | None) -> None:
        super().__init__({nothing: None})
        self._currency = currency

    def __missing__(self, minor: int) -> str:
        text = format_minor(minor, self._currency)
        if len(self) < _MOST_AMOUNTS:
            self[minor] = text
        return text


@lru_cache(maxsize=16)
def _amounts(currency: str, nothing: int | None) -> _Amounts:
    return _Amounts(currency, nothing)


def _money(currency: str) -> Money:
    """Return what writes amounts of a currency."""
    return _amounts(currency, None).__getitem__


@lru_cache(maxsize=1 << 14)
def _day(day: int) -> str:
    return from_epoch(day * DAY_S).date().isoformat()


class _Moments(dict[int, str]):
    """Epoch seconds as text: those of the looks at a catalogue are the same for all its cards."""

    def __missing__(self, at: int) -> str:
        text = iso(from_epoch(at))
        if len(self) < _MOST_MOMENTS:
            self[at] = text
        return text


_MOMENTS = _Moments()
_moment = _MOMENTS.__getitem__


def _moments(at: IntArray) -> list[str]:
    return list(map(_moment, at.tolist()))


def _series(one: Candidate) -> dict[str, Any]:
    facet = one.series.facet
    graded = is_graded(facet.variant)
    return {
        "series_id": one.series.id,
        "source": one.series.source,
        "external_id": one.series.external_id,
        "printing": one.printing or None,
        "vendor_printing": facet.sub_key,
        "kind": facet.kind,
        "variant": facet.variant,
        "condition": None if graded else facet.variant,
        "grade": facet.variant if graded else None,
        "language": facet.language,
        "currency": facet.currency,
        "link_state": one.tie.state,
        "evidence": one.tie.evidence,
    }


def _other(one: OtherSeries) -> dict[str, Any]:
    money = _money(one.candidate.series.facet.currency)
    seen = one.newest.market_at
    return {
        **_series(one.candidate),
        "market_price": money(one.newest.market),
        "observed_at": None if seen is None else _moment(seen),
        "listed": one.newest.listed,
    }


def _figures(values: Sequence[int | None], money: Money) -> dict[str, str | None]:
    return dict(zip(VALUE_NAMES, map(money, values), strict=True))


def _current(current: CurrentPrice, money: Money, now: int) -> dict[str, Any]:
    return {
        **_figures(current.values, money),
        "observed_at": _moment(current.observed_at),
        "listed": current.listed,
        "stale": current.is_stale(now),
    }


def _start(window: SeriesWindow, money: Money) -> dict[str, Any]:
    reading = window.at_start
    return {
        **_figures(reading.values, money),
        "state": reading.answer,
        "observed_at": None if reading.observed_at is None else _moment(reading.observed_at),
    }


def _hold(hold: Hold, money: Money) -> dict[str, Any]:
    return {
        **_figures(hold.values, money),
        "hold_id": hold.id,
        "observed_at": _moment(hold.observed_at),
        "reason": hold.reason,
    }


def _columns(rows: HistoryRows, currency: str) -> dict[str, Any]:
    return {
        "observed_at": _moments(rows.observed_at),
        "state": _states(rows.state),
        **dict(zip(VALUE_NAMES, amounts_json(rows.values, currency), strict=True)),
    }


def _points(rows: HistoryRows, currency: str) -> list[dict[str, Any]]:
    written = _amounts(currency, NO_PRICE).__getitem__
    columns = [list(map(written, column)) for column in rows.values.T.tolist()]
    names = ("observed_at", "state", *VALUE_NAMES)
    found = zip(_moments(rows.observed_at), _states(rows.state), *columns, strict=True)
    return [dict(zip(names, row, strict=True)) for row in found]


def _states(state: IntArray) -> list[str]:
    if not state.any():  # as nearly always
        return [ANSWER_OF_STATE[RowState.PRICED]] * len(state)
    return list(map(ANSWER_OF_STATE.__getitem__, state.tolist()))
