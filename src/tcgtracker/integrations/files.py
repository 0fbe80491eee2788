"""Opening files that strangers made: plain or gzip, read in pieces, with a bound on everything."""

import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from tcgtracker.domain.errors import InvalidInput

OnRead = Callable[[int], None]
"""Is told how many more bytes of the file on disk were read."""

MAX_LINE = 64 * 2**20
"""The longest line in bytes; the largest real one (a day of one group) has 0.75 MB."""

_CHUNK = 2**20
_HEAD = 64 * 2**10
_GZIP_MAGIC = b"\x1f\x8b"
SEVEN_ZIP_MAGIC = b"7z\xbc\xaf\x27\x1c"
# Real price files inflate 13 times; a run of one byte inflates 1,030 times (deflate's limit).
_MAX_RATIO = 200
_RATIO_FREE = 8 * 2**20


class DamagedFile(InvalidInput):
    """The file breaks off or is corrupt after some good content.

    `tail` is the start of the line in which it broke off.
    """

    tail: bytes = b""


def ignore_progress(_count: int) -> None:
    """Stand in where nobody watches the progress."""


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of a file's content. `damage` says why there is no more of it."""

    content: bytes
    compressed: bool
    damage: str = ""


def read_chunks(path: Path, on_read: OnRead = ignore_progress) -> Iterator[bytes]:
    """Yield the content of a file, inflated when it is gzip, in pieces of about 1 MiB.

    Raises:
        DamagedFile: the gzip stream is cut off or corrupt; what came before was yielded.
        InvalidInput: the file cannot be opened, or inflates as only a bomb does.
    """
    try:
        with path.open("rb") as raw:
            zipped = raw.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
            raw.seek(0)
            stream = gzip.GzipFile(fileobj=raw) if zipped else raw
            yield from _pieces(stream, raw, path, on_read)
    except (EOFError, zlib.error, gzip.BadGzipFile) as exc:
        raise DamagedFile(f"{path}: the gzip stream is damaged or cut off ({exc})") from exc
    except OSError as exc:
        raise InvalidInput(f"{path}: cannot be read: {exc.strerror or exc}") from exc


def _pieces(
    stream: BufferedReader | gzip.GzipFile, raw: BufferedReader, path: Path, on_read: OnRead
) -> Iterator[bytes]:
    told = inflated = 0
    # read1, because read drops what it has when the stream breaks off under it
    while chunk := stream.read1(_CHUNK):
        position = raw.tell()
        on_read(position - told)
        told = position
        inflated += len(chunk)
        if inflated > _RATIO_FREE and inflated > _MAX_RATIO * position:
            raise InvalidInput(
                f"{path}: inflates to more than {_MAX_RATIO} times its size, as no price file does"
            )
        yield chunk
    on_read(raw.tell() - told)


def bounded_lines(
    chunks: Iterable[bytes], name: object, *, limit: int = MAX_LINE
) -> Iterator[bytes]:
    """Yield the lines of a byte stream without their line feed; holds one line at most.

    Raises:
        DamagedFile: passed on from the stream, with `tail` set.
        InvalidInput: a line is longer than `limit` bytes.
    """
    pending = bytearray()
    number = 1
    try:
        for chunk in chunks:
            pieces = chunk.split(b"\n")
            for piece in pieces[:-1]:
                _check_length(len(pending) + len(piece), name, number, limit)
                if pending:
                    pending += piece
                    yield bytes(pending)
                    pending.clear()
                else:
                    yield piece
                number += 1
            _check_length(len(pending) + len(pieces[-1]), name, number, limit)
            pending += pieces[-1]
    except DamagedFile as exc:
        exc.tail = bytes(pending[:_HEAD])
        raise
    if pending:
        yield bytes(pending)


def _check_length(length: int, name: object, number: int, limit: int) -> None:
    if length > limit:
        raise InvalidInput(f"{name}: line {number} is longer than {limit:,} bytes")


def read_bounded(path: Path, *, limit: int = MAX_LINE, on_read: OnRead = ignore_progress) -> bytes:
    """Return the whole content, inflated when it is gzip.

    Raises:
        DamagedFile: the gzip stream is cut off or corrupt.
        InvalidInput: it cannot be read or is longer than `limit` bytes.
    """
    content = bytearray()
    for chunk in read_chunks(path, on_read):
        content += chunk
        if len(content) > limit:
            raise InvalidInput(f"{path}: is larger than {limit:,} bytes, as no such file is")
    return bytes(content)


def read_head(path: Path) -> Head:
    """Return the first 64 KiB of the content, less where the file breaks off before.

    Raises:
        InvalidInput: the file cannot be read.
    """
    content = bytearray()
    damage = ""
    try:
        with path.open("rb") as raw:
            compressed = raw.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
            raw.seek(0)
            stream = gzip.GzipFile(fileobj=raw) if compressed else raw
            try:
                while len(content) < _HEAD and (chunk := stream.read1(4096)):
                    content += chunk
            except (EOFError, zlib.error, gzip.BadGzipFile) as exc:
                damage = f"the gzip stream is damaged or cut off ({exc})"
    except OSError as exc:
        raise InvalidInput(f"{path}: cannot be read: {exc.strerror or exc}") from exc
    return Head(bytes(content), compressed, damage)
