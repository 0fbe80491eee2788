"""Series of one product of which its scope lists some: it looked for the others in vain."""

from datetime import UTC, datetime

import pytest

from tcgtracker.database.engine import Database
from tcgtracker.domain.quote import Facet, PriceValues
from tcgtracker.domain.source import Source
from tcgtracker.prices.items import ItemLook, record_item
from tcgtracker.prices.products import load_series
from tcgtracker.prices.quick import SeriesReader
from tcgtracker.prices.reading import Answer
from tcgtracker.prices.store import load_history
from tests.unit.prices.support import DAY, FACET, NOW, Scope, listing

FIRST = int(datetime(2025, 10, 1, 20, tzinfo=UTC).timestamp())
GRADED = Facet(sub_key="Normal", variant="psa-10")


def look_at(database: Database, product: int, moment: int, prices: dict[Facet, int]) -> None:
    quotes = {facet: PriceValues(market_price=price) for facet, price in prices.items()}
    look = ItemLook(Source.TCGCSV, str(product), datetime.fromtimestamp(moment, UTC), quotes)
    with database.write() as connection:
        record_item(connection, database.dialect, look, run_id=1, trust=True, now=NOW)


def seen(database: Database, variant: str) -> tuple[int | None, Answer]:
    with database.read() as connection:
        reader = SeriesReader(connection, database.dialect)
        (one,) = [
            one for one in load_series(connection, external_id="9") if one.facet.variant == variant
        ]
        reader.prepare([one])
        newest = reader.newest([one])[one.id]
        history = load_history(connection, database.dialect, one.id)
        assert history.last_market() == (newest.market, newest.market_at)
        return newest.market_at, history.at(FIRST + 3 * DAY).answer


def test_a_grade_that_the_scope_does_not_list_is_not_seen_by_it(database: Database) -> None:
    scope = Scope(database)
    look_at(database, 9, FIRST + 7, {FACET: 100, GRADED: 9000})
    for day in (1, 2, 3):
        scope.record(FIRST + day * DAY, {9: listing(100)})
    assert seen(database, "raw") == (FIRST + 3 * DAY, Answer.PRICED)
    assert seen(database, "psa-10") == (FIRST + 7, Answer.GAP)


@pytest.mark.parametrize("others", [(), (3,), (30,)])
def test_a_grade_found_by_a_look_at_the_product_of_a_scope(
    database: Database, others: tuple[int, ...]
) -> None:
    scope = Scope(database)
    known = {9: listing(100), **{one: listing(100) for one in others}}
    scope.record(FIRST, known)
    look_at(database, 9, FIRST + 7, {FACET: 100, GRADED: 9000})
    for day in (1, 2, 3):
        scope.record(FIRST + day * DAY, known)
    assert seen(database, "raw") == (FIRST + 3 * DAY, Answer.PRICED)
    assert seen(database, "psa-10") == (FIRST + 7, Answer.GAP)


def test_a_grade_found_alone_does_not_pass_for_a_new_product(database: Database) -> None:
    scope = Scope(database)
    scope.record(FIRST, {9: listing(100)})
    look_at(database, 9, FIRST + 7, {FACET: 100, GRADED: 9000})
    scope.record(FIRST + DAY, {9: listing(100), 30: listing(9000)})
    with database.read() as connection:
        (other,) = load_series(connection, external_id="30")
        history = load_history(connection, database.dialect, other.id)
    assert history.last_market() == (9000, FIRST + DAY)


def test_a_page_without_the_grade_is_a_look_at_it_however_late(database: Database) -> None:
    scope = Scope(database)
    scope.record(FIRST, {9: listing(100)})
    look_at(database, 9, FIRST + DAY + 7, {FACET: 100, GRADED: 9000})
    for day in (3, 2, 1):
        scope.record(FIRST + day * DAY, {9: listing(100)})
    look_at(database, 9, FIRST + 3 * DAY + 7, {FACET: 100, GRADED: 9100})
    assert seen(database, "psa-10") == (FIRST + 3 * DAY + 7, Answer.GAP)


def test_what_an_older_guide_lists_is_not_seen_by_a_newer_look_without_it(
    database: Database,
) -> None:
    scope = Scope(database)
    look_at(database, 9, FIRST + 5 * DAY + 7, {GRADED: 9000})
    scope.record(FIRST, {9: listing(100)})
    assert seen(database, "raw") == (FIRST, Answer.NOT_OBSERVED)
