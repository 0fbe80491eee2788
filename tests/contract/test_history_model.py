"""Both databases, and the sealed form, read as the pure model says: after any observations."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tcgtracker.database.engine import Database
from tcgtracker.database.migrate import upgrade
from tcgtracker.database.tables import metadata
from tcgtracker.database.tables.prices import ONLY_ON_POSTGRESQL
from tcgtracker.domain.quote import PriceValues
from tcgtracker.domain.source import Source
from tcgtracker.prices.items import ItemLook, write_items
from tcgtracker.prices.model import HistoryModel, Listing
from tcgtracker.prices.months import load_months
from tcgtracker.prices.products import load_series
from tcgtracker.prices.seal import fold_late_rows, seal_months
from tcgtracker.prices.store import load_histories, load_history
from tests.unit.prices.support import DAY, FACET, NOW, Scope

# Two months and a year's end, so that rows lie in several tables and blocks.
FIRST = int(datetime(2025, 12, 20, 20, tzinfo=UTC).timestamp())
PRODUCTS = (101, 102, 103)
UNREADABLE = Listing(readable=False)


@dataclass(frozen=True)
class Bulk:
    at: int
    listed: dict[int, Listing]
    complete: bool
    split: bool


@dataclass(frozen=True)
class Item:
    at: int
    product: int
    listing: Listing


@dataclass(frozen=True)
class Seal:
    months: int


prices = st.one_of(st.none(), st.integers(1, 4))
listings = st.one_of(
    st.builds(lambda market, low: Listing((market, low, None, None, None)), prices, prices),
    st.just(Listing(readable=False)),
)
days = st.integers(0, 24)
bulks = st.builds(
    lambda day, listed, complete, split: Bulk(FIRST + day * DAY, listed, complete, split),
    days,
    st.dictionaries(st.sampled_from(PRODUCTS), listings, max_size=3),
    st.booleans() | st.just(value=True),
    st.booleans(),
)
# Looks at products alone fall between the daily ones (and not on the same second).
items = st.builds(
    lambda day, hour, product, listing: Item(FIRST + day * DAY + hour * 3600 + 7, product, listing),
    days,
    st.integers(0, 23),
    st.sampled_from(PRODUCTS),
    listings.filter(lambda one: one.readable),
)
steps = st.lists(
    st.one_of(bulks, bulks, bulks, items, st.builds(Seal, st.integers(1, 2))), max_size=14
)


def empty(database: Database) -> None:
    """Take everything out of a database."""
    with database.write() as connection:
        for month in load_months(connection):
            database.dialect.drop_month(connection, month.month)
        for table in reversed(metadata.sorted_tables):
            if database.dialect.name == "postgresql" or table.name not in ONLY_ON_POSTGRESQL:
                connection.execute(table.delete())


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def kept_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """One database for all examples of a property; each example empties it first."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('model') / 'model.db'}"
    else:
        url = request.getfixturevalue("module_postgres_url")
    database = Database(url)
    upgrade(database)
    yield database
    database.close()


def play(database: Database, steps: list[Any]) -> HistoryModel:
    """Do the steps on the database and on the model."""
    model = HistoryModel(DAY)
    scope = Scope(database)
    for kind, of_kind in groupby(steps, key=type):
        if kind is Item:
            _play_items(database, model, list(of_kind))
            continue
        for step in of_kind:
            _play_whole(database, scope, model, step)
    return model


