"""Vendors' text is text: no markup, no control characters, one row a line."""

import os
import pty
import subprocess
import sys
from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcgtracker.cli.output import write_fields, write_json, write_table
from tcgtracker.cli.text import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Pikachu", "Pikachu"),
        ("Flabébé ピカチュウ ★ δ €", "Flabébé ピカチュウ ★ δ €"),
        ("a\tb\nc\r", "a\\x09b\\x0ac\\x0d"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x7f\x9b", "\\x7f\\x9b"),
        ("\u202e\u2028\ud800\U000e0001", "\\u202e\\u2028\\ud800\\U000e0001"),
    ],
)
def test_printable(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text(st.characters()))
def test_printable_leaves_nothing_that_steers_a_terminal(text: str) -> None:
    shown = printable(text)
    assert len(shown.splitlines()) <= 1
    assert not any(ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 for char in shown)


def test_a_pipe_gets_tab_separated_lines(capsys: pytest.CaptureFixture[str]) -> None:
    write_table(("card", "price"), [("[red]Pikachu[/red]\tEX", 12), ("Mew", None)])
    assert capsys.readouterr().out == "card\tprice\n[red]Pikachu[/red]\\x09EX\t12\nMew\t\n"


def test_fields_are_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    write_fields({"name": "Mew\x1b", "set": None, "number": 151})
    assert capsys.readouterr().out == "name:   Mew\\x1b\nset:\nnumber: 151\n"


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"at": datetime(2026, 1, 2, tzinfo=UTC), "price": "1.20", "name": "\x1b[red]é"}
    write_json(value)
    out = capsys.readouterr().out
    assert orjson.loads(out) == {**value, "at": "2026-01-02T00:00:00Z"}
    assert out.endswith("}\n")
    assert "\x1b" not in out


def test_json_refuses_what_has_no_form() -> None:
    with pytest.raises(TypeError):
        write_json({"price": object()})


def test_a_terminal_gets_a_drawn_table_without_markup() -> None:
    code = (
        "from tcgtracker.cli.output import write_table\n"
        "rows = [('[red]Pikachu[/red] :smile:', '1.20'), ('Mew\\x1b[31m', '123.45')]\n"
        "write_table(('card', 'price'), rows, right=['price'])\n"
    )
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=theirs,
        env={**os.environ, "COLUMNS": "60", "NO_COLOR": "1", "TERM": "dumb"},
    )
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 4096):
            shown += piece
    except OSError:  # Linux reports the end of a terminal so
        pass
    os.close(ours)
    assert process.wait(20) == 0
    lines = [line.rstrip() for line in shown.decode().replace("\r\n", "\n").splitlines()]
    assert lines == [
        "card                         price",
        "[red]Pikachu[/red] :smile:    1.20",
        "Mew\\x1b[31m                 123.45",
    ]
