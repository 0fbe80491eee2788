"""The whole site on a small catalog, looked at as a browser does: with cookies, without scripts."""

import asyncio
import re
from collections.abc import Iterator
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import insert
from uuid_utils.compat import uuid7

from tcgtracker.accounts.passwords import PasswordHasher
from tcgtracker.bootstrap import build_tracker
from tcgtracker.config import Settings
from tcgtracker.database.engine import Database
from tcgtracker.database.tables.accounts import Role, users
from tcgtracker.domain.clock import FixedClock
from tcgtracker.faces import create_site
from tcgtracker.quotes.card_quotes import rebuild
from tcgtracker.tracker import Tracker
from tests.support import NOW, PASSWORD, card_ids, import_days, import_products

_TOKEN = re.compile(r'name="csrf_token" value="([0-9a-f]+)"')
NASTY = "\"><script>alert(1)</script>{{ 7*7 }}'"
"""A vendor's name of a card that breaks what mishandles markup."""


class Browser:
    """Asks one site, keeps its cookies, follows no redirect by itself."""

    def __init__(self, app: FastAPI, base_url: str = "http://127.0.0.1:8000") -> None:
        self._app = app
        self._base_url = base_url
        self.cookies = httpx2.Cookies()

    def ask(self, method: str, path: str, **kwargs: Any) -> httpx2.Response:
        async def once() -> httpx2.Response:
            async with httpx2.AsyncClient(
                transport=httpx2.ASGITransport(app=self._app),
                base_url=self._base_url,
                cookies=self.cookies,
            ) as client:
                answer = await client.request(method, path, **kwargs)
                self.cookies = client.cookies
                return answer

        return asyncio.run(once())

    @property
    def signed_in(self) -> bool:
        return any(name.endswith("tcgtracker_session") for name in self.cookies)

    def get(self, path: str, **kwargs: Any) -> httpx2.Response:
        return self.ask("GET", path, **kwargs)

    def post(
        self, path: str, fields: dict[str, str] | None = None, *, page: str = "/settings"
    ) -> httpx2.Response:
        """Post a form with the token that a page carries."""
        found = _TOKEN.search(self.get(page).text)
        assert found, f"{page} has no form"
        return self.ask("POST", path, data={**(fields or {}), "csrf_token": found[1]})

    def enter(self, tracker: Tracker, name: str) -> "Browser":
        """Sign in by a link, which costs no password hash."""
        answer = self.get(f"/sign-in/link?token={tracker.accounts.make_link(name)}")
        assert answer.status_code == 303, answer.text
        return self


def text_of(answer: httpx2.Response) -> str:
    """Return what a reader sees of a page, in one line."""
    body = re.sub(r"<(style|script|head)\b.*?</\1>", " ", answer.text, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


@pytest.fixture(scope="session")
def password_hash() -> str:
    """The stored form of `PASSWORD`, made once: it is slow on purpose."""
    return PasswordHasher().make(PASSWORD)


@pytest.fixture
def tracker(
    password_hash: str, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Tracker]:
    """A tracker with two cards and three days of prices, an admin and a user."""
    monkeypatch.chdir(tmp_path)  # no .env of the developer's
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("DB_URL", database.url.render_as_string(hide_password=False))
    monkeypatch.delenv("HISTORY_URL", raising=False)
    import_products(database, tmp_path, {42: "Farfetch'd", 43: NASTY})
    days = {
        date(2026, 4, 28): {(42, "Normal"): {"market": 1.50, "low": 1.0, "high": 4.0}},
        date(2026, 4, 29): {(42, "Normal"): {"market": 1.75, "low": 1.0, "high": 4.0}},
        date(2026, 4, 30): {
            (42, "Normal"): {"market": 2.00, "low": 1.0, "high": 4.0},
            (42, "Holofoil"): {"market": 1234.50},
        },
    }
    import_days(database, tmp_path / "prices", days)
    rebuild(database, database)
    tracker = build_tracker(Settings(), clock=FixedClock(NOW))
    with database.write() as connection:
        for name, role in (("misty", Role.ADMIN), ("brock", Role.USER)):
            connection.execute(
                insert(users).values(
                    id=uuid7(),
                    username=name,
                    login=name,
                    password_hash=password_hash,
                    role=role,
                    created_at=NOW,
                    password_changed_at=NOW,
                )
            )
    yield tracker
    tracker.close()


@pytest.fixture
def card(tracker: Tracker) -> int:
    """The id of the card with prices."""
    return card_ids(tracker.database)["Farfetch'd"]


@pytest.fixture
def nasty(tracker: Tracker) -> int:
    """The id of the card without a price."""
    return card_ids(tracker.database)[NASTY]


@pytest.fixture
def card_set(tracker: Tracker) -> int:
    with tracker.database.read() as connection:
        return int(connection.exec_driver_sql("SELECT max(id) FROM tcg_sets").scalar_one())


@pytest.fixture
def site(tracker: Tracker) -> FastAPI:
    return create_site(tracker)


@pytest.fixture
def nobody(site: FastAPI) -> Browser:
    return Browser(site)


@pytest.fixture
def admin(site: FastAPI, tracker: Tracker) -> Browser:
    return Browser(site).enter(tracker, "misty")


@pytest.fixture
def user(site: FastAPI, tracker: Tracker) -> Browser:
    return Browser(site).enter(tracker, "brock")
