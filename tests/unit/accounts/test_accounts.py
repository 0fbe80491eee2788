"""Registering, signing in, staying in and being thrown out, on both databases."""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from tcgtracker.accounts.passwords import PasswordHasher
from tcgtracker.accounts.service import Accounts
from tcgtracker.accounts.values import NotAuthenticated, TooManyTries
from tcgtracker.database.engine import Database
from tcgtracker.database.tables.accounts import (
    KeyScope,
    Role,
    api_keys,
    audit_log,
    refresh_tokens,
    sessions,
    users,
)
from tcgtracker.domain.errors import Conflict, InvalidInput, NotFound, NotPermitted
from tests.unit.accounts.kit import PASSWORD, Kit


@pytest.fixture
def kit(database: Database) -> Kit:
    kit = Kit(database)
    kit.accounts.register("Misty", PASSWORD)
    return kit


def test_the_first_user_is_admin_and_closes_the_door(database: Database) -> None:
    kit = Kit(database, open_registration=False)
    kit.accounts.register("Misty", PASSWORD)
    with pytest.raises(NotPermitted):
        kit.accounts.register("Brock", PASSWORD)
    assert [(one.username, one.role) for one in kit.accounts.users()] == [("Misty", Role.ADMIN)]


@pytest.mark.parametrize("open_registration", [True, False])
def test_of_two_first_users_one_is_admin(database: Database, *, open_registration: bool) -> None:
    kits = [Kit(database, open_registration=open_registration) for _ in range(4)]
    start = threading.Barrier(4)

    def register(number: int) -> None:
        start.wait()
        try:
            kits[number].accounts.register(f"user{number}", PASSWORD)
        except NotPermitted:
            assert not open_registration

    threads = [threading.Thread(target=register, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    roles = [one.role for one in kits[0].accounts.users()]
    assert roles.count(Role.ADMIN) == 1
    assert len(roles) == (4 if open_registration else 1)


def test_a_taken_name_is_not_told_and_changes_nothing(kit: Kit) -> None:
    kit.accounts.register("MISTY", "another password")
    assert len(kit.accounts.users()) == 1
    kit.accounts.sign_in("misty", PASSWORD)
    with pytest.raises(NotAuthenticated):
        kit.accounts.sign_in("misty", "another password")


@pytest.mark.parametrize("name", ["", "   ", "a" * 65, "a\nb", "a\0b", "\u202e"])
def test_what_is_no_name_is_refused(kit: Kit, name: str) -> None:
    with pytest.raises(InvalidInput):
        kit.accounts.register(name, PASSWORD)


@pytest.mark.parametrize("password", ["short", "password1", "PASSWORD1", "a" * 257])
def test_what_is_no_password_is_refused(kit: Kit, password: str) -> None:
    with pytest.raises(InvalidInput):
        kit.accounts.register("Brock", password)


def test_nothing_that_was_typed_is_stored(kit: Kit) -> None:
    pair = kit.accounts.sign_in("Misty", PASSWORD)
    account = kit.door.account(token=pair.access_token)
    _, key = kit.keys.make(account, "phone", KeyScope.READ)
    with kit.database.read() as connection:
        rows = [
            str(row)
            for table in (users, refresh_tokens, api_keys, audit_log)
            for row in connection.execute(select(table))
        ]
    assert "argon2id" in rows[0]
    for text in (PASSWORD, pair.refresh_token, pair.access_token, key):
        assert not [row for row in rows if text in row]


def test_a_wrong_name_and_a_wrong_password_say_the_same(kit: Kit) -> None:
    said = []
    for name, password in (("Misty", "wrong password"), ("nobody", "wrong password")):
        with pytest.raises(NotAuthenticated) as refused:
            kit.accounts.sign_in(name, password)
        said.append(str(refused.value))
    assert said[0] == said[1]


def test_a_refresh_token_is_used_once(kit: Kit) -> None:
    first = kit.accounts.sign_in("Misty", PASSWORD)
    second = kit.accounts.refresh(first.refresh_token)
    assert second.refresh_token != first.refresh_token
    kit.wait(timedelta(seconds=5))  # another tab, at about the same time
    assert kit.accounts.refresh(first.refresh_token).refresh_token == second.refresh_token
    third = kit.accounts.refresh(second.refresh_token)
    kit.wait(timedelta(seconds=6))
    with pytest.raises(NotAuthenticated):
        kit.accounts.refresh(first.refresh_token)
    for token in (second.refresh_token, third.refresh_token):
        with pytest.raises(NotAuthenticated):
            kit.accounts.refresh(token)
    with pytest.raises(NotAuthenticated):
        kit.door.account(token=third.access_token)
    with kit.database.read() as connection:
        actions = set(connection.execute(select(audit_log.c.action)).scalars())
    assert "session.stolen" in actions


def test_tabs_at_once_get_one_successor(kit: Kit) -> None:
    first = kit.accounts.sign_in("Misty", PASSWORD)
    got: list[str] = []
    start = threading.Barrier(8)

    def refresh() -> None:
        start.wait()
        got.append(kit.accounts.refresh(first.refresh_token).refresh_token)

    threads = [threading.Thread(target=refresh) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 8
    assert len(set(got)) == 1
    with kit.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(refresh_tokens)).scalar() == 2


def test_a_session_ends_without_use(kit: Kit) -> None:
    pair = kit.accounts.sign_in("Misty", PASSWORD)
    kit.wait(timedelta(days=29))
    pair = kit.accounts.refresh(pair.refresh_token)
    kit.wait(timedelta(days=31))
    with pytest.raises(NotAuthenticated):
        kit.accounts.refresh(pair.refresh_token)


def test_sign_out_is_seen_by_the_other_process_within_a_second(kit: Kit) -> None:
    other = Kit(kit.database)
    pair = kit.accounts.sign_in("Misty", PASSWORD)
    account = kit.door.account(token=pair.access_token)
    assert other.door.account(token=pair.access_token) == account
    kit.accounts.sign_out(account)
    kit.door.forget(account)
    with pytest.raises(NotAuthenticated):
        kit.door.account(token=pair.access_token)
    other.wait(timedelta(seconds=1, milliseconds=1))
    for _ in range(1000):
        with pytest.raises(NotAuthenticated):
            other.door.account(token=pair.access_token)
    with pytest.raises(NotAuthenticated):
        kit.accounts.refresh(pair.refresh_token)


def test_a_new_password_ends_every_session(kit: Kit) -> None:
    pairs = [kit.accounts.sign_in("Misty", PASSWORD) for _ in range(3)]
    account = kit.door.account(token=pairs[0].access_token)
    with pytest.raises(NotAuthenticated):
        kit.accounts.change_password(account, "wrong password", "another password")
    kit.accounts.change_password(account, PASSWORD, "another password")
    kit.wait(timedelta(seconds=2))
    for pair in pairs:
        with pytest.raises(NotAuthenticated):
            kit.door.account(token=pair.access_token)
        with pytest.raises(NotAuthenticated):
            kit.accounts.refresh(pair.refresh_token)
    kit.accounts.sign_in("Misty", "another password")


class SlowHasher(PasswordHasher):
    """Lets something happen while a password is being checked."""

    meanwhile: Callable[[], object] = staticmethod(lambda: None)

    def verify(self, password: str, stored: str | None) -> tuple[bool, str | None]:
        found = super().verify(password, stored)
        self.meanwhile()
        return found


@pytest.mark.parametrize("act", ["changed", "disabled"])
def test_a_password_that_is_changed_while_it_is_checked_opens_nothing(kit: Kit, act: str) -> None:
    """Else whoever knows the old one keeps a session that no change of it ends."""
    hasher = SlowHasher()
    slow = Accounts(
        kit.database,
        kit.clock,
        hasher=hasher,
        tokens=kit.tokens,
        session_lifetime=timedelta(days=30),
        open_registration=False,
    )
    if act == "changed":
        hasher.meanwhile = lambda: kit.accounts.set_password("Misty", "another password")
    else:
        hasher.meanwhile = lambda: kit.accounts.set_disabled("Misty", disabled=True)
    with pytest.raises(NotAuthenticated):
        slow.sign_in("Misty", PASSWORD)
    with kit.database.read() as connection:
        assert connection.execute(select(sessions).where(sessions.c.ended_at.is_(None))).all() == []


def test_a_disabled_user_is_out_with_keys_and_sessions(kit: Kit) -> None:
    pair = kit.accounts.sign_in("Misty", PASSWORD)
    account = kit.door.account(token=pair.access_token)
    _, key = kit.keys.make(account, "phone", KeyScope.WRITE)
    assert kit.door.account(key=key).username == "Misty"
    kit.accounts.set_disabled("misty", disabled=True)
    kit.wait(timedelta(seconds=2))
    for given in ({"token": pair.access_token}, {"key": key}):
        with pytest.raises(NotAuthenticated):
            kit.door.account(**given)
    with pytest.raises(NotAuthenticated):
        kit.accounts.sign_in("Misty", PASSWORD)
    kit.accounts.set_disabled("misty", disabled=False)
    kit.accounts.sign_in("Misty", PASSWORD)


def test_a_key_is_its_owners_and_can_be_revoked(kit: Kit) -> None:
    kit.accounts.register("Brock", PASSWORD)
    misty = kit.door.account(token=kit.accounts.sign_in("Misty", PASSWORD).access_token)
    brock = kit.door.account(token=kit.accounts.sign_in("Brock", PASSWORD).access_token)
    made, key = kit.keys.make(misty, "phone", KeyScope.READ)
    used = kit.door.account(key=key)
    assert (used.username, used.scope, used.session_id) == ("Misty", KeyScope.READ, None)
    with pytest.raises(NotPermitted):
        used.must_write()
    with pytest.raises(NotPermitted):
        kit.keys.make(used, "more", KeyScope.WRITE)
    with pytest.raises(Conflict):
        kit.keys.make(misty, "phone", KeyScope.READ)
    assert [one.last_used_at is not None for one in kit.keys.list(misty)] == [True]
    assert kit.keys.list(brock) == []
    with pytest.raises(NotFound):
        kit.keys.revoke(brock, made.id)
    kit.keys.revoke(misty, made.id)
    kit.wait(timedelta(seconds=2))
    with pytest.raises(NotAuthenticated):
        kit.door.account(key=key)
    with pytest.raises(NotAuthenticated):
        kit.door.account(key=key[:-1] + ("A" if key[-1] != "A" else "B"))


def test_guessing_is_slow_and_does_not_lock_the_owner_out(kit: Kit) -> None:
    kit.accounts.sign_in("Misty", PASSWORD, address="home")
    hashes, waits = 0, []
    for number in range(200):
        try:
            kit.accounts.sign_in("Misty", "wrong password", address=f"10.0.{number}.1")
        except TooManyTries as refused:
            waits.append(refused.retry_at - kit.clock.now())
        except NotAuthenticated:
            hashes += 1
    assert (hashes, len(waits)) == (10, 190)
    assert set(waits) == {timedelta(minutes=15)}
    kit.accounts.sign_in("Misty", PASSWORD, address="home")
    with pytest.raises(TooManyTries):
        kit.accounts.sign_in("Misty", PASSWORD, address="10.0.0.1")
    kit.wait(timedelta(minutes=16))
    kit.accounts.sign_in("Misty", PASSWORD, address="10.0.0.1")


def test_one_address_cannot_spray_many_names(kit: Kit) -> None:
    refused = 0
    for number in range(60):
        try:
            kit.accounts.sign_in(f"user{number}", "wrong password", address="10.0.0.1")
        except TooManyTries:
            refused += 1
        except NotAuthenticated:
            pass
    assert refused == 10


def test_signing_in_often_is_no_guessing(kit: Kit) -> None:
    for _ in range(60):
        kit.accounts.sign_in("Misty", PASSWORD, address="home")


def test_guesses_at_once_are_counted_one_by_one(kit: Kit) -> None:
    start = threading.Barrier(24)
    said: list[str] = []

    def guess() -> None:
        start.wait()
        try:
            kit.accounts.sign_in("Misty", "wrong password", address="10.0.0.1")
        except TooManyTries:
            said.append("wait")
        except NotAuthenticated:
            said.append("wrong")

    threads = [threading.Thread(target=guess) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (said.count("wrong"), said.count("wait")) == (10, 14)


def test_whoever_reads_waits_for_no_writer(kit: Kit) -> None:
    """A look writes that a key was used and lets a session live on; an import may hold the file."""
    pair = kit.accounts.sign_in("Misty", PASSWORD)
    misty = kit.door.account(token=pair.access_token)
    _, key = kit.keys.make(misty, "phone", KeyScope.READ)
    kit.wait(timedelta(hours=2))

    def ends_at() -> datetime:
        with kit.database.read() as connection:
            found = connection.execute(select(sessions.c.expires_at)).scalar_one()
        assert isinstance(found, datetime)
        return found

    before = ends_at()
    importer = Database(kit.database.url.render_as_string(hide_password=False))
    start = time.monotonic()
    with importer.write():
        assert kit.door.account(key=key).username == "Misty"
        assert kit.door.account(cookie=pair.session_cookie).username == "Misty"
    assert time.monotonic() - start < 5, "a third of the time that a writer waits"
    importer.close()
    kit.wait(timedelta(minutes=2))  # the next look writes what this one left
    kit.door.account(key=key)
    kit.door.account(cookie=pair.session_cookie)
    assert [one.last_used_at is not None for one in kit.keys.list(misty)] == [True]
    assert ends_at() >= before + timedelta(hours=2)
