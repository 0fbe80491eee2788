"""Every call that reached the sandbox, counted where the vendor counts it: at its own door."""

import hashlib
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from threading import Lock

from tcgtracker.domain.clock import iso
from tcgtracker.sandbox.wire import Request

SECRET_FIELDS = frozenset({"t", "key", "token", "access_token", "api_key", "client_secret"})
"""Query parameters that carry a key at one of the vendors."""
_SECRET_HEADERS = ("x-api-key", "authorization")
_KEPT_CALLS = 200_000
_KEPT_BYTES = 256 * 1024 * 1024


@dataclass(slots=True)
class Call:
    """One call. Statuses below 100 mean that no status line was sent.

    at: by the sandbox's clock; real_at: by the machine's. key: digest of the key that came along,
    '' for none. whole: the answer was sent to its end, as far as the sandbox can tell.
    """

    number: int
    vendor: str
    at: datetime
    real_at: datetime
    method: str
    path: str
    query: dict[str, list[str]]
    key: str = ""
    sent_bytes: int = 0
    sent_digest: str = ""
    status: int = 0
    faults: tuple[str, ...] = ()
    answer_bytes: int = 0
    answer_digest: str = ""
    whole: bool = False

    def as_json(self) -> dict[str, object]:
        return {
            "number": self.number,
            "vendor": self.vendor,
            "at": iso(self.at),
            "real_at": iso(self.real_at),
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "key": self.key,
            "sent_bytes": self.sent_bytes,
            "sent_digest": self.sent_digest,
            "status": self.status,
            "faults": list(self.faults),
            "answer_bytes": self.answer_bytes,
            "answer_digest": self.answer_digest,
            "whole": self.whole,
        }


@dataclass(frozen=True, slots=True)
class ServedBody:
    """A successful answer as it left, before compression."""

    call: int
    vendor: str
    at: datetime
    body: bytes
    csv: bool


class Ledger:
    """The log of calls, and the bodies in which prices were served. Safe between threads.

    What no longer fits is dropped from the oldest on, and counted: nobody proves a quota with a
    log that has holes without knowing it.
    """

    def __init__(self, *, kept_calls: int = _KEPT_CALLS, kept_bytes: int = _KEPT_BYTES) -> None:
        self._kept_calls = kept_calls
        self._kept_bytes = kept_bytes
        self._lock = Lock()
        self._numbers = count(1)
        self._calls: deque[Call] = deque()
        self._bodies: deque[ServedBody] = deque()
        self._bytes = 0
        self._same: dict[str, bytes] = {}
        self.dropped_calls = 0
        self.dropped_bodies = 0

    def received(self, vendor: str, request: Request, at: datetime, real_at: datetime) -> Call:
        """Log a call when it arrives; the rest is filled in as it is answered."""
        call = Call(
            next(self._numbers),
            vendor,
            at,
            real_at,
            request.method,
            request.path,
            masked(request.query),
            key=key_digest(request),
            sent_bytes=len(request.body),
            sent_digest=digest(request.body),
        )
        with self._lock:
            self._calls.append(call)
            if len(self._calls) > self._kept_calls:
                self._calls.popleft()
                self.dropped_calls += 1
        return call

    def served(self, call: Call, body: bytes, *, csv: bool) -> None:
        """Keep a body that left whole, so that its prices can be listed later."""
        with self._lock:
            if call.answer_digest not in self._same:  # one copy of equal answers
                self._same[call.answer_digest] = body
                self._bytes += len(body)
            kept = self._same[call.answer_digest]
            self._bodies.append(ServedBody(call.number, call.vendor, call.at, kept, csv))
            while self._bytes > self._kept_bytes and len(self._bodies) > 1:
                old = self._bodies.popleft()
                self.dropped_bodies += 1
                if all(other.body is not old.body for other in self._bodies):
                    del self._same[digest(old.body)]
                    self._bytes -= len(old.body)

    def calls(self, vendor: str = "", since: int = 0) -> list[Call]:
        """Return the calls with a number above `since`, of one vendor or of all."""
        with self._lock:
            return [
                call for call in self._calls if call.number > since and vendor in ("", call.vendor)
            ]

    def bodies(self, vendor: str = "", since: int = 0) -> list[ServedBody]:
        """Return the served bodies of calls above `since`."""
        with self._lock:
            return [
                body for body in self._bodies if body.call > since and vendor in ("", body.vendor)
            ]

    def clear(self) -> None:
        """Forget everything; numbers go on, so that `since` stays usable."""
        with self._lock:
            self._calls.clear()
            self._bodies.clear()
            self._same.clear()
            self._bytes = self.dropped_calls = self.dropped_bodies = 0


def digest(body: bytes) -> str:
    """Return a short SHA-256 digest, '' for nothing."""
    return hashlib.sha256(body).hexdigest()[:16] if body else ""


def masked(query: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """Return the query with the values of keys replaced."""
    return {
        name: ["***" if name.lower() in SECRET_FIELDS else value for value in values]
        for name, values in query.items()
    }


def key_digest(request: Request) -> str:
    """Return the digest of the key that the call carries, '' for none."""
    for header in _SECRET_HEADERS:
        if value := request.headers.get(header):
            return digest(value.encode("utf-8", "surrogateescape"))
    for name in request.query:
        if name.lower() in SECRET_FIELDS and (value := request.arg(name)):
            return digest(value.encode("utf-8", "surrogateescape"))
    return ""
