"""A primary source of one product a call and a fallback of twenty, on each database."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tcgtracker.database.engine import Database
from tcgtracker.domain.clock import FixedClock
from tcgtracker.domain.source import Source
from tests.unit.quotes.kit import NOON, Kit, Shop, an_info


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest.fixture
def first(clock: FixedClock) -> Shop:
    return Shop(an_info(Source.PRICECHARTING, refresh=timedelta(days=1)), clock)


@pytest.fixture
def second(clock: FixedClock) -> Shop:
    return Shop(an_info(Source.JUSTTCG, batch=20), clock)


@pytest.fixture
def kit(database: Database, clock: FixedClock, first: Shop, second: Shop) -> Iterator[Kit]:
    kit = Kit(database, [first, second], clock)
    yield kit
    kit.close()
