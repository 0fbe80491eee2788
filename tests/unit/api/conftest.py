"""An application on a migrated SQLite file, asked without a network in between."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from tcgtracker.api.app import create_app
from tcgtracker.bootstrap import build_tracker
from tcgtracker.config import Settings
from tcgtracker.database.migrate import upgrade
from tcgtracker.tracker import Tracker
from tests.support import PASSWORD

Ask = Callable[..., httpx2.Response]


@pytest.fixture
def tracker(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tracker]:
    monkeypatch.chdir(tmp_path)  # no .env of the developer's
    monkeypatch.setenv("DB_URL", sqlite_url)
    monkeypatch.delenv("HISTORY_URL", raising=False)
    tracker = build_tracker(Settings())
    upgrade(tracker.database)
    yield tracker
    tracker.close()


@pytest.fixture
def app(tracker: Tracker) -> FastAPI:
    return create_app(tracker)


@pytest.fixture
def admin_token(tracker: Tracker) -> str:
    """The access token of the first user, who is admin."""
    tracker.accounts.register("admin", PASSWORD)
    return tracker.accounts.sign_in("admin", PASSWORD).access_token


@pytest.fixture
def ask(app: FastAPI, admin_token: str) -> Ask:
    """Send one request through the whole stack of middleware, as the admin."""
    return asking(app, f"Bearer {admin_token}")


@pytest.fixture
def ask_as_nobody(app: FastAPI) -> Ask:
    """Send one request without a token."""
    return asking(app, "")


def asking(app: FastAPI, authorization: str) -> Ask:
    """Return what sends one request with an Authorization header."""

    def send(method: str, path: str, **kwargs: Any) -> httpx2.Response:
        if authorization:
            headers = httpx2.Headers(kwargs.pop("headers", None))
            headers.setdefault("Authorization", authorization)
            kwargs["headers"] = headers

        async def once() -> httpx2.Response:
            transport = httpx2.ASGITransport(app=app)
            async with httpx2.AsyncClient(
                transport=transport, base_url="http://127.0.0.1:8000"
            ) as client:
                return await client.request(method, path, **kwargs)

        return asyncio.run(once())

    return send
