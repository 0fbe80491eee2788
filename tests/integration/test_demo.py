"""The demo as a process: what `make run` gives, from start to clean end."""

import os
import re
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import httpx2

from tcgtracker.cli.demo_data import write_files


def test_the_demo_serves_what_it_prints_and_leaves_nothing(tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "tcgtracker", "demo", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(temporary), "DB_URL": f"sqlite:///{tmp_path}/mine.db"},
    )
    try:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if line.startswith("Ctrl-C"):
                break
        addresses = re.findall(r"card: (\S+)", "".join(said))
        assert len(addresses) == 2, process.communicate()[1] if process.poll() else said
        assert httpx2.get(addresses[0]).status_code == 401
        headers = {"X-API-Key": re.findall(r"X-API-Key: (tcg_\w[\w-]*)", "".join(said))[0]}
        body = httpx2.get(addresses[0], headers=headers).json()
        assert body["card"]["name"] == "Farfetch'd"
        assert [gap["kind"] for gap in body["gaps"]] == ["not_observed"]
        assert len(body["holds"]) == 1
        assert body["days_with_price"] > 100
        assert httpx2.get(addresses[0].split("/api")[0] + "/docs").status_code == 200
        root = addresses[0].split("/prices")[0]
        for name in ("Nidoran ♀", "100% <b>"):
            found = httpx2.get(f"{root}/cards", params={"q": name}, headers=headers)
            found = found.json()["items"]
            assert [one["name"] for one in found] == [name]
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    assert (process.returncode, err) == (0, "")
    assert list(temporary.iterdir()) == []
    assert not (tmp_path / "mine.db").exists()


def test_the_files_are_the_same_for_a_seed(tmp_path: Path) -> None:
    made = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_files(tmp_path / name, date(2026, 5, 1), seed=seed)
        files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        made.append([path.read_bytes() for path in files])
    assert made[0] == made[1] != made[2]
