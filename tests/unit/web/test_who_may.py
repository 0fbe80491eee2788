"""Every page with nobody, a user and an admin; a route without a row here fails."""

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from tcgtracker.tracker import Tracker
from tcgtracker.web.app import create_pages
from tests.unit.web.conftest import Browser, text_of

ANYBODY, USER, ADMIN = "anybody", "user", "admin"
NO_ID = "01890a5d-ac96-774b-bcce-b302099a8057"
NO_JOB = f"/jobs/{NO_ID}"
NO_KEY = f"/settings/keys/{NO_ID}"

# method, route, path -> who may, and what those are answered who may
ROUTES: list[tuple[str, str, str, str, int]] = [
    ("GET", "/", "/", USER, 200),
    ("GET", "/search", "/search?q=farfetchd", USER, 200),
    ("GET", "/search/suggestions", "/search/suggestions?q=far", USER, 200),
    ("GET", "/games", "/games", USER, 200),
    ("GET", "/games/{slug}", "/games/pokemon", USER, 200),
    ("GET", "/sets/{set_id}", "/sets/{set}", USER, 200),
    ("GET", "/cards/{card_id}", "/cards/{card}", USER, 200),
    ("GET", "/cards/{card_id}/history.csv", "/cards/{card}/history.csv", USER, 200),
    ("GET", "/cards/{card_id}/compare", "/cards/{card}/compare", USER, 200),
    ("POST", "/cards/{card_id}/update", "/cards/{card}/update", USER, 303),
    ("GET", "/jobs", "/jobs", USER, 200),
    ("GET", "/jobs/{job_id}", NO_JOB, USER, 404),
    ("GET", "/jobs/{job_id}/events", f"{NO_JOB}/events", USER, 404),
    ("POST", "/jobs/{job_id}/retry", f"{NO_JOB}/retry", ADMIN, 404),
    ("POST", "/jobs/{job_id}/cancel", f"{NO_JOB}/cancel", ADMIN, 404),
    ("GET", "/sources", "/sources", USER, 200),
    ("POST", "/sources/flags", "/sources/flags", ADMIN, 422),
    ("POST", "/sources/sync", "/sources/sync", ADMIN, 303),
    ("POST", "/sources/{vendor}/enable", "/sources/justtcg/enable", ADMIN, 303),
    ("POST", "/sources/{vendor}/disable", "/sources/justtcg/disable", ADMIN, 303),
    ("POST", "/sources/{vendor}/resume", "/sources/justtcg/resume", ADMIN, 303),
    ("GET", "/links", "/links", ADMIN, 200),
    ("GET", "/links/{link_id}", "/links/999999", ADMIN, 404),
    ("POST", "/links/{link_id}", "/links/999999", ADMIN, 404),
    ("POST", "/links/acts/{batch}/undo", f"/links/acts/{NO_ID}/undo", ADMIN, 404),
    ("GET", "/holds", "/holds", ADMIN, 200),
    ("POST", "/holds/{hold_id}", "/holds/1", ADMIN, 400),
    ("GET", "/dead-letters", "/dead-letters", ADMIN, 200),
    ("POST", "/sources/{vendor}/purge", "/sources/justtcg/purge", ADMIN, 422),
    ("GET", "/settings", "/settings", USER, 200),
    ("POST", "/settings/keys", "/settings/keys", USER, 422),
    ("POST", "/settings/keys/{key_id}/revoke", f"{NO_KEY}/revoke", USER, 404),
    ("POST", "/settings/password", "/settings/password", USER, 403),
    ("GET", "/sign-in", "/sign-in", ANYBODY, 303),
    ("POST", "/sign-in", "/sign-in", ANYBODY, 401),
    ("GET", "/sign-in/link", "/sign-in/link", ANYBODY, 303),
    ("GET", "/register", "/register", ANYBODY, 403),
    ("POST", "/register", "/register", ANYBODY, 422),
    ("POST", "/sign-out", "/sign-out", USER, 303),
    ("GET", "/static/{name:path}", "/static/css/app.css", ANYBODY, 200),
]


def test_no_page_is_forgotten(tracker: Tracker) -> None:
    pages = create_pages(tracker)
    assert isinstance(pages, FastAPI)
    known = {(method, route.path) for route in all_routes(pages) for method in route.methods or ()}
    assert {(method, route) for method, route, *_ in ROUTES} == known


def test_who_may_see_and_do_what(
    tracker: Tracker, site: FastAPI, nobody: Browser, card: int, card_set: int
) -> None:
    user, admin = Browser(site), Browser(site)
    for method, _route, template, who, status in ROUTES:
        path = template.format(card=card, set=card_set)
        for browser, name in ((user, "brock"), (admin, "misty")):
            if not browser.cookies:
                browser.enter(tracker, name)
        assert send(admin, method, path).status_code == status, path
        answer = send(user, method, path)
        assert answer.status_code == (403 if who == ADMIN else status), path
        if path == "/sign-out":
            user, admin = Browser(site), Browser(site)
        if who == ADMIN:
            assert "Not for this account" in text_of(answer)
        answer = send(nobody, method, path)
        if who != ANYBODY and method == "GET":
            assert answer.headers["location"].startswith("/sign-in"), path
        elif who != ANYBODY:
            assert answer.status_code == 303, path
            assert answer.headers["location"] == "/sign-in", path
        elif method == "GET":
            assert answer.status_code in (200, 401, 403), path


def send(browser: Browser, method: str, path: str) -> Any:
    if method == "GET":
        return browser.get(path)
    return browser.post(path, page="/settings" if browser.signed_in else "/sign-in")


def all_routes(app: FastAPI) -> list[APIRoute]:
    """Return every route, those of included routers too."""

    def within(routes: Any) -> list[APIRoute]:
        found = []
        for one in routes:
            if isinstance(one, APIRoute):
                found.append(one)
            elif hasattr(one, "original_router"):
                found.extend(within(one.original_router.routes))
        return found

    return within(app.routes)
