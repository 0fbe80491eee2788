"""What is counted and logged while a real flow runs: schedule, job, vendors, database, cache."""

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from tcgtracker.api.app import create_app
from tcgtracker.database.tables.operations import jobs as jobs_table
from tcgtracker.domain.ids import JobId
from tcgtracker.domain.source import Source
from tcgtracker.operations import repository
from tcgtracker.operations.values import JobFilter, JobRecord
from tcgtracker.quotes.sync_marks import TAKEN, save_mark
from tcgtracker.runtime.logging import configure_logging
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
from tests.support import api_key
from tests.unit.api.conftest import Ask, asking
from tests.unit.quotes.kit import add_cards

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with a_sandbox() as running:
        yield running


@pytest.fixture
def tracker(
    sandbox: Sandbox, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Tracker]:
    tracker = a_tracker(sandbox, tmp_path, database_url, monkeypatch)
    yield tracker
    tracker.close()


@pytest.fixture
def ids(tracker: Tracker, sandbox: Sandbox, tmp_path: Path) -> list[int]:
    """Three cards that PriceCharting and JustTCG know."""
    wanted = base_cards(world_of(sandbox), 3)
    named = import_cards(tracker.database, tmp_path / "catalog", world_of(sandbox), wanted)
    found = [named[card.name] for card in wanted]
    pages = (card.pricecharting_ids[""] for card in wanted)
    prove_pricecharting(tracker.database, dict(zip(found, pages, strict=True)))
    return found


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """The log as a program reads it, set up as the program does."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    configure_logging(as_json=True)
    yield stream
    structlog.reset_defaults()


def read(ask: Ask) -> dict[str, float]:
    """Return every series with its labels, as Prometheus would."""
    answer = ask("GET", "/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = {}
    for line in answer.text.splitlines():
        if not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            found[name.removeprefix("tcgtracker_")] = float(value)
    return found


def jobs(tracker: Tracker, name: str) -> list[JobRecord]:
    with tracker.database.read() as connection:
        return list(repository.list_page(connection, JobFilter(name=name), limit=50).jobs)


def test_the_counters_follow_a_real_flow(
    tracker: Tracker, sandbox: Sandbox, ids: list[int]
) -> None:
    key = api_key(tracker)
    app = create_app(tracker)

    def ask(method: str, path: str, **kwargs: Any) -> Any:
        return asking(app, "")(method, path, **kwargs)

    sandbox.fault("server_error", vendor="justtcg")
    (unknown,) = add_cards(tracker.database, 1)
    with tracker.unit_of_work() as uow:
        tracker.queue.enqueue(uow, "update_prices", {"card_ids": ids[:2]})
        tracker.queue.enqueue(uow, "update_card_price", {"card_id": 10**9})
        tracker.queue.enqueue(
            uow, "update_prices", {"card_ids": [ids[2], unknown], "source": "justtcg"}
        )
    tracker.runner.run_pending()
    for _ in range(2):
        ask("GET", "/api/v1/prices/trends?game=pokemon", headers=key)
    assert ask("GET", f"/api/v1/cards/{ids[0]}", headers=key).status_code == 200
    assert ask("GET", "/nothing").status_code == 404
    found = read(ask)

    assert found['price_updates_total{outcome="stored",source="pricecharting"}'] == 3
    assert found['price_updates_total{outcome="retryable",source="justtcg"}'] == 1
    assert found['price_updates_total{outcome="no-trusted-link",source="none"}'] == 1
    assert found['vendor_requests_total{source="pricecharting",status="200"}'] == 3
    assert found['vendor_requests_total{source="justtcg",status="500"}'] == 1
    assert found['vendor_request_seconds_count{operation="product",source="pricecharting"}'] == 3
    served = len(sandbox.served("pricecharting"))
    assert 3 <= found['price_points_total{source="pricecharting"}'] <= served
    assert found['jobs_total{name="update_prices",state="done"}'] == 2
    assert found['jobs_total{name="update_card_price",state="dead"}'] == 1, "seen in one run"
    assert found['job_seconds_count{name="update_prices"}'] == 2
    assert (found["dead_jobs"], found["job_queue_depth"]) == (1, 0)
    assert found['cache_requests_total{result="miss"}'] >= 1
    assert found['cache_requests_total{result="hit"}'] >= 1
    assert found['breaker_state{source="justtcg"}'] == 0
    day = 'vendor_quota_remaining{source="justtcg",window="day"}'
    assert 0 <= found[day] < 100
    assert found['http_request_seconds_count{route="/api/v1/cards/{card_id}",status="200"}'] == 1
    assert found['http_request_seconds_count{route="none",status="404"}'] == 1
    in_use = 'db_pool_in_use{database="main"}'
    assert found[in_use] == 0, "every connection was given back"
    with tracker.database.read():
        assert read(ask)[in_use] == 1
    assert found['db_pool_size{database="main"}'] >= 20

    for _ in range(5):
        tracker.updater.update(ids[:1], source=Source.JUSTTCG)
    found = read(ask)
    assert found['breaker_state{source="justtcg"}'] == 2
    assert found['breaker_transitions_total{source="justtcg",to="open"}'] == 1
    assert found['vendor_requests_total{source="justtcg",status="paused"}'] >= 1


def test_refused_rows_are_counted_by_reason(
    tracker: Tracker, sandbox: Sandbox, ids: list[int]
) -> None:
    sandbox.fault("price_negative", vendor="pricecharting")
    tracker.updater.update(ids)
    text = tracker.metrics.render().decode()
    held = [line for line in text.splitlines() if line.startswith("tcgtracker_quarantined_total{")]
    points = tracker.metrics.value("tcgtracker_price_points_total", source="pricecharting")
    with tracker.history.read() as connection:
        rows = connection.exec_driver_sql("SELECT count(*) FROM quarantined_rows").scalar_one()
    assert sum(float(line.rpartition(" ")[2]) for line in held) == rows
    assert rows > 0
    assert points == 0


def test_one_job_id_is_in_every_stage_from_schedule_to_cache(
    tracker: Tracker, sandbox: Sandbox, ids: list[int], lines: io.StringIO
) -> None:
    tracker.scheduler.tick()
    (run,) = jobs(tracker, "update_all_card_prices")
    with tracker.database.write() as connection:
        connection.execute(jobs_table.delete().where(jobs_table.c.id != run.id))
        save_mark(
            connection,
            tracker.database.dialect,
            "pricecharting",
            f"{TAKEN}:pokemon",
            "now",
            now=tracker.clock.now(),
        )
    tracker.runner.run_pending()
    said = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert all({"timestamp", "level", "event"} <= line.keys() for line in said)
    of_run = [line for line in said if str(run.id) in (line.get("job_id"), line.get("parent_id"))]
    stages = [line["event"] for line in of_run]
    for stage in ("job.scheduled", "job.began", "job.settled"):
        assert stage in stages

    (chunk,) = [one for one in jobs(tracker, "update_prices") if one.parent_id == run.id]
    of_chunk = [line for line in said if line.get("job_id") == str(chunk.id)]
    wanted = [
        "job.began",
        "quotes.asking",
        "vendor.place_taken",
        "vendor.admitted",
        "vendor.called",
        "quotes.transformed",
        "quotes.items_collected",
        "quotes.cache_dropped",
        "job.settled",
    ]
    events = [line["event"] for line in of_chunk]
    assert [one for one in dict.fromkeys(events) if one in wanted] == wanted, "in this order"
    assert {line["parent_id"] for line in of_chunk} == {str(run.id)}
    (asked,) = [line for line in of_chunk if line["event"] == "quotes.asking"]
    assert (asked["source"], asked["card_ids"]) == ("pricecharting", ids)
    stored = [line for line in of_chunk if line["event"] == "quotes.items_collected"]
    assert {line["source"] for line in stored} == {"pricecharting"}
    for secret in sandbox.environment():
        if secret.endswith(("_KEY", "_SECRET")):
            assert sandbox.environment()[secret] not in lines.getvalue()


def test_a_failing_job_is_in_the_log_of_its_run(
    tracker: Tracker, ids: list[int], lines: io.StringIO
) -> None:
    with tracker.unit_of_work() as uow:
        job: JobId = tracker.queue.enqueue(uow, "update_card_price", {"card_id": 10**9})
    tracker.runner.run_pending()
    said = [json.loads(line) for line in lines.getvalue().splitlines()]
    (failed,) = [line for line in said if line["event"] == "job.failed"]
    assert (failed["job_id"], failed["state"], failed["level"]) == (str(job), "dead", "error")
    assert "there is no card 1000000000" in failed["error"]
    assert tracker.metrics.value("tcgtracker_jobs_total", name="update_card_price", state="dead")


_COUNTING = """
import os, sys
from tcgtracker.runtime.metrics import Metrics
metrics = Metrics(sys.argv[1])
pid = os.fork()  # as Celery's pool does
metrics.jobs.labels("work", "done").inc(2 if pid else 3)
metrics.pool_in_use.labels("main").inc()
if pid:
    os.waitpid(pid, 0)
    print(metrics.render().decode())
