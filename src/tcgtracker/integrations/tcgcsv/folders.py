"""Answers as files in the archive's own layout, `<date>/<categoryId>/<groupId>/prices`."""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

from tcgtracker.domain.errors import InvalidInput
from tcgtracker.integrations.files import DamagedFile, OnRead, ignore_progress, read_bounded
from tcgtracker.integrations.tcgcsv.days import Contents
from tcgtracker.integrations.tcgcsv.prices import GroupAnswer, Scope

ANSWER_NAME = "prices"
_ID = re.compile(r"[1-9]\d{0,8}")
_LAYOUT = re.compile(r"(?:.*/)?(\d{4}-\d\d-\d\d)/([1-9]\d{0,8})/([1-9]\d{0,8})/prices")


class Location(NamedTuple):
    """What a path of the layout says."""

    scope: Scope
    group: int


def locate(path: str) -> Location | None:
    """Return what the end of a path (with `/`) says, None when it is not of the layout."""
    found = _LAYOUT.fullmatch(path)
    day = _day(found[1]) if found else None
    return Location(Scope(day, int(found[2])), int(found[3])) if found and day else None


def _day(name: str) -> date | None:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", name):
        return None
    try:
        return date.fromisoformat(name)
    except ValueError:  # as 2025-02-30
        return None


def is_day_folder(path: Path) -> bool:
    """Tell whether it is a date folder of the layout: it has category folders."""
    return _day(path.name) is not None and bool(_numbered(path))


def is_below_day(path: Path) -> bool:
    """Tell whether a folder is a category or group folder of the layout."""
    names = [path.name, path.parent.name, path.parent.parent.name]
    if not _ID.fullmatch(names[0]):
        return False
    return _day(names[1]) is not None or (
        _ID.fullmatch(names[1]) is not None and _day(names[2]) is not None
    )


class AnswerFolder:
    """A date, category or group folder, or one `prices` file. Links inside are not followed.

    Raises:
        InvalidInput: the path is not of the layout.
    """

    def __init__(self, path: Path, on_read: OnRead = ignore_progress) -> None:
        self._path = path
        self._on_read = on_read
        self._contents = Contents()
        full = path.absolute()
        self._folder = full if path.is_dir() else full.parent
        is_day, is_category = bool(_day(self._folder.name)), bool(_day(self._folder.parent.name))
        self._below = 2 if is_day else 1 if is_category else 0
        for location, file in self._walk():
            if self._below == 0:
                self._contents.partial.add(location.scope)
            if _is_answer(file):
                self._contents.answers[location.scope] += 1
            else:
                self._contents.missing[location.scope].append(f"{_place(file)}: is not there")

    @property
    def name(self) -> str:
        return str(self._path)

    @property
    def contents(self) -> Contents:
        return self._contents

    def files(self) -> Iterator[Path]:
        """Yield every file that will be read."""
        return (file for _, file in self._walk() if _is_answer(file))

    def answers(self) -> Iterator[tuple[Scope, GroupAnswer]]:
        for location, file in self._walk():
            if not _is_answer(file):
                continue
            place = _place(file)
            try:
                body = read_bounded(file, on_read=self._on_read)
            except DamagedFile as exc:
                place, body = f"{place}: {exc}", b""
            yield location.scope, GroupAnswer(location.group, place, body)

    def _walk(self) -> Iterator[tuple[Location, Path]]:
        """Yield what should be there; walked anew each time, because a year has a million files."""
        if self._below:
            categories = _numbered(self._folder) if self._below > 1 else [self._folder]
            groups_of = (_numbered(category) for category in categories)
            yield from (self._located(group) for groups in groups_of for group in groups)
        else:
            yield self._located(self._folder)

    def _located(self, group: Path) -> tuple[Location, Path]:
        file = group / ANSWER_NAME
        location = locate(file.as_posix())
        if location is None:
            raise InvalidInput(
                f"{self._path}: the path does not say which day, category and group it is;"
                " keep the files as <date>/<categoryId>/<groupId>/prices"
            )
        return location, file


def _is_answer(file: Path) -> bool:
    return file.is_file() and not file.is_symlink()


def _place(file: Path) -> str:
    return "/".join(file.parts[-4:])


def _numbered(folder: Path) -> list[Path]:
    """Return the folders with an id as their name, in the order of the ids."""
    try:
        found = [
            entry
            for entry in folder.iterdir()
            if _ID.fullmatch(entry.name) and entry.is_dir() and not entry.is_symlink()
        ]
    except OSError as exc:
        raise InvalidInput(f"{folder}: cannot be read: {exc.strerror or exc}") from exc
    return sorted(found, key=lambda entry: int(entry.name))
