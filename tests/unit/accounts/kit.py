"""Accounts on a database, with a clock that stands."""

from datetime import UTC, datetime, timedelta

from tcgtracker.accounts.door import Door
from tcgtracker.accounts.keys import ApiKeys
from tcgtracker.accounts.passwords import PasswordHasher
from tcgtracker.accounts.service import Accounts
from tcgtracker.accounts.tokens import TokenMaker
from tcgtracker.database.engine import Database
from tcgtracker.domain.clock import FixedClock

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
SECRET = b"no secret, only long enough to be one"
PASSWORD = "correct horse battery"  # noqa: S105 - of users that live for one test


class Kit:
    """Everything of one process; two on one database are two processes."""

    def __init__(self, database: Database, *, open_registration: bool = True) -> None:
        self.database = database
        self.clock = FixedClock(NOON)
        self.seconds = 0.0
        self.tokens = TokenMaker(lambda: SECRET, self.clock, lifetime=timedelta(minutes=15))
        self.accounts = Accounts(
            database,
            self.clock,
            hasher=PasswordHasher(),
            tokens=self.tokens,
            session_lifetime=timedelta(days=30),
            open_registration=open_registration,
        )
        self.keys = ApiKeys(database, self.clock)
        self.door = Door(database, self.clock, self.tokens, lambda: self.seconds)

    def wait(self, delta: timedelta) -> None:
        self.clock.advance(delta)
        self.seconds += delta.total_seconds()
