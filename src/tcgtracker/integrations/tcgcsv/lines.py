"""Answers as lines: `{"date","categoryId","groupId","body"}`, one group and day each, NDJSON."""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec

from tcgtracker.integrations.files import (
    DamagedFile,
    OnRead,
    bounded_lines,
    ignore_progress,
    read_chunks,
)
from tcgtracker.integrations.tcgcsv.days import Contents
from tcgtracker.integrations.tcgcsv.prices import GroupAnswer, Scope

_BOM = b"\xef\xbb\xbf"
# How the lines are usually written. It is only a short cut to the body: what follows is decoded as
# JSON, and where it does not match, the whole line is.
_USUAL = re.compile(
    rb'\s*\{\s*"date"\s*:\s*"(\d{4}-\d\d-\d\d)"\s*,\s*"categoryId"\s*:\s*([1-9]\d{0,8})\s*,'
    rb'\s*"groupId"\s*:\s*([1-9]\d{0,8})\s*,\s*"body"\s*:'
)
_Id = Annotated[int, msgspec.Meta(gt=0, lt=10**9)]


class _Line(msgspec.Struct):
    date: date
    categoryId: _Id  # noqa: N815
    groupId: _Id  # noqa: N815
    body: msgspec.Raw


_DECODER = msgspec.json.Decoder(_Line)


class _Found(NamedTuple):
    scope: Scope
    group: int
    body: bytes | memoryview
    line: bytes = b""


class AnswerLines:
    """A file of lines. It is read twice: first to learn which scopes it holds.

    Raises:
        InvalidInput: it cannot be read, has an endless line, or inflates as only a bomb does.
    """

    def __init__(self, path: Path, on_read: OnRead = ignore_progress) -> None:
        self._path = path
        self._on_read = on_read
        self._contents = self._survey()

    @property
    def name(self) -> str:
        return str(self._path)

    @property
    def contents(self) -> Contents:
        return self._contents

    def answers(self) -> Iterator[tuple[Scope, GroupAnswer]]:
        try:
            for number, line in self._lines():
                if found := read_line(line):
                    place = f"{self._path.name} line {number}"
                    yield found.scope, GroupAnswer(found.group, place, found.body, found.line)
        except DamagedFile:
            return  # known from the survey, which reports it as the fault of this input

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        lines = bounded_lines(read_chunks(self._path, self._on_read), self._path)
        for number, line in enumerate(lines, start=1):
            content = line.removeprefix(_BOM) if number == 1 else line
            if content and not content.isspace():
                yield number, content

    def _survey(self) -> Contents:
        contents = Contents()
        survey = _Survey(contents)
        try:
            for number, line in self._lines():
                found = read_line(line)
                survey.add(found.scope if found else None, f"{self._path.name} line {number}")
        except DamagedFile as exc:
            contents.fault = str(exc)
            survey.broke_off(exc.tail, f"{self._path.name}: cut off or damaged")
        survey.close()
        return contents


class _Survey:
    """Which scopes a file holds, and which of them may lack something.

    A line that does not tell its scope may belong to the scopes beside it; to any of the file when
    its lines are not grouped by scope.
    """

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self._last: Scope | None = None
        self._runs = 0
        self._suspects: list[tuple[str, set[Scope]]] = []
        self._open: list[set[Scope]] = []

    def add(self, scope: Scope | None, place: str) -> None:
        if scope is None:
            self._suspect(f"{place}: does not say which day and group it is")
            return
        self._contents.answers[scope] += 1
        if scope != self._last:
            self._runs += 1
        for suspects in self._open:
            suspects.add(scope)
        self._open.clear()
        self._last = scope

    def broke_off(self, tail: bytes, reason: str) -> None:
        suspects = self._suspect(reason)
        usual = _USUAL.match(tail)
        if usual and (scope := _scope_of(usual)):  # the line cut in two tells which scope it was
            suspects.clear()
            suspects.add(scope)

    def close(self) -> None:
        grouped = self._runs == len(self._contents.answers)
        for reason, beside in self._suspects:
            for scope in beside if grouped else beside | set(self._contents.answers):
                self._contents.missing[scope].append(reason)

    def _suspect(self, reason: str) -> set[Scope]:
        beside = {self._last} if self._last else set()
        self._suspects.append((reason, beside))
        self._open.append(beside)
        return beside


def read_line(line: bytes) -> _Found | None:
    """Return what a line holds, None when it does not tell its day, category and group."""
    usual = _USUAL.match(line)
    if usual:
        body = memoryview(line.rstrip())[usual.end() :]
        if bytes(body[-1:]) == b"}" and (scope := _scope_of(usual)):
            return _Found(scope, int(usual[3]), body[:-1], line)
    try:
        decoded = _DECODER.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        if usual and (scope := _scope_of(usual)):  # its body is broken, its place is known
            return _Found(scope, int(usual[3]), line[usual.end() :])
        return None
    return _Found(Scope(decoded.date, decoded.categoryId), decoded.groupId, bytes(decoded.body))


def _scope_of(usual: re.Match[bytes]) -> Scope | None:
    try:
        return Scope(date.fromisoformat(usual[1].decode("ascii")), int(usual[2]))
    except ValueError:  # as 2025-02-30
        return None
