"""API keys of a user: made, listed, revoked."""

from uuid import UUID

from sqlalchemy import insert, update
from sqlalchemy.exc import IntegrityError
from uuid_utils.compat import uuid7

from tcgtracker.accounts import repository
from tcgtracker.accounts.tokens import digest, new_api_key
from tcgtracker.accounts.values import Account, ApiKey
from tcgtracker.database.engine import Database
from tcgtracker.database.tables.accounts import KeyScope, api_keys
from tcgtracker.domain.clock import Clock
from tcgtracker.domain.errors import Conflict, InvalidInput, NotFound
from tcgtracker.operations.audit import add_audit

MAX_NAME = 100
MOST_KEYS = 50
"""Of one user."""


class ApiKeys:
    """What the faces call."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def list(self, account: Account) -> "list[ApiKey]":
        """Return the keys that can be used, oldest first."""
        with self._database.read() as connection:
            return repository.list_keys(connection, account.user_id)

    def make(self, account: Account, name: str, scope: KeyScope) -> tuple[ApiKey, str]:
        """Make a key; return it with its text, which is shown this once.

        Raises:
            NotPermitted: an API key asks.
            InvalidInput: no name, or the user has too many.
            Conflict: the user has one of that name, or had.
        """
        account.must_be_person()
        name = name.strip()
        if not 1 <= len(name) <= MAX_NAME or not name.isprintable():
            raise InvalidInput(f"the name of a key has 1 to {MAX_NAME} visible characters")
        text, prefix = new_api_key()
        key = ApiKey(uuid7(), name, prefix, scope, self._clock.now(), None)
        try:
            with self._database.write() as connection:
                if len(repository.list_keys(connection, account.user_id)) >= MOST_KEYS:
                    raise InvalidInput(f"a user has at most {MOST_KEYS} keys: revoke some")
                connection.execute(
                    insert(api_keys).values(
                        id=key.id,
                        user_id=account.user_id,
                        name=name,
                        prefix=prefix,
                        digest=digest(text),
                        scope=scope,
                        created_at=key.created_at,
                    )
                )
                add_audit(
                    connection,
                    "key.made",
                    now=key.created_at,
                    user_id=account.user_id,
                    subject=prefix,
                    detail={"scope": scope.value},
                )
        except IntegrityError as exc:
            raise Conflict(f"there is, or was, a key named {name!r}: take another name") from exc
        return key, text

    def revoke(self, account: Account, key_id: UUID) -> None:
        """End a key for good.

        Raises:
            NotFound: the user has none with that id.
        """
        account.must_be_person()
        now = self._clock.now()
        with self._database.write() as connection:
            done = connection.execute(
                update(api_keys)
                .where(
                    api_keys.c.id == key_id,
                    api_keys.c.user_id == account.user_id,
                    api_keys.c.revoked_at.is_(None),
                )
                .values(revoked_at=now)
            )
            if done.rowcount != 1:
                raise NotFound(f"there is no key {key_id}")
            add_audit(
                connection, "key.revoked", now=now, user_id=account.user_id, subject=str(key_id)
            )
