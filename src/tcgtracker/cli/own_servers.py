"""PostgreSQL and Redis of one run's own: on free loopback ports, in a folder that is thrown away.

PostgreSQL refuses to run as root, so root starts both as an unprivileged user.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from secrets import token_urlsafe
from typing import IO

from tcgtracker.domain.errors import StorageError

_START_S = 60.0
_STOP_S = 20.0
_UNPRIVILEGED = ("postgres", "nobody")
_DEBIAN = Path("/usr/lib/postgresql")


def free_port() -> int:
    """Return a loopback port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class OwnServer:
    """A server process that keeps what it has in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self._user = _unprivileged_user()
        folder.mkdir(parents=True, exist_ok=True)
        if self._user is not None:
            shutil.chown(folder, self._user)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the server's main process, if it runs."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def ended(self) -> None:
        """Wait for the end of the server, which was told or killed.

        Raises:
            StorageError: it does not end.
        """
        if self.process is None:
            return
        try:
            self.process.wait(_STOP_S)
        except subprocess.TimeoutExpired as exc:
            raise StorageError(f"{self.process.args!r} does not stop") from exc
        finally:
            self.process = None

    def _run(self, words: list[str], **options: str) -> None:
        done = subprocess.run(  # noqa: S603 - programs of the system, words of ours
            words,
            user=self._user,
            input=options.get("said"),
            capture_output=True,
            text=True,
            cwd=self.folder,
            check=False,
        )
        if done.returncode:
            raise StorageError(f"{words[0]}: {done.stderr.strip() or done.stdout.strip()}")

    def _spawn(self, words: list[str], said: bytes = b"") -> None:
        log: IO[bytes]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - as above
                words,
                user=self._user,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,  # a Ctrl-C in the terminal is for whoever started it
            )
        if self.process.stdin is not None:
            with suppress(BrokenPipeError):
                self.process.stdin.write(said)
                self.process.stdin.close()

    def _await_port(self) -> None:
        ends_at = time.monotonic() + _START_S
        while time.monotonic() < ends_at:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            if self.process is None or self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise StorageError(f"the server does not start: see {self.folder / 'server.log'}")


class OwnPostgres(OwnServer):
    """A PostgreSQL server with one database; `url` names it, with its password."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._programs = _postgres_programs()
        self._password = token_urlsafe(16)
        self.url = (
            f"postgresql+psycopg://tcgtracker:{self._password}@127.0.0.1:{self.port}/postgres"
        )
        password_file = folder / "password"
        password_file.write_text(self._password)
        if self._user is not None:
            shutil.chown(password_file, self._user)
        self._run(
            [
                str(self._programs / "initdb"),
                "--pgdata=data",
                "--username=tcgtracker",
                "--auth=scram-sha-256",
                f"--pwfile={password_file}",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
            ]
        )
        password_file.unlink()

    def start(self) -> None:
        """Start it and wait until it takes queries, its recovery included."""
        self._spawn(
            [
                str(self._programs / "postgres"),
                *("-D", "data", "-p", str(self.port)),
                *("-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="),
                *("-c", "max_connections=300", "-c", "shared_buffers=64MB"),
            ]
        )
        self._await_port()
        self._await_queries()

    def stop(self) -> None:
        """Stop it as an operator does: sessions are ended, what is committed is kept."""
        self.send(signal.SIGINT)
        self.ended()

    def _await_queries(self) -> None:
        import psycopg

        url = self.url.replace("+psycopg", "")
        ends_at = time.monotonic() + _START_S
        while True:
            try:
                with psycopg.connect(url, connect_timeout=5):
                    return
            except psycopg.OperationalError as exc:
                if time.monotonic() > ends_at:
                    raise StorageError(f"PostgreSQL takes no queries: {exc}") from exc
                time.sleep(0.02)


class OwnRedis(OwnServer):
    """A Redis server that keeps nothing on disk; `url` names it, with its password."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._password = token_urlsafe(16)
        self.url = f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it and wait until it can be reached."""
        program = shutil.which("redis-server")
        if program is None:
            raise StorageError("redis-server is not installed")
        said = (
            f'bind 127.0.0.1\nport {self.port}\nsave ""\nrequirepass {self._password}\n'
            "maxmemory-policy noeviction\n"
        )
        self._spawn([program, "-"], said.encode())
        self._await_port()

    def stop(self) -> None:
        """Stop it as an operator does."""
        self.send(signal.SIGTERM)
        self.ended()


def _unprivileged_user() -> str | None:
    """Return whom root starts servers as, None for everybody else."""
    if os.name != "posix" or os.geteuid() != 0:
        return None
    import pwd

    for name in _UNPRIVILEGED:
        with suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise StorageError(f"PostgreSQL does not run as root, and none of {_UNPRIVILEGED} is a user")


def _postgres_programs() -> Path:
    """Return the folder of the server's programs; Debian keeps them out of the path."""
    found = shutil.which("postgres")
    if found is not None and shutil.which("initdb") is not None:
        return Path(found).parent
    for folder in sorted(_DEBIAN.glob("*/bin"), key=_version, reverse=True):
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            return folder
    raise StorageError("PostgreSQL's server is not installed (postgres, initdb)")


def _version(folder: Path) -> int:
    name = folder.parent.name
    return int(name) if name.isdigit() else 0
