"""A product looked at alone first belongs to its scope from the first listing on, and before."""

from datetime import UTC, datetime

from tcgtracker.database.engine import Database
from tcgtracker.domain.quote import PriceValues
from tcgtracker.domain.source import Source
from tcgtracker.prices.items import ItemLook, record_item
from tcgtracker.prices.products import load_series
from tcgtracker.prices.reading import Answer
from tcgtracker.prices.store import load_history
from tests.unit.prices.support import DAY, FACET, NOW, Scope, listing

FIRST = int(datetime(2025, 10, 1, 20, tzinfo=UTC).timestamp())


def look_at(database: Database, product: int, moment: int, price: int) -> None:
    look = ItemLook(
        Source.TCGCSV,
        str(product),
        datetime.fromtimestamp(moment, UTC),
        {FACET: PriceValues(market_price=price)},
    )
    with database.write() as connection:
        record_item(connection, database.dialect, look, run_id=1, trust=True, now=NOW)


def test_a_gap_before_a_newer_look_is_not_the_last_word(database: Database) -> None:
    """A whole look comes in late behind a look at the product alone; the next one gaps again."""
    scope = Scope(database)
    scope.record(FIRST, {9: listing(50), 5: listing(1)})
    look_at(database, 9, FIRST + DAY + 7, 100)
    for day in (1, 2):
        scope.record(FIRST + day * DAY, {5: listing(1)})
    with database.read() as connection:
        (series,) = load_series(connection, external_id="9")
        read = load_history(connection, database.dialect, series.id).at
        answers = [read(FIRST + seconds).answer for seconds in (0, DAY, DAY + 7, 2 * DAY)]
    priced, gap = Answer.PRICED, Answer.GAP
    assert answers == [priced, gap, priced, gap]


def test_days_that_come_in_behind_a_newer_look_are_compared_with_their_own_past(
    database: Database,
) -> None:
    scope = Scope(database)
    scope.record(FIRST, {9: listing(50)})
    look_at(database, 9, FIRST + 5 * DAY + 7, 100)
    for day, price in ((1, 60), (2, 100), (3, 70)):
        scope.record(FIRST + day * DAY, {9: listing(price)})
    with database.read() as connection:
        (series,) = load_series(connection, external_id="9")
        read = load_history(connection, database.dialect, series.id).at
        found = [read(FIRST + day * DAY).values[0] for day in range(4)]
        assert read(FIRST + 5 * DAY + 7).values[0] == 100
    assert found == [50, 60, 100, 70]


def test_several_looks_that_did_not_find_it_are_all_gaps(database: Database) -> None:
    scope = Scope(database)
    for day in (1, 2, 3):
        scope.record(FIRST + day * DAY, {5: listing(1)})
    look_at(database, 9, FIRST + 7, 100)
    scope.record(FIRST + 4 * DAY, {5: listing(1), 9: listing(100)})
    with database.read() as connection:
        (series,) = load_series(connection, external_id="9")
        history = load_history(connection, database.dialect, series.id)
    answers = [history.at(FIRST + day * DAY).answer for day in (1, 2, 3, 4)]
    assert answers == [Answer.GAP] * 3 + [Answer.PRICED]
    assert len(history.rows) == 3


def test_looks_that_did_not_find_it_read_as_gaps(database: Database) -> None:
    scope = Scope(database)
    for day in (1, 2):
        scope.record(FIRST + day * DAY, {5: listing(1)})
    for hours in (23, 47):
        look_at(database, 9, FIRST + hours * 3600, 100)
    scope.record(FIRST + 3 * DAY, {5: listing(1), 9: listing(100)})

    with database.read() as connection:
        (series,) = load_series(connection, external_id="9")
        read = load_history(connection, database.dialect, series.id).at
        answers = [read(FIRST + hours * 3600).answer for hours in (23, 24, 47, 48, 72)]
    priced, gap = Answer.PRICED, Answer.GAP
    assert answers == [priced, gap, priced, gap, priced]
