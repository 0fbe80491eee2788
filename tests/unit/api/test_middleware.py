"""Who may ask, how much at a time, and what every answer carries."""

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest
from fastapi import FastAPI, Request
from starlette.types import Message, Receive, Scope, Send

from tcgtracker.api.app import create_app
from tcgtracker.api.middleware import MAX_BODY_BYTES, CrowdLimit, RequestScope, is_loopback
from tcgtracker.config import Settings
from tcgtracker.domain.errors import InvalidInput
from tcgtracker.tracker import Tracker
from tests.unit.api.conftest import Ask, asking


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


def settled(tracker: Tracker, monkeypatch: pytest.MonkeyPatch, **environment: str) -> Ask:
    """Return what asks an application with other settings, as nobody."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    tracker.settings = Settings()
    return asking(create_app(tracker), "")


def test_a_listed_host_is_served_and_its_pages_may_write(
    tracker: Tracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = settled(tracker, monkeypatch, APP_ALLOWED_HOSTS="cards.example, 192.168.1.4")
    for host in ("cards.example", "CARDS.example:8000", "192.168.1.4:8000", "localhost"):
        assert ask("GET", "/livez", headers={"Host": host}).status_code == 200
    for host in ("example", "x.cards.example", "cards.example.evil.test", "192.168.1.5", ""):
        assert ask("GET", "/livez", headers={"Host": host}).status_code == 421
    own = {"Host": "cards.example", "Origin": "https://cards.example"}
    assert ask("POST", "/livez", headers=own).status_code == 405
    other = {"Host": "cards.example", "Origin": "https://evil.example"}
    assert ask("POST", "/livez", headers=other).status_code == 403


def test_a_listed_origin_may_call_and_no_other(
    tracker: Tracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = settled(tracker, monkeypatch, SECURITY_CORS_ORIGINS="https://shop.example")
    preflight = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    path = "/api/v1/search/all"
    answer = ask("OPTIONS", path, headers={**preflight, "Origin": "https://shop.example"})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert "access-control-allow-credentials" not in answer.headers
    answer = ask("OPTIONS", path, headers={**preflight, "Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in answer.headers
    unsigned = ask("POST", path, headers={"Origin": "https://shop.example"}, json={})
    assert unsigned.status_code == 401  # it got to the door, and the page may read the answer
    assert unsigned.headers["access-control-allow-origin"] == "https://shop.example"
    for origin in ("http://shop.example", "https://shop.example:8443", "null"):
        assert ask("POST", path, headers={"Origin": origin}, json={}).status_code == 403


def test_no_other_site_may_call_by_default(ask: Ask) -> None:
    answer = ask("GET", "/livez", headers={"Origin": "https://shop.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(("flag", "given"), [("true", True), ("false", False)])
def test_https_alone_is_asked_for_by_a_flag(
    tracker: Tracker, monkeypatch: pytest.MonkeyPatch, flag: str, *, given: bool
) -> None:
    ask = settled(tracker, monkeypatch, SECURITY_HSTS=flag)
    for path in ("/livez", "/nowhere", "/api/v1/games"):
        assert ("strict-transport-security" in ask("GET", path).headers) is given


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("APP_HOST", "0.0.0.0"),  # noqa: S104 - refused
        ("APP_ALLOWED_HOSTS", "*"),
        ("APP_ALLOWED_HOSTS", "https://cards.example"),
        ("APP_ALLOWED_HOSTS", "cards.example:8000"),
        ("SECURITY_CORS_ORIGINS", "*"),
        ("SECURITY_CORS_ORIGINS", "https://*.example"),
        ("SECURITY_CORS_ORIGINS", "https://cards.example/"),
        ("SECURITY_CORS_ORIGINS", "cards.example"),
        ("SECURITY_CORS_ORIGINS", "null"),
        ("APP_RATE_LIMIT", "-1"),
    ],
)
def test_a_setting_that_would_let_anybody_in_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidInput, match=name):
        Settings()


def test_another_address_is_served_once_its_names_are_listed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("APP_HOST", "0.0.0.0")  # noqa: S104 - nothing is bound
    monkeypatch.setenv("APP_ALLOWED_HOSTS", "cards.example,fe80::1")
    assert Settings().app.host_names == {"cards.example", "fe80::1"}
