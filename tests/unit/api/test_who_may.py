"""Every route with and without somebody who asks; a route without a row here fails."""

from typing import Any

import pytest
from fastapi import FastAPI

from tcgtracker.database.tables.accounts import KeyScope
from tcgtracker.tracker import Tracker
from tests.support import PASSWORD
from tests.unit.api.conftest import Ask, asking

ANYBODY, KNOWN, PERSON = "anybody", "known", "person"
NOTICES = "/webhooks/ebay/account-deletion"
CARD, KEY_ID = 1, "01890a5d-ac96-774b-bcce-b302099a8057"

# method, route, path, body -> who may, and what a known user is answered in an empty database
ROUTES: list[tuple[str, str, str, dict[str, Any], str, int]] = [
    ("GET", "/livez", "/livez", {}, ANYBODY, 200),
    ("GET", "/readyz", "/readyz", {}, ANYBODY, 200),
    ("GET", "/health", "/health", {}, ANYBODY, 200),
    ("GET", NOTICES, f"{NOTICES}?challenge_code=x", {}, ANYBODY, 404),
    ("POST", NOTICES, NOTICES, {"json": {}}, ANYBODY, 404),
    ("GET", "/docs", "/docs", {}, ANYBODY, 200),
    ("GET", "/openapi.json", "/openapi.json", {}, ANYBODY, 200),
    (
        "POST",
        "/api/v1/auth/register",
        "/api/v1/auth/register",
        {"json": {"username": "brock", "password": PASSWORD}},
        ANYBODY,
        403,  # closed once there is an admin
    ),
    (
        "POST",
        "/api/v1/auth/login",
        "/api/v1/auth/login",
        {"data": {"username": "admin", "password": PASSWORD}},
        ANYBODY,
        200,
    ),
    (
        "POST",
        "/api/v1/auth/refresh",
        "/api/v1/auth/refresh",
        {"json": {"refresh_token": "x"}},
        ANYBODY,
        401,
    ),
    ("POST", "/api/v1/auth/logout", "/api/v1/auth/logout", {}, PERSON, 204),
    ("GET", "/api/v1/users/me", "/api/v1/users/me", {}, KNOWN, 200),
    (
        "PUT",
        "/api/v1/users/me/password",
        "/api/v1/users/me/password",
        {"json": {"old_password": PASSWORD, "new_password": "another password"}},
        PERSON,
        204,
    ),
    ("GET", "/api/v1/users/me/api-keys", "/api/v1/users/me/api-keys", {}, KNOWN, 200),
    (
        "POST",
        "/api/v1/users/me/api-keys",
        "/api/v1/users/me/api-keys",
        {"json": {"name": "phone"}},
        PERSON,
        201,
    ),
    (
        "DELETE",
        "/api/v1/users/me/api-keys/{key_id}",
        f"/api/v1/users/me/api-keys/{KEY_ID}",
        {},
        PERSON,
        404,
    ),
    ("GET", "/api/v1/games", "/api/v1/games", {}, KNOWN, 200),
    ("GET", "/api/v1/sets", "/api/v1/sets", {}, KNOWN, 200),
    ("GET", "/api/v1/sets/{set_id}", "/api/v1/sets/1", {}, KNOWN, 404),
    ("GET", "/api/v1/sets/{set_id}/cards", "/api/v1/sets/1/cards", {}, KNOWN, 404),
    ("GET", "/api/v1/cards", "/api/v1/cards", {}, KNOWN, 200),
    ("GET", "/api/v1/cards/{card_id}", f"/api/v1/cards/{CARD}", {}, KNOWN, 404),
    ("GET", "/api/v1/search", "/api/v1/search?q=x", {}, KNOWN, 200),
    ("GET", "/api/v1/search/suggestions", "/api/v1/search/suggestions?q=x", {}, KNOWN, 200),
    ("POST", "/api/v1/search/all", "/api/v1/search/all", {"json": {"query": "abc"}}, KNOWN, 200),
    (
        "POST",
        "/api/v1/search/{source}",
        "/api/v1/search/ebay",
        {"json": {"query": "abc"}},
        KNOWN,
        503,  # it is not configured
    ),
    (
        "GET",
        "/api/v1/prices/compare/{card_id}",
        f"/api/v1/prices/compare/{CARD}",
        {},
        KNOWN,
        404,
    ),
    ("GET", "/api/v1/prices/trends", "/api/v1/prices/trends?game=x", {}, KNOWN, 404),
    ("POST", "/api/v1/prices/update/{card_id}", "/api/v1/prices/update/1", {}, KNOWN, 404),
    (
        "POST",
        "/api/v1/prices/update/bulk",
        "/api/v1/prices/update/bulk",
        {"json": {"card_ids": [1]}},
        KNOWN,
        404,
    ),
    ("GET", "/api/v1/jobs", "/api/v1/jobs", {}, KNOWN, 200),
    ("GET", "/api/v1/jobs/{job_id}", f"/api/v1/jobs/{KEY_ID}", {}, KNOWN, 404),
    ("GET", "/api/v1/jobs/{job_id}/events", f"/api/v1/jobs/{KEY_ID}/events", {}, KNOWN, 404),
    ("POST", "/api/v1/jobs/{job_id}/retry", f"/api/v1/jobs/{KEY_ID}/retry", {}, KNOWN, 404),
    ("GET", "/api/v1/prices/card/{card_id}", f"/api/v1/prices/card/{CARD}", {}, KNOWN, 404),
]
_IDS = [f"{row[0]} {row[1]}" for row in ROUTES]


def routes_of(app: FastAPI) -> set[str]:
    found = set()
    for path, methods in app.openapi()["paths"].items():
        found |= {f"{method.upper()} {path}" for method in methods}
    return found | {"GET /docs", "GET /openapi.json"}


def test_every_route_has_a_row(app: FastAPI) -> None:
    assert routes_of(app) == set(_IDS)


@pytest.mark.parametrize("row", ROUTES, ids=_IDS)
def test_who_may(app: FastAPI, tracker: Tracker, admin_token: str, row: Any) -> None:
    method, _, path, body, who, status = row
    account = tracker.door.account(token=admin_token)
    _, key = tracker.api_keys.make(account, "tests", KeyScope.WRITE)
    _, reader = tracker.api_keys.make(account, "reader", KeyScope.READ)

    def answered(headers: dict[str, str]) -> int:
        return asking(app, "")(method, path, headers=headers, **body).status_code

    if who == ANYBODY:
        assert answered({}) == status
        return
    for nobody in (
        {},
        {"Authorization": "Bearer x"},
        {"Authorization": "Basic YWRtaW46eA=="},
        {"Authorization": f"Bearer {key}"},
        {"X-API-Key": admin_token},
        {"X-API-Key": "tcg_12345678_x"},
        {"X-API-Key": "tcg_\0\0\0\0\0\0\0\0_x"},
        {"X-API-Key": key, "Authorization": f"Bearer {admin_token}"},
    ):
        assert answered(nobody) == 401, nobody
    if who == PERSON:
        assert answered({"X-API-Key": key}) == 403
    else:
        assert answered({"X-API-Key": key}) == status
    if method not in ("GET", "HEAD") and not path.startswith("/api/v1/search/"):
        assert answered({"X-API-Key": reader}) == 403
    elif who == KNOWN:
        assert answered({"X-API-Key": reader}) == status
    assert answered({"Authorization": f"Bearer {admin_token}"}) == status


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
