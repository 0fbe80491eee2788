"""`tcgtracker sandbox` as a process: says where it is, answers, stops cleanly."""

import http.client
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tcgtracker.cli import app
from tcgtracker.cli.errors import run


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_says_where_it_is_and_stops_with_code_0(tmp_path: Path, number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tcgtracker", "sandbox", "--day", "2026-05-01", "--speed", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ},
    )
    try:
        assert process.stdout is not None
        control = settings = ""
        while not settings.startswith("API_JUSTTCG_BASE_URL="):
            settings = process.stdout.readline().strip()
            assert settings, process.communicate()[1]
            if settings.startswith("# control"):
                control = settings.split()[2]
        host = control.removeprefix("http://").partition("/")[0]
        connection = http.client.HTTPConnection(host, timeout=20)
        connection.request("GET", "/_control")
        assert b'"now": "2026-05-01T12:00:00Z"' in connection.getresponse().read()
        connection.close()
        process.send_signal(number)
        _, err = process.communicate(timeout=20)
        assert (process.returncode, err) == (0, "")
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def test_day_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(app, ["sandbox", "--day", "tomorrow"]) == 2
    assert "write it as 2026-05-01" in capsys.readouterr().err


def test_ports_that_are_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code = run(app, ["sandbox", "--port-base", str(port)])
    assert code != 0
    assert "--port-base" in capsys.readouterr().err
