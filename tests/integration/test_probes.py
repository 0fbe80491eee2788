"""The probes that systems of this shape have failed before: each is a test here, or named here.

`SHOWN_BY` names the tests elsewhere that already show a probe exactly; that they exist is tested.
"""

import asyncio
import importlib
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import MetaData, Table, inspect, select

from tcgtracker.api.app import create_app
from tcgtracker.bootstrap import build_tracker
from tcgtracker.config import Settings
from tcgtracker.database.engine import Database
from tcgtracker.database.migrate import upgrade
from tcgtracker.tracker import Tracker
from tests.integration.filled import Filled, a_filled_tracker
from tests.integration.sandboxed import (
    a_sandbox,
    a_tracker,
    base_cards,
    import_cards,
    prove_pricecharting,
    world_of,
)
from tests.redis_server import RedisServer
from tests.route_table import ROUTES, Who
from tests.support import NOW, PASSWORD, api_key, card_ids, import_days, import_products
from tests.unit.api.conftest import asking
from tests.unit.cli.test_serve import serving

UPDATE = "/api/v1/prices/update"
_UPDATES = "tests.integration.test_http_updates"
_PRICECHARTING = "tests.unit.integrations.test_pricecharting_api"
SHOWN_BY = {
    2: [
        "tests.integration.test_route_matrix::test_each_is_answered_what_the_table_says",
        "tests.integration.test_route_matrix::test_what_is_of_nothing_is_told_without_a_fault",
        "tests.integration.test_api_fuzz::test_odd_requests_are_answered_with_problems",
        "tests.integration.test_api_document::test_answers_are_as_documented",
    ],
    3: [f"{_UPDATES}::test_of_many_each_card_has_its_own_result"],
    4: ["tests.unit.analytics.test_card_history::test_exact_against_a_plain_reference"],
    8: [
        f"{_UPDATES}::test_each_source_answers_by_its_name_and_pricecharting_without",
        f"{_PRICECHARTING}::test_keys_are_a_ladder_of_grades_in_pennies",
        f"{_PRICECHARTING}::test_missing_headline_price_is_listed_without_a_price",
        f"{_PRICECHARTING}::test_answer_without_any_price_key_says_nothing_of_prices",
        "tests.unit.integrations.test_http_secrets::test_planted_key_is_in_no_error_and_no_log",
    ],
}


@pytest.mark.parametrize("probe", sorted(SHOWN_BY))
def test_probe_is_shown_elsewhere(probe: int) -> None:
    for name in SHOWN_BY[probe]:
        module, _, test = name.partition("::")
        assert callable(getattr(importlib.import_module(module), test)), name