def _play_whole(database: Database, scope: Scope, model: HistoryModel, step: Bulk | Seal) -> None:
    if isinstance(step, Bulk):
        _play_bulk(scope, model, step)
        return
    with database.read() as connection:
        months = sorted(month.month for month in load_months(connection))
    for _, of_year in groupby(months[: step.months], key=lambda month: month // 100):
        seal_months(database, list(of_year))
    fold_late_rows(database)


def _play_items(database: Database, model: HistoryModel, steps: list[Item]) -> None:
    """Take in looks at products that follow one another as one page of them."""
    looks = []
    for step in steps:
        model.observe_item(step.at, step.product, step.listing)
        moment = datetime.fromtimestamp(step.at, UTC)
        quotes = {FACET: PriceValues(*step.listing.values)}
        looks.append(ItemLook(Source.TCGCSV, str(step.product), moment, quotes))
    with database.write() as connection:
        write_items(connection, database.dialect, looks, run_id=1, trust=True, now=NOW)


def _play_bulk(scope: Scope, model: HistoryModel, step: Bulk) -> None:
    if not step.split or len(step.listed) < 2:
        model.observe_bulk(step.at, step.listed, complete=step.complete)
        scope.record(step.at, step.listed, complete=step.complete)
        return
    first, *rest = sorted(step.listed)
    # A look in two pages: the second closes it. Each page alone is an incomplete look.
    one, other = {first: step.listed[first]}, {key: step.listed[key] for key in rest}
    newest = all(step.at > at for at, _, _ in model.bulk)
    scope.record(step.at, one, closes=False)
    scope.record(step.at, other, opens=False, complete=step.complete)
    if newest:
        model.observe_bulk(step.at, step.listed, complete=step.complete)
    else:  # a late look must come whole to say that something is gone
        model.observe_bulk(step.at, one, complete=False)
        model.observe_bulk(step.at, other, complete=False)


def assert_reads_as_model(database: Database, model: HistoryModel) -> None:
    with database.read() as connection:
        series = load_series(connection, source=Source.TCGCSV)
        together = load_histories(
            connection, database.dialect, np.array([one.id for one in series])
        )
        for one in series:
            alone = load_history(connection, database.dialect, one.id)
            for day in range(-1, 27):
                for offset in (-1, 0, 1, 5 * 3600 + 7, 12 * 3600):
                    moment = FIRST + day * DAY + offset
                    expected = model.reading(int(one.external_id), moment)
                    assert alone.at(moment) == expected, (one.external_id, day, offset)
                    assert together[one.id].at(moment) == expected


@pytest.mark.one_engine
@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=steps)
# A whole look that lists what the last page of the same look in parts had listed.
@example(
    steps=[
        Bulk(FIRST, {101: UNREADABLE, 102: UNREADABLE}, complete=True, split=True),
        Bulk(FIRST, {102: UNREADABLE}, complete=True, split=False),
    ]
)
def test_any_observations_read_as_the_model_says(kept_database: Database, steps: list[Any]) -> None:
    check_against_model(kept_database, steps)


@pytest.mark.long
@settings(
    max_examples=2_000,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=steps)
def test_many_observations_read_as_the_model_says(
    kept_database: Database, steps: list[Any]
) -> None:
    check_against_model(kept_database, steps)


def check_against_model(database: Database, steps: list[Any]) -> None:
    empty(database)
    model = play(database, steps)
    assert_reads_as_model(database, model)


@pytest.mark.one_engine
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    looks=st.dictionaries(
        days, st.dictionaries(st.sampled_from(PRODUCTS), listings, max_size=3), max_size=9
    ),
    order=st.randoms(use_true_random=False),
)
def test_any_order_of_whole_looks_stores_the_same_rows(
    kept_database: Database, looks: dict[int, dict[int, Listing]], order: Any
) -> None:
    stored = []
    shuffled = list(looks)
    order.shuffle(shuffled)
    for sequence in (sorted(looks), shuffled):
        empty(kept_database)
        scope = Scope(kept_database)
        for day in sequence:
            scope.record(FIRST + day * DAY, looks[day])
        again = [scope.record(FIRST + day * DAY, looks[day]) for day in sequence]
        assert all(done.stored == 0 and done.rows_written == 0 for done in again)
        stored.append(_all_rows(kept_database))
    assert stored[0] == stored[1]


def _all_rows(database: Database) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    with database.read() as connection:
        for one in load_series(connection, source=Source.TCGCSV):
            found = load_history(connection, database.dialect, one.id).rows
            rows.extend(
                (one.external_id, at, state, *values)
                for at, state, values in zip(
                    found.observed_at.tolist(),
                    found.state.tolist(),
                    found.values.tolist(),
                    strict=True,
                )
            )
    return sorted(rows)
