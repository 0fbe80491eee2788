"""One vendor's port: reads a call, asks the vendor, lets the faults at it, logs, answers."""

import asyncio
import gzip
import logging
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http import HTTPStatus

from tcgtracker.sandbox.clock import SandboxClock
from tcgtracker.sandbox.delivery import Delivery, deliver, reset
from tcgtracker.sandbox.faults import Exchange, FaultBoard, Stage
from tcgtracker.sandbox.http_reading import MAX_HEAD, Refused, read_request
from tcgtracker.sandbox.ledger import Call, Ledger, digest
from tcgtracker.sandbox.wire import Request, Response, SandboxVendor

HOST = "127.0.0.1"
"""Nothing of the sandbox is meant for other machines."""
_IDLE_S = 75.0
_CLOSE_S = 1.0
_GZIP_FROM = 200
_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class Surroundings:
    """What all ports share. crashes: errors of the sandbox itself, which are no vendor's fault."""

    clock: SandboxClock
    board: FaultBoard
    ledger: Ledger = field(default_factory=Ledger)
    crashes: list[BaseException] = field(default_factory=list)


class Port:
    """One listening address. With `logged` off (the control port) no fault and no log applies."""

    def __init__(
        self,
        vendor: SandboxVendor,
        shared: Surroundings,
        *,
        port: int = 0,
        logged: bool = True,
        settle: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.vendor = vendor
        self._shared = shared
        self._wanted = port
        self._logged = logged
        self._settle = settle
        self._server: asyncio.Server | None = None
        self._place: socket.socket | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self.number = 0

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.number}"

    async def open(self) -> None:
        """Listen.

        Raises:
            OSError: the port is taken.
        """
        listening = _bound(self.number or self._wanted)
        self.number = listening.getsockname()[1]
        if self._place is None and sys.platform == "linux":
            # Holds the number while a fault keeps the door closed, so that nobody else gets it;
            # Linux lets two sockets have an address as long as one of them listens.
            self._place = _bound(self.number)
        self._server = await asyncio.start_server(self._connected, sock=listening, limit=MAX_HEAD)

    async def close(self) -> None:
        """Stop listening and cut all connections."""
        await self._shut()
        if self._place is not None:
            self._place.close()
            self._place = None

    async def _shut(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        if server is not None:
            with suppress(TimeoutError):  # since 3.12 it waits for those who never read, too
                await asyncio.wait_for(server.wait_closed(), _CLOSE_S)

    async def follow_faults(self) -> None:
        """Close or open the door as the faults say at this moment."""
        refused = self._logged and self._shared.board.refused(self.vendor.name)
        if refused and self._server is not None:
            rule = self._shared.board.connecting(self.vendor.name, "refuse")
            if rule is not None:
                self._shared.board.count(self.vendor.name, rule)
            await self._shut()
        elif not refused and self._server is None:
            await self.open()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)
        try:
            if self._server is None:  # accepted while the door was closing
                reset(writer)
            elif not self._logged or not self._spoiled(writer):
                await self._converse(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            pass  # the client went, which is its right: its call is in the log as not whole
        except asyncio.CancelledError:
            writer.transport.abort()  # the port closes: no waiting for a slow reader
        finally:
            writer.close()

    def _spoiled(self, writer: asyncio.StreamWriter) -> bool:
        board = self._shared.board
        for name in ("reset_at_accept", "not_http"):
            rule = board.connecting(self.vendor.name, name)
            if rule is None:
                continue
            board.count(self.vendor.name, rule)
            call = self._received(Request("-", "", {}, {}))
            call.faults = (name,)
            if name == "reset_at_accept":
                reset(writer)
            else:
                writer.write(b"\x15\x03\x03\x00\x02\x02\x28 this is not HTTP\r\n\r\n")
            return True
        return False

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        again = True
        while again:
            try:
                async with asyncio.timeout(_IDLE_S):
                    incoming = await read_request(reader, writer)
            except Refused as exc:
                refusal = Response(exc.status, str(exc).encode(), {"Content-Type": "text/plain"})
                await deliver(writer, refusal, Delivery(close=True), head_only=False)
                return
            if incoming is None:
                return
            whole = await self._answer(incoming.request, writer)
            again = whole and incoming.keep_alive

    def _received(self, request: Request) -> Call:
        shared = self._shared
        return shared.ledger.received(
            self.vendor.name, request, shared.clock.now(), datetime.now(UTC)
        )

    async def _answer(self, asked: Request, writer: asyncio.StreamWriter) -> bool:
        head_only = asked.method == "HEAD"
        # A vendor answers HEAD as it would GET; the body is left away here.
        request = (
            Request("GET", asked.path, asked.query, asked.headers, asked.body)
            if head_only
            else asked
        )
        now = self._shared.clock.now()
        if not self._logged:
            try:
                response = self.vendor.handle(request, now)
            except Exception as exc:  # noqa: BLE001 - as below
                response = self._crashed(request, exc)
            if self._settle is not None:
                await self._settle()  # what was asked for holds before the answer says so
            return await deliver(writer, response, Delivery(), head_only=head_only)
        call = self._received(asked)
        try:
            exchange, plain = self._exchange(call, request, now)
        except Exception as exc:  # noqa: BLE001 - kept in `crashes`, which Sandbox.stop() raises
            exchange, plain = Exchange(request, now, self._crashed(request, exc)), b""
        response = exchange.response
        call.status = response.status
        call.answer_bytes, call.answer_digest = len(plain), digest(plain)
        response.headers.setdefault("Date", format_datetime(now, usegmt=True))
        # Before the bytes leave: who has read the answer may ask for the log at once.
        sent_whole = exchange.delivery.leaves_whole
        if sent_whole and not head_only and response.status == HTTPStatus.OK:
            csv = "csv" in response.headers.get("Content-Type", "")
            self._shared.ledger.served(call, plain, csv=csv)
        call.whole = sent_whole and exchange.delivery.at_once
        try:
            again = await deliver(writer, response, exchange.delivery, head_only=head_only)
        except BaseException:
            call.whole = False
            raise
        call.whole = sent_whole
        return again

    def _exchange(self, call: Call, request: Request, now: datetime) -> tuple[Exchange, bytes]:
        """Let vendor and faults make the answer; the bytes are its body before compression."""
        board = self._shared.board
        rules = board.due(self.vendor.name, request)
        exchange = Exchange(request, now)
        fired: list[str] = []
        answered = False
        plain = b""
        for stage in (Stage.REQUEST, Stage.ANSWER, Stage.BODY, Stage.WIRE):
            if stage is Stage.BODY and not answered:
                exchange.response = self.vendor.handle(exchange.request, exchange.now)
            for rule in rules:
                if rule.kind.stage is not stage or (stage is Stage.ANSWER and answered):
                    continue
                if rule.kind.apply(exchange, rule.params):
                    board.count(self.vendor.name, rule)
                    fired.append(rule.kind.name)
                    answered = answered or stage is Stage.ANSWER
            if stage is Stage.BODY:
                plain = exchange.response.body
                _compress(request, exchange.response)
        call.faults = tuple(fired)
        return exchange, plain

    def _crashed(self, request: Request, error: Exception) -> Response:
        _LOG.error("the sandbox's %s failed at %s", self.vendor.name, request.path, exc_info=error)
        self._shared.crashes.append(error)
        return Response(500, b"the sandbox itself failed", {"Content-Type": "text/plain"})


def _compress(request: Request, response: Response) -> None:
    if (
        "gzip" in request.headers.get("accept-encoding", "")
        and "Content-Encoding" not in response.headers
        and len(response.body) >= _GZIP_FROM
    ):
        response.body = gzip.compress(response.body, compresslevel=1, mtime=0)
        response.headers["Content-Encoding"] = "gzip"
        response.headers["Vary"] = "Accept-Encoding"


def _bound(port: int) -> socket.socket:
    # asyncio switches Nagle's delay off for sockets that name their protocol, and for no others.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((HOST, port))
    except OSError:
        bound.close()
        raise
    return bound
