"""What a request knows of who asks, and the refusals."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tcgtracker.database.tables.accounts import KeyScope, Role
from tcgtracker.domain.errors import NotPermitted, TrackerError


class NotAuthenticated(TrackerError):
    """Nobody, or nobody whom we know: one text for all reasons, so that it tells nothing."""

    def __init__(
        self, message: str = "sign in: the token or key is missing, wrong or ended"
    ) -> None:
        super().__init__(message)


class TooManyTries(NotPermitted):
    """Wait until `retry_at` (aware UTC)."""

    def __init__(self, retry_at: datetime) -> None:
        super().__init__("too many wrong passwords: wait before the next try")
        self.retry_at = retry_at


@dataclass(frozen=True, slots=True)
class Account:
    """Who asks. `session_id` is None for an API key; `scope` is what the key allows."""

    user_id: UUID
    username: str
    role: Role
    scope: KeyScope = KeyScope.WRITE
    session_id: UUID | None = None

    @property
    def is_admin(self) -> bool:
        return self.role is Role.ADMIN

    def must_write(self) -> None:
        """Refuse a key that may only read.

        Raises:
            NotPermitted: it is one.
        """
        if self.scope is not KeyScope.WRITE:
            raise NotPermitted("this API key may only read: make one with the scope write")

    def must_be_admin(self) -> None:
        """Refuse everybody but an admin who may write.

        Raises:
            NotPermitted: the user is none, or the key may only read.
        """
        if not self.is_admin:
            raise NotPermitted("only an admin may do this")
        self.must_write()

    def must_be_person(self) -> None:
        """Refuse API keys where a password decides: they must not be able to make more of them.

        Raises:
            NotPermitted: it is one.
        """
        if self.session_id is None:
            raise NotPermitted("sign in with a password for this; an API key cannot do it")


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a sign-in gives; `session_cookie` is for browsers. Lifetimes in seconds."""

    access_token: str
    refresh_token: str
    session_cookie: str
    expires_in: int
    refresh_expires_in: int


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as its owner sees it; the key itself is shown once, when it is made."""

    id: UUID
    name: str
    prefix: str
    scope: KeyScope
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class UserRow:
    """A user as an admin and the user see it."""

    id: UUID
    username: str
    role: Role
    disabled: bool
    created_at: datetime
