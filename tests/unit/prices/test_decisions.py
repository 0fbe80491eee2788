"""An operator's word on held prices, and a scope's state made anew from its history."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from tcgtracker.database.engine import Database
from tcgtracker.database.tables.prices import scope_blobs
from tcgtracker.domain.errors import Conflict, NotFound, StorageError
from tcgtracker.domain.quote import HoldState
from tcgtracker.prices.changes import load_change_sets
from tcgtracker.prices.decisions import reject_hold, release_hold
from tcgtracker.prices.holds import load_holds
from tcgtracker.prices.rebuild import rebuild_state, scope_ids
from tcgtracker.prices.scope_store import lock_states
from tcgtracker.prices.seal import seal_price_history
from tcgtracker.prices.store import load_history
from tests.unit.prices.support import DAY, NOW, Scope, listing

FIRST = int(datetime(2025, 9, 1, 20, tzinfo=UTC).timestamp())


def held_scope(database: Database) -> Scope:
    scope = Scope(database)
    for day in range(4):
        scope.record(FIRST + day * DAY, {1: listing(100), 2: listing(5)}, trust=False)
    scope.record(FIRST + 4 * DAY, {1: listing(5_000), 2: listing(5)}, trust=False)
    scope.record(FIRST + 5 * DAY, {1: listing(100), 2: listing(5)}, trust=False)
    return scope


def the_hold(database: Database) -> Any:
    with database.read() as connection:
        (hold,) = load_holds(connection)
    return hold


def read(database: Database, series_id: int, day: int) -> Any:
    with database.read() as connection:
        history = load_history(connection, database.dialect, series_id)
    return history.at(FIRST + day * DAY).values[0]


def test_a_released_price_stands_at_its_own_moment_only(database: Database) -> None:
    scope = held_scope(database)
    hold = the_hold(database)
    assert read(database, hold.series_id, 4) == 100
    with database.write() as connection:
        before = len(load_change_sets(connection, 0, 1000))
        release_hold(connection, database.dialect, hold.id, by="me", now=NOW)
        (change,) = load_change_sets(connection, 0, 1000)[before:]
    assert change.series.tolist() == [hold.series_id]
    assert the_hold(database).state is HoldState.RELEASED
    assert [read(database, hold.series_id, day) for day in (3, 4, 5)] == [100, 5_000, 100]
    with database.write() as connection, pytest.raises(Conflict, match="released by me"):
        release_hold(connection, database.dialect, hold.id, by="me", now=NOW)
    scope.record(FIRST + 6 * DAY, {1: listing(100), 2: listing(6)}, trust=False)
    assert [read(database, hold.series_id, day) for day in (4, 5, 6)] == [5_000, 100, 100]


def test_a_release_of_the_newest_look_is_seen_by_the_next_page(database: Database) -> None:
    scope = Scope(database)
    for day in range(3):
        scope.record(FIRST + day * DAY, {1: listing(100)}, trust=False)
    scope.record(FIRST + 3 * DAY, {1: listing(5_000)}, trust=False)
    hold = the_hold(database)
    with database.write() as connection:
        release_hold(connection, database.dialect, hold.id, by="me", now=NOW)
    scope.record(FIRST + 4 * DAY, {1: listing(5_000)}, trust=False)
    assert [read(database, hold.series_id, day) for day in (2, 3, 4)] == [100, 5_000, 5_000]


def test_a_rejected_price_stays_out(database: Database) -> None:
    held_scope(database)
    hold = the_hold(database)
    with database.write() as connection:
        reject_hold(connection, hold.id, by="me", now=NOW)
    assert the_hold(database).state is HoldState.REJECTED
    assert read(database, hold.series_id, 4) == 100
    with database.write() as connection, pytest.raises(NotFound, match="holds list"):
        reject_hold(connection, hold.id + 1, by="me", now=NOW)


def test_a_rebuilt_state_is_the_one_that_was_kept(database: Database) -> None:
    scope = Scope(database)
    parts = frozenset({"a", "b"})
    for day in range(100):
        listed = {1: listing(100 + day % 7), 2: listing(None, 3), 3: listing(5)}
        if day % 10 == 3:
            del listed[3]
        scope.record(FIRST + day * DAY, listed, parts=parts)
    scope.record(FIRST + 100 * DAY, {1: listing(9)}, parts=parts)  # the others are gone
    seal_price_history(database, now=datetime(2026, 2, 1, tzinfo=UTC), after_days=90)
    with database.write() as connection:
        (scope_id,) = scope_ids(connection)
        kept = lock_states(connection, database.dialect, [scope_id], {})[scope_id]
    with database.write() as connection:
        connection.execute(scope_blobs.update().values(blob=b"damaged " * 8))
    with database.write() as connection, pytest.raises(StorageError, match="rebuild-state"):
        lock_states(connection, database.dialect, [scope_id], {})

    assert rebuild_state(database, scope_id) == 3
    with database.write() as connection:
        made = lock_states(connection, database.dialect, [scope_id], {})[scope_id]
    assert made.version > kept.version
    assert (made.last_at, made.open_at, made.parts) == (kept.last_at, None, kept.parts)
    assert made.facets == kept.facets
    for name in ("keys", "series", "latest", "state", "low", "high", "seen"):
        assert np.array_equal(getattr(made, name), getattr(kept, name)), name
    # The intake goes on where it was: what is unchanged is not written again.
    fresh = Scope(database)
    done = fresh.record(FIRST + 101 * DAY, {1: listing(9)}, parts=parts)
    assert (done.stored, done.unchanged, done.gaps) == (0, 1, 0)


def test_a_scope_that_is_not_there(database: Database) -> None:
    with pytest.raises(NotFound):
        rebuild_state(database, 7)
