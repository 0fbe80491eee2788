"""Live updates over HTTP, from the request to the vendors' wire and back."""

import asyncio
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from tcgtracker.api.app import create_app
from tcgtracker.operations import repository
from tcgtracker.operations.flag_settings import ChangedBy, change_flags
from tcgtracker.operations.values import JobFilter
from tcgtracker.quotes.live_updates import AT_ONCE, MOST_WAITING
from tcgtracker.quotes.update_jobs import FETCH_SHADOW
from tcgtracker.sandbox.serving import Sandbox
from tcgtracker.sandbox.world import WorldCard
from tcgtracker.tracker import Tracker
from tests.integration.sandboxed import (
    a_sandbox,
    a_tracker,
    base_cards,
    import_cards,
    prove_pricecharting,
    world_of,
)
from tests.support import api_key
from tests.unit.api.conftest import Ask, asking
from tests.unit.quotes.kit import add_cards

UPDATE = "/api/v1/prices/update"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with a_sandbox() as running:
        yield running


@pytest.fixture
def wanted(sandbox: Sandbox) -> list[WorldCard]:
    return base_cards(world_of(sandbox), 5)


@pytest.fixture
def tracker(
    sandbox: Sandbox, tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Tracker]:
    tracker = a_tracker(sandbox, tmp_path, sqlite_url, monkeypatch)
    yield tracker
    tracker.close()


@pytest.fixture
def cards(tracker: Tracker, sandbox: Sandbox, wanted: list[WorldCard], tmp_path: Path) -> list[int]:
    """Cards of whose first three PriceCharting's pages are proven; all are TCGplayer products."""
    ids = import_cards(tracker.database, tmp_path / "catalog", world_of(sandbox), wanted)
    found = [ids[card.name] for card in wanted]
    pages = {
        card_id: card.pricecharting_ids[""]
        for card_id, card in zip(found[:3], wanted[:3], strict=True)
    }
    prove_pricecharting(tracker.database, pages)
    return found


@pytest.fixture
def app(tracker: Tracker) -> FastAPI:
    return create_app(tracker)


@pytest.fixture
def key(tracker: Tracker) -> dict[str, str]:
    return api_key(tracker)


@pytest.fixture
def ask(app: FastAPI, key: dict[str, str]) -> Ask:
    send = asking(app, "")
    return lambda method, path, **kwargs: send(method, path, headers=key, **kwargs)


