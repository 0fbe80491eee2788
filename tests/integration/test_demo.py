"""The demo as a process: what `make run` gives, from start to clean end."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tcgtracker.demo.days import next_jump
from tcgtracker.demo.surroundings import closed_environment

_DAYS = 12
"""As few as have days before the catalog, to be quick."""


@contextmanager
def running_demo(folder: Path, *options: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """Run the demo; give what it says once it serves, and the process."""
    temporary = folder / "tmp"
    temporary.mkdir()
    (folder / ".env").write_text("API_TCGPLAYER_CLIENT_ID=mine\nAPI_TCGPLAYER_CLIENT_SECRET=mine\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "tcgtracker", "demo", "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={
            **os.environ,
            "TMPDIR": str(temporary),
            "DB_URL": f"sqlite:///{folder}/mine.db",
            "API_PRICECHARTING_API_KEY": "mine",
        },
    )
    try:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if line.startswith("Ctrl-C"):
                break
        yield "".join(said), process
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def test_the_demo_serves_what_it_prints_and_leaves_nothing(tmp_path: Path) -> None:
    with running_demo(tmp_path, "--days", str(_DAYS), "--speed", "20") as (said, process):
        address = said.split()[2]
        cards = re.findall(rf"{address}/cards/(\d+)[? ]", said)
        assert len(cards) == 3, process.communicate()[1] if process.poll() else said
        root = f"{address}/api/v1"
        assert httpx2.get(f"{root}/cards").status_code == 401
        headers = {"X-API-Key": re.findall(r"X-API-Key: (tcg_\w[\w-]*)", said)[0]}
        signed_in = httpx2.get(re.findall(r"open (\S+)", said)[0], follow_redirects=True)
        assert (signed_in.status_code, "Sign out" in signed_in.text) == (200, True)

        assert "could not be read" not in said  # that was longer ago than these days

        def get(path: str) -> Any:
            answer = httpx2.get(f"{root}{path}", headers=headers, timeout=30)
            assert answer.status_code == 200, answer.text
            return answer.json()

        pages = [get(f"/prices/card/{one}?days=120") for one in cards]
        assert [page["card"]["name"] for page in pages[:2]] == [
            "Charizard ex - 199/165",
            "Lugia VSTAR",
        ]
        assert {one["source"] for one in pages[0]["other_series"]} == {
            "justtcg",
            "pricecharting",
            "tcgcsv",
        }
        first = get("/jobs?limit=200")
        assert {"done", "dead"} <= {job["state"] for job in first["items"]}
        assert {one["game"] for one in get("/cards?limit=200")["items"]} == {"pokemon", "onepiece"}
        assert [len(page["holds"]) for page in pages] == [1, 0, 0]
        assert pages[2]["current"]["stale"]
        assert httpx2.get(f"{address}/docs").status_code == 200
        _wait_for_a_day(get)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")
    assert list((tmp_path / "tmp").iterdir()) == []
    assert not (tmp_path / "mine.db").exists()


def _wait_for_a_day(get: Any) -> None:
    """Wait until a price is of a day that was not there yet when the demo began."""
    tomorrow = datetime.now(UTC) + timedelta(hours=12)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        jobs = get("/jobs?limit=200")["items"]
        if any(
            job["state"] == "done"
            and job["name"] == "sync_tcgcsv"
            and datetime.fromisoformat(job["finished_at"]) > tomorrow
            for job in jobs
        ):
            return
        time.sleep(0.5)
    pytest.fail("no day passed")


def test_jumps_lead_past_the_slots_of_the_schedules() -> None:
    moment = datetime(2026, 5, 1, 20, 19, tzinfo=UTC)
    seen = []
    for _ in range(8):
        moment = next_jump(moment)
        seen.append(moment)
    assert [one.strftime("%H:%M") for one in seen] == [
        "21:30", "00:30", "03:30", "06:30", "09:30", "12:30", "15:30", "18:30",
    ]  # fmt: skip
    assert (seen[0].date(), seen[-1].date()) == (date(2026, 5, 1), date(2026, 5, 2))
    assert next_jump(seen[0] - timedelta(seconds=1)) == seen[0]


def test_no_setting_is_left_to_the_user() -> None:
    whole = closed_environment({"API_JUSTTCG_API_KEY": "sandbox"})
    assert whole["API_JUSTTCG_API_KEY"] == "sandbox"
    assert whole["API_TCGPLAYER_CLIENT_SECRET"] == ""
    assert whole["API_TCGCSV_ENABLED"] == "False"
    documented = (Path(__file__).parents[2] / ".env.example").read_text()
    names = set(re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", documented, re.MULTILINE))
    assert names - whole.keys() == {"DB_URL"}
