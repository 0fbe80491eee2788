"""The order of the sources as flags, on both databases."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import insert
from structlog.testing import capture_logs

from tcgtracker.database.engine import Database
from tcgtracker.database.tables.sources import feature_flags
from tcgtracker.domain.source import SOURCE_ORDER, Source
from tcgtracker.operations import flags


@pytest.fixture(autouse=True)
def _nothing_said_yet() -> None:
    flags._warn_once.cache_clear()


def order_with(database: Database, **values: object) -> tuple[Source, ...]:
    with database.write() as connection:
        for name, value in values.items():
            connection.execute(
                insert(feature_flags).values(
                    name=f"pricing.{name}", value=value, changed_at=datetime(2026, 6, 1, tzinfo=UTC)
                )
            )
    with database.read() as connection:
        return flags.source_order(connection)


def test_no_flag_is_the_default_order(database: Database) -> None:
    assert order_with(database) == SOURCE_ORDER


def test_flags_come_first_and_every_source_once(database: Database) -> None:
    order = order_with(database, primary_source="tcgcsv", fallback_sources=["tcgplayer", "tcgcsv"])
    assert order[:2] == (Source.TCGCSV, Source.TCGPLAYER)
    assert sorted(order) == sorted(Source)


def test_no_fallback_keeps_the_primary(database: Database) -> None:
    order = order_with(database, primary_source="justtcg", fallback_sources=[])
    assert order[0] is Source.JUSTTCG


@pytest.mark.parametrize("value", ["cardmarket", 7, None, ["justtcg"], {"a": 1}])
def test_unusable_primary_counts_as_not_set_and_is_said_once(
    database: Database, value: object
) -> None:
    with capture_logs() as logs:
        assert order_with(database, primary_source=value) == SOURCE_ORDER
        assert order_with(database) == SOURCE_ORDER
    assert [line["event"] for line in logs] == ["flag.unusable"]


@pytest.mark.parametrize("value", ["justtcg", ["justtcg", "cardmarket"], [["justtcg"]]])
def test_fallbacks_with_an_unknown_one_count_as_not_set(database: Database, value: object) -> None:
    assert order_with(database, fallback_sources=value) == SOURCE_ORDER