def body_of(answer: httpx2.Response, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()


def test_each_source_answers_by_its_name_and_pricecharting_without(
    ask: Ask, cards: list[int], sandbox: Sandbox
) -> None:
    for query, source in (
        ("", "pricecharting"),
        ("?source=justtcg", "justtcg"),
        ("?source=tcgplayer", "tcgplayer"),
    ):
        said = body_of(ask("POST", f"{UPDATE}/{cards[0]}{query}"))
        assert (said["source"], said["stale"], said["fallback_reason"]) == (source, False, None)
        unit = Decimal("0.01") if source == "pricecharting" else 1  # it counts in pennies
        served = {Decimal(one.value) * unit for one in sandbox.served(source)}
        assert Decimal(said["market_price"]) in served
        assert said["currency"] == "USD"
        assert said["timestamp"] <= said["fetched_at"]


def test_the_shadow_is_asked_afterwards_for_nobody_to_wait(
    ask: Ask, cards: list[int], sandbox: Sandbox, tracker: Tracker
) -> None:
    with tracker.database.write() as connection:
        change_flags(
            connection,
            tracker.database.dialect,
            {"pricing.shadow_source": "justtcg", "pricing.fallback_sources": []},
            by=ChangedBy("test"),
            now=tracker.clock.now(),
        )
    said = body_of(ask("POST", f"{UPDATE}/{cards[0]}"))
    assert said["source"] == "pricecharting"
    assert sandbox.calls("justtcg") == [], "the answer waited for the shadow"
    assert tracker.runner.run_pending() == 1
    with tracker.database.read() as connection:
        (job,) = repository.list_page(connection, JobFilter(name=FETCH_SHADOW)).jobs
    assert job.result == {"asked": 1, "answered": 1, "failed": 0}
    assert not job.asked, "nobody waits for it"
    assert len(sandbox.calls("justtcg")) == 1
    assert body_of(ask("GET", f"/api/v1/cards/{cards[0]}"))["price"]["source"] == "pricecharting"


def test_the_next_source_answers_with_the_reason(
    ask: Ask, cards: list[int], sandbox: Sandbox
) -> None:
    sandbox.fault("server_error", vendor="pricecharting")
    said = body_of(ask("POST", f"{UPDATE}/{cards[0]}"))
    assert said["source"] == "justtcg"
    assert said["stale"] is False
    assert "pricecharting" in said["fallback_reason"]


def test_a_refused_key_costs_one_call_and_the_next_source_answers(
    ask: Ask, cards: list[int], sandbox: Sandbox
) -> None:
    sandbox.fault("unauthorized", vendor="pricecharting")
    for _ in range(3):
        assert body_of(ask("POST", f"{UPDATE}/{cards[0]}"))["source"] == "justtcg"
    assert len(sandbox.calls("pricecharting")) == 1
    states = {one["source"]: one for one in body_of(ask("GET", "/health"))["sources"]}
    assert states["pricecharting"]["state"] == "stopped"
    assert states["pricecharting"]["breaker"] == "closed"


def test_the_last_price_comes_back_stale_when_all_are_down(
    ask: Ask, cards: list[int], sandbox: Sandbox
) -> None:
    before = body_of(ask("POST", f"{UPDATE}/{cards[0]}"))
    sandbox.fault("server_error")
    said = body_of(ask("POST", f"{UPDATE}/{cards[0]}"))
    assert said["stale"] is True
    assert (said["market_price"], said["timestamp"]) == (
        before["market_price"],
        before["timestamp"],
    )
    assert "pricecharting" in said["fallback_reason"]
    assert body_of(ask("GET", f"/api/v1/prices/card/{cards[0]}"))["series"] is not None


def test_nothing_known_and_nobody_there_is_a_503(
    ask: Ask, cards: list[int], sandbox: Sandbox
) -> None:
    sandbox.fault("server_error")
    answer = ask("POST", f"{UPDATE}/{cards[0]}")
    assert body_of(answer, 503)["type"].startswith("urn:tcgtracker:problem:vendor")
    assert int(answer.headers["retry-after"]) > 0


def test_no_such_card_no_trusted_link_and_no_such_source(ask: Ask, tracker: Tracker) -> None:
    (unlinked,) = add_cards(tracker.database, 1)
    assert body_of(ask("POST", f"{UPDATE}/999999"), 404)["title"]
    assert "no-trusted-link" in body_of(ask("POST", f"{UPDATE}/{unlinked}"), 409)["detail"]
    for path in (f"{unlinked}?source=ebay", f"{unlinked}?source=x", "0", "-1", "x", str(2**40)):
        body_of(ask("POST", f"{UPDATE}/{path}"), 422)


def test_of_many_each_card_has_its_own_result(
    ask: Ask, cards: list[int], wanted: list[WorldCard], sandbox: Sandbox, tracker: Tracker
) -> None:
    for vendor in ("justtcg", "tcgplayer"):
        sandbox.fault("server_error", vendor=vendor)
    failing, unknown = cards[3], 999_999
    tracker.start_jobs()
    try:
        wish = {"card_ids": [*cards[:3], unknown, failing]}
        answer = ask("POST", f"{UPDATE}/bulk?wait=50", json=wish)
        said = body_of(answer)
        assert (said["accepted"], said["state"]) == (4, "done")
        assert [one["card_id"] for one in said["rejected"]] == [unknown]
        job = body_of(ask("GET", said["status_url"]))
        outcomes = {one["card_id"]: one for one in job["result"]["cards"]}
        assert set(outcomes) == {*cards[:3], failing}
        done = {card_id: one["outcome"] for card_id, one in outcomes.items()}
        assert all(done[card_id] in ("stored", "unchanged") for card_id in cards[:3]), done
        assert done[failing] not in ("stored", "unchanged")
        events = ask("GET", f"{said['status_url']}/events")  # the stream of an ended job ends
        assert events.headers["content-type"].startswith("text/event-stream")
        assert "done" in events.text
    finally:
        tracker.stop_jobs()


def test_updates_that_wait_for_a_stalled_vendor_slow_no_reads(
    app: FastAPI, key: dict[str, str], tracker: Tracker, sandbox: Sandbox
) -> None:
    sandbox.fault("stall", vendor="pricecharting")
    most, over = AT_ONCE + MOST_WAITING, 4
    card_ids = add_cards(tracker.database, most + over)
    prove_pricecharting(tracker.database, {one: str(one) for one in card_ids})

    async def scenario() -> tuple[list[float], list[httpx2.Response]]:
        async with (
            app.router.lifespan_context(app),
            httpx2.AsyncClient(
                transport=httpx2.ASGITransport(app=app),
                base_url="http://127.0.0.1:8000",
                headers=key,
            ) as client,
        ):
            updates = [asyncio.create_task(client.post(f"{UPDATE}/{one}")) for one in card_ids]
            took = []
            for _ in range(20):
                await asyncio.sleep(0.05)
                begin = time.monotonic()
                assert (await client.get("/api/v1/cards?limit=50")).status_code == 200
                took.append(time.monotonic() - begin)
            refused = [one.result() for one in updates if one.done()]
            for one in updates:
                one.cancel()
            await asyncio.gather(*updates, return_exceptions=True)
            sandbox.clear_faults()
            return took, refused

    took, refused = asyncio.run(scenario())
    assert [one.status_code for one in refused] == [429] * over
    assert all(int(one.headers["retry-after"]) > 0 for one in refused)
    assert max(took) < 3, took
    assert sandbox.fired()["pricecharting stall"] >= 1
