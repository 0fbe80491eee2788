"""Series of one product, of which looks find now these and now those, read as they should."""

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tcgtracker.database.engine import Database
from tcgtracker.domain.errors import StateChanged
from tcgtracker.domain.quote import Facet, PriceValues, RowState
from tcgtracker.domain.source import Source
from tcgtracker.prices.items import ItemLook, record_item
from tcgtracker.prices.products import load_series, scope_ids_of
from tcgtracker.prices.quick import SeriesReader
from tcgtracker.prices.reading import Answer
from tcgtracker.prices.recorder import Recorder
from tcgtracker.prices.scope_page import ScopePage
from tcgtracker.prices.store import load_history
from tests.contract.test_history_model import FIRST, empty, kept_database
from tests.unit.prices.support import DAY, NOW

__all__ = ["kept_database"]

PRODUCTS = (101, 102)
FACETS = (Facet("Normal"), Facet("Normal", variant="psa-10"))
Key = tuple[int, int]
"""Product and place of the facet."""


@dataclass(frozen=True)
class Whole:
    at: int
    listed: dict[Key, int]
    complete: bool


@dataclass(frozen=True)
class Alone:
    at: int
    product: int
    listed: dict[int, int]


@dataclass
class Said:
    """What was said of each series at each moment, in the order in which it came in."""

    whole: list[Whole] = field(default_factory=list)
    alone: list[Alone] = field(default_factory=list)

    def of(self, product: int, facet: int) -> dict[int, int | None]:
        belongs = any(product in {key[0] for key in one.listed} for one in self.whole)
        said: dict[int, int | None] = {}
        for one in self.whole:
            if (product, facet) in one.listed:
                said[one.at] = one.listed[product, facet]
            elif one.complete and belongs:
                said[one.at] = None
        for look in self.alone:
            if look.product == product:
                said[look.at] = look.listed.get(facet)
        return dict(sorted(said.items()))


def price_at(said: dict[int, int | None], moment: int) -> int | None:
    looks = list(said)
    place = bisect_right(looks, moment) - 1
    if place < 0:
        return None
    carried = place + 1 < len(looks) and 2 * (looks[place + 1] - looks[place]) <= 3 * DAY
    return said[looks[place]] if looks[place] == moment or carried else None


def last_price(said: dict[int, int | None]) -> tuple[int, int] | None:
    """Return the newest price, and the last of the looks in a row that found it."""
    found = None
    for at, price in said.items():
        if price is not None:
            found = price, at
    return found


prices = st.integers(1, 4)
days = st.integers(0, 12)
keys = st.tuples(st.sampled_from(PRODUCTS), st.integers(0, 1))
wholes = st.builds(
    lambda day, listed, complete: Whole(FIRST + day * DAY, listed, complete),
    days,
    st.dictionaries(keys, prices, max_size=4),
    st.booleans() | st.just(value=True),
)
alones = st.builds(
    lambda day, hour, product, listed: Alone(FIRST + day * DAY + hour * 3600 + 7, product, listed),
    days,
    st.integers(0, 23),
    st.sampled_from(PRODUCTS),
    st.dictionaries(st.integers(0, 1), prices, min_size=1, max_size=2),
)


def record_whole(database: Database, recorder: Recorder, one: Whole) -> None:
    listed = sorted(one.listed)
    for _ in range(20):
        try:
            with database.write() as connection:
                (scope_id,) = scope_ids_of(
                    connection, database.dialect, Source.TCGCSV, ["3"], DAY
                ).values()
                values = np.full((len(listed), 5), -1, np.int64)
                values[:, 0] = [one.listed[key] for key in listed]
                page = ScopePage(
                    source=Source.TCGCSV,
                    scope_id=scope_id,
                    at=one.at,
                    external_id=np.array([key[0] for key in listed], np.int64),
                    facet=np.array([key[1] for key in listed], np.int64),
                    facets=FACETS,
                    values=values,
                    state=np.full(len(listed), int(RowState.PRICED), np.int64),
                    complete=one.complete,
                )
                _, kept = recorder.record(connection, [page], run_id=1, trust=True, now=NOW)
        except StateChanged:
            continue
        recorder.keep(kept)
        return
    raise AssertionError("another recorder was always faster")


def record_alone(database: Database, one: Alone) -> None:
    quotes = {FACETS[facet]: PriceValues(price) for facet, price in one.listed.items()}
    look = ItemLook(Source.TCGCSV, str(one.product), datetime.fromtimestamp(one.at, UTC), quotes)
    with database.write() as connection:
        record_item(connection, database.dialect, look, run_id=1, trust=True, now=NOW)


@pytest.mark.one_engine
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(st.one_of(wholes, wholes, alones), max_size=8))
def test_any_looks_at_siblings_read_as_they_should(
    kept_database: Database, steps: list[Any]
) -> None:
    database, said = kept_database, Said()
    empty(database)
    recorder = Recorder(database.dialect)
    for step in steps:
        if isinstance(step, Whole):
            said.whole.append(step)
            record_whole(database, recorder, step)
        else:
            said.alone.append(step)
            record_alone(database, step)
    with database.read() as connection:
        every = load_series(connection, source=Source.TCGCSV)
        reader = SeriesReader(connection, database.dialect)
        reader.prepare(every)
        newest = reader.newest(every)
        for one in every:
            wanted = said.of(int(one.external_id), FACETS.index(one.facet))
            history = load_history(connection, database.dialect, one.id)
            for day in range(-1, 14):
                for offset in (0, 5 * 3600 + 7):
                    moment = FIRST + day * DAY + offset
                    reading = history.at(moment)
                    price = reading.values[0] if reading.answer is Answer.PRICED else None
                    assert price == price_at(wanted, moment), (one.external_id, one.facet, day)
            found = last_price(wanted)
            assert (newest[one.id].market, newest[one.id].market_at) == (found or (None, None))
