"""From a clone to the first page: `make run` in a fresh clone of this checkout's last commit.

Everything is in it: environment, packages, the scripts of the pages, the demo's months. Packages
come from pip's cache when they are there. The CPU time tells what a machine without other work
would need at least.
"""

import os
import re
import resource
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import httpx2

from tests.bench.support import emit, note

MAX_S = 120.0
_ROOT = Path(__file__).resolve().parents[2]


def run() -> None:
    """Print the seconds until the page behind the printed link has come, and the CPU seconds."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "MAKEFLAGS": ""}
        environment.pop("PYTHONPATH", None)  # the clone's own code, and no other
        start = time.perf_counter()
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", str(_ROOT), str(clone)], check=True)
        process = subprocess.Popen(
            ["make", "--silent", "run", "DEMO=--port 0"],
            cwd=clone,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env=environment,
        )
        try:
            assert process.stdout is not None
            found = None
            for line in process.stdout:
                if line.startswith("serving on"):
                    note(f"serving after {time.perf_counter() - start:.0f} s")
                found = re.match(r"open (\S+)", line)
                if found:
                    break
            assert found, "the demo said nothing"
            answer = httpx2.get(found[1], follow_redirects=True, timeout=30)
            answer.raise_for_status()
            assert "Dashboard" in answer.text
            took = time.perf_counter() - start
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(60)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    emit("clone_to_first_page", took, "s", limit=MAX_S, ratio=took / MAX_S)
    emit("clone_to_first_page_cpu", used.ru_utime + used.ru_stime, "s of CPU")
