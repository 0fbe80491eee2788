"""Who may ask, how much at a time, and what every answer carries."""

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest
from fastapi import FastAPI, Request
from starlette.types import Message, Receive, Scope, Send

from tcgtracker.api.middleware import MAX_BODY_BYTES, CrowdLimit, RequestScope, is_loopback
from tests.unit.api.conftest import Ask


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.0.0.1:8000", "localhost", "LOCALHOST:1", "[::1]", "[::1]:8000", "127.9.9.9"],
)
def test_loopback_hosts(ask: Ask, host: str) -> None:
    assert is_loopback(host)
    assert ask("GET", "/livez", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "127.0.0.1@evil.example",
        "evil.example:127",
        "192.168.1.4:8000",
        "0.0.0.0",  # noqa: S104 - a header, nothing is bound
        "[::]",
        "[::ffff:8.8.8.8]",
        "2130706433",
        "",
        "127.0.0.1, evil.example",
    ],
)
@pytest.mark.parametrize("path", ["/livez", "/docs", "/nowhere"])
def test_another_host_is_refused_everywhere(ask: Ask, host: str, path: str) -> None:
    assert not is_loopback(host)
    answer = ask("GET", path, headers={"Host": host})
    assert answer.status_code == 421
    assert answer.headers["content-type"] == "application/problem+json"
    assert "127.0.0.1" in answer.json()["detail"]


def test_two_host_headers_are_refused(ask: Ask) -> None:
    headers = [("Host", "127.0.0.1"), ("Host", "evil.example")]
    assert ask("GET", "/livez", headers=headers).status_code == 421


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1.evil.test"])
def test_a_page_of_another_site_may_not_write(ask: Ask, origin: str) -> None:
    assert ask("POST", "/livez", headers={"Origin": origin}).status_code == 403
    assert ask("GET", "/livez", headers={"Origin": origin}).status_code == 200


def test_a_page_of_ours_may_write(ask: Ask) -> None:
    answer = ask("POST", "/livez", headers={"Origin": "http://localhost:8000"})
    assert answer.status_code == 405  # it reached the route, which has no POST


def test_every_answer_carries_the_security_headers_and_an_id(ask: Ask) -> None:
    for path in ("/livez", "/nowhere", "/docs"):
        headers = ask("GET", path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert len(headers["x-request-id"]) == 32


@pytest.mark.parametrize(
    ("given", "kept"), [("job-7.a_B", True), ("x" * 65, False), ("a b", False), ("a\tb", False)]
)
def test_a_request_id_is_taken_over_when_it_is_plain(ask: Ask, given: str, *, kept: bool) -> None:
    answer = ask("GET", "/livez", headers={"X-Request-Id": given})
    assert (answer.headers["x-request-id"] == given) is kept


@pytest.fixture
def _echo(app: FastAPI) -> None:
    @app.post("/size")
    async def size(request: Request) -> int:
        return len(await request.body())


@pytest.mark.usefixtures("_echo")
def test_a_body_up_to_the_limit_is_read(ask: Ask) -> None:
    assert ask("POST", "/size", content=b"x" * MAX_BODY_BYTES).json() == MAX_BODY_BYTES


@pytest.mark.usefixtures("_echo")
@pytest.mark.parametrize("declared", [True, False])
def test_a_body_over_the_limit_is_refused(ask: Ask, *, declared: bool) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(17):
            yield b"x" * (MAX_BODY_BYTES // 16)

    content = b"x" * (MAX_BODY_BYTES + 1) if declared else pieces()
    answer = ask("POST", "/size", content=content)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.usefixtures("_echo")
@pytest.mark.parametrize("length", ["-1", "abc", "1e3"])
def test_a_senseless_length_is_refused(ask: Ask, length: str) -> None:
    assert ask("POST", "/size", headers={"Content-Length": length}).status_code == 413


def test_a_crowd_is_told_to_come_back() -> None:
    async def scenario() -> tuple[int, httpx2.Response, httpx2.Response]:
        entered, release = asyncio.Event(), asyncio.Event()

        async def slow(scope: Scope, _receive: Receive, send: Send) -> None:
            if scope["path"] == "/slow":
                entered.set()
                await release.wait()
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})

        transport = httpx2.ASGITransport(app=CrowdLimit(slow, limit=1))
        async with httpx2.AsyncClient(transport=transport, base_url="http://x") as client:
            first = asyncio.create_task(client.get("/slow"))
            await entered.wait()
            refused = await client.get("/other")
            alive = await client.get("/livez")
            release.set()
            await first
            after = await client.get("/other")
        return after.status_code, refused, alive

    after, refused, alive = asyncio.run(scenario())
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert refused.headers["content-type"] == "application/problem+json"
    assert (alive.status_code, after) == (204, 204)


def test_an_answer_that_breaks_half_way_is_not_patched_up() -> None:
    async def broken(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("half way")

    sent: list[Message] = []

    async def run() -> None:
        async def receive() -> Message:
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
        await RequestScope(broken)(scope, receive, send)

    with pytest.raises(RuntimeError, match="half way"):
        asyncio.run(run())
    assert [message["type"] for message in sent] == ["http.response.start"]
