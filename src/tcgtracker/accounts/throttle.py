"""How many passwords may be tried, so that guessing is slow and nobody can lock another out.

A try is counted before the password is hashed: a thousand at once cost no more than the limit.
Somebody at an address from which the user has signed in before is counted apart from strangers, so
a stranger who guesses at a name does not keep its owner out.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, delete, func, insert, select
from uuid_utils.compat import uuid7

from tcgtracker.accounts.values import TooManyTries
from tcgtracker.database.tables.accounts import first_user, login_failures, sessions, users

WINDOW = timedelta(minutes=15)
MOST_OF_A_LOGIN = 10
MOST_OF_AN_ADDRESS = 50
KNOWN_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Try:
    """One counted try: the bucket of its login, and its own row in each bucket."""

    of_login: str
    id: UUID


def count_try(connection: Connection, login: str, address: str, now: datetime) -> Try:
    """Count a try in the caller's write transaction, before anything is hashed.

    Raises:
        TooManyTries: the limit is reached; nothing is counted.
    """
    name = hashlib.sha256(login.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    known = _has_been_here(connection, login, address, now)
    of_login = f"known {name} {address}" if known else f"login {name}"
    buckets = ((of_login, MOST_OF_A_LOGIN), (f"address {address}", MOST_OF_AN_ADDRESS))
    # One sign-in counts at a time, or a thousand at once would all see the same count.
    connection.execute(select(first_user.c.id).with_for_update()).all()
    connection.execute(delete(login_failures).where(login_failures.c.failed_at < now - WINDOW))
    for bucket, most in buckets:
        count, oldest = connection.execute(
            select(func.count(), func.min(login_failures.c.failed_at)).where(
                login_failures.c.bucket == bucket
            )
        ).one()
        if count >= most:
            raise TooManyTries(oldest + WINDOW)
    counted = Try(of_login, uuid7())
    connection.execute(
        insert(login_failures),
        [{"bucket": bucket, "failed_at": now, "id": counted.id} for bucket, _ in buckets],
    )
    return counted


def forget_tries(connection: Connection, counted: Try) -> None:
    """Take the tries of a login back once the right password came, and this one's everywhere."""
    connection.execute(
        delete(login_failures).where(
            (login_failures.c.bucket == counted.of_login) | (login_failures.c.id == counted.id)
        )
    )


def _has_been_here(connection: Connection, login: str, address: str, now: datetime) -> bool:
    return (
        connection.execute(
            select(sessions.c.id)
            .join(users, users.c.id == sessions.c.user_id)
            .where(
                users.c.login == login,
                sessions.c.address == address,
                sessions.c.created_at > now - KNOWN_FOR,
            )
            .limit(1)
        ).first()
        is not None
    )
