"""Bodies of answers: read with a limit on every byte, inflated with a limit, decoded strictly."""

import json
import os
import tempfile
import zlib
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, BinaryIO, Self

PIECE = 64 * 1024
"""What is inflated at once: the most that a bomb can cost beyond the limit."""

MAX_EXPONENT = 400
"""No number of a vendor has more digits; turned into an integer a larger one costs seconds."""

_BOM = b"\xef\xbb\xbf"
_GZIP = 16 + zlib.MAX_WBITS


class BodyBroken(Exception):
    """The body is not what we can read, and will not be the next time."""


class BodyCut(Exception):
    """The body ended too early: another attempt may bring the whole."""


async def read_body(
    chunks: AsyncIterator[bytes], encoding: str, sink: BinaryIO, *, max_bytes: int
) -> int:
    """Write the inflated body into the sink and return how many bytes came over the wire.

    chunks: the raw bytes. encoding: the header Content-Encoding.

    Raises:
        BodyBroken: more than `max_bytes` raw or inflated, another encoding than gzip or deflate,
            or bytes that are not of that encoding.
        BodyCut: the compressed stream has no end.
    """
    decoder = _decoder(encoding)
    received = written = 0
    async for chunk in chunks:
        received += len(chunk)
        if received > max_bytes:
            raise BodyBroken(f"more than {max_bytes} bytes")
        for piece in decoder.feed(chunk):
            written += len(piece)
            if written > max_bytes:
                raise BodyBroken(f"more than {max_bytes} bytes after decompression")
            sink.write(piece)
    if received and not decoder.ended:
        raise BodyCut("the compressed body has no end")
    return received


class _Plain:
    ended = True

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        yield chunk


class _Inflater:
    """gzip (several members too) or deflate (with zlib's frame, or raw as some servers send it)."""

    def __init__(self, *, gzip: bool) -> None:
        self._gzip = gzip
        self._stream = zlib.decompressobj(_GZIP) if gzip else None

    @property
    def ended(self) -> bool:
        return self._stream is not None and self._stream.eof

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        if not chunk:
            return
        try:
            yield from self._inflate(chunk)
        except zlib.error:
            broken = BodyBroken("the compressed body is damaged")
        else:
            return
        raise broken

    def _inflate(self, rest: bytes) -> Iterator[bytes]:
        if self._stream is None:
            framed = rest[0] & 0x0F == zlib.DEFLATED
            self._stream = zlib.decompressobj(zlib.MAX_WBITS if framed else -zlib.MAX_WBITS)
        while True:
            if self._stream.eof:
                if not rest:
                    return
                if not self._gzip:
                    raise zlib.error("bytes after the end")
                self._stream = zlib.decompressobj(_GZIP)
            piece = self._stream.decompress(rest, PIECE)
            if piece:
                yield piece
            if self._stream.eof:
                rest = self._stream.unused_data
            else:
                rest = self._stream.unconsumed_tail
                if not rest and len(piece) < PIECE:
                    return


def _decoder(encoding: str) -> _Plain | _Inflater:
    match encoding.strip().lower():
        case "" | "identity":
            return _Plain()
        case "gzip" | "x-gzip":
            return _Inflater(gzip=True)
        case "deflate":
            return _Inflater(gzip=False)
        case _:
            raise BodyBroken("compressed in a way that was not asked for")


class PartFile:
    """A file in the folder of `path` that takes its name when it is kept; otherwise it is removed.

    What had the name before stays until then.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Self:
        descriptor, name = tempfile.mkstemp(
            prefix=f"{self._path.name}.", suffix=".part", dir=self._path.parent
        )
        self._part = Path(name)
        self.sink: BinaryIO = os.fdopen(descriptor, "w+b")
        return self

    def head(self, size: int) -> bytes:
        """Return the first bytes of what was written."""
        self.sink.seek(0)
        return self.sink.read(size)

    def keep(self) -> None:
        """Close the file and give it its name."""
        self.sink.close()
        self._part.replace(self._path)

    def __exit__(self, *_: object) -> None:
        try:
            self.sink.close()  # writes what is buffered, for which a full disk may lack the room
        finally:
            self._part.unlink(missing_ok=True)


def decode_json(body: bytes) -> Any:  # noqa: ANN401 - what it is, the payload models say
    """Return the decoded body: numbers with a point are Decimal, so none becomes infinite.

    Raises:
        ValueError: it is no JSON in UTF-8; the message says why, without any text of the body.
    """
    if not body.strip():
        raise ValueError("the body is empty")
    if body.startswith(_BOM):
        raise ValueError("it starts with a byte order mark, which JSON must not")
    try:
        return json.loads(
            body.decode("utf-8"), parse_float=_decimal, parse_constant=_refuse_constant
        )
    except UnicodeDecodeError as exc:
        reason = f"not UTF-8 at byte {exc.start}"
    except json.JSONDecodeError as exc:
        reason = f"{exc.msg} at character {exc.pos}"
    except RecursionError:
        reason = "nested too deep"
    except _BadNumber as exc:
        reason = str(exc)
    except ValueError:
        reason = "a number with thousands of digits"
    raise ValueError(reason)  # outside of `except`: those errors carry the whole body with them


class _BadNumber(ValueError):
    pass


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise _BadNumber("a number out of every range") from None
    if abs(number.adjusted()) > MAX_EXPONENT:
        raise _BadNumber("a number out of every range")
    return number


def _refuse_constant(name: str) -> None:
    raise _BadNumber(f"{name} is no number of JSON")
