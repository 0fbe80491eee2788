"""The calls that eBay makes at our account-deletion endpoint, over loopback."""

import base64
import hashlib
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tcgtracker.sandbox.ebay_notices import fire_challenge, fire_deletion
from tcgtracker.sandbox.world import World
from tests.unit.sandbox.asking import tree
from tests.unit.sandbox.browsing import Browser

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)
SECRET = "a" * 40


class Endpoint(BaseHTTPRequestHandler):
    """Ours, as eBay wants it; what came in is kept."""

    server: "EndpointServer"

    def do_GET(self) -> None:
        code = parse_qs(urlsplit(self.path).query)["challenge_code"][0]
        text = f"{code}{self.server.secret}{self.server.url}"
        answer = {"challengeResponse": hashlib.sha256(text.encode()).hexdigest()}
        self._send(200, json.dumps(answer).encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.notices.append((self.headers["x-ebay-signature"], body))
        self._send(self.server.status, b"")

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class EndpointServer(HTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Endpoint)
        self.secret = SECRET
        self.status = 204
        self.notices: list[tuple[str, bytes]] = []
        self.url = f"http://127.0.0.1:{self.server_port}/webhooks/ebay/account-deletion"


@contextmanager
def serving() -> Iterator[EndpointServer]:
    with EndpointServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def test_challenge_is_accepted_with_the_right_hash_alone() -> None:
    with serving() as server:
        assert fire_challenge(server.url, SECRET, "code-1").accepted
        answer = fire_challenge(server.url, "b" * 40, "code-1")
        assert not answer.accepted
        assert answer.status == 200


@pytest.mark.parametrize(("status", "accepted"), [(200, True), (204, True), (412, False)])
def test_deletion_notice(status: int, accepted: bool) -> None:  # noqa: FBT001 - a case
    with serving() as server:
        server.status = status
        answer = fire_deletion(server.url, 7, NOON, username="made_up_seller_001")
        assert (answer.status, answer.accepted) == (status, accepted)
        ((_, body),) = server.notices
    notice = json.loads(body)
    assert notice["metadata"]["topic"] == "MARKETPLACE_ACCOUNT_DELETION"
    assert set(notice["notification"]) == {
        "notificationId",
        "eventDate",
        "publishDate",
        "publishAttemptCount",
        "data",
    }
    assert set(notice["notification"]["data"]) == {"username", "userId", "eiasToken"}


def test_signature_fits_the_published_key(world: World, tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not here to judge the signature")
    browser = Browser(world)
    with serving() as server:
        fire_deletion(server.url, world.seed, NOON, username="one")
        fire_deletion(server.url, world.seed, NOON, username="one", signed=False)
    verdicts = []
    for header, body in server.notices:
        head = json.loads(base64.b64decode(header))
        answer = tree(browser.ask(f"/commerce/notification/v1/public_key/{head['kid']}"))
        assert (answer["algorithm"], answer["digest"]) == ("ECDSA", "SHA1")
        text = answer["key"].removeprefix("-----BEGIN PUBLIC KEY-----").partition("-")[0]
        (tmp_path / "key.der").write_bytes(base64.b64decode(text))
        (tmp_path / "signature").write_bytes(base64.b64decode(head["signature"]))
        (tmp_path / "body").write_bytes(body)
        command = [openssl, "dgst", "-sha1", "-keyform", "DER", "-verify", "key.der"]
        command += ["-signature", "signature", "body"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        verdicts.append(done.stdout.strip())
    assert verdicts == ["Verified OK", "Verification failure"]


def test_nobody_there_is_said() -> None:
    with serving() as server:
        url = server.url
    answer = fire_challenge(url, SECRET, "code")
    assert (answer.status, answer.accepted) == (0, False)
    assert "not reached" in answer.why
    answer = fire_deletion(url, 7, NOON, username="one")
    assert "not reached" in answer.why


def test_only_http_addresses_are_called() -> None:
    with pytest.raises(ValueError, match="no http or https address"):
        fire_challenge("file:///etc/passwd", SECRET, "code")
