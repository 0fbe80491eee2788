"""Implausible prices: held, read as before, confirmed, released at their own time, decided on."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from tcgtracker.database.engine import Database
from tcgtracker.database.tables.prices import price_holds
from tcgtracker.domain.errors import Conflict, NotFound
from tcgtracker.domain.quote import HoldState, PriceValues
from tcgtracker.domain.source import Source
from tcgtracker.prices.decisions import reject_hold, release_hold
from tcgtracker.prices.holds import is_implausible, load_holds, repeats
from tcgtracker.prices.items import ItemLook, record_item
from tcgtracker.prices.model import Listing
from tcgtracker.prices.products import load_series
from tcgtracker.prices.reading import Answer, Reading
from tcgtracker.prices.store import load_history
from tests.unit.prices.support import DAY, FACET, NOW, Scope, listing

FIRST = int(datetime(2025, 10, 1, 20, tzinfo=UTC).timestamp())


def at(day: int) -> int:
    return FIRST + day * DAY


def record(scope: Scope, day: int, *prices: int | None, trust: bool = False):
    """Record a day on which products 1, 2 ... are listed at these market prices."""
    listed = {number: listing(price) for number, price in enumerate(prices, start=1)}
    return scope.record(at(day), listed, trust=trust)


def market(database: Database, day: int, product: int = 1) -> int | Answer | None:
    with database.read() as connection:
        (series,) = load_series(connection, external_id=str(product))
        reading = load_history(connection, database.dialect, series.id).at(at(day))
    return reading.values[0] if reading.answer is Answer.PRICED else reading.answer


def holds(database: Database) -> list[tuple[int, int, str]]:
    with database.read() as connection:
        return [
            ((one.observed_at - FIRST) // DAY, one.market, one.state.value)
            for one in load_holds(connection)
        ]


def rows_of(database: Database, product: int = 1) -> list[tuple[int, int, int]]:
    """Return day, revision and market price of every row of a product."""
    with database.read() as connection:
        (series,) = load_series(connection, external_id=str(product))
        rows = load_history(connection, database.dialect, series.id).rows
    days = ((rows.observed_at - FIRST) // DAY).tolist()
    return list(zip(days, rows.revision.tolist(), rows.values[:, 0].tolist(), strict=True))


@pytest.fixture
def scope(database: Database) -> Scope:
    scope = Scope(database)
    for day in range(3):
        record(scope, day, 100, 500)
    return scope


@pytest.mark.parametrize(
    ("price", "doubled_median", "far"),
    [(1000, 200, False), (1001, 200, True), (10, 200, False), (9, 200, True), (0, 1, True)],
)
def test_more_than_ten_times_is_far(price: int, doubled_median: int, far: bool) -> None:  # noqa: FBT001
    assert is_implausible(price, doubled_median) is far


@pytest.mark.parametrize(
    ("price", "near"), [(800, True), (799, False), (1200, True), (1201, False)]
)
def test_within_a_fifth_is_near(price: int, near: bool) -> None:  # noqa: FBT001
    assert repeats(price, 1000) is near


def test_a_held_quote_leaves_the_reading_before(scope: Scope) -> None:
    done = record(scope, 3, 1001, 500)
    assert (done.held, done.stored, done.unchanged) == (1, 0, 1)
    assert holds(scope.database) == [(3, 1001, "held")]
    assert market(scope.database, 3) == 100
    record(scope, 4, 120, 500)
    assert [market(scope.database, day) for day in (3, 4)] == [100, 120]


def test_ten_times_exactly_is_not_held(scope: Scope) -> None:
    record(scope, 3, 1000, 50)
    assert holds(scope.database) == []


def test_a_first_price_has_nothing_to_be_measured_by(scope: Scope) -> None:
    record(scope, 3, 100, 500, 1_000_000)
    assert market(scope.database, 3, product=3) == 1_000_000


def test_trust_judges_nothing(scope: Scope) -> None:
    done = record(scope, 3, 100_000, 1, trust=True)
    assert (done.held, done.stored) == (0, 2)
    assert holds(scope.database) == []


def test_a_held_product_is_not_gone(scope: Scope) -> None:
    assert record(scope, 3, 5000, 500).gaps == 0
    assert market(scope.database, 3) == 100
    scope.record(at(4), {2: listing(500)}, trust=False)
    assert market(scope.database, 4) is Answer.GAP


def test_three_further_days_release_all_at_their_own_time(scope: Scope) -> None:
    for day, price in ((3, 2000), (4, 2100), (5, 1900)):
        assert record(scope, day, price, 500).held == 1
    assert record(scope, 6, 2000, 500).released == 4
    assert [market(scope.database, day) for day in range(2, 7)] == [100, 2000, 2100, 1900, 2000]
    assert {state for _, _, state in holds(scope.database)} == {"released"}
    assert [revision for _, revision, _ in rows_of(scope.database)] == [0] * 5


def test_one_level_for_days_leaves_one_row(scope: Scope) -> None:
    for day in range(3, 7):
        record(scope, day, 2000, 500)
    assert rows_of(scope.database) == [(0, 0, 100), (3, 0, 2000)]


def test_a_level_that_is_not_repeated_stays_held(scope: Scope) -> None:
    for day, price in ((3, 2000), (4, 3000), (5, 4000), (6, 5000)):
        record(scope, day, price, 500)
    assert {state for _, _, state in holds(scope.database)} == {"held"}
    assert [market(scope.database, day) for day in range(3, 7)] == [100] * 4


def test_the_same_day_confirms_once(scope: Scope) -> None:
    record(scope, 3, 2000)
    for hour in range(1, 4):  # all before midnight
        scope.record(at(3) + hour * 1000, {1: listing(2000)}, trust=False)
    record(scope, 4, 2000)
    assert {state for _, _, state in holds(scope.database)} == {"held"}


def test_a_released_level_is_known(scope: Scope) -> None:
    for day in range(3, 7):
        record(scope, day, 2000, 500)
    for day in range(7, 9):
        record(scope, day, 100, 500)
    record(scope, 9, 2100, 500)
    assert market(scope.database, 9) == 2100


def test_a_repetition_holds_nothing_twice(scope: Scope) -> None:
    record(scope, 3, 2000, 500)
    done = record(scope, 3, 2000, 500)
    assert (done.held, done.seen_before) == (0, True)
    assert holds(scope.database) == [(3, 2000, "held")]


def test_an_operator_releases(scope: Scope) -> None:
    record(scope, 3, 2000, 500)
    record(scope, 4, 110, 500)
    decide(scope.database, HoldState.RELEASED)
    assert [market(scope.database, day) for day in (2, 3, 4)] == [100, 2000, 110]
    assert rows_of(scope.database) == [(0, 0, 100), (3, 0, 2000), (4, 0, 110)]
    record(scope, 5, 110, 500)
    assert market(scope.database, 5) == 110


def test_a_release_of_the_newest_quote_is_what_the_next_look_is_compared_with(scope: Scope) -> None:
    record(scope, 3, 2000, 500)
    decide(scope.database, HoldState.RELEASED)
    assert market(scope.database, 3) == 2000
    assert record(scope, 4, 100, 500).stored == 1
    assert [market(scope.database, day) for day in (3, 4)] == [2000, 100]


def test_an_operator_rejects(scope: Scope) -> None:
    record(scope, 3, 2000, 500)
    decide(scope.database, HoldState.REJECTED)
    for day in range(4, 6):
        record(scope, day, 2000, 500)
    assert holds(scope.database)[0] == (3, 2000, "rejected")
    assert market(scope.database, 5) == 100


def test_a_decision_is_taken_once_and_on_something(scope: Scope) -> None:
    record(scope, 3, 2000, 500)
    decide(scope.database, HoldState.REJECTED)
    with pytest.raises(Conflict, match="rejected"):
        decide(scope.database, HoldState.RELEASED)
    with pytest.raises(NotFound), scope.database.write() as connection:
        release_hold(connection, scope.database.dialect, 999, by="me", now=NOW)
    assert market(scope.database, 3) == 100


def test_prices_of_looks_at_the_product_alone_count(scope: Scope) -> None:
    """The median is of what was in force, whichever way it came in."""
    for day in range(3, 23):
        look(scope.database, at(day) + 60, 100_000)
    look(scope.database, at(23) + 60, 100)
    done = record(scope, 24, 110, 500)
    assert done.held == 1
    assert market(scope.database, 24) == 100


def test_an_unreadable_price_is_not_judged(scope: Scope) -> None:
    done = scope.record(at(3), {1: Listing(readable=False), 2: listing(500)}, trust=False)
    assert done.held == 0
    with scope.database.read() as connection:
        (series,) = load_series(connection, external_id="1")
        history = load_history(connection, scope.database.dialect, series.id)
    assert history.at(at(3)) == Reading(Answer.UNREADABLE)


def look(database: Database, moment: int, price: int) -> None:
    one = ItemLook(
        Source.TCGCSV,
        "1",
        datetime.fromtimestamp(moment, UTC),
        {FACET: PriceValues(market_price=price)},
    )
    with database.write() as connection:
        record_item(connection, database.dialect, one, run_id=1, trust=True, now=NOW)


def decide(database: Database, state: HoldState) -> None:
    with database.write() as connection:
        (hold_id,) = connection.execute(select(price_holds.c.id)).scalars()
        if state is HoldState.RELEASED:
            release_hold(connection, database.dialect, hold_id, by="operator", now=NOW)
        else:
            reject_hold(connection, hold_id, by="operator", now=NOW)
