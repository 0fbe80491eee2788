"""A planted key never comes out again: not in an error, its chain or traceback, nor in a log."""

import asyncio
import io
import logging
import sys
import traceback
from collections.abc import Iterator

import pytest
import structlog

from tcgtracker.domain.errors import Unavailable, VendorError
from tcgtracker.integrations.contract import CallPolicy
from tcgtracker.integrations.http import Answer, VendorHttp, Verdict
from tcgtracker.runtime.logging import configure_logging
from tests.raw_server import RawServer, Reply, a_reply
from tests.unit.integrations.vendor_ports import Ports, asked

KEY = "c4nary0123456789abcdef"
ECHO = f'{{"error": "bad key {KEY}", "url": "/api?t={KEY}"}}'.encode()
BUSY_TWICE = CallPolicy(attempts=2, deadline_s=0.3)


@pytest.fixture
def log_text(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Everything that is logged, down to the HTTP library's debugging."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    root = logging.getLogger()
    former, level = root.handlers[:], root.level
    root.handlers.clear()
    configure_logging(level="DEBUG", as_json=True)
    for name in ("httpx2", "httpcore2"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    yield stream
    for name in ("httpx2", "httpcore2"):
        logging.getLogger(name).setLevel(logging.WARNING)
    root.handlers[:] = former
    root.setLevel(level)
    structlog.reset_defaults()


def everything(error: BaseException) -> str:
    """Return all texts of an error and of what it came from, as the worst logger would print it."""
    texts = ["".join(traceback.format_exception(error))]
    seen: BaseException | None = error
    while seen is not None:
        texts += [str(seen), repr(seen), repr(seen.args), repr(vars(seen))]
        seen = seen.__cause__ or seen.__context__
    return "\n".join(texts)


async def hang(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    await writer.drain()
    await asyncio.sleep(0.6)


@pytest.mark.parametrize(
    "reply",
    [
        a_reply(ECHO, status=400),
        a_reply(ECHO, status=401),
        a_reply(ECHO, status=403, X_Request_Id=KEY),
        a_reply(ECHO, status=429, Retry_After=KEY),
        a_reply(ECHO, status=500),
        a_reply(ECHO, length=900),
        a_reply(ECHO, Content_Encoding=KEY),
        a_reply(ECHO, Content_Encoding="gzip"),
        a_reply(b"", status=302, Location=f"http://{KEY}.example/?t={KEY}"),
        a_reply(b"", status=302, Location=f"http://[{KEY}"),
        f"HTTP/1.1 {KEY}\r\n\r\n".encode(),
        f"HTTP/1.1 200 OK\r\n{KEY}\r\n\r\n".encode(),
        f"HTTP/1.1 200 OK\r\nContent-Length: {KEY}\r\n\r\n".encode(),
        f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{KEY}\r\n".encode(),
        a_reply(KEY.encode()),
        a_reply(ECHO[:-1] + b"\xff}"),
        b"",
        hang,
    ],
)
def test_planted_key_is_in_no_error_and_no_log(reply: Reply, log_text: io.StringIO) -> None:
    async def use(client: VendorHttp) -> None:
        answer = await client.call(
            "product",
            "GET",
            f"/api/{KEY}",
            policy=BUSY_TWICE,
            params={"t": KEY},
            headers={"Authorization": f"Bearer {KEY}", "X-Api-Key": KEY},
        )
        answer.json()

    server, ports = RawServer(reply), Ports()
    with pytest.raises(VendorError) as caught:
        asyncio.run(asked(server, ports, use, secrets=[KEY], backoff_s=0.001))
    assert KEY.encode() in server.requests[0]  # it was sent
    shown = everything(caught.value) + repr(ports) + log_text.getvalue()
    assert "c4nary" not in shown.lower()
    assert "vendor.called" in shown


@pytest.mark.parametrize("padding", range(60, 130, 7))
def test_key_at_the_cut_of_a_long_text_leaves_no_part(padding: int, log_text: io.StringIO) -> None:
    async def use(client: VendorHttp) -> Answer:
        return await client.call("product", "GET", "/", policy=CallPolicy())

    server, ports = RawServer(f"HTTP/1.1 {'x' * padding}{KEY}\r\n\r\n".encode()), Ports()
    with pytest.raises(Unavailable, match="xxxx") as caught:
        asyncio.run(asked(server, ports, use, secrets=[KEY]))
    assert "c4n" not in everything(caught.value) + repr(ports) + log_text.getvalue()


@pytest.mark.parametrize("header", [f"{KEY}\r\nX: y", f"{KEY}é€", f"{KEY}\0"])
def test_key_that_no_header_can_hold_is_not_shown(header: str, log_text: io.StringIO) -> None:
    async def use(client: VendorHttp) -> Answer:
        return await client.call(
            "product", "GET", "/", policy=BUSY_TWICE, headers={"X-Api-Key": header}
        )

    ports = Ports()
    with pytest.raises(VendorError) as caught:
        asyncio.run(asked(RawServer(a_reply()), ports, use, secrets=[header]))
    assert "c4nary" not in everything(caught.value) + repr(ports) + log_text.getvalue()


def test_key_in_the_verdict_of_a_client_is_masked(log_text: io.StringIO) -> None:
    def judge(answer: Answer) -> Verdict:
        error = Unavailable(answer.vendor, answer.operation, f"it says {answer.body!r}")
        error.__cause__ = ValueError(answer.body)
        return Verdict(error)

    async def use(client: VendorHttp) -> Answer:
        return await client.call("product", "GET", "/", policy=BUSY_TWICE, judge=judge)

    ports = Ports()
    with pytest.raises(Unavailable, match=r"it says .*bad key \*\*\*") as caught:
        asyncio.run(asked(RawServer(a_reply(ECHO)), ports, use, secrets=[KEY]))
    assert "c4nary" not in everything(caught.value) + repr(ports) + log_text.getvalue()


def test_one_line_is_logged_for_each_call_and_names_no_url(log_text: io.StringIO) -> None:
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    logging.getLogger("httpcore2").setLevel(logging.WARNING)

    async def use(client: VendorHttp) -> Answer:
        return await client.call("product", "GET", "/path", policy=BUSY_TWICE)

    server = RawServer(a_reply(b"no", status=500, X_Request_Id="r1"), a_reply(b"[12]"))
    asyncio.run(asked(server, Ports(), use, backoff_s=0.001))
    lines = [line for line in log_text.getvalue().splitlines() if "vendor.called" in line]
    assert len(lines) == 2
    for word in (
        '"vendor": "shop"',
        '"operation": "product"',
        '"status": 500',
        '"r1"',
        '"bytes": 2',
    ):
        assert word in lines[0]
    assert '"status": 200' in lines[1]
    assert '"bytes": 4' in lines[1]
    assert "127.0.0.1" not in log_text.getvalue()
    assert "/path" not in log_text.getvalue()
