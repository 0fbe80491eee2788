"""SQL of users, sessions and keys; takes a connection, returns values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select, update
from uuid_utils.compat import uuid7

from tcgtracker.accounts.values import Account, ApiKey, UserRow
from tcgtracker.database.tables.accounts import (
    KeyScope,
    Role,
    api_keys,
    refresh_tokens,
    sessions,
    sign_in_links,
    users,
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a sign-in is judged by."""

    user_id: UUID
    password_hash: str
    disabled: bool


@dataclass(frozen=True, slots=True)
class RefreshRow:
    """A refresh token with the session it belongs to; `live` when that session still is."""

    session_id: UUID
    user_id: UUID
    used_at: datetime | None
    live: bool


def find_credentials(
    connection: Connection, login: str, *, lock: bool = False
) -> Credentials | None:
    """Return what a user signs in with; lock: nobody changes it until the transaction ends."""
    wanted = select(users.c.id, users.c.password_hash, users.c.disabled).where(
        users.c.login == login
    )
    row = connection.execute(wanted.with_for_update() if lock else wanted).first()
    return Credentials(*row) if row else None


def password_hash_of(connection: Connection, user_id: UUID) -> str | None:
    found = connection.execute(select(users.c.password_hash).where(users.c.id == user_id)).scalar()
    return None if found is None else str(found)


def add_session(
    connection: Connection, user_id: UUID, *, now: datetime, expires_at: datetime, address: str
) -> UUID:
    session_id = uuid7()
    connection.execute(
        insert(sessions).values(
            id=session_id,
            user_id=user_id,
            created_at=now,
            expires_at=expires_at,
            address=address,
        )
    )
    return session_id


def add_refresh_token(connection: Connection, session_id: UUID, digest: str, now: datetime) -> None:
    connection.execute(
        insert(refresh_tokens).values(digest=digest, session_id=session_id, created_at=now)
    )


def take_refresh_token(connection: Connection, digest: str, now: datetime) -> RefreshRow | None:
    """Return a token's row as it stands once nobody else is using it."""
    row = connection.execute(
        select(
            refresh_tokens.c.session_id,
            sessions.c.user_id,
            refresh_tokens.c.used_at,
            sessions.c.ended_at,
            sessions.c.expires_at,
            users.c.disabled,
        )
        .join(sessions, sessions.c.id == refresh_tokens.c.session_id)
        .join(users, users.c.id == sessions.c.user_id)
        .where(refresh_tokens.c.digest == digest)
        .with_for_update(of=refresh_tokens)  # SQLite's one writer is alone anyway
    ).first()
    if row is None:
        return None
    live = row[3] is None and row[4] > now and not row[5]
    return RefreshRow(row[0], row[1], row[2], live)


def use_refresh_token(connection: Connection, digest: str, now: datetime) -> None:
    connection.execute(
        update(refresh_tokens).where(refresh_tokens.c.digest == digest).values(used_at=now)
    )


def extend_session(connection: Connection, session_id: UUID, expires_at: datetime) -> None:
    connection.execute(
        update(sessions).where(sessions.c.id == session_id).values(expires_at=expires_at)
    )


def end_sessions(
    connection: Connection,
    *,
    now: datetime,
    because: str,
    session_id: UUID | None = None,
    user_id: UUID | None = None,
) -> None:
    """End one session, or every session of a user."""
    which = sessions.c.id == session_id if session_id else sessions.c.user_id == user_id
    connection.execute(
        update(sessions)
        .where(which, sessions.c.ended_at.is_(None))
        .values(ended_at=now, ended_because=because)
    )


def add_link(
    connection: Connection, digest: str, user_id: UUID, now: datetime, expires_at: datetime
) -> None:
    """Keep a new link; what nobody can use any more is removed."""
    connection.execute(delete(sign_in_links).where(sign_in_links.c.expires_at <= now))
    connection.execute(
        insert(sign_in_links).values(digest=digest, user_id=user_id, expires_at=expires_at)
    )


def use_link(connection: Connection, digest: str, now: datetime) -> UUID | None:
    """Return whom a link signs in, and end it; None when it signs nobody in (any more)."""
    user_id = connection.execute(
        delete(sign_in_links)
        .where(sign_in_links.c.digest == digest, sign_in_links.c.expires_at > now)
        .returning(sign_in_links.c.user_id)
    ).scalar()
    live = connection.execute(
        select(users.c.id).where(users.c.id == user_id, users.c.disabled.is_(False))
    ).scalar()
    return live if isinstance(live, UUID) else None


def session_ends_at(connection: Connection, session_id: UUID) -> datetime | None:
    """Return when a session ends unless it is used."""
    ends = connection.execute(
        select(sessions.c.expires_at).where(sessions.c.id == session_id)
    ).scalar()
    return ends if isinstance(ends, datetime) else None


def account_of_session(
    connection: Connection, session_id: UUID, user_id: UUID, now: datetime
) -> Account | None:
    """Return who asks in a session, None when it has ended or the user may not come in."""
    row = connection.execute(
        select(users.c.id, users.c.username, users.c.role)
        .join(sessions, sessions.c.user_id == users.c.id)
        .where(
            sessions.c.id == session_id,
            users.c.id == user_id,
            sessions.c.ended_at.is_(None),
            sessions.c.expires_at > now,
            users.c.disabled.is_(False),
        )
    ).first()
    return Account(row[0], row[1], Role(row[2]), session_id=session_id) if row else None


def account_of_key(
    connection: Connection, prefix: str
) -> tuple[UUID, str, datetime | None, Account] | None:
    """Return id, digest and last use of a key that may be used, with its account."""
    row = connection.execute(
        select(
            api_keys.c.id,
            api_keys.c.digest,
            api_keys.c.last_used_at,
            users.c.id,
            users.c.username,
            users.c.role,
            api_keys.c.scope,
        )
        .join(users, users.c.id == api_keys.c.user_id)
        .where(
            api_keys.c.prefix == prefix,
            api_keys.c.revoked_at.is_(None),
            users.c.disabled.is_(False),
        )
    ).first()
    if row is None:
        return None
    account = Account(row[3], row[4], Role(row[5]), KeyScope(row[6]))
    return row[0], row[1], row[2], account


def note_key_use(connection: Connection, key_id: UUID, now: datetime) -> None:
    connection.execute(update(api_keys).where(api_keys.c.id == key_id).values(last_used_at=now))


def list_keys(connection: Connection, user_id: UUID) -> list[ApiKey]:
    rows = connection.execute(
        select(
            api_keys.c.id,
            api_keys.c.name,
            api_keys.c.prefix,
            api_keys.c.scope,
            api_keys.c.created_at,
            api_keys.c.last_used_at,
        )
        .where(api_keys.c.user_id == user_id, api_keys.c.revoked_at.is_(None))
        .order_by(api_keys.c.created_at)
    )
    return [ApiKey(row[0], row[1], row[2], KeyScope(row[3]), row[4], row[5]) for row in rows]


def list_users(connection: Connection) -> list[UserRow]:
    return [_user(row) for row in connection.execute(_USERS.order_by(users.c.login))]


def find_user(connection: Connection, *, login: str) -> UserRow | None:
    row = connection.execute(_USERS.where(users.c.login == login)).first()
    return _user(row) if row else None


_USERS = select(users.c.id, users.c.username, users.c.role, users.c.disabled, users.c.created_at)


def _user(row: Sequence[Any]) -> UserRow:
    return UserRow(row[0], row[1], Role(row[2]), bool(row[3]), row[4])
