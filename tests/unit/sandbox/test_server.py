import asyncio
import http.client
import json
import socket
import time
from urllib.parse import urlsplit

import pytest

from tcgtracker.sandbox.serving import Sandbox
from tests.unit.sandbox.calling import call
from tests.unit.sandbox.echo_vendor import NOON, EchoVendor, echo_sandbox


@pytest.fixture(scope="module")
def sandbox():
    with echo_sandbox() as running:
        yield running


@pytest.fixture
def url(sandbox):
    sandbox.clear_faults()
    sandbox.reset()
    return sandbox.urls["echo"]


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return str(parts.hostname), int(parts.port or 0)


def test_path_and_query_are_decoded(url):
    answer = call(url, "/Pok%C3%A9mon/base?q=a+b&q=%26&empty=").json()
    assert answer["path"] == "/Pokémon/base"
    assert answer["query"] == {"q": ["a b", "&"], "empty": [""]}


def test_connection_is_kept_for_the_next_call(url):
    connection = http.client.HTTPConnection(*_address(url), timeout=10)
    connection.request("GET", "/1")
    connection.getresponse().read()
    first = connection.sock
    connection.request("POST", "/2", body=b"[1]")
    answer = json.loads(connection.getresponse().read())
    assert (answer["path"], answer["sent"]) == ("/2", "[1]")
    assert connection.sock is first
    connection.close()


def test_kept_connection_is_answered_at_once(url):
    connection = http.client.HTTPConnection(*_address(url), timeout=10)
    took = []
    for _ in range(10):
        began = time.perf_counter()
        connection.request("GET", "/")
        connection.getresponse().read()
        took.append(time.perf_counter() - began)
    connection.close()
    # Two small writes cost 40 ms each time where the kernel waits for the first to be confirmed.
    assert min(took[1:]) < 0.03


def test_head_has_the_length_and_no_body(url):
    full = call(url, "/x")
    head = call(url, "/x", method="HEAD")
    assert head.body == b""
    assert head.headers["content-length"] == full.headers["content-length"]


def test_gzip_only_when_asked(url):
    packed = call(url, "/x", headers={"Accept-Encoding": "gzip, deflate"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.body[:2] == b"\x1f\x8b"
    assert "content-encoding" not in call(url, "/x").headers


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", 431),
        (b"POST / HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
        (b"BREW /pot HTTP/1.1\r\n\r\n", 501),
        (b"hello\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
    ],
)
def test_what_is_no_sound_request_is_refused(url, sent, status):
    with socket.create_connection(_address(url), timeout=10) as raw:
        raw.sendall(sent)
        assert raw.recv(100).startswith(f"HTTP/1.1 {status} ".encode())


def test_every_call_is_logged_with_its_key_masked(sandbox, url):
    call(url, "/api?t=secret-token&q=mew")
    call(url, "/api", headers={"X-Api-Key": "other-secret"}, method="POST", body=b"[]")
    one, two = sandbox.calls("echo")
    assert (one.method, one.path, one.query) == ("GET", "/api", {"t": ["***"], "q": ["mew"]})
    assert one.key
    assert two.key
    assert one.key != two.key
    assert "secret" not in repr((one, two))
    assert (one.status, one.whole, one.at) == (200, True, NOON)
    assert two.sent_bytes == 2


def test_log_can_be_read_from_a_call_on(sandbox, url):
    call(url, "/1")
    (first,) = sandbox.calls()
    call(url, "/2")
    assert [each.path for each in sandbox.calls(since=first.number)] == ["/2"]


def test_served_prices_are_those_of_the_body(sandbox, url):
    call(url, "/x")
    call(url, "/csv")
    served = {(price.products, price.facet, price.value) for price in sandbox.served("echo")}
    assert served == {
        (("1",), ("price",), "12.5"),
        (("2",), ("price",), "7"),
        (("1",), ("loose-price",), "$12.50"),
    }


def test_failure_of_the_sandbox_itself_is_told_at_the_end():
    sandbox = Sandbox([EchoVendor()], now=NOON)
    sandbox.start()
    assert call(sandbox.urls["echo"], "/crash").status == 500
    with pytest.raises(RuntimeError, match="the sandbox itself failed"):
        sandbox.stop()


def test_taken_port_is_told_at_the_start():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            Sandbox([EchoVendor()], now=NOON, port_base=taken.getsockname()[1]).start()


def test_sandbox_is_an_async_context_too():
    async def status() -> int:
        async with Sandbox([EchoVendor()], now=NOON) as running:
            answer = await asyncio.to_thread(call, running.urls["echo"], "/x")
            return answer.status

    assert asyncio.run(status()) == 200
