"""`tcgtracker serve` as a process: starts, answers, stops cleanly, refuses what it must."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from tcgtracker.cli.serve import address_of, bind, prepare
from tcgtracker.database.engine import Database
from tcgtracker.database.migrate import upgrade
from tcgtracker.domain.errors import Conflict, StorageError
from tests.unit.cli.conftest import Command


@contextmanager
def serving(
    folder: Path, *arguments: str, **environment: str
) -> "Iterator[tuple[subprocess.Popen[str], str]]":
    process = subprocess.Popen(
        [sys.executable, "-m", "tcgtracker", "serve", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={**os.environ, **environment},
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line.startswith("serving on http://"):
            process.kill()
            pytest.fail(f"{line!r} {process.communicate()[1]}")
        yield process, line.split()[2]
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_makes_its_database_answers_and_stops_with_code_0(
    tmp_path: Path, sqlite_url: str, number: signal.Signals
) -> None:
    with serving(tmp_path, DB_URL=sqlite_url) as (process, address):
        with httpx2.Client(base_url=address) as client:
            assert client.get("/readyz").status_code == 200
            assert client.get("/livez", headers={"Host": "evil.example"}).status_code == 421
            assert "server" not in client.get("/livez").headers
        process.send_signal(number)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "Traceback" not in err


def test_ipv6_loopback(tmp_path: Path, sqlite_url: str) -> None:
    try:
        bind("::1", 0).close()
    except StorageError:
        pytest.skip("this machine has no IPv6")
    with serving(tmp_path, "--host", "::1", DB_URL=sqlite_url) as (_, address):
        assert address.startswith("http://[::1]:")
        assert httpx2.get(f"{address}/livez").status_code == 200


def test_the_asgi_entry_point_serves_the_same(tmp_path: Path, sqlite_url: str) -> None:
    database = Database(sqlite_url)
    upgrade(database)
    database.close()
    with bind("127.0.0.1", 0) as listening:
        listening.listen()
        arguments = ["--fd", str(listening.fileno()), "--log-level", "warning"]
        process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "tcgtracker.entrypoints.asgi:app", *arguments],
            cwd=tmp_path,
            env={**os.environ, "DB_URL": sqlite_url},
            pass_fds=[listening.fileno()],
        )
        try:
            assert httpx2.get(f"{address_of(listening)}/readyz", timeout=20).status_code == 200
        finally:
            process.terminate()
            process.wait(20)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.1", "example.org"])  # noqa: S104 - refused
def test_another_address_is_refused(command: Command, host: str) -> None:
    said = command("serve", "--host", host)
    assert said.code == 2
    assert f"APP_HOST={host}" in said.err
    assert said.err.count("\n") == 1


def test_an_option_wins_over_the_environment(tmp_path: Path, sqlite_url: str) -> None:
    with serving(tmp_path, APP_PORT="1", DB_URL=sqlite_url) as (_, address):
        assert not address.endswith(":1")


def test_a_port_in_use_is_one_line(command: Command) -> None:
    with bind("127.0.0.1", 0) as taken:
        taken.listen()
        said = command("serve", "--port", str(taken.getsockname()[1]))
    assert said.code == 1
    assert "is in use" in said.err
    assert said.err.count("\n") == 1


def test_bind_says_whose_fault_it_is() -> None:
    with bind("127.0.0.1", 0) as taken:
        taken.listen()
        with pytest.raises(Conflict, match="--port"):
            bind("127.0.0.1", taken.getsockname()[1])
    with pytest.raises(StorageError, match="cannot serve"):
        bind("203.0.113.1", 0)
    with socket.socket() as fresh:
        assert address_of(fresh) == "http://0.0.0.0:0"


def test_another_schema_is_not_upgraded_in_passing(command: Command, sqlite_url: str) -> None:
    command("db", "upgrade")
    database = Database(sqlite_url)
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StorageError, match="newer version"):
        prepare(database)
    with database.write() as connection:
        connection.exec_driver_sql("DELETE FROM alembic_version")
    with pytest.raises(StorageError, match="db upgrade"):
        prepare(database)
    database.close()
    assert command("serve", "--port", "0").code == 1


@pytest.mark.parametrize("opened", [False, True])
def test_an_empty_file_is_made_a_database(tmp_path: Path, *, opened: bool) -> None:
    file = tmp_path / "new.db"
    file.touch()
    database = Database(f"sqlite:///{file}")
    if opened:
        with database.write() as connection:  # leaves a header and no table
            connection.exec_driver_sql("SELECT 1")
    prepare(database)
    database.close()
    assert file.stat().st_size > 4096
