"""Accounts: register, sign in, stay signed in, sign out, change a password.

Refresh tokens: RFC 9700 (rotation, and the whole family ends when one is used twice).
"""

import unicodedata
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import Connection, insert, update
from sqlalchemy.exc import IntegrityError
from uuid_utils.compat import uuid7

from tcgtracker.accounts import repository
from tcgtracker.accounts.passwords import PasswordHasher
from tcgtracker.accounts.throttle import count_try, forget_tries
from tcgtracker.accounts.tokens import TokenMaker, digest, new_link_token, new_refresh_token
from tcgtracker.accounts.values import Account, NotAuthenticated, TokenPair, UserRow
from tcgtracker.database.engine import Database
from tcgtracker.database.tables.accounts import Role, first_user, users
from tcgtracker.domain.clock import Clock
from tcgtracker.domain.errors import Conflict, InvalidInput, NotFound, NotPermitted
from tcgtracker.operations.audit import add_audit

log = structlog.get_logger()

MAX_USERNAME = 64
LINK_LIFETIME = timedelta(minutes=30)
REUSE_GRACE = timedelta(seconds=10)
"""Two tabs may use one refresh token at once; both get the same successor."""


class Accounts:
    """What the faces call. One object a process; it keeps no state of its own."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        hasher: PasswordHasher,
        tokens: TokenMaker,
        session_lifetime: timedelta,
        open_registration: bool,
    ) -> None:
        self._database = database
        self._clock = clock
        self._hasher = hasher
        self._tokens = tokens
        self._session_lifetime = session_lifetime
        self._open = open_registration

    def register(self, username: str, password: str, *, address: str = "") -> None:
        """Make a user: the first one is admin, others come as the setting says.

        A taken name is not told: signing in shows whose it is, and takes as long either way.

        Raises:
            InvalidInput: no name or password.
            NotPermitted: registration is closed.
        """
        name = check_username(username)
        with self._database.read() as connection:
            empty = not _has_users(connection)
        if not (empty or self._open):
            raise NotPermitted("registration is closed: ask an admin for an account")
        hashed = self._hasher.make(password)
        try:
            if empty:
                self._add_first(name, hashed, address)
                return
        except IntegrityError:
            if not self._open:
                raise NotPermitted("registration is closed: ask an admin for an account") from None
        try:
            self._add(name, hashed, Role.USER, address)
        except IntegrityError:
            log.info("account.name_taken")

    def add_user(self, username: str, password: str, role: Role) -> UserRow:
        """Make a user as an admin does.

        Raises:
            InvalidInput: no name or password.
            Conflict: the name is taken.
        """
        name = check_username(username)
        hashed = self._hasher.make(password)
        try:
            self._add(name, hashed, role, "")
        except IntegrityError as exc:
            raise Conflict(f"there is a user {name!r} already") from exc
        return self.user(name)

    def user(self, username: str) -> UserRow:
        """Return a user by name.

        Raises:
            NotFound: there is none.
        """
        with self._database.read() as connection:
            found = repository.find_user(connection, login=login_of(username))
        if found is None:
            raise NotFound(f"there is no user {username!r}")
        return found

    def users(self) -> list[UserRow]:
        with self._database.read() as connection:
            return repository.list_users(connection)

    def set_disabled(self, username: str, *, disabled: bool) -> UserRow:
        """Keep a user out, or let the user in again; sessions end at once.

        Raises:
            NotFound: there is none.
        """
        user, now = self.user(username), self._clock.now()
        with self._database.write() as connection:
            connection.execute(update(users).where(users.c.id == user.id).values(disabled=disabled))
            if disabled:
                repository.end_sessions(connection, now=now, because="disabled", user_id=user.id)
            add_audit(
                connection,
                "user.disabled" if disabled else "user.enabled",
                now=now,
                user_id=user.id,
            )
        return self.user(username)

    def sign_in(self, username: str, password: str, *, address: str = "") -> TokenPair:
        """Return tokens of a new session.

        Raises:
            NotAuthenticated: name or password is wrong; it does not say which.
            TooManyTries: wait first.
        """
        login, now = login_of(username), self._clock.now()
        with self._database.write() as connection:
            counted = count_try(connection, login, address, now)
            found = repository.find_credentials(connection, login)
        fits, renewed = self._hasher.verify(password, found.password_hash if found else None)
        if not fits or found is None or found.disabled:
            log.warning("account.sign_in_failed", address=address)
            raise NotAuthenticated("name or password is wrong")
        with self._database.write() as connection:
            # Hashing takes a while: a password changed or a user shut out meanwhile opens nothing,
            # or the new session would outlive the end of all others.
            if repository.find_credentials(connection, login, lock=True) != found:
                log.warning("account.sign_in_failed", address=address)
                raise NotAuthenticated("name or password is wrong")
            forget_tries(connection, counted)
            if renewed:
                connection.execute(
                    update(users)
                    .where(
                        users.c.id == found.user_id, users.c.password_hash == found.password_hash
                    )
                    .values(password_hash=renewed)
                )
            return self._start_session(connection, found.user_id, address)

    def has_users(self) -> bool:
        """Tell whether anybody could sign in; the first one to register becomes admin."""
        with self._database.read() as connection:
            return _has_users(connection)

    @property
    def open_registration(self) -> bool:
        """Whether anybody may register once there is an admin."""
        return self._open

    def make_link(self, username: str) -> str:
        """Return a token that signs this user in once, within `LINK_LIFETIME`.

        For the operator of the machine, who can do everything in the database anyway.

        Raises:
            NotFound: there is no such user.
        """
        user, now, token = self.user(username), self._clock.now(), new_link_token()
        with self._database.write() as connection:
            repository.add_link(connection, digest(token), user.id, now, now + LINK_LIFETIME)
            add_audit(connection, "sign_in_link.made", now=now, user_id=user.id)
        return token

    def open_link(self, token: str, *, address: str = "") -> TokenPair:
        """Return tokens of a new session of the user that the link is of.

        Raises:
            NotAuthenticated: it is unknown, was used, or is too old; it does not say which.
        """
        with self._database.write() as connection:
            user_id = repository.use_link(connection, digest(token), self._clock.now())
            if user_id is None:
                raise NotAuthenticated("the link was used or is too old: ask for another one")
            return self._start_session(connection, user_id, address)

    def form_token(self, holder: str) -> str:
        """Return what proves that a form came from us, for the holder of a cookie."""
        return self._tokens.form_token(holder)

    def form_token_fits(self, holder: str, token: str) -> bool:
        """Tell whether a form's token is one of this holder."""
        return self._tokens.form_token_fits(holder, token)

    def refresh(self, refresh_token: str, *, address: str = "") -> TokenPair:
        """Exchange a refresh token for new tokens.

        Raises:
            NotAuthenticated: it is unknown, ended, or was used before: then its session ends.
        """
        now, given = self._clock.now(), digest(refresh_token)
        successor = self._tokens.successor_of(refresh_token)
        with self._database.write() as connection:
            found = repository.take_refresh_token(connection, given, now)
            if found is None or not found.live:
                raise NotAuthenticated
            stolen = False
            if found.used_at is None:
                repository.use_refresh_token(connection, given, now)
                repository.add_refresh_token(connection, found.session_id, digest(successor), now)
                repository.extend_session(
                    connection, found.session_id, now + self._session_lifetime
                )
            elif now - found.used_at > REUSE_GRACE:
                stolen = True
                because = "a refresh token was used twice"
                repository.end_sessions(
                    connection, now=now, because=because, session_id=found.session_id
                )
                add_audit(
                    connection,
                    "session.stolen",
                    now=now,
                    user_id=found.user_id,
                    subject=str(found.session_id),
                    address=address,
                )
        if stolen:
            log.warning("account.refresh_token_reused", session_id=str(found.session_id))
            raise NotAuthenticated
        return self._pair(found.user_id, found.session_id, successor)

    def sign_out(self, account: Account) -> None:
        """End the session of the request.

        Raises:
            NotPermitted: an API key has no session; it is revoked instead.
        """
        account.must_be_person()
        now = self._clock.now()
        with self._database.write() as connection:
            repository.end_sessions(
                connection, now=now, because="signed out", session_id=account.session_id
            )
            add_audit(connection, "session.ended", now=now, user_id=account.user_id)

    def change_password(self, account: Account, old: str, new: str, *, address: str = "") -> None:
        """Change the password and end every session of the user.

        Raises:
            NotPermitted: an API key asks.
            NotAuthenticated: the old password is wrong.
            TooManyTries: wait first.
            InvalidInput: the new one is no password.
        """
        account.must_be_person()
        now = self._clock.now()
        with self._database.write() as connection:
            counted = count_try(connection, login_of(account.username), address, now)
            stored = repository.password_hash_of(connection, account.user_id)
        fits, _ = self._hasher.verify(old, stored)
        if not fits:
            raise NotAuthenticated("the old password is wrong")
        self._set_password(account.user_id, new)
        with self._database.write() as connection:
            forget_tries(connection, counted)

    def set_password(self, username: str, new: str) -> None:
        """Give a user another password, as the operator does; every session ends.

        Raises:
            NotFound: there is no such user.
            InvalidInput: the new one is no password.
        """
        self._set_password(self.user(username).id, new)

    def _set_password(self, user_id: UUID, new: str) -> None:
        hashed, now = self._hasher.make(new), self._clock.now()
        with self._database.write() as connection:
            connection.execute(
                update(users)
                .where(users.c.id == user_id)
                .values(password_hash=hashed, password_changed_at=now)
            )
            repository.end_sessions(
                connection, now=now, because="password changed", user_id=user_id
            )
            add_audit(connection, "password.changed", now=now, user_id=user_id)

    def _start_session(self, connection: Connection, user_id: UUID, address: str) -> TokenPair:
        now, refresh = self._clock.now(), new_refresh_token()
        session_id = repository.add_session(
            connection,
            user_id,
            now=now,
            expires_at=now + self._session_lifetime,
            address=address,
        )
        repository.add_refresh_token(connection, session_id, digest(refresh), now)
        add_audit(connection, "session.started", now=now, user_id=user_id, address=address)
        return self._pair(user_id, session_id, refresh)

    def _pair(self, user_id: UUID, session_id: UUID, refresh_token: str) -> TokenPair:
        return TokenPair(
            access_token=self._tokens.access_token(user_id, session_id),
            refresh_token=refresh_token,
            session_cookie=self._tokens.session_cookie(user_id, session_id),
            expires_in=int(self._tokens.lifetime.total_seconds()),
            refresh_expires_in=int(self._session_lifetime.total_seconds()),
        )

    def _add_first(self, name: str, hashed: str, address: str) -> None:
        """Make the admin; the one row of `first_user` refuses a second one.

        Raises:
            IntegrityError: somebody was faster.
        """
        with self._database.write() as connection:
            user_id = self._insert(connection, name, hashed, Role.ADMIN, address)
            connection.execute(insert(first_user).values(id=1, user_id=user_id))

    def _add(self, name: str, hashed: str, role: Role, address: str) -> None:
        with self._database.write() as connection:
            self._insert(connection, name, hashed, role, address)

    def _insert(
        self, connection: Connection, name: str, hashed: str, role: Role, address: str
    ) -> UUID:
        user_id, now = uuid7(), self._clock.now()
        connection.execute(
            insert(users).values(
                id=user_id,
                username=name,
                login=login_of(name),
                password_hash=hashed,
                role=role,
                created_at=now,
                password_changed_at=now,
            )
        )
        add_audit(
            connection,
            "user.added",
            now=now,
            user_id=user_id,
            detail={"role": role.value},
            address=address,
        )
        return user_id


def login_of(username: str) -> str:
    """Return the form of a name under which it is unique."""
    return unicodedata.normalize("NFKC", username).strip().casefold()


def check_username(username: str) -> str:
    """Return a name without the space around it.

    Raises:
        InvalidInput: it is empty, too long, or holds what cannot be seen.
    """
    name = unicodedata.normalize("NFC", username).strip()
    if not 1 <= len(name) <= MAX_USERNAME or not name.isprintable():
        raise InvalidInput(f"a user name has 1 to {MAX_USERNAME} visible characters")
    return name


def _has_users(connection: Connection) -> bool:
    return (
        connection.execute(users.select().with_only_columns(users.c.id).limit(1)).first()
        is not None
    )