def body_of(answer: httpx2.Response, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()


def test_probe_12_redis_and_provider_stopped_reads_answer_marked_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis, vendors = RedisServer(tmp_path), ExitStack()
    sandbox = vendors.enter_context(a_sandbox())
    url = f"sqlite:///{tmp_path / 'tracker.db'}"
    limited = {"REDIS_URL": redis.url, "APP_RATE_LIMIT": "30"}
    tracker = a_tracker(sandbox, tmp_path, url, monkeypatch, **limited)
    wanted = base_cards(world_of(sandbox), 1)
    (card,) = import_cards(
        tracker.database, tmp_path / "catalog", world_of(sandbox), wanted
    ).values()
    prove_pricecharting(tracker.database, {card: wanted[0].pricecharting_ids[""]})
    reads = (
        "/api/v1/games",
        "/api/v1/sets",
        f"/api/v1/cards/{card}",
        f"/api/v1/prices/card/{card}",
        f"/api/v1/prices/compare/{card}",
        "/api/v1/prices/trends?game=pokemon",
    )

    async def scenario(client: httpx2.AsyncClient) -> None:
        fresh = body_of(await client.post(f"{UPDATE}/{card}"))
        assert fresh["stale"] is False
        for path in reads:  # so that Redis has something to lose
            body_of(await client.get(path))
        assert tracker.cache.get(f"card:price:{card}") is not None

        redis.kill()
        vendors.close()  # nobody listens at the vendors' ports any more
        said = body_of(await client.post(f"{UPDATE}/{card}"))
        assert (said["stale"], said["market_price"]) == (True, fresh["market_price"])
        assert said["fallback_reason"]
        assert said["age_s"] is not None
        for path in reads * 6:  # more than 30: without Redis nobody is limited
            body_of(await client.get(path))
        price = body_of(await client.get(f"/api/v1/cards/{card}"))["price"]
        assert price["market_price"] == fresh["market_price"]
        health = body_of(await client.get("/health"))
        assert health["status"] == "degraded"
        assert health["cache"] == {"kind": "redis", "ok": False}
        body_of(await client.get("/readyz"))

    async def served() -> None:
        app, headers = create_app(tracker), api_key(tracker)
        transport = httpx2.ASGITransport(app=app)
        async with (
            app.router.lifespan_context(app),
            httpx2.AsyncClient(
                transport=transport, base_url="http://127.0.0.1:8000", headers=headers
            ) as client,
        ):
            await scenario(client)

    with vendors:
        try:
            asyncio.run(served())
        finally:
            redis.kill()


NAMES = {1: "Farfetch'd", 2: "Ruby & Sapphire", 3: "100% <b>"}


def test_probe_15_names_are_stored_searched_and_returned_unchanged(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    import_products(database, tmp_path / "catalog", NAMES)
    day = NOW.date() - timedelta(days=1)
    import_days(
        database,
        tmp_path / "prices",
        {day: {(number, "Normal"): {"market": 1.0} for number in NAMES}},
    )
    assert set(card_ids(database)) == set(NAMES.values())
    url = database.url.render_as_string(hide_password=False)
    tracker = build_tracker(Settings(database={"url": url}, history={"url": ""}))
    try:
        send, key = asking(create_app(tracker), ""), api_key(tracker)
        for name, card in card_ids(database).items():
            for path, params in (("/search", {"q": name}), ("/cards", {"q": name})):
                answer = send("GET", f"/api/v1{path}", params=params, headers=key)
                assert [one["name"] for one in body_of(answer)["items"]] == [name], path
                assert answer.headers["content-type"] == "application/json"
                assert answer.headers["x-content-type-options"] == "nosniff"
            assert body_of(send("GET", f"/api/v1/cards/{card}", headers=key))["name"] == name
            history = send("GET", f"/api/v1/prices/card/{card}", headers=key)
            assert body_of(history)["card"]["name"] == name
    finally:
        tracker.close()


SHARED = (
    "games",
    "tcg_sets",
    "set_aliases",
    "cards",
    "printings",
    "card_aliases",
    "card_products",
    "stated_products",
    "product_links",
    "card_quotes",
    "vendor_products",
    "price_series",
    "price_blocks",
    "price_late",
    "price_holds",
    "feature_flags",
)


def shared_rows(tracker: Tracker) -> dict[str, list[tuple[Any, ...]]]:
    """Return all that users share: the catalog, the prices, the switches."""
    with tracker.database.read() as connection:
        names = inspect(connection).get_table_names()
        months = [name for name in names if name.startswith("price_history_")]
        found = {}
        for name in (*SHARED, *months):
            table = Table(name, MetaData(), autoload_with=connection)
            found[name] = sorted(map(tuple, connection.execute(select(table))), key=repr)
    found["switches"] = [
        (one.entry.info.vendor, one.status.enabled) for one in tracker.administration.sources()
    ]
    return found


@pytest.fixture
def filled(database_url: str, tmp_path: Path) -> Iterator[Filled]:
    with a_filled_tracker(database_url, tmp_path) as filled:
        yield filled


def test_probe_16_another_user_changes_no_shared_card_or_price(filled: Filled) -> None:
    """Every route that is not a read, as a user who is no admin; vendors may be asked by all."""
    send = asking(create_app(filled.tracker), "")
    mine = filled.people.signed_in(filled.owner)
    ids = filled.ids()
    before = shared_rows(filled.tracker)
    path = f"/api/v1/cards/{filled.card}"
    shown = body_of(send("GET", path, headers=mine))
    asked = 0
    for row in ROUTES:
        if row.method == "GET" or row.who is Who.ANYBODY or row.route.startswith(f"POST {UPDATE}"):
            continue
        theirs = filled.people.signed_in(filled.people.add())
        send(row.method, row.path_of(ids), headers=theirs, **row.ask(ids))
        asked += 1
    assert asked > 10
    assert shared_rows(filled.tracker) == before
    again = body_of(send("GET", path, headers=mine))
    for one in (shown, again):
        one["price"].pop("age_s")
    assert again == shown


def test_probe_19_logout_and_a_new_password_end_tokens_across_processes(
    tmp_path: Path, sqlite_url: str
) -> None:
    database = Database(sqlite_url)
    upgrade(database)
    database.close()
    environment = {"DB_URL": sqlite_url, "XDG_DATA_HOME": str(tmp_path), "JOBS_THREADS": "1"}
    with ExitStack() as stack:
        here, there = (
            stack.enter_context(
                httpx2.Client(
                    base_url=stack.enter_context(serving(tmp_path, **environment))[1], timeout=30
                )
            )
            for _ in range(2)
        )
        account = {"username": "misty", "password": PASSWORD}
        assert here.post("/api/v1/auth/register", json=account).status_code == 202

        def sign_in(client: httpx2.Client) -> tuple[dict[str, str], str]:
            pair = body_of(client.post("/api/v1/auth/login", data=account))
            return {"Authorization": f"Bearer {pair['access_token']}"}, pair["refresh_token"]

        def asked(client: httpx2.Client, token: dict[str, str]) -> int:
            return client.get("/api/v1/users/me", headers=token).status_code

        def refreshed(client: httpx2.Client, token: str) -> int:
            return client.post("/api/v1/auth/refresh", json={"refresh_token": token}).status_code

        token, refresh = sign_in(here)
        other, other_refresh = sign_in(there)
        assert asked(here, {"Authorization": f"Bearer {refresh}"}) == 401  # it is no access token
        for client in (here, there):
            assert [asked(client, one) for one in (token, other)] == [200, 200]

        assert here.post("/api/v1/auth/logout", headers=token).status_code == 204
        passed = sum(asked(here, token) != 401 for _ in range(500))
        time.sleep(1.1)  # how long a look at a session is believed elsewhere
        passed += sum(asked(there, token) != 401 for _ in range(500))
        assert passed == 0  # of 1,000
        assert refreshed(there, refresh) == 401
        for client in (here, there):
            assert asked(client, other) == 200  # the other session goes on

        changed = {"old_password": PASSWORD, "new_password": f"another {PASSWORD}"}
        third, _ = sign_in(here)
        answer = there.put("/api/v1/users/me/password", json=changed, headers=other)
        assert answer.status_code == 204
        assert asked(there, other) == 401
        time.sleep(1.1)
        for client in (here, there):
            assert [asked(client, one) for one in (token, other, third)] == [401] * 3
            assert refreshed(client, other_refresh) == 401
