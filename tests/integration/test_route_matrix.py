"""Every route as nobody, its owner, another user and an admin, on both databases, filled."""

from collections.abc import Iterator
from contextlib import ExitStack

import httpx2
import pytest
from fastapi import FastAPI

from tcgtracker.api.app import create_app
from tcgtracker.database.tables.accounts import Role
from tests.conftest import new_postgres_database
from tests.integration.filled import Filled, a_filled_tracker
from tests.route_table import ROUTES, Ids, Row, Who, differences
from tests.unit.api.conftest import asking


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Filled]:
    folder = tmp_path_factory.mktemp("matrix")
    with ExitStack() as stack:
        url = f"sqlite:///{folder / 'tracker.db'}"
        if request.param == "postgresql":
            url = stack.enter_context(new_postgres_database())
        yield stack.enter_context(a_filled_tracker(url, folder))


@pytest.fixture(scope="module")
def app(filled: Filled) -> FastAPI:
    return create_app(filled.tracker)


def expected(row: Row) -> dict[str, int]:
    """Return what each is answered, in the order in which they ask: who may take away comes last.

    A thing of somebody else's is as one that does not exist.
    """
    status = row.status
    if row.who is Who.ANYBODY:
        return {"nobody": status}
    if row.who is Who.ADMIN:
        return {"nobody": 401, "owner": 403, "other": 403, "admin": status}
    other = status if row.other is None else row.other
    admin = status if row.admin is None else row.admin
    return {"nobody": 401, "other": other, "admin": admin, "owner": status}


def test_every_route_has_a_row(app: FastAPI) -> None:
    assert not differences(app), differences(app)


@pytest.mark.parametrize("row", ROUTES, ids=[row.route for row in ROUTES])
def test_each_is_answered_what_the_table_says(filled: Filled, app: FastAPI, row: Row) -> None:
    people, ids = filled.people, filled.ids()
    send = asking(app, "")

    def answered(who: str) -> httpx2.Response:
        headers = {}
        if who != "nobody":
            user = people.add(Role.ADMIN if who == "admin" else Role.USER)
            headers = people.signed_in(filled.owner if who == "owner" else user)
        return send(row.method, row.path_of(ids), headers=headers, **row.ask(ids))

    answers = {who: answered(who) for who in expected(row)}
    said = {who: (one.status_code, one.text[:200]) for who, one in answers.items()}
    assert {who: one.status_code for who, one in answers.items()} == expected(row), said


def test_what_is_of_nothing_is_told_without_a_fault(filled: Filled, app: FastAPI) -> None:
    """Every route again with ids of nothing, as the admin: never a 5xx."""
    none = Ids(card=2**31 - 1, set=2**31 - 1, hold=2**31 - 1, rejected_hold=2**31 - 1, found="0")
    headers = filled.people.signed_in(filled.people.add(Role.ADMIN))
    send = asking(app, "")
    for row in ROUTES:
        if row.who in (Who.KNOWN, Who.ADMIN):
            answer = send(row.method, row.path_of(none), headers=headers, **row.ask(none))
            assert answer.status_code < 500, (row.route, answer.text)
