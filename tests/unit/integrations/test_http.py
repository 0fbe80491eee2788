"""The base of all vendors: order of steps, statuses, verdicts, repetition, patience, ends."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from tcgtracker.domain.clock import FixedClock
from tcgtracker.domain.errors import (
    BadCredentials,
    ContractBroken,
    QuotaExhausted,
    RateLimited,
    RequestRefused,
    SourcePaused,
    Unavailable,
    VendorError,
)
from tcgtracker.integrations.contract import CallPolicy
from tcgtracker.integrations.http import Answer, VendorHttp, Verdict
from tcgtracker.runtime.ports import CallOutcome, ReportedQuota
from tests.raw_server import RawServer, Reply, a_reply
from tests.unit.integrations.vendor_ports import (
    NOW,
    QUICK,
    TWICE,
    Ports,
    a_client,
    asked,
    failing,
    get,
)

OK, FAILED, REFUSED = CallOutcome.OK, CallOutcome.FAILED, CallOutcome.REFUSED
BAD_KEY, ABANDONED = CallOutcome.BAD_CREDENTIALS, CallOutcome.ABANDONED


def test_call_sends_what_was_asked_and_says_who_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")  # must not be used
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    server, ports = RawServer(a_reply(b'{"price": 1.10}', X_Request_Id="abc")), Ports()

    async def post(client: VendorHttp) -> Answer:
        return await client.call(
            "cards_batch",
            "POST",
            "/v1/cards",
            policy=QUICK,
            params={"q": "a b&c"},
            headers={"X-Api-Key": "key"},
            content=b"[]",
        )

    answer = asyncio.run(asked(server, ports, post))
    head = server.requests[0].decode()
    assert head.startswith("POST /v1/cards?q=a+b%26c HTTP/1.1\r\n")
    assert "user-agent: tcgtracker/" in head.lower()
    assert "accept-encoding: gzip\r\n" in head.lower()
    assert "x-api-key: key\r\n" in head.lower()
    assert str(answer.json()["price"]) == "1.10"
    assert answer.headers["x-request-id"] == answer.request_id == "abc"
    assert ports.steps == ["place", "enter", "leave"]
    assert ports.patience == [QUICK.patience_s]
    assert ports.outcomes == [OK]


def test_no_place_spends_no_quota_and_says_when_to_come_back() -> None:
    server, ports = RawServer(a_reply()), Ports(no_place_for_s=90)
    error = failing(server, ports, TWICE)
    assert isinstance(error, SourcePaused)  # no attempt of the job: nobody was asked
    assert error.until == NOW + timedelta(seconds=90)
    assert ports.steps == ["place"]
    assert not server.requests


def test_refusal_of_the_gate_makes_no_call() -> None:
    paused = SourcePaused("shop", "product", "open", until=NOW)
    server, ports = RawServer(a_reply()), Ports(refusal=paused)
    assert failing(server, ports, TWICE) is paused
    assert ports.steps == ["place", "enter"]
    assert not server.requests


@pytest.mark.parametrize(
    ("status", "kind", "outcome"),
    [
        (401, BadCredentials, BAD_KEY),
        (400, RequestRefused, REFUSED),
        (403, RequestRefused, REFUSED),
        (404, RequestRefused, REFUSED),
        (408, Unavailable, REFUSED),
        (429, RateLimited, REFUSED),
        (500, Unavailable, FAILED),
        (503, Unavailable, FAILED),
        (599, Unavailable, FAILED),
        (201, ContractBroken, REFUSED),
    ],
)
def test_status_says_what_to_do_next(
    status: int, kind: type[VendorError], outcome: CallOutcome
) -> None:
    ports = Ports()
    error = failing(RawServer(a_reply(b"no", status=status, CF_Ray="77")), ports)
    assert type(error) is kind
    assert str(status) in str(error)
    assert error.request_id == "77"
    assert ports.outcomes == [outcome]
    assert ports.left[0].message == str(error)


def test_refused_request_is_quoted_short_and_escaped() -> None:
    body = b"no such\r\ncard \x1b[31m<b>" + b"x" * 500
    error = failing(RawServer(a_reply(body, status=404)), Ports())
    assert "no such\\\\r\\\\ncard" in str(error)
    assert str(error).isprintable()
    assert len(str(error)) < 150


def test_accepted_status_is_an_answer() -> None:
    async def get_absent(client: VendorHttp) -> Answer:
        return await client.call("p", "GET", "/", policy=QUICK, accept=(200, 404))

    ports = Ports()
    reply = a_reply(b"{}", status=404)
    assert asyncio.run(asked(RawServer(reply), ports, get_absent)).status == 404
    assert ports.outcomes == [OK]


UNTIL = NOW + timedelta(hours=9)


@pytest.mark.parametrize(
    ("status", "make", "outcome", "not_before"),
    [
        (200, lambda a: BadCredentials(a.vendor, a.operation, "key"), BAD_KEY, None),
        (
            429,
            lambda a: QuotaExhausted(a.vendor, a.operation, "day", until=UNTIL),
            REFUSED,
            UNTIL,
        ),
        (403, lambda a: SourcePaused(a.vendor, a.operation, "plan", until=UNTIL), REFUSED, UNTIL),
        (200, lambda a: Unavailable(a.vendor, a.operation, "busy"), FAILED, None),
        (500, lambda a: RequestRefused(a.vendor, a.operation, "id"), REFUSED, None),
        (200, lambda a: a.broken("shape"), REFUSED, None),
    ],
)
def test_verdict_of_the_client_goes_before_the_status(
    status: int,
    make: Callable[[Answer], VendorError],
    outcome: CallOutcome,
    not_before: datetime | None,
) -> None:
    left = (ReportedQuota("day", 3, 100),)

    def judge(answer: Answer) -> Verdict:
        assert answer.json() == {"code": 7}
        return Verdict(make(answer), left)

    async def get_judged(client: VendorHttp) -> Answer:
        return await client.call("p", "GET", "/", policy=QUICK, judge=judge)

    ports = Ports()
    reply = a_reply(b'{"code": 7}', status=status, X_Request_Id="abc")
    with pytest.raises(VendorError) as caught:
        asyncio.run(asked(RawServer(reply), ports, get_judged))
    assert type(caught.value) is type(make(Answer("shop", "p", 0, {}, b"", "")))
    assert caught.value.request_id == "abc"
    assert ports.outcomes == [outcome]
    assert ports.left[0].not_before == not_before
    assert ports.left[0].reported == left


@pytest.mark.parametrize(("status", "kind"), [(200, ContractBroken), (502, Unavailable)])
def test_judge_may_stumble_over_a_body_that_is_no_json(
    status: int, kind: type[VendorError]
) -> None:
    def judge(answer: Answer) -> Verdict | None:
        answer.json()
        return None

    async def get_judged(client: VendorHttp) -> Answer:
        return await client.call("p", "GET", "/", policy=QUICK, judge=judge)

    with pytest.raises(kind):
        asyncio.run(asked(RawServer(a_reply(b"<p>", status=status)), Ports(), get_judged))


def test_fault_of_the_judge_gives_the_ticket_back() -> None:
    def judge(answer: Answer) -> Verdict | None:
        raise KeyError("bug")

    async def get_judged(client: VendorHttp) -> Answer:
        return await client.call("p", "GET", "/", policy=QUICK, judge=judge)

    ports = Ports()
    with pytest.raises(KeyError):
        asyncio.run(asked(RawServer(a_reply()), ports, get_judged))
    assert ports.outcomes == [ABANDONED]


def test_retry_after_is_told_to_the_gate() -> None:
    ports = Ports()
    error = failing(RawServer(a_reply(status=429, Retry_After="120")), ports, TWICE)
    assert isinstance(error, RateLimited)
    assert error.retry_at == ports.left[0].not_before == NOW + timedelta(seconds=120)
    assert len(ports.left) == 1  # too long to be slept


def test_retry_after_counts_also_when_the_rest_of_the_answer_is_cut() -> None:
    ports = Ports()
    error = failing(RawServer(a_reply(b"{", length=99, status=429, Retry_After="120")), ports)
    assert isinstance(error, RateLimited)
    assert ports.left[0].not_before == NOW + timedelta(seconds=120)
    assert ports.outcomes == [REFUSED]


def test_retry_after_of_an_outage_is_told_to_the_gate() -> None:
    ports = Ports()
    error = failing(RawServer(a_reply(status=503, Retry_After="120")), ports, TWICE)
    assert isinstance(error, Unavailable)
    assert ports.left[0].not_before == NOW + timedelta(seconds=120)
    assert ports.outcomes == [FAILED]


def test_refusals_without_a_wait_are_waited_out_longer_each_time() -> None:
    clock = FixedClock(NOW)
    waits: list[float] = []

    async def ask_often(client: VendorHttp) -> None:
        for _ in range(3):
            with pytest.raises(RateLimited) as caught:
                await get(client)
            waits.append((caught.value.retry_at - clock.now()).total_seconds())
            clock.set(caught.value.retry_at)
        await get(client)
        with pytest.raises(RateLimited) as caught:
            await get(client)
        waits.append((caught.value.retry_at - clock.now()).total_seconds())

    fast = a_reply(b"too fast", status=429)
    server = RawServer(fast, fast, fast, a_reply(), fast)
    asyncio.run(asked(server, Ports(), ask_often, clock=clock, default_retry_after_s=10))
    assert 10 <= waits[0] < 12.5
    assert 20 <= waits[1] < 25
    assert 40 <= waits[2] < 50
    assert 10 <= waits[3] < 12.5  # an answer in between begins anew


@pytest.mark.parametrize(
    "first",
    [
        a_reply(status=500),
        a_reply(status=408),
        a_reply(b"{", length=99),
        a_reply(status=429, Retry_After="-1"),
    ],
)
def test_passing_trouble_is_repeated_in_a_call_of_two_attempts(first: Reply) -> None:
    server, ports = RawServer(first, a_reply(b"[1]")), Ports()
    answer = asyncio.run(asked(server, ports, lambda client: get(client, TWICE)))
    assert answer.json() == [1]
    assert ports.steps == ["place", "enter", "leave"] * 2
    assert len(server.requests) == 2


def test_call_of_one_attempt_is_not_repeated() -> None:
    server, ports = RawServer(a_reply(status=500)), Ports()
    failing(server, ports, QUICK)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 302, 201])
def test_what_will_not_change_is_not_repeated(status: int) -> None:
    server, ports = RawServer(a_reply(status=status, Location="/x")), Ports()
    failing(server, ports, CallPolicy(attempts=5, deadline_s=5))
    assert len(server.requests) == 1


def test_last_attempt_raises_what_it_met() -> None:
    server, ports = RawServer(a_reply(status=500), a_reply(status=503)), Ports()
    error = failing(server, ports, TWICE)
    assert "503" in str(error)
    assert len(server.requests) == 2


def test_outage_is_not_doubled_by_repetition() -> None:
    async def ask_often(client: VendorHttp) -> None:
        for _ in range(40):
            with pytest.raises(Unavailable):
                await get(client, TWICE)

    server = RawServer(a_reply(status=500))
    asyncio.run(asked(server, Ports(), ask_often, backoff_s=0.0))
    assert 40 < len(server.requests) <= 40 + 3 + 40 / 5


@pytest.mark.parametrize("headers", [{"X-Api-Key": "line\r\nbreak"}, {"X-Api-Key": "naïve€"}])
def test_request_that_cannot_be_written_is_refused_without_quoting_it(
    headers: dict[str, str],
) -> None:
    async def get_with(client: VendorHttp) -> Answer:
        return await client.call("p", "GET", "/", policy=QUICK, headers=headers)

    server, ports = RawServer(a_reply()), Ports()
    with pytest.raises(RequestRefused, match="cannot be written as HTTP"):
        asyncio.run(asked(server, ports, get_with))
    assert ports.outcomes in ([], [CallOutcome.NOT_MADE])
    assert not server.requests


def test_address_that_is_no_http_is_our_fault() -> None:
    ports = Ports()
    with pytest.raises(RequestRefused):
        asyncio.run(get(a_client("ftp://127.0.0.1", ports)))
    assert ports.outcomes == [CallOutcome.NOT_MADE]


def test_client_belongs_to_one_loop() -> None:
    async def once() -> None:
        async with RawServer(a_reply()) as server:
            client._base_url = server.url
            await get(client)

    ports = Ports()
    client = a_client("http://127.0.0.1", ports)
    asyncio.run(once())
    with pytest.raises(RuntimeError, match="another event loop"):
        asyncio.run(once())
