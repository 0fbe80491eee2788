"""Price files that the user names -> price pages, whatever kind each file is."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from pathlib import Path

from tcgtracker.domain.errors import InvalidInput
from tcgtracker.integrations.contract import PricePage
from tcgtracker.integrations.files import SEVEN_ZIP_MAGIC, OnRead, ignore_progress, read_head
from tcgtracker.integrations.pricecharting.csv import PriceGuide, is_price_guide, moment_of
from tcgtracker.integrations.tcgcsv.archive import AnswerArchive
from tcgtracker.integrations.tcgcsv.days import AnswerInput, iter_scopes
from tcgtracker.integrations.tcgcsv.folders import (
    AnswerFolder,
    is_below_day,
    is_day_folder,
    locate,
)
from tcgtracker.integrations.tcgcsv.lines import AnswerLines

_SUFFIXES = (".7z", ".ndjson", ".ndjson.gz", ".jsonl", ".jsonl.gz", ".csv", ".csv.gz", ".tsv",
             ".tsv.gz")  # fmt: skip
_MAX_DEPTH = 3


class _Kind(Enum):
    FOLDER = "folder"
    ARCHIVE = "archive"
    LINES = "lines"
    GUIDE = "guide"


@dataclass(frozen=True, slots=True)
class _Given:
    kind: _Kind
    path: Path

    def work(self) -> int:
        if self.kind is _Kind.FOLDER:
            return sum(path.stat().st_size for path in AnswerFolder(self.path).files())
        size = self.path.stat().st_size
        return 2 * size if self.kind is _Kind.LINES else size


@dataclass(slots=True)
class _Progress:
    on_progress: Callable[[int], None]
    done: int = 0

    def add(self, count: int) -> None:
        if count:
            self.done += count
            self.on_progress(self.done)


@dataclass(slots=True)
class _Guides:
    """Guides of one moment, which make one page a category together."""

    observed_at: datetime
    paths: list[Path] = field(default_factory=list)


def total_bytes(paths: Iterable[Path]) -> int:
    """Return the work of reading these paths, in the unit that `on_progress` is told.

    These are bytes on the disk; files of lines are read twice and count twice.

    Raises:
        InvalidInput: a path is not there or nothing known.
    """
    return sum(given.work() for given in _identify(paths))


def iter_price_pages(
    paths: Iterable[Path],
    *,
    observed_at: datetime | None = None,
    category: str | None = None,
    on_progress: Callable[[int], None] = ignore_progress,
) -> Iterator[PricePage]:
    """Yield every page of the named files and folders, in the order in which they are named.

    Each page is one whole scope at one moment, also when it is spread over several of the paths.
    `observed_at` (aware) and `category` are of PriceCharting guides, which do not state them.
    `on_progress` is told how much of `total_bytes` is done.

    Raises:
        InvalidInput: before the first page where a path is nothing known or no moment is known;
            after the last one where a file breaks off: what it holds before that was yielded.
    """
    progress = _Progress(on_progress)
    faults: list[str] = []
    batches = [
        batch if isinstance(batch, _Guides) else [_open(given, progress.add) for given in batch]
        for batch in _batches(_identify(paths), observed_at)
    ]
    for batch in batches:
        if isinstance(batch, _Guides):
            guide = PriceGuide(batch.observed_at, category)
            ends = [guide.add(path, progress.add) for path in batch.paths]
            faults += [fault for fault in ends if fault]
            yield from guide.pages()
        else:
            faults += [source.contents.fault for source in batch if source.contents.fault]
            yield from iter_scopes(batch)
    if faults:
        raise InvalidInput("; ".join(faults))


def _open(given: _Given, on_read: OnRead) -> AnswerInput:
    if given.kind is _Kind.FOLDER:
        folder = AnswerFolder(given.path, on_read)
        if not folder.contents.answers and not folder.contents.missing:
            raise InvalidInput(f"{given.path}: there is no price file in this folder")
        return folder
    if given.kind is _Kind.ARCHIVE:
        return AnswerArchive(given.path, on_read)
    lines = AnswerLines(given.path, on_read)
    if not lines.contents.answers:
        raise InvalidInput(lines.contents.fault or f"{given.path}: no line of it can be read")
    return lines


def _batches(found: list[_Given], observed_at: datetime | None) -> Iterator[_Guides | list[_Given]]:
    """Yield what has to be read together: all answers of TCGCSV, all guides of one moment."""
    batches: dict[datetime | None, _Guides | list[_Given]] = {}
    for given in found:
        if given.kind is _Kind.GUIDE:
            moment = moment_of(given.path, observed_at)
            guides = batches.setdefault(moment, _Guides(moment))
            if isinstance(guides, _Guides):
                guides.paths.append(given.path)
        else:
            answers = batches.setdefault(None, [])
            if isinstance(answers, list):
                answers.append(given)
    yield from batches.values()


def _identify(paths: Iterable[Path]) -> list[_Given]:
    found: dict[Path, _Given] = {}
    for path in paths:
        for given in _identify_path(Path(path)):
            found.setdefault(given.path.resolve(), given)  # a path named twice is read once
    if not found:
        raise InvalidInput("no price file was named")
    return list(found.values())


def _identify_path(path: Path) -> list[_Given]:
    try:
        if path.is_dir():
            found = _look_into(path.absolute(), depth=0)
            if not found:
                raise InvalidInput(f"{path}: there is no price file in this folder")
            return found
        if not path.is_file():
            raise InvalidInput(f"{path}: there is no such file")
        return [_Given(_kind_of(path), path)]
    except OSError as exc:
        raise InvalidInput(f"{path}: cannot be read: {exc.strerror or exc}") from exc


def _look_into(folder: Path, depth: int) -> list[_Given]:
    if depth == 0 and is_below_day(folder):
        return [_Given(_Kind.FOLDER, folder)]
    is_day = is_day_folder(folder)
    found = [_Given(_Kind.FOLDER, folder)] if is_day else []
    for entry in sorted(folder.iterdir()):
        if entry.is_symlink():
            continue
        if entry.is_dir() and not is_day and depth < _MAX_DEPTH:
            found += _look_into(entry, depth + 1)
        elif entry.is_file() and entry.name.lower().endswith(_SUFFIXES):
            found.append(_Given(_kind_of(entry), entry))
    return found


def _kind_of(path: Path) -> _Kind:
    """Tell the kind of a file by its content.

    Raises:
        InvalidInput: it is none of the kinds; says what it looks like.
    """
    if locate(path.absolute().as_posix()):
        return _Kind.FOLDER
    head = read_head(path)
    content = head.content.removeprefix(b"\xef\xbb\xbf").lstrip()
    if content.startswith(SEVEN_ZIP_MAGIC) and not head.compressed:
        return _Kind.ARCHIVE
    if content.startswith(b"{") and b'"body"' in content:
        return _Kind.LINES
    if is_price_guide(content):
        return _Kind.GUIDE
    raise InvalidInput(f"{path}: {head.damage or _looks_like(content)}")


def _looks_like(content: bytes) -> str:
    if not content:
        return "is empty"
    if content.startswith(b"<"):
        return "is a web page (HTML or XML), not a price file"
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "is UTF-16 text; save it as CSV in UTF-8"
    if content.startswith(b"{"):
        return (
            "is JSON that does not say which day, category and group it is; keep answers of"
            " TCGCSV as <date>/<categoryId>/<groupId>/prices"
        )
    return "is no price file: neither a TCGCSV answer or archive nor a PriceCharting guide"
