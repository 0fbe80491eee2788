"""`tcgtracker distributed` as a person uses it: sign in, update a thousand cards, stop it."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

CARDS = 1000
READY_S = 400.0
LIMIT_S = 600.0


class Lines:
    """What the command writes, as it comes."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.text = ""
        self._process = process
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.text += line

    def await_words(self, words: str, limit_s: float) -> str:
        ends_at = time.monotonic() + limit_s
        while words not in self.text:
            assert self._process.poll() is None, self.text
            assert time.monotonic() < ends_at, self.text
            time.sleep(0.1)
        return self.text


@contextmanager
def distributed(folder: Path) -> Iterator[tuple["subprocess.Popen[str]", Lines]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tcgtracker", "distributed"],
        cwd=folder,
        env={**os.environ, "APP_RATE_LIMIT": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines = Lines(process)
    try:
        yield process, lines
    finally:
        process.terminate()
        process.wait(90)
        lines.thread.join(10)
        assert process.stdout is not None
        process.stdout.close()


def parts_run_by(log: Path, wanted: set[str]) -> set[str]:
    """Return which of these jobs a worker's log says it has brought to their end."""
    lines = [line for line in log.read_text().splitlines() if '"job.settled"' in line]
    settled = [json.loads(line) for line in lines]
    return wanted & {one["job_id"] for one in settled if one["state"] == "done"}


@pytest.mark.long
def test_a_thousand_cards_are_shared_by_two_workers_and_seen_from_both_apis(
    tmp_path: Path,
) -> None:
    with distributed(tmp_path) as (process, lines):
        said = lines.await_words("Ctrl-C ends it all.", READY_S)
        first, second = re.findall(r"serving on (\S+) ", said)
        password = re.findall(r"with the password (\S+):", said)[0]
        logs = [Path(one) for one in re.findall(r"worker-\d.*log (\S+)", said)]
        pids = [int(pid) for pid in re.findall(r"pid (\d+)", said)]
        with httpx2.Client(timeout=60) as client:
            answer = client.post(
                f"{first}/api/v1/auth/login", data={"username": "demo", "password": password}
            )
            client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
            ids = _card_ids(client, first)
            start = time.monotonic()
            wish = {"card_ids": ids, "source": "tcgplayer"}
            job = client.post(f"{first}/api/v1/prices/update/bulk", json=wish).json()
            seen = _follow(client, [first, second], job["job_id"])
            took = time.monotonic() - start
            page = client.get(f"{second}/api/v1/jobs?parent_id={job['job_id']}").json()
        parts = {str(one["id"]) for one in page["items"]}
        shares = [len(parts_run_by(log, parts)) for log in logs]
        assert len(parts) == 5
        assert sum(shares) == 5
        assert all(shares), f"one worker did nothing: {shares}"
        assert all(done for done in seen.values()), "progress was seen from one API alone"
        os.kill(pids[2], signal.SIGKILL)  # a worker
        lines.await_words("had died and is started again", 30)
        folder = logs[0].parent
        assert folder.is_dir()
    assert process.returncode == 0, lines.text
    assert not folder.exists()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    print(f"{CARDS} cards in {took:.1f} s, parts by worker {shares}, progress seen {dict(seen)}")


def _card_ids(client: httpx2.Client, api: str) -> list[int]:
    ids: list[int] = []
    wanted = {"limit": "100"}
    while len(ids) < CARDS:
        said = client.get(f"{api}/api/v1/cards", params=wanted)
        assert said.status_code == httpx2.codes.OK, said.text
        page = said.json()
        ids += [one["card_id"] for one in page["items"]]
        wanted["cursor"] = page["next_cursor"]
    return ids[:CARDS]


def _follow(client: httpx2.Client, apis: list[str], job_id: str) -> Counter[str]:
    """Ask both APIs in turn until the job has ended; return how often each showed progress."""
    seen: Counter[str] = Counter()
    ends_at = time.monotonic() + LIMIT_S
    job: dict[str, Any] = {"state": "ready"}
    while job["state"] not in ("done", "dead"):
        for api in apis:
            job = client.get(f"{api}/api/v1/jobs/{job_id}").json()
            seen[api] += job["total"] == CARDS
        assert time.monotonic() < ends_at, job
        time.sleep(0.2)
    assert (job["state"], job["done"], job["total"]) == ("done", CARDS, CARDS), job["error"]
    outcomes = Counter(one["outcome"] for one in job["result"]["cards"])
    assert outcomes.total() == CARDS
    assert outcomes["stored"] + outcomes["unchanged"] > CARDS * 0.8, outcomes
    return seen
