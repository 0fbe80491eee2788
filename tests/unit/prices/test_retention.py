"""Dropping old prices changes no reading after the limit, in rows, late rows and blocks alike."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import func, insert, select, text

from tcgtracker.config import Settings
from tcgtracker.database.engine import Database
from tcgtracker.database.migrate import upgrade
from tcgtracker.database.tables.prices import change_cursors, change_sets, price_blocks, price_holds
from tcgtracker.domain.clock import from_epoch
from tcgtracker.domain.errors import InvalidInput
from tcgtracker.domain.quote import HoldState
from tcgtracker.domain.source import Source
from tcgtracker.prices.changes import CARD_QUOTES
from tcgtracker.prices.jobs import Cleaned, clean_history
from tcgtracker.prices.products import load_series
from tcgtracker.prices.retention import Dropped, drop_old_prices
from tcgtracker.prices.rows import load_series_rows
from tcgtracker.prices.seal import seal_price_history
from tcgtracker.prices.store import load_histories
from tests.unit.prices.support import DAY, Scope, listing

FIRST = int(datetime(2024, 11, 3, 20, tzinfo=UTC).timestamp())
DAYS = 300
NOW = from_epoch(FIRST + DAYS * DAY)
KEPT_DAYS = 120
LIMIT = from_epoch(FIRST + (DAYS - KEPT_DAYS) * DAY)
LIMIT_S = FIRST + (DAYS - KEPT_DAYS) * DAY - 20 * 3600
Readings = dict[int, list[object]]


def record(database: Database, source: Source = Source.TCGCSV) -> None:
    """Product 1 changes each 7th day, 2 once, 3 never, 4 is gone after a while."""
    scope = Scope(database, source=source)
    for day in range(0, DAYS, 5):
        listed = {
            1: listing(100 + day // 7),
            2: listing(500 if day < 20 else 600),
            3: listing(900),
        }
        if day < 40:
            listed[4] = listing(50)
        scope.record(FIRST + day * DAY, listed)


def readings(database: Database) -> Readings:
    """Return what each series reads at each day from the limit on."""
    with database.read() as connection:
        ids = np.array([one.id for one in load_series(connection)])
        histories = load_histories(connection, database.dialect, ids)
    return {
        series_id: [
            (reading.answer, reading.values, reading.observed_at)
            for at in range(LIMIT_S, FIRST + DAYS * DAY, DAY // 2)
            for reading in (history.at(at),)
        ]
        for series_id, history in histories.items()
    }


def moments(database: Database, series_id: int) -> list[int]:
    with database.read() as connection:
        rows = load_series_rows(connection, database.dialect, series_id)
    return [int(at) for at in rows.observed_at]


def drop(database: Database, source: Source = Source.TCGCSV) -> Dropped:
    return drop_old_prices(database, source, LIMIT, check=lambda: None)


@pytest.mark.parametrize("sealed", [False, True])
def test_readings_after_the_limit_stay_as_they_were(database: Database, *, sealed: bool) -> None:
    record(database)
    if sealed:
        seal_price_history(database, now=NOW, after_days=60)
        # after the months were sealed, a file of a day long past
        Scope(database).record(FIRST + 12 * DAY, {1: listing(7), 2: listing(500), 3: listing(900)})
    with database.read() as connection:
        one, two, three, four = (series.id for series in load_series(connection))
        blocks = connection.scalar(select(func.count()).select_from(price_blocks))
    assert bool(blocks) is sealed
    before, rows = readings(database), len(moments(database, one))
    done = drop(database)
    assert readings(database) == before
    left = moments(database, one)
    assert sum(at < LIMIT_S for at in left) == 1, "what was in force stays"
    assert rows - len(left) > 15
    assert [len(moments(database, series)) for series in (two, three, four)] == [1, 1, 1]
    assert done.series == 3, "the one that never changed lost nothing"
    assert bool(done.sealed_rows) is sealed
    assert drop(database) == Dropped(), "again there is nothing to drop"
    assert readings(database) == before


def test_new_prices_come_in_as_ever(database: Database) -> None:
    record(database)
    drop(database)
    scope = Scope(database)
    same = {1: listing(100 + (DAYS - 5) // 7), 2: listing(600), 3: listing(900)}
    assert scope.record(FIRST + DAYS * DAY, same).stored == 0
    assert scope.record(FIRST + (DAYS + 1) * DAY, {**same, 2: listing(700)}).stored == 1


def test_other_sources_are_left_alone(database: Database) -> None:
    record(database, Source.PRICECHARTING)
    before = readings(database)
    assert drop(database) == Dropped()
    assert readings(database) == before


def test_what_a_person_released_stays(database: Database) -> None:
    record(database)
    with database.read() as connection:
        series_id = load_series(connection)[0].id
    chosen = moments(database, series_id)[2]
    with database.write() as connection:
        connection.execute(
            insert(price_holds).values(
                series_id=series_id,
                observed_at=from_epoch(chosen),
                reason="far off",
                state=HoldState.RELEASED,
                confirmed_days=[],
                run_id=1,
                decided_at=NOW,
                decided_by="ash",
            )
        )
    drop(database)
    assert chosen in moments(database, series_id)


def change_set_ids(database: Database) -> list[int]:
    with database.read() as connection:
        return list(
            connection.execute(select(change_sets.c.id).order_by(change_sets.c.id)).scalars()
        )


def test_change_sets_go_once_every_consumer_has_passed(database: Database) -> None:
    record(database)
    known = change_set_ids(database)

    def clean() -> Cleaned:
        return clean_history(database, database, NOW, {}, check=lambda: None)

    assert clean() == Cleaned(), "nobody has followed any"
    with database.write() as connection:  # it counts products
        links = {"consumer": "links", "change_set_id": known[9]}
        connection.execute(insert(change_cursors).values(**links))
    assert clean() == Cleaned(), "the quotes of cards have followed none yet"
    with database.write() as connection:
        quotes = {"consumer": CARD_QUOTES, "change_set_id": known[4]}
        connection.execute(insert(change_cursors).values(**quotes))
    assert clean() == Cleaned(change_sets=5)
    assert change_set_ids(database) == known[5:]
    assert clean() == Cleaned()
    with database.write() as connection:
        connection.execute(text("UPDATE change_cursors SET change_set_id = 1000000"))
    clean()
    scope = Scope(database)
    scope.record(FIRST + DAYS * DAY, {1: listing(1)})
    assert change_set_ids(database)[0] > known[-1], "no id is given twice"


def test_the_cursors_stand_in_the_main_database(database: Database, tmp_path: Path) -> None:
    main = Database(f"sqlite:///{tmp_path}/main.db")
    upgrade(main)
    record(database)
    known = change_set_ids(database)
    with main.write() as connection:
        connection.execute(
            insert(change_cursors).values(consumer=CARD_QUOTES, change_set_id=known[2])
        )
    done = clean_history(main, database, NOW, {}, check=lambda: None)
    assert done.change_sets == 3
    main.close()


def test_only_what_is_named_is_dropped(database: Database) -> None:
    record(database)
    done = clean_history(database, database, NOW, {Source.JUSTTCG: 90}, check=lambda: None)
    assert done.prices == {"justtcg": Dropped()}
    done = clean_history(database, database, NOW, {Source.TCGCSV: KEPT_DAYS}, check=lambda: None)
    assert done.prices["tcgcsv"].rows > 0


@pytest.mark.parametrize(
    ("said", "kept"),
    [("", {}), ("justtcg=365, tcgcsv = 90", {Source.JUSTTCG: 365, Source.TCGCSV: 90})],
)
def test_the_setting_names_sources(
    said: str, kept: dict[Source, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HISTORY_KEEP_DAYS", said)
    assert Settings().history.retention == kept


@pytest.mark.parametrize(
    "said", ["justtcg", "ebay=90", "manual=90", "tcgcsv=89", "tcgcsv=90,tcgcsv=91"]
)
def test_a_wrong_setting_stops_the_start(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HISTORY_KEEP_DAYS", said)
    with pytest.raises(InvalidInput, match="HISTORY_KEEP_DAYS"):
        Settings()


def test_the_work_ends_when_it_is_no_longer_ours(database: Database) -> None:
    record(database)

    class Gone(Exception):
        pass

    def check() -> None:
        raise Gone

    with pytest.raises(Gone):
        drop_old_prices(database, Source.TCGCSV, NOW - timedelta(days=90), check=check)
