"""Held quotes beside others of the same moment, and released ones beside those still held."""

from datetime import UTC, datetime

import pytest

from tcgtracker.database.engine import Database
from tcgtracker.domain.quote import PriceValues
from tcgtracker.domain.source import Source
from tcgtracker.prices.decisions import reject_hold, release_hold
from tcgtracker.prices.holds import load_holds
from tcgtracker.prices.items import ItemLook, record_item
from tcgtracker.prices.products import load_series
from tcgtracker.prices.store import load_history
from tests.unit.prices.support import DAY, FACET, NOW, Scope, listing

FIRST = int(datetime(2025, 10, 1, 20, tzinfo=UTC).timestamp())


def at(day: int) -> int:
    return FIRST + day * DAY


def look_at(database: Database, day: int, price: int | None, *, trust: bool = False) -> None:
    look = ItemLook(
        Source.TCGCSV,
        "1",
        datetime.fromtimestamp(at(day), UTC),
        {FACET: PriceValues(market_price=price)},
    )
    with database.write() as connection:
        record_item(connection, database.dialect, look, run_id=1, trust=trust, now=NOW)


def observe(scope: Scope, kind: str, day: int, price: int | None, *, trust: bool = False) -> None:
    if kind == "item":
        look_at(scope.database, day, price, trust=trust)
    else:
        scope.record(at(day), {1: listing(price), 2: listing(5)}, trust=trust)


def last_market(database: Database) -> tuple[int, int] | None:
    with database.read() as connection:
        (series,) = load_series(connection, external_id="1")
        found = load_history(connection, database.dialect, series.id).last_market()
    return None if found is None else (found[0], (found[1] - FIRST) // DAY)


def markets(database: Database, days: int) -> list[int | None]:
    with database.read() as connection:
        (series,) = load_series(connection, external_id="1")
        history = load_history(connection, database.dialect, series.id)
    return [history.at(at(day)).values[0] for day in range(days)]


def holds(database: Database) -> list[tuple[int, int, str]]:
    with database.read() as connection:
        return [
            ((one.observed_at - FIRST) // DAY, one.market, one.state.value)
            for one in load_holds(connection)
        ]


KINDS = pytest.mark.parametrize("kind", ["item", "bulk"])


@KINDS
def test_a_statement_that_replaces_a_held_one_ends_its_hold(database: Database, kind: str) -> None:
    scope = Scope(database)
    for day in range(3):
        observe(scope, kind, day, 100)
    observe(scope, kind, 3, 5_000)
    assert holds(database) == [(3, 5_000, "held")]
    observe(scope, kind, 3, 100)
    assert holds(database) == [(3, 5_000, "rejected")]
    assert last_market(database) == (100, 3)
    observe(scope, kind, 3, 5_000)
    assert holds(database) == [(3, 5_000, "held")]


@KINDS
def test_a_replaced_statement_is_not_released_later(database: Database, kind: str) -> None:
    scope = Scope(database)
    for day in range(3):
        observe(scope, kind, day, 100)
    observe(scope, kind, 3, 5_000)
    observe(scope, kind, 3, 110)
    for day in (4, 5, 6):
        observe(scope, kind, day, 5_000)
    assert markets(database, 7) == [100, 100, 100, 110, 110, 110, 110]


@KINDS
def test_a_trusted_statement_ends_the_hold_of_its_moment(database: Database, kind: str) -> None:
    scope = Scope(database)
    for day in range(3):
        observe(scope, kind, day, 100)
    observe(scope, kind, 3, 5_000)
    observe(scope, kind, 3, 5_000, trust=True)
    assert holds(database) == [(3, 5_000, "rejected")]
    assert last_market(database) == (5_000, 3)


@KINDS
def test_what_is_held_after_a_release_goes_on_from_what_was_released(
    database: Database, kind: str
) -> None:
    scope = Scope(database)
    for day in range(3):
        observe(scope, kind, day, 100)
    observe(scope, kind, 3, 5_000)
    observe(scope, kind, 4, 5_100)
    with database.read() as connection:
        first, _ = load_holds(connection)
    with database.write() as connection:
        release_hold(connection, database.dialect, first.id, by="me", now=NOW)
    assert last_market(database) == (5_000, 3)
    assert markets(database, 5) == [100, 100, 100, 5_000, 5_000]


@KINDS
def test_what_was_refused_after_a_released_price_brings_no_old_one_back(
    database: Database, kind: str
) -> None:
    scope = Scope(database)
    for day in range(3):
        observe(scope, kind, day, 100)
    observe(scope, kind, 3, 5_000)
    observe(scope, kind, 4, 90_000)
    with database.read() as connection:
        first, second = load_holds(connection)
    with database.write() as connection:
        reject_hold(connection, second.id, by="me", now=NOW)
        release_hold(connection, database.dialect, first.id, by="me", now=NOW)
    assert last_market(database) == (5_000, 3)
