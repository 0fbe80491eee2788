"""Every route with tokens and keys of all kinds; a route without a row in the table fails."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from tcgtracker.api.app import create_app
from tcgtracker.api.authentication import READING_POSTS
from tcgtracker.bootstrap import build_tracker
from tcgtracker.config import Settings
from tcgtracker.database.tables.accounts import KeyScope, Role
from tcgtracker.tracker import Tracker
from tests.people import People
from tests.route_table import ROUTES, Ids, Row, Who, differences
from tests.support import PASSWORD
from tests.unit.api.conftest import Ask, asking


def test_every_route_has_a_row(app: FastAPI) -> None:
    assert not differences(app), differences(app)


@pytest.fixture(scope="module")
def one_tracker(
    migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Tracker]:
    """One for all rows: each of them has a user of its own."""
    folder = tmp_path_factory.mktemp("who")
    path = folder / "tracker.db"
    shutil.copyfile(migrated_sqlite, path)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)  # no .env of the developer's
        patch.setenv("SECURITY_SECRET_KEY", "no secret, only long enough to be one")
        tracker = build_tracker(
            Settings(database={"url": f"sqlite:///{path}"}, history={"url": ""})
        )
    yield tracker
    tracker.close()


@pytest.fixture(scope="module")
def people(one_tracker: Tracker) -> People:
    return People(one_tracker)


@pytest.fixture(scope="module")
def one_app(one_tracker: Tracker) -> FastAPI:
    return create_app(one_tracker)


@pytest.mark.parametrize("row", ROUTES, ids=[row.route for row in ROUTES])
def test_who_may(one_app: FastAPI, people: People, row: Row) -> None:
    path, ask = row.path_of(Ids()), row.ask(Ids())
    admin = people.add(Role.ADMIN)
    token, key = people.token(admin), people.key(admin, KeyScope.WRITE)

    def answered(headers: dict[str, str]) -> int:
        return asking(one_app, "")(row.method, path, headers=headers, **ask).status_code

    if row.who is Who.ANYBODY:
        assert answered({}) in (row.status, 404)  # 404: eBay's notices are not configured here
        return
    for nobody in (
        {},
        {"Authorization": "Bearer x"},
        {"Authorization": "Basic YWRtaW46eA=="},
        {"Authorization": f"Bearer {key}"},
        {"X-API-Key": token},
        {"X-API-Key": "tcg_12345678_x"},
        {"X-API-Key": "tcg_\0\0\0\0\0\0\0\0_x"},
        {"X-API-Key": key, "Authorization": f"Bearer {token}"},
    ):
        assert answered(nobody) == 401, nobody
    assert (answered({"X-API-Key": key}) == 403) == (row.who is Who.PERSON)
    reads = row.method == "GET" or (path.startswith(READING_POSTS) and row.who is Who.KNOWN)
    read = answered({"X-API-Key": people.key(admin, KeyScope.READ)})
    assert (read == 403) == (not reads or row.who in (Who.PERSON, Who.ADMIN))
    assert answered({"Authorization": f"Bearer {token}"}) not in (401, 403)


def test_a_problem_says_nothing_of_the_reason(ask_as_nobody: Ask, admin_token: str) -> None:
    answers = [
        ask_as_nobody("GET", "/api/v1/games", headers=headers)
        for headers in ({}, {"Authorization": "Bearer x"}, {"X-API-Key": "tcg_12345678_x"})
    ]
    bodies = []
    for answer in answers:
        assert answer.headers["www-authenticate"] == 'Bearer realm="tcgtracker"'
        bodies.append({k: v for k, v in answer.json().items() if k != "request_id"})
    assert bodies[0] == bodies[1] == bodies[2]


def test_a_path_that_is_nothing_tells_nobody(ask_as_nobody: Ask, ask: Ask) -> None:
    assert ask_as_nobody("GET", "/api/v1/nothing").status_code == 401
    assert ask("GET", "/api/v1/nothing").status_code == 404


def test_too_many_wrong_passwords_are_a_429(ask_as_nobody: Ask, admin_token: str) -> None:
    form = {"username": "admin", "password": "wrong password"}
    answers = [ask_as_nobody("POST", "/api/v1/auth/login", data=form) for _ in range(12)]
    assert [one.status_code for one in answers] == [401] * 10 + [429] * 2
    assert int(answers[-1].headers["retry-after"]) <= 901
    form["password"] = PASSWORD
    # the address has signed in before, so it is the one that has used its tries up
    assert ask_as_nobody("POST", "/api/v1/auth/login", data=form).status_code == 429


@pytest.mark.parametrize(
    "body", [{"username": "x"}, {"username": "x", "password": "y" * 5000}, {"password": "z"}]
)
def test_a_422_repeats_no_password(ask_as_nobody: Ask, body: dict[str, str]) -> None:
    answer = ask_as_nobody("POST", "/api/v1/auth/register", json=body)
    assert answer.status_code == 422
    assert "yyyyy" not in answer.text
