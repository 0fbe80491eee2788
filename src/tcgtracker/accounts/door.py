"""Who asks: a token or a key is judged by its row, looked at again after a second at most."""

import hmac
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog
from sqlalchemy import Connection

from tcgtracker.accounts import repository
from tcgtracker.accounts.tokens import Claims, TokenMaker, digest, prefix_of
from tcgtracker.accounts.values import Account, NotAuthenticated
from tcgtracker.database.engine import Database
from tcgtracker.domain.clock import Clock
from tcgtracker.domain.errors import Busy

log = structlog.get_logger()

TRUSTED_S = 1.0
"""How long a look at a row is believed: a session that ends is refused within this time."""
_MOST = 10_000
_USE_EXTENDS_EVERY = timedelta(hours=1)
_USE_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class _Look:
    account: Account | None
    at: float


class Door:
    """Says who asks. `remembered` answers from memory alone, for callers in an event loop."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        tokens: TokenMaker,
        monotonic: Callable[[], float] = time.monotonic,
        *,
        session_lifetime: timedelta = timedelta(days=30),
    ) -> None:
        self._database = database
        self._clock = clock
        self._tokens = tokens
        self._monotonic = monotonic
        self._session_lifetime = session_lifetime
        self._looks: OrderedDict[str, _Look] = OrderedDict()
        self._lock = threading.Lock()

    def remembered(self, *, token: str = "", key: str = "", cookie: str = "") -> Account | None:
        """Return who asks when that was looked up within the last second, else None.

        Raises:
            NotAuthenticated: the token is not valid by itself, or its row said no.
        """
        name = self._name(token, key, cookie)
        look = self._looks.get(name)
        if look is None or self._monotonic() - look.at > TRUSTED_S:
            return None
        if look.account is None:
            raise NotAuthenticated
        return look.account

    def account(self, *, token: str = "", key: str = "", cookie: str = "") -> Account:
        """Return who asks.

        Raises:
            NotAuthenticated: nobody whom we know, or no longer.
            StorageError: the database does not answer; then nobody is let in.
        """
        known = self.remembered(token=token, key=key, cookie=cookie)
        if known is not None:
            return known
        at = self._monotonic()
        if token:
            found = self._of_session(self._tokens.read_access_token(token))
        elif cookie:
            found = self._of_session(self._tokens.read_session_cookie(cookie), extend=True)
        else:
            found = self._of_key(key)
        name = self._name(token, key, cookie)
        with self._lock:
            self._looks[name] = _Look(found, at)
            self._looks.move_to_end(name)
            while len(self._looks) > _MOST:
                self._looks.popitem(last=False)
        if found is None:
            raise NotAuthenticated
        return found

    def forget(self, account: Account) -> None:
        """Look at the rows of this user again: it has just changed."""
        with self._lock:
            gone = [
                name
                for name, look in self._looks.items()
                if look.account is not None and look.account.user_id == account.user_id
            ]
            for name in gone:
                del self._looks[name]

    def _name(self, token: str, key: str, cookie: str) -> str:
        if token or cookie:
            claims = (
                self._tokens.read_access_token(token)
                if token
                else self._tokens.read_session_cookie(cookie)
            )
            return f"session {claims.session_id} {claims.user_id}"
        return f"key {digest(key)}"

    def _of_session(self, claims: Claims, *, extend: bool = False) -> Account | None:
        """Return whose session it is; `extend` lets it live on by being used, as a browser's."""
        now = self._clock.now()
        with self._database.read() as connection:
            account = repository.account_of_session(
                connection, claims.session_id, claims.user_id, now
            )
            ends = repository.session_ends_at(connection, claims.session_id) if extend else None
        until = now + self._session_lifetime
        if account is not None and ends is not None and until - ends > _USE_EXTENDS_EVERY:
            self._note(lambda noted: repository.extend_session(noted, claims.session_id, until))
        return account

    def _of_key(self, key: str) -> Account | None:
        prefix = prefix_of(key)
        with self._database.read() as connection:
            found = repository.account_of_key(connection, prefix)
        if found is None:
            return None
        key_id, stored, last_used_at, account = found
        if not hmac.compare_digest(stored, digest(key)):
            return None
        now = self._clock.now()
        if last_used_at is None or now - last_used_at > _USE_NOTED_EVERY:
            self._note(lambda noted: repository.note_key_use(noted, key_id, now))
        return replace(account, session_id=None)

    def _note(self, note: Callable[[Connection], None]) -> None:
        """Write that somebody was here; while another one writes, the next look does it.

        Whoever only reads must not wait for an import, nor be turned away because of it.
        """
        try:
            with self._database.write_at_once() as connection:
                note(connection)
        except Busy:
            log.debug("door.note_put_off")