"""


_SHORT = """
import sys
from tcgtracker.runtime.metrics import Metrics
metrics = Metrics(sys.argv[1])
metrics.jobs.labels("work", "done").inc()
metrics.job_seconds.labels("work").observe(int(sys.argv[2]))
metrics.pool_in_use.labels("main").inc()
"""
_ASKED = """
import sys
from tcgtracker.runtime.metrics import Metrics
print(Metrics(sys.argv[1]).render().decode())
"""


def _run(program: str, *args: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", program, *args],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def test_processes_that_end_leave_what_they_counted_and_no_files(tmp_path: Path) -> None:
    folder = tmp_path / "metrics"
    sizes = []
    for done in range(1, 4):
        for seconds in (1, 20):
            _run(_SHORT, str(folder), str(seconds))
        text = _run(_ASKED, str(folder))
        assert f'tcgtracker_jobs_total{{name="work",state="done"}} {2.0 * done}' in text
        assert f'tcgtracker_job_seconds_bucket{{le="2.0",name="work"}} {1.0 * done}' in text
        assert f'tcgtracker_job_seconds_count{{name="work"}} {2.0 * done}' in text
        assert f'tcgtracker_job_seconds_sum{{name="work"}} {21.0 * done}' in text
        assert "tcgtracker_db_pool_in_use{" not in text
        sizes.append(sum(1 for _ in folder.glob("*.db")))
    assert sizes[0] == sizes[1] == sizes[2], "as many files as after the first two"


@pytest.mark.parametrize("stage", ["drafted", "decided", "half removed", "kept"])
def test_a_kill_while_files_are_folded_counts_nothing_twice(tmp_path: Path, stage: str) -> None:
    """The folder as a kill leaves it at each stage; the next who is asked makes it good."""
    folder, copy = tmp_path / "metrics", tmp_path / "copy"
    for _ in range(2):
        _run(_SHORT, str(folder), "1")
    dead = sorted(path.name for path in folder.glob("[ch]*.db"))
    shutil.copytree(folder, copy)
    _run(_ASKED, str(copy))  # makes the sums
    kept = list(copy.glob("*_gone.db"))
    assert len(kept) == 2, "counters and histograms"
    for path in kept:
        new = path.name if stage == "kept" else f"{path.stem}.new"
        shutil.copyfile(path, folder / new)
    if stage != "drafted":
        (folder / "fold.json").write_text(json.dumps(dead))
    if stage in ("half removed", "kept"):
        for name in dead if stage == "kept" else dead[:2]:
            (folder / name).unlink()
    for _ in range(2):
        text = _run(_ASKED, str(folder))
        assert 'tcgtracker_jobs_total{name="work",state="done"} 2.0' in text
        assert 'tcgtracker_job_seconds_count{name="work"} 2.0' in text
    assert not [path for path in folder.iterdir() if path.suffix in (".new", ".json")]


def test_forked_processes_are_read_as_one(tmp_path: Path) -> None:
    """The numbers of children that have ended stay; their gauges go with them."""
    ended = [
        subprocess.run(
            [sys.executable, "-c", _COUNTING, str(tmp_path / "metrics")],
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
            check=True,
            capture_output=True,
            text=True,
        )
        for _ in range(2)
    ]
    first, second = (one.stdout for one in ended)
    assert 'tcgtracker_jobs_total{name="work",state="done"} 5.0' in first
    assert 'tcgtracker_jobs_total{name="work",state="done"} 10.0' in second
    assert 'tcgtracker_db_pool_in_use{database="main"} 1.0' in second
