"""Coming in and going out: cookies, forms, links."""

from datetime import timedelta

import pytest
from fastapi import FastAPI

from tcgtracker.accounts.service import LINK_LIFETIME
from tcgtracker.domain.clock import FixedClock
from tcgtracker.tracker import Tracker
from tests.support import PASSWORD
from tests.unit.web.conftest import Browser, text_of

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)


def test_a_page_sends_somebody_unknown_to_sign_in_and_back(nobody: Browser) -> None:
    answer = nobody.get("/cards/1?days=30")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2Fcards%2F1%3Fdays%3D30"
    fields = {"username": "brock", "password": PASSWORD, "next": "/cards/1?days=30"}
    entered = nobody.post("/sign-in", fields, page="/sign-in")
    assert (entered.status_code, entered.headers["location"]) == (303, "/cards/1?days=30")
    assert nobody.get("/cards/1").status_code == 200


def test_the_cookie_is_kept_from_scripts_and_other_sites(nobody: Browser, site: FastAPI) -> None:
    fields = {"username": "brock", "password": PASSWORD}
    cookie = nobody.post("/sign-in", fields, page="/sign-in").headers.get_list("set-cookie")[0]
    assert cookie.startswith("tcgtracker_session=")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie
    secure = Browser(site, "https://127.0.0.1:8000")
    cookie = secure.post("/sign-in", fields, page="/sign-in").headers.get_list("set-cookie")[0]
    assert cookie.startswith("__Host-tcgtracker_session=")
    assert "Secure" in cookie
    assert secure.get("/games").status_code == 200


def test_a_wrong_password_says_neither_which_nor_what_was_typed(nobody: Browser) -> None:
    for name in ("brock", "nobody"):
        answer = nobody.post("/sign-in", {"username": name, "password": "wr0ng"}, page="/sign-in")
        assert answer.status_code == 401
        assert "Name or password is wrong." in text_of(answer)
        assert "wr0ng" not in answer.text


@pytest.mark.parametrize("token", ["", "00", "ab" * 64])
def test_a_form_without_its_token_changes_nothing(user: Browser, token: str) -> None:
    answer = user.ask("POST", "/settings/keys", data={"name": "phone", "csrf_token": token})
    assert answer.status_code == 403
    assert "another session" in text_of(answer)
    assert "phone" not in user.get("/settings").text


def test_a_token_of_another_session_is_refused(user: Browser, admin: Browser) -> None:
    token = admin.get("/settings").text.split('name="csrf_token" value="')[1].split('"')[0]
    answer = user.ask("POST", "/settings/keys", data={"name": "phone", "csrf_token": token})
    assert answer.status_code == 403


def test_the_session_of_a_browser_reads_the_api_and_changes_nothing(user: Browser) -> None:
    assert user.get("/api/v1/cards/1").status_code == 200
    other = {"Sec-Fetch-Site": "cross-site"}
    assert user.get("/api/v1/cards/1", headers=other).status_code == 401
    assert user.ask("POST", "/api/v1/users/me/api-keys", json={"name": "x"}).status_code == 401
    assert user.ask("DELETE", "/api/v1/auth/logout").status_code == 401


def test_signing_out_ends_the_session_for_the_cookie_too(user: Browser) -> None:
    kept = dict(user.cookies)
    assert user.post("/sign-out").headers["location"] == "/sign-in"
    assert user.get("/games").status_code == 303
    user.cookies.update(kept)
    assert user.get("/games").status_code == 303
    assert user.get("/api/v1/games").status_code == 401


def test_a_link_signs_in_once(tracker: Tracker, site: FastAPI) -> None:
    path = f"/sign-in/link?token={tracker.accounts.make_link('brock')}"
    first, second = Browser(site), Browser(site)
    assert first.get(path).headers["location"] == "/"
    assert "brock" in text_of(first.get("/games"))
    again = second.get(path)
    assert again.status_code == 401
    assert "used or is too old" in text_of(again)
    assert second.get("/games").status_code == 303


def test_a_link_of_yesterday_or_of_a_disabled_user_is_no_link(
    tracker: Tracker, nobody: Browser
) -> None:
    assert isinstance(tracker.clock, FixedClock)
    old = tracker.accounts.make_link("brock")
    tracker.clock.advance(LINK_LIFETIME + timedelta(seconds=1))
    assert nobody.get(f"/sign-in/link?token={old}").status_code == 401
    fresh = tracker.accounts.make_link("brock")
    tracker.accounts.set_disabled("brock", disabled=True)
    assert nobody.get(f"/sign-in/link?token={fresh}").status_code == 401
    assert nobody.get("/sign-in/link?token=").status_code == 401


def test_use_lets_a_session_live_on(tracker: Tracker, user: Browser) -> None:
    assert isinstance(tracker.clock, FixedClock)
    for _ in range(4):
        tracker.clock.advance(timedelta(days=20))
        tracker.door.forget(tracker.door.account(cookie=next(iter(user.cookies.values()))))
        assert user.get("/games").status_code == 200
    tracker.clock.advance(timedelta(days=31))
    tracker.door._looks.clear()
    assert user.get("/games").status_code == 303


def test_a_changed_password_keeps_this_browser_and_no_other(
    tracker: Tracker, user: Browser, site: FastAPI
) -> None:
    other = Browser(site).enter(tracker, "brock")
    fields = {"old": PASSWORD, "new": "another password", "again": "another password"}
    assert user.post("/settings/password", fields).status_code == 303
    assert user.get("/settings").status_code == 200
    assert other.get("/settings").status_code == 303
    wrong = user.post("/settings/password", {"old": "no", "new": "12345678", "again": "12345678"})
    assert wrong.status_code == 403
    assert "old password is wrong" in text_of(wrong)


def test_registration_is_closed_unless_the_setting_opens_it(nobody: Browser) -> None:
    answer = nobody.get("/register")
    assert answer.status_code == 403
    assert "Registration is closed" in text_of(answer)
