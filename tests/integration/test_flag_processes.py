"""The primary source is flipped while two processes work: both follow within 5 s, and back."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tcgtracker.analytics.card_history import card_history
from tcgtracker.analytics.headline import headline_price
from tcgtracker.domain.source import Source
from tcgtracker.operations.flag_settings import flag_changes
from tcgtracker.sandbox.serving import Sandbox
from tcgtracker.tracker import Tracker
from tests.integration.sandboxed import (
    a_sandbox,
    a_tracker,
    base_cards,
    import_cards,
    prove_pricecharting,
    world_of,
)

ROOT = Path(__file__).resolve().parents[2]
PC, JT = Source.PRICECHARTING, Source.JUSTTCG
FOLLOWS_WITHIN = timedelta(seconds=5)


class Process:
    """One worker process; `looks` are the sources of what it recorded, with the time of each."""

    def __init__(self, folder: Path, name: str) -> None:
        self._log = folder / f"{name}.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.integration.update_worker"],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )

    def wait_until_ready(self) -> None:
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n", self._log.read_text()

    def lines(self) -> list[dict[str, Any]]:
        whole = self._log.read_text().rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines()]

    def looks(self) -> list[tuple[datetime, str]]:
        return [
            (datetime.fromisoformat(line["timestamp"]), line["source"])
            for line in self.lines()
            if line["event"] == "quotes.items_collected"
        ]

    def stop(self) -> None:
        self._process.communicate(b"\n", timeout=60)
        assert self._process.returncode == 0, self._log.read_text()[-3000:]


@pytest.fixture(params=["postgresql", pytest.param("sqlite", marks=pytest.mark.long)])
def engine_name(request: pytest.FixtureRequest) -> str:
    """PostgreSQL each time: it is what several processes work on."""
    return str(request.param)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with a_sandbox() as running:
        running.tune("justtcg", plan="enterprise")
        yield running


@pytest.fixture
def tracker(
    sandbox: Sandbox, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Tracker]:
    tracker = a_tracker(sandbox, tmp_path, database_url, monkeypatch, JOBS_THREADS="1")
    yield tracker
    tracker.close()


@pytest.fixture
def two(tracker: Tracker, tmp_path: Path) -> Iterator[list[Process]]:
    processes = [Process(tmp_path, name) for name in ("one", "two")]
    try:
        for process in processes:
            process.wait_until_ready()
        yield processes
    finally:
        for process in processes:
            process.stop()


def command(*arguments: str) -> tuple[datetime, datetime]:
    """Run a command of the product in a process of its own; return when it began and ended."""
    began = datetime.now(UTC)
    subprocess.run([sys.executable, "-m", "tcgtracker", *arguments], cwd=ROOT, check=True)
    return began, datetime.now(UTC)


def test_two_processes_follow_a_flip_and_its_return(
    tracker: Tracker, sandbox: Sandbox, two: list[Process], tmp_path: Path
) -> None:
    wanted = base_cards(world_of(sandbox), 6)
    named = import_cards(tracker.database, tmp_path / "catalog", world_of(sandbox), wanted)
    ids = [named[card.name] for card in wanted]
    prove_pricecharting(
        tracker.database,
        dict(zip(ids, (card.pricecharting_ids[""] for card in wanted), strict=True)),
    )

    def work_until(enough: Callable[[], bool]) -> None:
        """Keep both processes busy, some jobs of one card and some of all."""
        deadline = time.monotonic() + 60
        while not enough():
            assert time.monotonic() < deadline, [process.looks() for process in two]
            with tracker.unit_of_work() as uow:
                for card_id in ids[:2]:
                    tracker.queue.enqueue(uow, "update_card_price", {"card_id": card_id})
                tracker.queue.enqueue(uow, "update_prices", {"card_ids": ids[2:]})
            time.sleep(0.6)

    def since(moment: datetime, source: Source) -> Callable[[], bool]:
        return lambda: all(
            sum(at > moment and one == source for at, one in process.looks()) >= 3
            for process in two
        )

    began = datetime.now(UTC)
    work_until(since(began, PC))
    _, flipped = command("flags", "set", "pricing.primary_source", "justtcg")
    over = time.monotonic() + 1 + FOLLOWS_WITHIN.total_seconds()
    work_until(lambda: time.monotonic() > over and since(flipped, JT)())
    reset, back = command("flags", "reset", "pricing.primary_source")
    work_until(since(back, PC))

    for process in two:
        looks = process.looks()
        settled = {one for at, one in looks if flipped + FOLLOWS_WITHIN < at < reset}
        assert settled == {JT}, "only the new source"
        assert {one for at, one in looks if at > back + FOLLOWS_WITHIN} <= {PC}
    now = tracker.clock.now()
    for card_id in ids:
        with tracker.database.read() as connection:
            series = {
                source: card_history(
                    connection,
                    connection,
                    tracker.history.dialect,
                    card_id,
                    source=source,
                    now=now,
                )
                for source in (PC, JT)
            }
            shown = headline_price(
                connection, connection, tracker.history.dialect, card_id, now=now
            )
        assert all(one.window and len(one.window.rows) for one in series.values()), "both readable"
        assert shown is not None
        assert shown.source is PC
    with tracker.database.read() as connection:
        changes = [(one.detail["old"], one.detail["new"]) for one in flag_changes(connection)]
    assert changes == [("justtcg", "pricecharting"), ("pricecharting", "justtcg")]
