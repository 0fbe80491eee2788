"""Updates over HTTP from vendors of a stated latency: each figure beside its limit (R128).

PriceCharting answers one product a call, at most one call a second, so 100 cards take 100 s.
"""

import os
import statistics
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta

import httpx2
import uvicorn

from tcgtracker.api.app import create_app
from tcgtracker.bootstrap import build_tracker
from tcgtracker.config import Settings
from tcgtracker.domain.source import Source
from tcgtracker.quotes.outcomes import CardOutcome
from tcgtracker.sandbox.make_sandbox import make_sandbox
from tcgtracker.sandbox.serving import Sandbox
from tcgtracker.tracker import Tracker
from tests.bench.support import emit, note, scratch_database
from tests.integration.sandboxed import world_of
from tests.support import api_key
from tests.unit.quotes.kit import add_cards, link

CARDS = 100
LATENCY_S = 0.3
"""Of each answer of the vendors."""
READS = 400
_LIMITS = {
    "one": 5.0,
    "hundred": 120.0,
    "median": 2.0,
    "success": 0.95,
    "errors": 0.01,
    "pool": 0.8,
}


def run() -> None:
    """Print the figures on PostgreSQL, with the API and the updates in one process."""
    now = datetime.now(UTC)
    first_day = now.date() - timedelta(days=3)
    with (
        scratch_database("postgresql") as database,
        make_sandbox(first_day=first_day, now=now, pacing=False) as sandbox,
        tempfile.TemporaryDirectory() as folder,
    ):
        sandbox.fault("stall", vendor="pricecharting", params={"seconds": LATENCY_S})
        url = database.url.render_as_string(hide_password=False)
        os.environ.update(sandbox.environment() | {"DB_URL": url, "XDG_DATA_HOME": folder})
        os.environ.update(APP_RATE_LIMIT="0", APP_RATE_LIMIT_ADDRESS="0", HISTORY_URL="")
        os.chdir(folder)  # no .env of a developer's
        tracker = build_tracker(Settings())
        ids = _cards(tracker, sandbox)
        note(f"{len(ids)} cards, PriceCharting answers after {LATENCY_S} s")
        with _Served(tracker) as served:
            began = time.perf_counter()
            served.ask("POST", f"/api/v1/prices/update/{ids[0]}")
            emit("update/one", time.perf_counter() - began, "s", limit=_LIMITS["one"])
            outcomes, took = _hundred(tracker, ids, served)
        emit("update/100 cards", took, "s", limit=_LIMITS["hundred"])
        emit("update/api median", statistics.median(served.times), "s", limit=_LIMITS["median"])
        answered = sum(one.answered for one in outcomes) / len(outcomes)
        emit("update/success", answered, "share", limit=_LIMITS["success"])
        emit(
            "update/api errors", served.errors / len(served.times), "share", limit=_LIMITS["errors"]
        )
        emit("update/pool in use", served.pool, "share", limit=_LIMITS["pool"])
        tracker.close()


def _cards(tracker: Tracker, sandbox: Sandbox) -> list[int]:
    """Make cards of which each is a page of PriceCharting."""
    pages = [
        card.pricecharting_ids[""]
        for one in world_of(sandbox).sets
        for card in one.cards
        if card.pricecharting_ids.get("")
    ]
    ids = add_cards(tracker.database, CARDS)
    wanted = dict(zip(ids, dict.fromkeys(pages), strict=False))
    link(tracker.database, Source.PRICECHARTING, wanted)
    return ids


class _Served:
    """The API on a free port, asked while the updates run; the worst use of the pool."""

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._headers = api_key(tracker)
        config = uvicorn.Config(create_app(tracker), port=0, log_level="warning", lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self.times: list[float] = []
        self.errors = 0
        self.pool = 0.0

    def __enter__(self) -> "_Served":
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self._client = httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=30)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
        self._server.should_exit = True
        self._thread.join()

    def ask(self, method: str, path: str) -> None:
        began = time.perf_counter()
        status = self._client.request(method, path, headers=self._headers).status_code
        self.times.append(time.perf_counter() - began)
        self.errors += status >= 500
        value = self._tracker.metrics.value
        most = value("tcgtracker_db_pool_size", database="main")
        self.pool = max(self.pool, value("tcgtracker_db_pool_in_use", database="main") / most)


def _hundred(tracker: Tracker, ids: list[int], served: _Served) -> tuple[list[CardOutcome], float]:
    """Update the cards in the background, and ask the API meanwhile."""
    outcomes: list[CardOutcome] = []
    began = time.perf_counter()
    ended: list[float] = []

    def work() -> None:
        outcomes.extend(tracker.updater.update(ids))
        ended.append(time.perf_counter())

    thread = threading.Thread(target=work)
    thread.start()
    paths = ["/api/v1/cards?limit=20", "/api/v1/prices/card/{}", "/api/v1/prices/compare/{}"]
    number = 0
    while thread.is_alive() or number < READS:
        served.ask("GET", paths[number % len(paths)].format(ids[number % len(ids)]))
        number += 1
        thread.join(0.05)
    return outcomes, ended[0] - began
