"""Who asks too often waits; the others do not notice."""

import asyncio
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest

from tcgtracker.accounts.request import ACCOUNT
from tcgtracker.accounts.values import Account
from tcgtracker.api.app import create_app
from tcgtracker.api.rate_limits import SIGN_INS_A_MINUTE, RateLimits
from tcgtracker.config import AppSettings
from tcgtracker.database.tables.accounts import KeyScope
from tcgtracker.tracker import Tracker
from tests.redis_server import new_name, shared_redis_url
from tests.unit.api.conftest import Ask, asking

KEY_OWNER = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
Limited = Callable[..., Ask]


@pytest.fixture
def limited(tracker: Tracker) -> Limited:
    """Make an application with other limits; `ask` as whom the headers say."""

    def make(**settings: int) -> Ask:
        tracker.settings.app = AppSettings(**settings)  # type: ignore[arg-type]
        return asking(create_app(tracker), "")

    return make


def test_an_account_is_limited_whatever_it_signs_with(
    limited: Limited, tracker: Tracker, admin_token: str
) -> None:
    ask = limited(rate_limit=4)
    account = tracker.door.account(token=admin_token)
    _, key = tracker.api_keys.make(account, "tests", KeyScope.READ)
    ways = [{"Authorization": f"Bearer {admin_token}"}, {"X-API-Key": key}]
    answers = [ask("GET", "/api/v1/games", headers=ways[n % 2]) for n in range(6)]
    assert [one.status_code for one in answers] == [200] * 4 + [429] * 2
    assert [one.headers["ratelimit"].split(";")[1] for one in answers[:4]] == [
        "r=3",
        "r=2",
        "r=1",
        "r=0",
    ]
    for one in answers:
        assert one.headers["ratelimit-policy"] == '"account";q=4;w=60'
        assert re.fullmatch(r'"account";r=\d;t=\d+', one.headers["ratelimit"])
    refused = answers[-1]
    assert refused.json()["type"] == "urn:tcgtracker:problem:too-often"
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["x-content-type-options"] == "nosniff"


def test_one_account_does_not_use_up_anothers(
    limited: Limited, tracker: Tracker, admin_token: str
) -> None:
    limits = RateLimits(AppSettings(rate_limit=1))
    accounts = [tracker.door.account(token=admin_token)]
    accounts.append(Account(user_id=KEY_OWNER, username="misty", role=accounts[0].role))

    async def scenario() -> list[bool]:
        scopes = [{"path": "/api/v1/games", ACCOUNT: one} for one in accounts * 2]
        standings = [await limits.count(scope) for scope in scopes]
        return [one.allowed for one in standings if one is not None]

    assert asyncio.run(scenario()) == [True, True, False, False]


def test_nobody_is_limited_by_address_and_probes_are_not(limited: Limited) -> None:
    ask = limited(rate_limit_address=2)
    assert [ask("GET", "/health").status_code for _ in range(4)] == [200, 200, 429, 429]
    assert {ask("GET", path).status_code for path in ("/livez", "/readyz") * 3} == {200}


def test_wrong_tokens_use_up_the_address_and_never_shut_an_account_out(
    limited: Limited, admin_token: str
) -> None:
    ask = limited(rate_limit_address=3)
    wrong = {"X-API-Key": "tcg_12345678_x"}
    answers = [ask("GET", "/api/v1/games", headers=wrong) for _ in range(5)]
    assert [one.status_code for one in answers] == [401] * 3 + [429] * 2
    right = {"Authorization": f"Bearer {admin_token}"}
    assert ask("GET", "/api/v1/games", headers=right).status_code == 200


def test_signing_in_is_limited_more(limited: Limited) -> None:
    ask = limited(rate_limit_address=1_000)
    bad = {"json": {"refresh_token": "x"}}
    statuses = [
        ask("POST", "/api/v1/auth/refresh", **bad).status_code for _ in range(SIGN_INS_A_MINUTE + 2)
    ]
    assert statuses == [401] * SIGN_INS_A_MINUTE + [429] * 2
    assert ask("GET", "/health").status_code == 200


def test_zero_is_no_limit(limited: Limited, admin_token: str) -> None:
    ask = limited(rate_limit=0, rate_limit_address=0)
    right = {"Authorization": f"Bearer {admin_token}"}
    for _ in range(30):
        answer = ask("GET", "/api/v1/games", headers=right)
        assert answer.status_code == 200
        assert "ratelimit" not in answer.headers


def count_as(limits: RateLimits, client: str, times: int) -> list[bool | None]:
    async def scenario() -> list[bool | None]:
        scope: dict[str, Any] = {"path": "/health", "client": (client, 1)}
        standings = [await limits.count(scope) for _ in range(times)]
        await limits.close()
        return [None if one is None else one.allowed for one in standings]

    return asyncio.run(scenario())


def test_processes_on_one_redis_share_the_limit() -> None:
    url, client = shared_redis_url(), new_name()
    settings = AppSettings(rate_limit_address=3)
    assert count_as(RateLimits(settings, url), client, 2) == [True, True]
    assert count_as(RateLimits(settings, url), client, 2) == [True, False]


@contextmanager
def a_port_that_never_answers() -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_store_that_is_down_or_hangs_limits_nobody_and_costs_little() -> None:
    settings = AppSettings(rate_limit_address=1)
    assert count_as(RateLimits(settings, "redis://127.0.0.1:1/0"), "x", 3) == [None] * 3
    with a_port_that_never_answers() as port:
        begin = time.monotonic()
        limits = RateLimits(settings, f"redis://127.0.0.1:{port}/0")
        assert count_as(limits, "x", 20) == [None] * 20
        assert time.monotonic() - begin < 6  # 20 time-outs would be 10 s
