"""Loading and saving what is kept of a scope, and the looks at it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, bindparam, delete, func, select, update

from tcgtracker.database.dialects.base import DatabaseDialect, IntArray
from tcgtracker.database.tables.prices import (
    observations,
    scope_blobs,
    scope_states,
    scope_touches,
)
from tcgtracker.domain.clock import from_epoch, to_epoch
from tcgtracker.domain.errors import StateChanged
from tcgtracker.prices.state import ScopeState

_REPLACE_STATE = (
    update(scope_states)
    .where(
        scope_states.c.scope_id == bindparam("of_scope"),
        scope_states.c.version == bindparam("of_version"),
    )
    .values({name: bindparam(name) for name in ("version", "last_at", "open_at", "parts")})
)


def lock_states(
    connection: Connection,
    dialect: DatabaseDialect,
    scope_ids: list[int],
    kept: Mapping[int, ScopeState],
) -> dict[int, ScopeState]:
    """Return the states of scopes and keep other recorders from them until the transaction ends.

    A kept state is given back when it is still the newest version.
    """
    table = scope_states
    query = select(table).where(table.c.scope_id.in_(scope_ids)).order_by(table.c.scope_id)
    rows = connection.execute(query.with_for_update()).all()
    if len(rows) < len(scope_ids):
        connection.execute(
            dialect.insert_or_skip(table),
            [{"scope_id": scope_id, "version": 0, "parts": {}} for scope_id in scope_ids],
        )
        rows = connection.execute(query.with_for_update()).all()
    states = {}
    for row in rows:
        known = kept.get(row.scope_id)
        if known is not None and known.version == row.version:
            states[row.scope_id] = known
            continue
        states[row.scope_id] = ScopeState(
            row.scope_id,
            version=row.version,
            last_at=to_epoch(row.last_at) if row.last_at else None,
            open_at=to_epoch(row.open_at) if row.open_at else None,
            parts=dict(row.parts),
        )
    fresh = [one for one in states.values() if kept.get(one.scope_id) is not one]
    _load_arrays(connection, dialect, fresh)
    return states


def _load_arrays(
    connection: Connection, dialect: DatabaseDialect, states: list[ScopeState]
) -> None:
    wanted = {state.scope_id: state for state in states if state.version > 0}
    if not wanted:
        return
    ids = np.array(sorted(wanted), np.int64)
    with dialect.ids(connection, ids) as (listed, parameters):
        sql = f"SELECT b.scope_id, b.part, b.blob FROM {listed} JOIN scope_blobs b"  # noqa: S608 - our own names
        rows = dialect.read_history(connection, f"{sql} ON b.scope_id = w.id", parameters)
    blobs = {(scope_id, part): bytes(blob) for scope_id, part, blob in rows}
    for scope_id, state in wanted.items():
        if (scope_id, "keys") in blobs:
            state.decode(blobs[scope_id, "keys"], blobs[scope_id, "values"])


def save_states(connection: Connection, dialect: DatabaseDialect, states: list[ScopeState]) -> None:
    """Replace states and count their versions up.

    Raises:
        StateChanged: another recorder replaced one since it was loaded.
    """
    blobs, versions = [], []
    for state in states:
        versions.append(
            {
                "of_scope": state.scope_id,
                "of_version": state.version,
                "version": state.version + 1,
                "last_at": None if state.last_at is None else from_epoch(state.last_at),
                "open_at": None if state.open_at is None else from_epoch(state.open_at),
                "parts": state.parts,
            }
        )
        blobs.append({"scope_id": state.scope_id, "part": "values", "blob": state.encode_values()})
        if state.keys_changed or state.version == 0:
            blobs.append({"scope_id": state.scope_id, "part": "keys", "blob": state.encode_keys()})
        state.version += 1
        state.keys_changed = False
    changed = connection.execute(_REPLACE_STATE, versions).rowcount
    if changed != len(states):
        raise StateChanged("a scope was recorded by another process meanwhile")
    connection.execute(dialect.upsert(scope_blobs, ["scope_id", "part"], ["blob"]), blobs)


def touch_scope(
    connection: Connection, dialect: DatabaseDialect, scope_id: int, series_ids: list[int]
) -> None:
    """Say that rows of these series were written past the state of their bulk scope."""
    connection.execute(
        dialect.insert_or_skip(scope_touches),
        [{"scope_id": scope_id, "series_id": series_id} for series_id in series_ids],
    )
    connection.execute(
        update(scope_states)
        .where(scope_states.c.scope_id == scope_id)
        .values(version=scope_states.c.version + 1)
    )


def keep_touches(
    connection: Connection, dialect: DatabaseDialect, scope_id: int, series_ids: list[int]
) -> None:
    """Let series stay touched: what was looked at alone is newer than what the scope has seen."""
    if series_ids:
        connection.execute(
            dialect.insert_or_skip(scope_touches),
            [{"scope_id": scope_id, "series_id": series_id} for series_id in series_ids],
        )


def take_touches(connection: Connection, scope_ids: list[int]) -> dict[int, IntArray]:
    """Return the touched series of scopes and forget them."""
    where = scope_touches.c.scope_id.in_(scope_ids)
    found: dict[int, list[int]] = {}
    for row in connection.execute(select(scope_touches).where(where)):
        found.setdefault(row.scope_id, []).append(row.series_id)
    if found:
        connection.execute(delete(scope_touches).where(where))
    return {scope_id: np.array(series, np.int64) for scope_id, series in found.items()}


def looks_at_scope(connection: Connection, scope_id: int) -> IntArray:
    """Return the moments of all complete looks at a scope, sorted epoch seconds."""
    moments = connection.execute(
        select(observations.c.observed_at)
        .where(observations.c.scope_id == scope_id, observations.c.complete)
        .order_by(observations.c.observed_at)
    ).scalars()
    return np.array([to_epoch(moment) for moment in moments], np.int64)


def next_look_at_scope(connection: Connection, scope_id: int, at: int) -> int | None:
    """Return the first complete look after a moment."""
    found = connection.execute(
        select(func.min(observations.c.observed_at)).where(
            observations.c.scope_id == scope_id,
            observations.c.complete,
            observations.c.observed_at > from_epoch(at),
        )
    ).scalar_one()
    return None if found is None else to_epoch(found)


@dataclass(frozen=True, slots=True)
class Look:
    """A look at a scope at a moment (epoch seconds), and a digest of what it held."""

    scope_id: int
    at: int
    complete: bool
    digest: bytes


def find_looks(connection: Connection, moments: Mapping[int, int]) -> dict[int, Look]:
    """Return the looks at some scopes at one moment each, by scope; those not made are left out."""
    rows = connection.execute(
        select(observations).where(
            observations.c.scope_id.in_(sorted(moments)),
            observations.c.observed_at.in_([from_epoch(at) for at in set(moments.values())]),
        )
    )
    looks = (
        Look(row.scope_id, to_epoch(row.observed_at), row.complete, bytes(row.digest))
        for row in rows
    )
    return {look.scope_id: look for look in looks if moments[look.scope_id] == look.at}


def save_looks(
    connection: Connection, dialect: DatabaseDialect, looks: list[Look], run_id: int
) -> None:
    """Keep that scopes were looked at."""
    connection.execute(
        dialect.upsert(observations, ["scope_id", "observed_at"], ["run_id", "complete", "digest"]),
        [
            {
                "scope_id": look.scope_id,
                "observed_at": from_epoch(look.at),
                "run_id": run_id,
                "complete": look.complete,
                "digest": look.digest,
            }
            for look in looks
        ],
    )
