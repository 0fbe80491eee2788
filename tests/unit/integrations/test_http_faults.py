"""What goes wrong on the wire: each fault is served for real, and the test proves that it was."""

import asyncio
import gzip
import socket
import ssl
import subprocess
import time
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tcgtracker.domain.errors import ContractBroken, Unavailable, VendorError, VendorTimeout
from tcgtracker.integrations.contract import CallPolicy
from tcgtracker.integrations.http import Answer, VendorHttp
from tcgtracker.runtime.ports import CallOutcome
from tests.raw_server import RawServer, Reply, a_reply
from tests.unit.integrations.vendor_ports import QUICK, Ports, a_client, asked

FAILED, REFUSED = CallOutcome.FAILED, CallOutcome.REFUSED
MIB = 2**20


async def get(client: VendorHttp, max_bytes: int = MIB) -> Answer:
    return await client.call("product", "GET", "/p", policy=QUICK, max_bytes=max_bytes)


def failing(server: RawServer, ports: Ports, *, max_bytes: int = MIB) -> VendorError:
    """Return the error of one call to this server."""
    with pytest.raises(VendorError) as caught:
        asyncio.run(asked(server, ports, lambda client: get(client, max_bytes)))
    return caught.value


def answered(*replies: Reply) -> Answer:
    return asyncio.run(asked(RawServer(*replies), Ports(), get))


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + end


def test_refused_connection_is_unavailable() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        ports = Ports()
        with pytest.raises(Unavailable, match="ConnectError"):
            asyncio.run(get(a_client(url, ports)))
    assert ports.outcomes == [FAILED]


def test_server_without_tls_is_unavailable() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hello.append(await reader.read(1))
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server:
            await get(a_client(f"https://127.0.0.1:{port}", ports))

    ports = Ports()
    hello: list[bytes] = []
    with pytest.raises(Unavailable, match="ConnectError"):
        asyncio.run(main())
    assert hello == [b"\x16"]  # a TLS handshake, and no request in the clear
    assert ports.outcomes == [FAILED]


def test_self_signed_certificate_is_not_trusted(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    served: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(await reader.read(1))
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        async with server:
            await get(a_client(f"https://127.0.0.1:{port}", Ports()))

    with pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
        asyncio.run(main())
    assert not served


@pytest.mark.parametrize("where", ["head", "body"])
def test_slow_loris_is_cut_at_the_deadline(where: str) -> None:
    start = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n"
    text = start + b"X-A: b\r\n" * 700 if where == "head" else start + b"\r\n" + b"a" * 5000

    async def drip(writer: asyncio.StreamWriter) -> None:
        await server.drip(writer, text, pause_s=0.002)

    server, ports = RawServer(drip), Ports()
    began = time.monotonic()
    with pytest.raises(VendorTimeout, match=r"within 0\.4 s"):
        asyncio.run(
            asked(
                server,
                ports,
                lambda client: client.call("p", "GET", "/", policy=CallPolicy(deadline_s=0.4)),
            )
        )
    assert time.monotonic() - began < 5
    assert 50 < server.sent < len(text)  # each read was quick, only the whole was not
    assert ports.outcomes == [FAILED]


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(a_reply(b'{"price": 1', length=400), id="short content-length"),
        pytest.param(chunked(b'{"price": 1', end=b""), id="no last chunk"),
        pytest.param(chunked(end=b"ff\r\n{"), id="cut chunk"),
        pytest.param(
            a_reply(gzip.compress(b"[1]" * 500)[:-9], Content_Encoding="gzip"), id="cut gzip"
        ),
        pytest.param(
            a_reply(zlib.compress(b"[1]" * 500)[:-5], Content_Encoding="deflate"), id="cut deflate"
        ),
        pytest.param(b"", id="hung up without a word"),
        pytest.param(b"HTTP/1.1 200 OK\r\nConte", id="cut head"),
        pytest.param(b"SSH-2.0-OpenSSH_9\r\n\r\n", id="no HTTP"),
        pytest.param(a_reply(X=f"{'a' * 200_000}"), id="endless head"),
    ],
)
def test_cut_answers_are_discarded_and_worth_another_call(reply: bytes) -> None:
    server, ports = RawServer(reply), Ports()
    error = failing(server, ports)
    assert isinstance(error, Unavailable), error
    assert len(server.requests) == 1
    assert ports.outcomes == [FAILED]


