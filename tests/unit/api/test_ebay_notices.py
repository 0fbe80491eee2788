"""eBay's account deletion notices: the proof, the signature, and that nobody is named."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tcgtracker.api.app import create_app
from tcgtracker.api.ebay_notices import MAX_NOTICE_BYTES, PATH
from tcgtracker.operations.audit import Actor
from tcgtracker.quotes.notice_keys import MOST_ASKED
from tcgtracker.sandbox.ebay_signature import signature_header
from tcgtracker.sandbox.serving import Sandbox
from tcgtracker.tracker import Tracker
from tests.integration.sandboxed import a_sandbox, a_tracker, world_of
from tests.unit.api.conftest import Ask, asking

TOKEN = "t" * 40
ENDPOINT = f"https://cards.example{PATH}"
USER = "a_seller_of_cards"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with a_sandbox() as running:
        yield running


@pytest.fixture
def tracker(
    sandbox: Sandbox, tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Tracker]:
    configured = {"API_EBAY_VERIFICATION_TOKEN": TOKEN, "API_EBAY_ENDPOINT": ENDPOINT}
    tracker = a_tracker(sandbox, tmp_path, sqlite_url, monkeypatch, **configured)
    yield tracker
    tracker.close()
    sandbox.clear_faults()


@pytest.fixture
def ask(tracker: Tracker) -> Ask:
    return asking(create_app(tracker), "")


@pytest.fixture
def key_calls(sandbox: Sandbox) -> Callable[[], int]:
    """How often the sandbox was asked for a key, since now."""
    before = len(sandbox.calls("ebay"))

    def count() -> int:
        calls = sandbox.calls("ebay")[before:]
        return sum("public_key" in call.path for call in calls)

    return count


def signed(body: bytes, seed: int) -> dict[str, str]:
    return {"x-ebay-signature": signature_header(body, seed)}


def a_notice(**metadata: Any) -> dict[str, Any]:
    return {
        "metadata": {
            "topic": "MARKETPLACE_ACCOUNT_DELETION",
            "schemaVersion": "1.0",
            "deprecated": False,
            **metadata,
        },
        "notification": {
            "notificationId": "49feeaeb-4982-42d9-a377-9645b8479411",
            "eventDate": "2026-05-01T12:00:00.000Z",
            "publishDate": "2026-05-01T12:00:00.000Z",
            "publishAttemptCount": 1,
            "data": {"username": USER, "userId": "ma8vp1jySJC", "eiasToken": "nY+sHZ2"},
        },
    }


def test_the_challenge_is_answered_with_the_proof(ask: Ask) -> None:
    answer = ask("GET", PATH, params={"challenge_code": "a71 +/ü"})
    proof = hashlib.sha256(f"a71 +/ü{TOKEN}{ENDPOINT}".encode()).hexdigest()
    assert (answer.status_code, answer.json()) == (200, {"challengeResponse": proof})
    assert answer.headers["content-type"] == "application/json"
    assert ask("GET", PATH).status_code == 422


def test_a_signed_notice_is_answered_and_nobody_is_named(
    ask: Ask, sandbox: Sandbox, key_calls: Callable[[], int], capsys: pytest.CaptureFixture[str]
) -> None:
    body = json.dumps(a_notice()).encode()
    for _ in range(3):
        answer = ask("POST", PATH, content=body, headers=signed(body, world_of(sandbox).seed))
        assert (answer.status_code, answer.content) == (204, b""), answer.text
    assert key_calls() == 1  # the key was kept
    said = "".join(capsys.readouterr())
    assert "ebay.account_deletion_noticed" in said
    for secret in (USER, "ma8vp1jySJC", "nY+sHZ2", TOKEN):
        assert secret not in said


def bent(header: str, **changes: str) -> str:
    said = json.loads(base64.b64decode(header)) | changes
    return base64.b64encode(json.dumps(said).encode()).decode()


def test_what_ebay_did_not_sign_is_refused_unrepeated(ask: Ask, sandbox: Sandbox) -> None:
    body = json.dumps(a_notice()).encode()
    seed = world_of(sandbox).seed
    good = signature_header(body, seed)
    other_key = signature_header(body, seed + 1)
    wrong = {
        "none": "",
        "no base64": "!!!",
        "no JSON": base64.b64encode(b"{").decode(),
        "no key": base64.b64encode(b'{"signature": "AAAA"}').decode(),
        "key of a path": bent(good, kid="../../oauth2/token"),
        "empty signature": bent(good, signature=""),
        "no signature": bent(good, signature="AAAA"),
        "of another body": signature_header(b"another body", seed),
        "by an unknown key": other_key,
        "by another key under this id": bent(
            other_key, kid=json.loads(base64.b64decode(good))["kid"]
        ),
        "far too long": base64.b64encode(b" " * 5_000).decode(),
        "deep": base64.b64encode(b"[" * 1_000).decode(),
    }
    for name, header in wrong.items():
        answer = ask("POST", PATH, content=body, headers={"x-ebay-signature": header})
        assert answer.status_code == 412, (name, answer.text)
        assert USER not in answer.text
    longer = body + b" "
    assert ask("POST", PATH, content=longer, headers=signed(body, seed)).status_code == 412
    assert ask("POST", PATH, content=body, headers=signed(body, seed)).status_code == 204


def test_while_the_key_cannot_be_had_ebay_is_to_send_it_again(
    ask: Ask, sandbox: Sandbox, tracker: Tracker
) -> None:
    body = json.dumps(a_notice()).encode()
    headers = signed(body, world_of(sandbox).seed)
    sandbox.fault("server_error", vendor="ebay")
    answer = ask("POST", PATH, content=body, headers=headers)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    sandbox.clear_faults()
    tracker.administration.resume("ebay", by=Actor())  # its breaker
    assert ask("POST", PATH, content=body, headers=headers).status_code == 204


def test_made_up_keys_do_not_spend_the_quota(
    ask: Ask, sandbox: Sandbox, key_calls: Callable[[], int]
) -> None:
    body = json.dumps(a_notice()).encode()
    good = signature_header(body, world_of(sandbox).seed)
    statuses = [
        ask("POST", PATH, content=body, headers={"x-ebay-signature": bent(good, kid=f"k{number}")})
        for number in range(MOST_ASKED + 4)
    ]
    assert [one.status_code for one in statuses] == [412] * MOST_ASKED + [503] * 4
    assert key_calls() == MOST_ASKED
    again = ask("POST", PATH, content=body, headers={"x-ebay-signature": bent(good, kid="k0")})
    assert again.status_code == 412  # known to be unknown
    assert key_calls() == MOST_ASKED


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff\xfe",
        b'{"metadata": {"topic": "x"}, "notification": {"data": {}}}',
        b'{"metadata": {"topic": 1}, "notification": {"data": {"username": "a_seller_of_cards"}}}',
        b"[" * 10_000,
        b'{"username": "a_seller_of_cards", "x": "' + b"x" * MAX_NOTICE_BYTES + b'"}',
    ],
)
def test_what_is_no_notice_is_refused_unrepeated(ask: Ask, body: bytes) -> None:
    answer = ask("POST", PATH, content=body)
    assert answer.status_code == 400
    assert USER not in answer.text


def test_another_topic_is_refused(ask: Ask) -> None:
    assert ask("POST", PATH, json=a_notice(topic="ITEM_SOLD")).status_code == 400
