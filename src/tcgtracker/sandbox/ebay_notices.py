"""Call our account-deletion endpoint as eBay does (vendors/ebay.md section 5).

The one place of the eBay sandbox that opens a connection; the control port calls it.
"""

import hashlib
import json
import uuid
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import quote, urlsplit

from tcgtracker.sandbox.chance import key_of
from tcgtracker.sandbox.ebay_signature import signature_header

_TIMEOUT_S = 10
_MAX_ANSWER = 10_000
_ACCEPTED = (200, 201, 202, 204)


@dataclass(frozen=True, slots=True)
class NoticeAnswer:
    """What the endpoint said; status 0 when it could not be reached, `why` says what is wrong."""

    status: int
    body: str
    why: str = ""

    @property
    def accepted(self) -> bool:
        return not self.why


def fire_challenge(endpoint: str, verification_token: str, code: str) -> NoticeAnswer:
    """Ask the endpoint to prove that it knows the verification token."""
    join = "&" if urlsplit(endpoint).query else "?"
    status, kind, body = _call("GET", f"{endpoint}{join}challenge_code={quote(code)}")
    wanted = hashlib.sha256(f"{code}{verification_token}{endpoint}".encode()).hexdigest()
    return NoticeAnswer(status, body, _challenge_fault(status, kind, body, wanted))


def fire_deletion(
    endpoint: str, seed: int, now: datetime, *, username: str, signed: bool = True
) -> NoticeAnswer:
    """Tell the endpoint that a user closed the account.

    signed: False sends a signature of another body, which the endpoint should refuse with 412.
    """
    moment = f"{now:%Y-%m-%dT%H:%M:%S}.000Z"
    user = f"{key_of(seed, username):016x}"
    tree = {
        "metadata": {
            "topic": "MARKETPLACE_ACCOUNT_DELETION",
            "schemaVersion": "1.0",
            "deprecated": False,
        },
        "notification": {
            "notificationId": f"{uuid.UUID(int=key_of(seed, username, moment))}_{user}",
            "eventDate": moment,
            "publishDate": moment,
            "publishAttemptCount": 1,
            "data": {"username": username, "userId": user, "eiasToken": f"nY+{user}=="},
        },
    }
    body = json.dumps(tree).encode()
    signature = signature_header(body if signed else b"another body", seed)
    headers = {"Content-Type": "application/json", "x-ebay-signature": signature}
    status, _, answer = _call("POST", endpoint, body, headers)
    why = "" if status in _ACCEPTED else f"status {status}, not one of {_ACCEPTED}"
    return NoticeAnswer(status, answer, why if status else answer)


def _challenge_fault(status: int, kind: str, body: str, wanted: str) -> str:
    if status != 200:  # noqa: PLR2004 - the one status that eBay takes
        return f"status {status}" if status else body
    if kind.partition(";")[0].strip().lower() != "application/json":
        return f"content type {kind!r}"
    try:
        tree = json.loads(body)
    except ValueError:
        return "no JSON"
    given = tree.get("challengeResponse") if isinstance(tree, dict) else None
    return "" if given == wanted else "challengeResponse is not the expected hash"


def _call(
    method: str, url: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> tuple[int, str, str]:
    """Return status, content type and body; status 0 and the reason without an answer.

    Raises:
        ValueError: no http or https address.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is no http or https address")
    opener = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = opener(parts.hostname, parts.port, timeout=_TIMEOUT_S)
    try:
        path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        connection.request(method, path, body or None, headers or {})
        answer = connection.getresponse()
        text = answer.read(_MAX_ANSWER).decode("utf-8", "replace")
        return answer.status, answer.getheader("Content-Type", ""), text
    except (OSError, HTTPException) as exc:
        return 0, "", f"not reached: {exc}"
    finally:
        connection.close()
