"""Users with a session or a key, made without the price of a password each."""

from itertools import count
from uuid import UUID

from sqlalchemy import insert
from uuid_utils.compat import uuid7

from tcgtracker.accounts.passwords import PasswordHasher
from tcgtracker.accounts.repository import add_session
from tcgtracker.database.tables.accounts import KeyScope, Role, first_user, users
from tcgtracker.tracker import Tracker
from tests.support import PASSWORD

Headers = dict[str, str]


class People:
    """Users of one tracker; the first is the admin, and all have the same password."""

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._hash = PasswordHasher().make(PASSWORD)
        self._numbers = count(1)
        self.admin = self.add(Role.ADMIN, "admin")
        with tracker.database.write() as connection:
            connection.execute(insert(first_user).values(id=1, user_id=self.admin))

    def add(self, role: Role = Role.USER, name: str = "") -> UUID:
        """Return a new user."""
        user_id, now = uuid7(), self._tracker.clock.now()
        name = name or f"{role.value}{next(self._numbers)}"
        with self._tracker.database.write() as connection:
            connection.execute(
                insert(users).values(
                    id=user_id,
                    username=name,
                    login=name,
                    password_hash=self._hash,
                    role=role,
                    created_at=now,
                    password_changed_at=now,
                )
            )
        return user_id

    def token(self, user_id: UUID) -> str:
        """Return the access token of a new session."""
        now = self._tracker.clock.now()
        lifetime = self._tracker.accounts._session_lifetime
        with self._tracker.database.write() as connection:
            session = add_session(
                connection, user_id, now=now, expires_at=now + lifetime, address=""
            )
        return self._tracker.accounts._tokens.access_token(user_id, session)

    def signed_in(self, user_id: UUID) -> Headers:
        """Return the header of a new session."""
        return {"Authorization": f"Bearer {self.token(user_id)}"}

    def key(self, user_id: UUID, scope: KeyScope) -> str:
        """Return a new API key."""
        account = self._tracker.door.account(token=self.token(user_id))
        return self._tracker.api_keys.make(account, f"{scope.value} {next(self._numbers)}", scope)[
            1
        ]
