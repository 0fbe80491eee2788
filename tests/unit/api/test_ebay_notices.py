"""eBay's account deletion notices: the proof, the answer, and that nothing is told of anybody."""

import hashlib
from typing import Any

import pytest
from pydantic import SecretStr

from tcgtracker.api.app import create_app
from tcgtracker.api.ebay_notices import MAX_NOTICE_BYTES, PATH
from tcgtracker.tracker import Tracker
from tests.unit.api.conftest import Ask, asking

TOKEN = "t" * 40
ENDPOINT = f"https://cards.example{PATH}"
USER = "a_seller_of_cards"


@pytest.fixture
def ask(tracker: Tracker) -> Ask:
    tracker.settings.ebay.verification_token = SecretStr(TOKEN)
    tracker.settings.ebay.endpoint = ENDPOINT
    return asking(create_app(tracker), "")


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


def test_a_notice_is_answered_and_nobody_is_named(
    ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = ask("POST", PATH, json=a_notice())
    assert (answer.status_code, answer.content) == (204, b"")
    said = "".join(capsys.readouterr())
    assert "ebay.account_deletion_noticed" in said
    for secret in (USER, "ma8vp1jySJC", "nY+sHZ2", TOKEN):
        assert secret not in said


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
