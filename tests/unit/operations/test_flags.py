"""What the flags say of the sources, and how they are changed, on both databases."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import insert, select
from structlog.testing import capture_logs

from tcgtracker.database.engine import Database
from tcgtracker.database.tables.accounts import audit_log
from tcgtracker.database.tables.sources import feature_flags
from tcgtracker.domain.errors import InvalidInput
from tcgtracker.domain.source import SOURCE_ORDER, Source
from tcgtracker.operations import flags
from tcgtracker.operations.flag_settings import (
    ChangedBy,
    change_flags,
    flag_changes,
    list_flags,
    parse_value,
)
from tcgtracker.operations.flags import SourceFlags, bucket_of, load_flags

JUNE = datetime(2026, 6, 1, tzinfo=UTC)
PC, JT, TP = Source.PRICECHARTING, Source.JUSTTCG, Source.TCGPLAYER


@pytest.fixture(autouse=True)
def _nothing_said_yet() -> None:
    flags._parse.cache_clear()


def stored(database: Database, **values: object) -> SourceFlags:
    """Write rows as an older version or a hand would, unjudged, and read them."""
    with database.write() as connection:
        for name, value in values.items():
            connection.execute(
                insert(feature_flags).values(name=f"pricing.{name}", value=value, changed_at=JUNE)
            )
    with database.read() as connection:
        return load_flags(connection)


def change(database: Database, **values: object) -> dict[str, Any]:
    with database.write() as connection:
        rows = change_flags(
            connection,
            database.dialect,
            {f"pricing.{name}": value for name, value in values.items()},
            by=ChangedBy("misty"),
            now=JUNE,
        )
    return {row.name.removeprefix("pricing."): row.value for row in rows}


def read(database: Database) -> SourceFlags:
    with database.read() as connection:
        return load_flags(connection)


def test_no_flag_is_the_default_order(database: Database) -> None:
    found = stored(database)
    assert found == SourceFlags()
    assert found.order_of(7) == SOURCE_ORDER


def test_flags_come_first_and_every_source_once(database: Database) -> None:
    found = stored(database, primary_source="tcgcsv", fallback_sources=["tcgplayer", "tcgcsv"])
    assert found.order[:2] == (Source.TCGCSV, Source.TCGPLAYER)
    assert sorted(found.order) == sorted(Source)


def test_no_fallback_keeps_the_primary(database: Database) -> None:
    assert stored(database, primary_source="justtcg", fallback_sources=[]).order[0] is JT


@pytest.mark.parametrize("value", ["cardmarket", 7, ["justtcg"], {"a": 1}])
def test_unusable_primary_counts_as_not_set_and_is_said_once(
    database: Database, value: object
) -> None:
    with capture_logs() as logs:
        assert stored(database, primary_source=value) == SourceFlags()
        assert stored(database) == SourceFlags()
    assert [line["event"] for line in logs] == ["flag.unusable"]


@pytest.mark.parametrize("value", ["justtcg", ["justtcg", "cardmarket"], [["justtcg"]]])
def test_fallbacks_with_an_unknown_one_count_as_not_set(database: Database, value: object) -> None:
    assert stored(database, fallback_sources=value).order == SOURCE_ORDER


def test_a_shadow_that_another_flag_names_too_is_none(database: Database) -> None:
    found = stored(database, shadow_source="justtcg")
    assert (found.shadow, found.order) == (None, SOURCE_ORDER)


@pytest.mark.parametrize("percent", [0, 1, 25, 50, 99, 100])
def test_a_rollout_moves_that_share_of_cards_and_none_back(percent: int) -> None:
    cards = range(1, 20_001)
    moved = {card for card in cards if bucket_of(card) < percent}
    assert abs(len(moved) - 200 * percent) <= 40, "neighbouring ids spread evenly"
    assert not percent or moved >= {card for card in cards if bucket_of(card) < percent - 1}
    assert {bucket_of(card) for card in (0, 1, 2**31 - 1, 2**31, 2**62)} <= set(range(100))


def test_a_card_is_in_the_same_part_for_ever() -> None:
    assert [bucket_of(card) for card in (1, 2, 3, 1000, 123_456_789)] == [61, 23, 85, 3, 49]


def test_moved_cards_have_the_new_source_first(database: Database) -> None:
    found = stored(database, rollout_source="justtcg", rollout_percent=50)
    first = {card: found.order_of(card)[0] for card in range(1, 200)}
    assert {card for card, source in first.items() if source is JT} == {
        card for card in first if bucket_of(card) < 50
    }
    assert set(first.values()) == {PC, JT}


def test_a_change_is_stored_audited_and_read(database: Database) -> None:
    assert change(database, primary_source="justtcg")["primary_source"] == "justtcg"
    assert read(database).order[:2] == (JT, PC)
    assert change(database, primary_source=None)["primary_source"] == "pricecharting"
    assert read(database) == SourceFlags()
    with database.read() as connection:
        changes = flag_changes(connection)
        rows = connection.execute(select(feature_flags)).all()
    assert [(one.subject, one.detail["old"], one.detail["new"]) for one in changes] == [
        ("pricing.primary_source", "justtcg", "pricecharting"),
        ("pricing.primary_source", "pricecharting", "justtcg"),
    ]
    assert {one.detail["by"] for one in changes} == {"misty"}
    assert rows == []


def test_what_stands_already_is_no_change(database: Database) -> None:
    change(database, primary_source="justtcg")
    change(database, primary_source="justtcg", shadow_source=None)
    with database.read() as connection:
        assert len(connection.execute(select(audit_log)).all()) == 1


def test_a_shadow_speaks_for_no_card(database: Database) -> None:
    change(database, fallback_sources=["tcgplayer"], shadow_source="justtcg")
    found = read(database)
    assert found.shadow is JT
    assert JT not in found.order
    assert found.place_of(1, JT) == len(found.order)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"primary_source": "cardmarket"}, "is no source: pricecharting, justtcg"),
        ({"primary_source": "manual"}, "is no source"),
        ({"primary_source": ""}, "is no source"),
        ({"primary_source": ["justtcg"]}, "is no source"),
        ({"fallback_sources": "justtcg"}, "is no list of sources"),
        ({"fallback_sources": ["justtcg", "justtcg"]}, "names a source twice"),
        ({"fallback_sources": ["justtcg", 4]}, "4 is no source"),
        ({"rollout_percent": 101, "rollout_source": "justtcg"}, "no whole number from 0 to 100"),
        ({"rollout_percent": -1, "rollout_source": "justtcg"}, "no whole number"),
        ({"rollout_percent": 2.5, "rollout_source": "justtcg"}, "no whole number"),
        ({"rollout_percent": True, "rollout_source": "justtcg"}, "no whole number"),
        ({"rollout_percent": 10}, "pricing.rollout_source, which is not set"),
        ({"shadow_source": "pricecharting"}, "is named in pricing.primary_source"),
        ({"shadow_source": "justtcg"}, "is named in pricing.fallback_sources"),
        (
            {"shadow_source": "tcgplayer", "rollout_source": "tcgplayer"},
            "is named in pricing.rollout_source",
        ),
        ({"colour": "red"}, "there is no flag 'pricing.colour'; known: pricing.primary_source"),
        ({"primary_source": "x" * 5000}, r"\.\.\. is no source"),
    ],
)
def test_a_value_that_cannot_be_used_changes_nothing(
    database: Database, values: dict[str, object], said: str
) -> None:
    with pytest.raises(InvalidInput, match=said):
        change(database, **values)
    with pytest.raises(InvalidInput, match=said):
        change(database, **{"fallback_sources": ["justtcg"], **values})
    with database.read() as connection:
        assert connection.execute(select(feature_flags)).all() == []
        assert connection.execute(select(audit_log)).all() == []


def test_the_source_of_a_rollout_stays_while_cards_are_moved(database: Database) -> None:
    change(database, rollout_source="justtcg", rollout_percent=10)
    with pytest.raises(InvalidInput, match="set that first"):
        change(database, rollout_source=None)
    after = change(database, rollout_source=None, rollout_percent=None)
    assert (after["rollout_source"], after["rollout_percent"]) == ("", 0)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("pricing.primary_source", " justtcg ", "justtcg"),
        ("pricing.fallback_sources", "justtcg, tcgplayer", ["justtcg", "tcgplayer"]),
        ("pricing.fallback_sources", "", []),
        ("pricing.rollout_percent", "25%", 25),
        ("pricing.rollout_percent", "many", "many"),
        ("pricing.shadow_source", "", ""),
    ],
)
def test_what_a_command_line_means(name: str, text: str, value: object) -> None:
    assert parse_value(name, text) == value


def test_all_flags_are_listed_with_what_they_do(database: Database) -> None:
    with database.read() as connection:
        rows = list_flags(connection)
    assert [row.name for row in rows] == [
        "pricing.primary_source",
        "pricing.fallback_sources",
        "pricing.rollout_source",
        "pricing.rollout_percent",
        "pricing.shadow_source",
    ]
    assert all(row.about and not row.is_set and row.value == row.default for row in rows)
