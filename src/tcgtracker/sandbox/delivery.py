"""How the bytes of an answer leave: whole and at once, or as badly as a fault asks for."""

import asyncio
import socket
import struct
from dataclasses import dataclass
from http import HTTPStatus

from tcgtracker.sandbox.wire import Response

_CHUNK = 64 * 1024


@dataclass(slots=True)
class Delivery:
    """What may go wrong on the way out.

    wait_s: before the first byte. pause_s: between pieces of `piece` bytes. sent_bytes: of the
    body at most (None: all). stated_bytes: the Content-Length (None: the true one). reset: end
    with a TCP reset. close: end the connection. filler_bytes: send so many zero bytes as the body.
    """

    wait_s: float = 0.0
    pause_s: float = 0.0
    piece: int = _CHUNK
    sent_bytes: int | None = None
    stated_bytes: int | None = None
    reset: bool = False
    close: bool = False
    filler_bytes: int = 0

    @property
    def at_once(self) -> bool:
        """Tell whether nothing is waited for."""
        return not (self.wait_s or self.pause_s)

    @property
    def leaves_whole(self) -> bool:
        """Tell whether the client can get the true body in full."""
        cut = self.sent_bytes is not None or self.stated_bytes is not None
        return not (cut or self.reset or self.filler_bytes)


async def deliver(
    writer: asyncio.StreamWriter, response: Response, delivery: Delivery, *, head_only: bool
) -> bool:
    """Write the answer; return whether it left whole and the connection can be used again."""
    if delivery.wait_s:
        await asyncio.sleep(delivery.wait_s)
    bare = response.status in _BODILESS
    body = b"" if head_only or bare else response.body
    length = delivery.filler_bytes or len(response.body)
    stated = length if delivery.stated_bytes is None else delivery.stated_bytes
    cut = delivery.sent_bytes is not None and not head_only
    last = delivery.close or delivery.reset or cut or stated != length
    await _write(writer, _head(response, None if bare else stated, close=last), delivery)
    if delivery.filler_bytes and not head_only:
        await _fill(writer, delivery.filler_bytes)
    else:
        await _write(writer, body[: delivery.sent_bytes] if cut else body, delivery)
    if delivery.reset:
        reset(writer)
    return not last


_BODILESS = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)


def _head(response: Response, length: int | None, *, close: bool) -> bytes:
    try:
        reason = HTTPStatus(response.status).phrase
    except ValueError:
        reason = "Unknown"
    lines = [f"HTTP/1.1 {response.status} {reason}"]
    lines += [f"{name}: {value}" for name, value in response.headers.items()]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    if close:
        lines.append("Connection: close")
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")


async def _write(writer: asyncio.StreamWriter, payload: bytes, delivery: Delivery) -> None:
    for start in range(0, len(payload), delivery.piece):
        writer.write(payload[start : start + delivery.piece])
        await writer.drain()
        if delivery.pause_s:
            await asyncio.sleep(delivery.pause_s)


async def _fill(writer: asyncio.StreamWriter, length: int) -> None:
    block = bytes(_CHUNK)
    for start in range(0, length, _CHUNK):
        writer.write(block[: length - start])
        await writer.drain()


def reset(writer: asyncio.StreamWriter) -> None:
    """End the connection with RST instead of FIN."""
    raw = writer.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
