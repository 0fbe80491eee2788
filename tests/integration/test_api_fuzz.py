"""Whatever is sent to the API: no fault of the program, and every error a problem (RFC 9457)."""

import asyncio
import json
from collections import Counter
from typing import Any, NamedTuple
from urllib.parse import unquote

import pytest
import structlog
from fastapi import FastAPI

from tcgtracker.api.authentication import READING_POSTS
from tests.integration.api_cases import Case, CaseMaker
from tests.integration.api_subject import Header, RecordProperty, Subject

SHORT, LONG = 1_400, 12_000


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


async def ask(app: FastAPI, case: Case, headers: list[Header]) -> Answer:
    """Send a request as uvicorn would hand it over, with the bytes as they are."""
    parts = [case.body] if case.chunks == 1 else _pieces(case.body, case.chunks)
    waiting = [
        {"type": "http.request", "body": part, "more_body": place < len(parts) - 1}
        for place, part in enumerate(parts)
    ]
    status, got, body = 0, {}, bytearray()
    ended = asyncio.Event()

    async def receive() -> Any:
        if waiting:
            return waiting.pop(0)
        await ended.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        nonlocal status, got
        if message["type"] == "http.response.start":
            status = message["status"]
            got = {one.decode(): value.decode("latin-1") for one, value in message["headers"]}
            return
        body.extend(message.get("body", b""))
        ended.set()  # of a stream the first part is enough

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": case.method,
        "scheme": "http",
        "path": unquote(case.path),
        "raw_path": case.path.encode(),
        "query_string": case.query.encode(),
        "root_path": "",
        "headers": headers,
        "client": (f"127.0.{case.number // 250 % 250}.{case.number % 250}", 50_000),
        "server": ("127.0.0.1", 8000),
    }
    await asyncio.wait_for(app(scope, receive, send), 30)
    return Answer(status, got, bytes(body))


def _pieces(body: bytes, count: int) -> list[bytes]:
    size = len(body) // count + 1
    return [body[start : start + size] for start in range(0, len(body) or 1, size)]


def expected(case: Case) -> frozenset[int]:
    """Return the statuses that are right for a case, from the outermost layer inwards."""
    operation = case.operation
    names = [name for name, _ in case.headers]
    declared = case.only == 413 and b"content-length" in names
    if case.only in (421, 403) or (declared and (b"content-length", b"10") not in case.headers):
        return frozenset({case.only or 0})
    if case.method != operation.method or {404, 405} & case.beside:
        found = operation.statuses | case.beside
        return found | {401} if operation.guarded else found
    if operation.guarded and case.caller in ("nobody", "odd"):
        return frozenset({401})
    reads = case.method == "GET" or (
        operation.path.startswith(READING_POSTS) and not operation.path.endswith("/import")
    )
    if case.caller == "reader" and not reads and operation.guarded:
        return frozenset({403})
    if case.only is not None:
        return frozenset({case.only})
    return operation.statuses | case.beside


def fault_of(case: Case, answer: Answer) -> str:
    """Return what is wrong with an answer, '' when nothing is."""
    status = answer.status
    if status not in expected(case):
        return f"{status} is not among {sorted(expected(case))}"
    # no vendor is configured here
    asks_vendors = case.operation.path.startswith(("/api/v1/prices/update/", "/api/v1/search/"))
    if status >= 500 and not (status == 503 and asks_vendors):
        return f"{status} although nothing is out of order"
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if status in (204, 304):
        return "a body where there is none" if answer.body else ""
    if status < 400:
        if case.method != case.operation.method or {404, 405} & case.beside:
            return ""
        documented = case.operation.answers[str(status)].get("content", {})
        return "" if kind in documented else f"content type {kind}"
    if kind != "application/problem+json":
        return f"an error of content type {kind}"
    problem = json.loads(answer.body)
    if problem["status"] != status or not problem["title"]:
        return f"an odd problem: {problem}"
    if status in (429, 503) and not answer.headers.get("retry-after", "").isdigit():
        return f"{status} without Retry-After"
    if b"Traceback" in answer.body or len(answer.body) > 10_000:
        return "the answer tells too much"
    return ""


def run(subject: Subject, count: int) -> Counter[int]:
    """Send so many cases; return how often each status came."""
    maker = CaseMaker(subject.app.openapi(), subject.known)
    seen: Counter[int] = Counter()
    faults = []

    async def all_of_them() -> None:
        async with subject.app.router.lifespan_context(subject.app):
            for number in range(count):
                case = maker.case(number)
                with structlog.testing.capture_logs() as logs:
                    answer = await ask(
                        subject.app, case, [*case.headers, *subject.credentials(case.caller)]
                    )
                seen[answer.status] += 1
                fault = fault_of(case, answer)
                if fault:
                    reasons = [one.get("exc_info") and one for one in logs]
                    faults.append(f"{fault}\n  {case.told()}\n  {answer.body[:300]!r} {reasons}")
                if case.method == "POST" and case.path.endswith("/logout") and answer.status == 204:
                    subject.sign_in_again()

    asyncio.run(all_of_them())
    shown = "\n".join(faults[:20])
    assert not faults, f"{len(faults)} of {count} cases:\n{shown}"
    return seen


def test_odd_requests_are_answered_with_problems(
    subject: Subject, record_property: RecordProperty
) -> None:
    seen = run(subject, SHORT)
    record_property("cases", SHORT)
    record_property("statuses", dict(sorted(seen.items())))
    # that much of it gets as far as the routes
    assert seen[200] > SHORT / 20
    assert seen[422] > SHORT / 20


@pytest.mark.long
def test_many_odd_requests_are_answered_with_problems(
    subject: Subject, record_property: RecordProperty, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = run(subject, LONG)
    record_property("cases", LONG)
    record_property("statuses", dict(sorted(seen.items())))
    with capsys.disabled():
        print(f"\n{LONG} cases: {dict(sorted(seen.items()))}")
