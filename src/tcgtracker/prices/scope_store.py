"""Loading and saving what is kept of a scope, and the looks at it."""

from hashlib import blake2b

import numpy as np
from sqlalchemy import Connection, delete, func, select, update

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

DIGEST_SIZE = 8


def load_state(
    connection: Connection,
    dialect: DatabaseDialect,
    scope_id: int,
    kept: ScopeState | None = None,
) -> ScopeState:
    """Return the state of a scope; `kept` is given back when it is still the newest version.

    The scope's row stays locked until the transaction ends: two recorders of one scope would
    otherwise meet in the unique keys of products and history, long before the version tells.
    """
    query = select(scope_states).where(scope_states.c.scope_id == scope_id).with_for_update()
    row = connection.execute(query).one_or_none()
    if row is None:
        connection.execute(
            dialect.insert_or_skip(scope_states),
            {"scope_id": scope_id, "version": 0, "parts": {}},
        )
        row = connection.execute(query).one()
    if kept is not None and kept.version == row.version:
        return kept
    state = ScopeState(
        scope_id,
        version=row.version,
        last_at=to_epoch(row.last_at) if row.last_at else None,
        open_at=to_epoch(row.open_at) if row.open_at else None,
        parts=dict(row.parts),
    )
    blobs = {
        blob.part: bytes(blob.blob)
        for blob in connection.execute(
            select(scope_blobs.c.part, scope_blobs.c.blob).where(scope_blobs.c.scope_id == scope_id)
        )
    }
    if blobs:
        state.decode(blobs["keys"], blobs["values"])
    return state


def save_state(connection: Connection, dialect: DatabaseDialect, state: ScopeState) -> None:
    """Replace the state and count its version up.

    Raises:
        StateChanged: another recorder replaced it since it was loaded.
    """
    changed = connection.execute(
        update(scope_states)
        .where(scope_states.c.scope_id == state.scope_id, scope_states.c.version == state.version)
        .values(
            version=state.version + 1,
            last_at=None if state.last_at is None else from_epoch(state.last_at),
            open_at=None if state.open_at is None else from_epoch(state.open_at),
            parts=state.parts,
        )
    ).rowcount
    if changed != 1:
        raise StateChanged(f"scope {state.scope_id} was recorded by another process")
    is_first = state.version == 0
    state.version += 1
    statement = dialect.upsert(scope_blobs, ["scope_id", "part"], ["blob"])
    blobs = [{"scope_id": state.scope_id, "part": "values", "blob": state.encode_values()}]
    if state.keys_changed or is_first:
        blobs.append({"scope_id": state.scope_id, "part": "keys", "blob": state.encode_keys()})
    connection.execute(statement, blobs)
    state.keys_changed = False


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


def take_touches(connection: Connection, scope_id: int) -> IntArray:
    """Return the touched series of a scope and forget them."""
    where = scope_touches.c.scope_id == scope_id
    found = connection.execute(select(scope_touches.c.series_id).where(where)).scalars().all()
    if found:
        connection.execute(delete(scope_touches).where(where))
    return np.array(found, np.int64)


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


def find_look(connection: Connection, scope_id: int, at: int) -> tuple[bool, bytes] | None:
    """Return whether the look at a moment is complete and what it held; None when there is none."""
    row = connection.execute(
        select(observations.c.complete, observations.c.digest).where(
            observations.c.scope_id == scope_id, observations.c.observed_at == from_epoch(at)
        )
    ).one_or_none()
    return None if row is None else (row.complete, bytes(row.digest))


def save_look(
    connection: Connection,
    dialect: DatabaseDialect,
    *,
    scope_id: int,
    at: int,
    run_id: int,
    complete: bool,
    digest: bytes,
) -> None:
    """Keep that a scope was looked at; a complete look stays complete."""
    found = find_look(connection, scope_id, at)
    connection.execute(
        dialect.upsert(observations, ["scope_id", "observed_at"], ["run_id", "complete", "digest"]),
        {
            "scope_id": scope_id,
            "observed_at": from_epoch(at),
            "run_id": run_id,
            "complete": complete or bool(found and found[0]),
            "digest": digest,
        },
    )


def digest_of(*arrays: IntArray, salt: bytes) -> bytes:
    """Return a digest of what a page holds, so that the same page is known again."""
    digest = blake2b(salt, digest_size=DIGEST_SIZE)
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.digest()
