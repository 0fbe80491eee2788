"""HTTP/1.1 requests read from a socket, within bounds."""

import asyncio
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from tcgtracker.sandbox.wire import Request

MAX_HEAD = 64 * 1024
MAX_BODY = 8 * 1024 * 1024
_MAX_FIELDS = 1000
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Refused(Exception):
    """A request that cannot be answered; `status` says why."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request, and whether the client wants to go on with the connection."""

    request: Request
    keep_alive: bool


async def read_request(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> Incoming | None:
    """Return the next request, None when the client has gone.

    Raises:
        Refused: too large, or not HTTP/1.
    """
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    except asyncio.LimitOverrunError as exc:
        raise Refused(431, f"the head has more than {MAX_HEAD} bytes") from exc
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    method, target, version = _request_line(first)
    headers = _headers(lines)
    if headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = await _body(reader, headers)
    parts = urlsplit(target)
    pairs = parse_qsl(parts.query, keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    query: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        query[name] = (*query.get(name, ()), value)
    request = Request(method, unquote(parts.path) or "/", query, headers, body)
    wanted = headers.get("connection", "").lower()
    return Incoming(
        request, wanted != "close" and (version != "HTTP/1.0" or wanted == "keep-alive")
    )


def _request_line(line: str) -> tuple[str, str, str]:
    words = line.split(" ")
    if len(words) != len(("method", "target", "version")) or not words[2].startswith("HTTP/1."):
        raise Refused(400, "no HTTP/1 request line")
    if words[0] not in _METHODS:
        raise Refused(501, "unknown method")
    return words[0], words[1], words[2]


def _headers(lines: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise Refused(400, "malformed header")
        key = name.lower()
        headers[key] = f"{headers[key]}, {value.strip()}" if key in headers else value.strip()
    return headers


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if "transfer-encoding" in headers:
        raise Refused(411, "state a Content-Length")
    text = headers.get("content-length", "0")
    if not (text.isascii() and text.isdigit()):
        raise Refused(400, "malformed Content-Length")
    length = int(text)
    if length > MAX_BODY:
        raise Refused(413, f"the body has more than {MAX_BODY} bytes")
    return await reader.readexactly(length) if length else b""
