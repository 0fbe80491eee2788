"""Several processes of the program on one machine: started, watched, started again, stopped."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tcgtracker.domain.errors import StorageError

_START_S = 60.0
_STOP_S = 30.0
_LAST_LINES = 5


class Member:
    """One process: a command of the program with its log."""

    def __init__(self, name: str, words: Sequence[str], folder: Path) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._words = words
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._begins_at = 0

    @property
    def pid(self) -> int:
        """Return the process's id, 0 when it was never started."""
        return 0 if self._process is None else self._process.pid

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        return None if self._process is None else self._process.poll()

    def start(self, environment: Mapping[str, str]) -> None:
        """Start the process; its log is continued."""
        with self.log.open("ab") as log:
            self._begins_at = log.tell()
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", "tcgtracker", *self._words],
                cwd=self._folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C in the terminal is for the fleet to pass on
            )

    def await_first_words(self) -> None:
        """Wait until the process says that it works, which is its first line.

        Raises:
            StorageError: it ends instead, or says nothing in time.
        """
        ends_at = time.monotonic() + _START_S
        while b"\n" not in self._said():
            if not self.runs or time.monotonic() > ends_at:
                last = self._said().decode(errors="replace").splitlines()[-_LAST_LINES:]
                raise StorageError(f"{self.name} does not start: {'; '.join(last)}")
            time.sleep(0.05)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process, if it runs."""
        if self._process is not None and self.runs:
            self._process.send_signal(number)

    def send_group(self, number: signal.Signals) -> None:
        """Send a signal to the process and to those that it has started."""
        if self._process is not None and self.runs:
            os.killpg(self._process.pid, number)

    def wait(self, limit_s: float = _STOP_S) -> int | None:
        """Return the exit code, None when it has not ended in time."""
        if self._process is None:
            return None
        try:
            return self._process.wait(limit_s)
        except subprocess.TimeoutExpired:
            return None

    def said(self, words: str) -> bool:
        """Tell whether these words stand in the log since the process was last started."""
        return words.encode() in self._said()

    def _said(self) -> bytes:
        with self.log.open("rb") as log:
            log.seek(self._begins_at)
            return log.read()


class Fleet:
    """The members, and the environment that all of them have."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.environment = {**os.environ, **environment}
        self.members: dict[str, Member] = {}

    def run(self, *words: str, said: str = "") -> str:
        """Run a command to its end; return what it wrote.

        Raises:
            StorageError: it failed; the message has its last lines.
        """
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "tcgtracker", *words],
            cwd=self.folder,
            env=self.environment,
            input=said,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            last = "; ".join(done.stderr.splitlines()[-_LAST_LINES:])
            raise StorageError(f"tcgtracker {' '.join(words)}: {last}")
        return done.stdout

    def start(self, name: str, *words: str) -> Member:
        """Start a member; `await_all` waits for it."""
        member = self.members[name] = Member(name, words, self.folder)
        member.start(self.environment)
        return member

    def await_all(self) -> None:
        """Wait until each member works.

        Raises:
            StorageError: one does not.
        """
        for member in self.members.values():
            member.await_first_words()

    def mend(self) -> list[Member]:
        """Start the members again that have ended; return them."""
        gone = [member for member in self.members.values() if not member.runs]
        for member in gone:
            member.start(self.environment)
        return gone

    def stop(self) -> list[str]:
        """Tell all to stop and wait; return the names of those that had to be killed."""
        for member in self.members.values():
            member.send(signal.SIGTERM)
        ends_at = time.monotonic() + _STOP_S
        late = []
        for member in self.members.values():
            if member.runs and member.wait(max(0.0, ends_at - time.monotonic())) is None:
                late.append(member.name)
                member.send_group(signal.SIGKILL)
                member.wait()
        return late