def test_reset_in_the_body_is_unavailable() -> None:
    server, ports = RawServer(b""), Ports()
    server._replies = [server.reset_after(a_reply(b'{"price": 1', length=400))]
    error = failing(server, ports)
    assert isinstance(error, Unavailable)
    assert "ReadError" in str(error)
    assert server.cut == 1
    assert ports.outcomes == [FAILED]


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        pytest.param(a_reply(length=500 * MIB), "more than 1048576 bytes", id="declared"),
        pytest.param(chunked(*[b"a" * MIB] * 2), "more than 1048576 bytes", id="not declared"),
        pytest.param(
            a_reply(gzip.compress(b" " * 2 * MIB), Content_Encoding="gzip"),
            "more than 1048576 bytes after decompression",
            id="inflated",
        ),
        pytest.param(
            chunked(*[gzip.compress(b"") * 3000] * 20).replace(
                b"\r\n", b"\r\nContent-Encoding: gzip\r\n", 1
            ),
            "more than 1048576 bytes",
            id="empty but endless",
        ),
        pytest.param(a_reply(b"abc", Content_Encoding="br"), "not asked for", id="brotli"),
        pytest.param(a_reply(b"abc", Content_Encoding="gzip, gzip"), "not asked for", id="twice"),
        pytest.param(a_reply(b"abc", Content_Encoding="gzip"), "damaged", id="no gzip"),
        pytest.param(
            a_reply(zlib.compress(b"a") + b"more", Content_Encoding="deflate"), "damaged", id="tail"
        ),
    ],
)
def test_body_that_cannot_be_taken_breaks_the_contract(reply: bytes, reason: str) -> None:
    server, ports = RawServer(reply), Ports()
    error = failing(server, ports)
    assert isinstance(error, ContractBroken)
    assert reason in str(error)
    assert ports.outcomes == [REFUSED]


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_bomb_costs_no_more_than_its_limit(encoding: str) -> None:
    packer = zlib.compressobj(9, wbits=31 if encoding == "gzip" else 15)
    piece = bytes(MIB)
    bomb = b"".join(packer.compress(piece) for _ in range(200)) + packer.flush()
    server, ports = RawServer(a_reply(bomb, Content_Encoding=encoding)), Ports()
    del piece
    tracemalloc.start()
    try:
        error = failing(server, ports, max_bytes=32 * MIB)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert isinstance(error, ContractBroken)
    assert "more than 33554432 bytes after decompression" in str(error)
    assert 32 * MIB < peak < 50 * MIB


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("X-GZIP", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", lambda text: zlib.compress(text)[2:-4]),
        ("gzip", lambda text: gzip.compress(text[:9]) + gzip.compress(text[9:])),
        ("identity", bytes),
    ],
)
def test_packed_bodies_are_read_whole(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    text = b'{"names": [' + b'"Pikachu", ' * 40_000 + b'"Mew"]}'
    assert answered(a_reply(pack(text), Content_Encoding=encoding)).body == text


def test_packed_body_in_tiny_chunks_is_read_whole() -> None:
    packed = gzip.compress(b'{"a": 1.10}')
    reply = chunked(*[bytes([byte]) for byte in packed])
    reply = reply.replace(b"\r\n", b"\r\nContent-Encoding: gzip\r\n", 1)
    assert answered(reply).body == b'{"a": 1.10}'


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("http://other.example/steal?t=abcdef", "to the host other.example is"),
        ("/next?t=abcdef", "on the same host"),
        ("http://[broken", "on the same host"),
        ("//user:abcdef@other.example:99999/x", "to the host other.example is"),
        ("javascript:alert(1)", "on the same host"),
    ],
)
def test_redirect_is_not_followed(status: int, location: str, said: str) -> None:
    server, ports = RawServer(a_reply(b"", status=status, Location=location)), Ports()
    error = failing(server, ports)
    assert isinstance(error, ContractBroken)
    assert said in str(error)
    assert "abcdef" not in str(error)
    assert "steal" not in str(error)
    assert len(server.requests) == 1
    assert ports.outcomes == [REFUSED]


def test_redirect_to_nowhere_breaks_the_contract() -> None:
    error = failing(RawServer(a_reply(b"", status=302)), Ports())
    assert isinstance(error, ContractBroken)


@pytest.mark.parametrize(
    "reply", [a_reply(b""), a_reply(b" \r\n"), b"HTTP/1.1 204 No Content\r\n\r\n"]
)
def test_empty_answer_is_no_json(reply: bytes) -> None:
    async def get_any(client: VendorHttp) -> Answer:
        return await client.call("p", "GET", "/", policy=QUICK, accept=(200, 204))

    answer = asyncio.run(asked(RawServer(reply), Ports(), get_any))
    with pytest.raises(ContractBroken, match="the body is empty"):
        answer.json()


def test_page_of_html_is_transient_by_its_status_and_not_quoted() -> None:
    page = b"<html><script>alert(1)</script>Bad gateway</html>"
    ports = Ports()
    error = failing(RawServer(a_reply(page, status=502, Content_Type="text/html")), ports)
    assert isinstance(error, Unavailable)
    assert "script" not in str(error)
    assert ports.outcomes == [FAILED]


def test_wrong_content_type_is_judged_by_the_body() -> None:
    assert answered(a_reply(b"[1]", Content_Type="text/html")).json() == [1]


def test_status_counts_more_than_a_broken_body_of_an_error() -> None:
    ports = Ports()
    error = failing(RawServer(a_reply(b"a", status=503, Content_Encoding="br")), ports)
    assert isinstance(error, Unavailable)
    assert "status 503" in str(error)
