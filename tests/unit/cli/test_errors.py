"""Exit codes and the one line of an error."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer

from tcgtracker.cli.errors import run
from tcgtracker.domain.errors import Conflict, InvalidInput, NotFound, StorageError
from tests.unit.cli.conftest import Command


def app_raising(error: BaseException) -> typer.Typer:
    app = typer.Typer(rich_markup_mode=None)

    @app.command()
    def fail() -> None:
        raise error

    return app


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (InvalidInput("give a day"), 2, "error: give a day\n"),
        (NotFound("no card 7"), 1, "error: no card 7\n"),
        (Conflict("it runs"), 1, "error: it runs\n"),
        (StorageError("two\n lines\n"), 1, "error: two; lines\n"),
        (NotFound("\x1b[31mred\x07 \u202egnp.exe"), 1, "error: \\x1b[31mred\\x07 \\u202egnp.exe\n"),
        (NotFound(), 1, "error: NotFound\n"),
        (ValueError("odd"), 1, "error: ValueError: odd (run with --debug for the trace)\n"),
        (OSError(errno.ENOSPC, "No space left", "x.bak"), 1, "error: x.bak: No space left\n"),
        (OSError(errno.ENOSPC, "No space left"), 1, "error: No space left\n"),
        (typer.Abort(), 1, "error: aborted\n"),
        (typer.Exit(7), 7, ""),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_codes(
    capsys: pytest.CaptureFixture[str], error: BaseException, code: int, line: str
) -> None:
    assert run(app_raising(error), []) == code
    assert capsys.readouterr() == ("", line)


@pytest.mark.parametrize(
    "arguments",
    [["nope"], ["--nope"], ["db", "nope"], ["serve", "--port", "x"], ["serve", "--port", "65536"]],
)
def test_wrong_usage_is_code_2_and_one_line(command: Command, arguments: list[str]) -> None:
    said = command(*arguments)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], ["db"]])
def test_no_command_shows_the_help(command: Command, arguments: list[str]) -> None:
    said = command(*arguments)
    assert said.code == 2
    assert "Commands:" in said.out


def test_version(command: Command) -> None:
    from tcgtracker import __version__

    assert command("--version").out == f"{__version__}\n"


def test_debug_lets_the_trace_through(command: Command) -> None:
    with pytest.raises(StorageError, match="there is no database"):
        command("--debug", "db", "check")


def script(body: str) -> "subprocess.Popen[bytes]":
    text = (
        "import signal, sys, time, typer\n"
        "from tcgtracker.cli.errors import run\n"
        "app = typer.Typer(rich_markup_mode=None)\n"
        "@app.command()\n"
        "def act() -> None:\n"
        f"    {body}\n"
        "sys.exit(run(app, []))\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", text],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_ctrl_c_is_130_without_a_trace() -> None:
    # a process started in the background of a script ignores the signal; this one must not
    heed = "signal.signal(signal.SIGINT, signal.default_int_handler)"
    with script(f"{heed}; typer.echo('waiting'); time.sleep(60)") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"waiting\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (130, b"")


@pytest.mark.parametrize(
    "body",
    [
        "[typer.echo('x' * 1000) for _ in range(10_000)]",  # the reader is gone while we write
        "time.sleep(0.3); sys.stdout.write('x')",  # or when the rest is handed over at the end
    ],
)
def test_a_broken_pipe_is_quiet(body: str) -> None:
    process = script(body)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    process.wait(20)
    assert err == b""
    assert process.returncode in (0, 1)


def test_help_is_quick_and_needs_no_heavy_import() -> None:
    check = (
        "import sys, tcgtracker.cli as cli\n"
        "from tcgtracker.cli.errors import run\n"
        "run(cli.app, ['--help'])\n"
        "heavy = {'sqlalchemy', 'alembic', 'fastapi', 'pydantic', 'numpy', 'uvicorn', 'rich'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    begin = time.monotonic()
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert time.monotonic() - begin < 10
    assert done.stderr == "[]\n"


def test_python_m_is_the_same_program(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tcgtracker", "nope"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ,
        check=False,
    )
    assert (done.returncode, done.stderr) == (2, "error: No such command 'nope'.\n")
