"""Starting worker processes, letting them run, and killing them at random moments."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tcgtracker.database.engine import Database

ROOT = Path(__file__).resolve().parents[2]


class Worker:
    """One worker process, started and waiting at its line until it is told to go."""

    def __init__(self, act: str, database: Database, *arguments: object) -> None:
        url = database.url.render_as_string(hide_password=False)
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.integration.history_worker",
                act,
                url,
                *map(str, arguments),
            ],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def go(self) -> None:
        """Wait until it is ready, then let it run."""
        assert self.process.stdout is not None
        assert self.process.stdin is not None
        line = self.process.stdout.readline()
        assert line.startswith("ready"), self.process.communicate()[1]
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def finish(self, timeout_s: float = 300) -> list[str]:
        """Wait for its end, which must be a good one; return what it said."""
        out, err = self.process.communicate(timeout=timeout_s)
        said = out.splitlines()
        assert self.process.returncode == 0, (said[-3:], err[-3000:])
        assert said[-1] == "end"
        return said

    def kill_after(self, delay_s: float) -> list[str] | None:
        """Kill it after a while; return what it said, None when it ended well before."""
        time.sleep(delay_s)
        return self._kill([])

    def kill_after_saying(self, verb: str, times: int) -> list[str] | None:
        """Kill it when it has said a verb so often; return as `kill_after`."""
        assert self.process.stdout is not None
        said: list[str] = []
        while times and (line := self.process.stdout.readline()):
            said.append(line.rstrip("\n"))
            times -= line.startswith(verb)
        return self._kill(said)

    def _kill(self, said: list[str]) -> list[str] | None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        out, err = self.process.communicate(timeout=60)
        if self.process.returncode == 0:
            return None
        assert self.process.returncode == -signal.SIGKILL, (out, err[-3000:])
        return [*said, *out.splitlines()]

    def stop(self) -> None:
        """End it if it still runs, and close its pipes."""
        if self.process.poll() is None:
            self.process.kill()
        if self.process.stdout is not None and not self.process.stdout.closed:
            self.process.communicate(timeout=60)


def run_all(*workers: Worker) -> list[list[str]]:
    """Let several workers run at once to their ends; return what each said."""
    try:
        for worker in workers:
            worker.go()
        return [worker.finish() for worker in workers]
    finally:
        for worker in workers:
            worker.stop()
