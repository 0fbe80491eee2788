"""A server on the loopback that says exactly the bytes that a test wants, also broken ones."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

Reply = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]


def a_reply(
    body: bytes = b"{}", *, status: int = 200, length: int | None = None, **headers: str
) -> bytes:
    """Return an answer; `length` is what Content-Length claims, header names take `_` for `-`."""
    lines = [
        f"HTTP/1.1 {status} Whatever",
        f"Content-Length: {len(body) if length is None else length}",
    ]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


class RawServer:
    """Answers one request a connection with the next reply; the last one repeats.

    A reply is bytes, after which the connection is closed, or a function that writes.
    requests: what came in, heads only; sent: bytes that a drip has sent so far, begun with `began`;
    cut: connections that were reset.
    """

    def __init__(self, *replies: Reply) -> None:
        self._replies = list(replies)
        self.requests: list[bytes] = []
        self.sent = 0
        self.cut = 0
        self.began = asyncio.Event()

    @property
    def url(self) -> str:
        port = self._server.sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    async def drip(self, writer: asyncio.StreamWriter, text: bytes, *, pause_s: float) -> None:
        """Send a byte at a time until the other side is gone."""
        for byte in text:
            writer.write(bytes([byte]))
            await writer.drain()
            self.sent += 1
            self.began.set()
            await asyncio.sleep(pause_s)

    def reset_after(self, start: bytes) -> Reply:
        """Return a reply that sends a part and then resets the connection."""

        async def write(writer: asyncio.StreamWriter) -> None:
            writer.write(start)
            await writer.drain()
            await asyncio.sleep(0.02)  # so that the part arrives before the reset
            linger = struct.pack("ii", 1, 0)
            raw: socket.socket = writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
            self.cut += 1

        return write

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
            if isinstance(reply, bytes):
                writer.write(reply)
                await writer.drain()
            else:
                await reply(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has hung up, as many of the tests want
        finally:
            writer.close()
