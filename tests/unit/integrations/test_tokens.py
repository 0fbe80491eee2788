"""Tokens are asked for once, shared, renewed in time, and given up in the open."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tcgtracker.domain.clock import FixedClock
from tcgtracker.domain.errors import BadCredentials, ContractBroken, Unavailable
from tcgtracker.integrations.contract import JOB_CALL, LIVE_CALL
from tcgtracker.integrations.http import Answer
from tcgtracker.integrations.tokens import TokenCalls, TokenRequest
from tcgtracker.runtime.ports import CallOutcome
from tests.unit.integrations.asking import NOW, Scripted, answering, ask
from tests.unit.integrations.calling import OpenGate

REQUEST = TokenRequest(
    path="/token",
    scheme="bearer",
    renew_before=timedelta(hours=1),
    form={"grant_type": "client_credentials", "client_secret": "a b&c"},
)
LIFE_S = 14 * 86_400


class Office:
    """Gives tokens t1, t2 ... and takes those that the test names as good."""

    def __init__(self, *, good=("t1", "t2", "t3"), lives=(LIFE_S,)):
        self.good = set(good)
        self.lives = list(lives)
        self.given = 0
        self.broken = None

    def __call__(self, request):
        if request.path == "/token":
            self.given += 1
            if self.broken is not None:
                return self.broken
            life = self.lives.pop(0) if self.lives[1:] else self.lives[0]
            return answering({"access_token": f"t{self.given}", "expires_in": life})
        word, _, token = request.headers.get("authorization", "").partition(" ")
        assert word == "bearer"
        return answering({"seen": token}) if token in self.good else answering({}, 401)


def calls_of(office, do, *, gate=None, clock=None):
    vendor = Scripted(office)
    clock = clock or FixedClock(NOW)

    async def run(http):
        calls = TokenCalls(http, REQUEST, clock)
        return await do(lambda: calls.get("x", "/x", policy=JOB_CALL))

    return ask(vendor, run, gate=gate, clock=clock), vendor


def test_callers_at_the_same_time_share_one_token():
    office = Office()

    answers, vendor = calls_of(office, lambda get: asyncio.gather(*(get() for _ in range(20))))

    assert {answer.json()["seen"] for answer in answers} == {"t1"}
    assert vendor.count("/token") == 1
    assert vendor.count("/x") == 20


def test_the_token_is_asked_for_with_a_form():
    _, vendor = calls_of(Office(), lambda get: get())

    request = vendor.asked[0]
    assert request.method == "POST"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.body == b"grant_type=client_credentials&client_secret=a+b%26c"


def test_a_refused_token_is_exchanged_once_for_all_callers():
    office = Office(good=("t2",))

    answers, vendor = calls_of(office, lambda get: asyncio.gather(*(get() for _ in range(20))))

    assert {answer.json()["seen"] for answer in answers} == {"t2"}
    assert vendor.count("/token") == 2


def test_a_new_token_that_is_refused_too_ends_it():
    office, gate = Office(good=()), OpenGate()

    with pytest.raises(BadCredentials):
        calls_of(office, lambda get: get(), gate=gate)

    assert office.given == 2
    assert gate.outcomes[-1] is CallOutcome.BAD_CREDENTIALS


@pytest.mark.parametrize(
    ("passed", "tokens"),
    [(timedelta(days=13, hours=22), 1), (timedelta(days=13, hours=23, minutes=1), 2)],
)
def test_a_token_is_exchanged_within_the_last_hour_of_its_life(passed, tokens):
    office, clock = Office(), FixedClock(NOW)

    async def twice(get):
        await get()
        clock.advance(passed)
        return await get()

    calls_of(office, twice, clock=clock)

    assert office.given == tokens


def test_a_short_life_does_not_ask_again_at_each_call():
    office = Office(lives=(60,))

    async def thrice(get):
        return [await get() for _ in range(3)]

    calls_of(office, thrice)

    assert office.given == 1


def test_while_the_old_token_lives_an_office_that_is_down_costs_nothing():
    office, clock, gate = Office(), FixedClock(NOW), OpenGate()

    async def later(get):
        await get()
        clock.advance(timedelta(days=13, hours=23, minutes=30))
        office.broken = answering({}, 503)
        answers = [await get() for _ in range(3)]
        clock.advance(timedelta(minutes=6))
        return [*answers, await get()]

    answers, _ = calls_of(office, later, clock=clock, gate=gate)

    assert {answer.json()["seen"] for answer in answers} == {"t1"}
    assert office.given == 3  # the first, one try in the last hour, one five minutes later


def test_an_office_that_is_down_is_asked_once_by_all_callers():
    office = Office()
    office.broken = answering(b"<html>", 502)

    async def many(get):
        return await asyncio.gather(*(get() for _ in range(20)), return_exceptions=True)

    errors, vendor = calls_of(office, many)

    assert {type(error) for error in errors} == {Unavailable}
    assert vendor.count("/token") == 1
    assert vendor.count("/x") == 0


def test_after_a_failure_the_next_caller_asks_again():
    office = Office()
    office.broken = answering({}, 500)

    async def mended(get):
        with pytest.raises(Unavailable):
            await get()
        office.broken = None
        return await get()

    answer, _ = calls_of(office, mended)

    assert answer.json()["seen"] == "t2"


@pytest.mark.parametrize("status", [400, 401])
def test_a_bad_key_is_said_to_be_one(status):
    office, gate = Office(), OpenGate()
    office.broken = answering({"error": "invalid_client"}, status)

    with pytest.raises(BadCredentials, match=f"{status}, invalid_client"):
        calls_of(office, lambda get: get(), gate=gate)

    assert office.given == 1
    assert gate.outcomes == [CallOutcome.BAD_CREDENTIALS]


def test_a_token_that_is_over_on_arrival_is_exchanged_once():
    office = Office(lives=(0, LIFE_S))

    answer, _ = calls_of(office, lambda get: get())

    assert answer.json()["seen"] == "t2"


def test_only_tokens_that_are_over_end_it():
    office, gate = Office(lives=(-5,)), OpenGate()

    with pytest.raises(BadCredentials, match="ended already"):
        calls_of(office, lambda get: get(), gate=gate)

    assert office.given == 2
    assert gate.outcomes[-1] is CallOutcome.BAD_CREDENTIALS


@pytest.mark.parametrize(
    "body",
    [
        {"access_token": "secret token", "expires_in": 5},
        {"access_token": "secret-token", "expires_in": "soon"},
        {"access_token": "secret-token"},
        b'{"access_token": "secret-token", "expires_',
        ["secret-token"],
    ],
)
def test_an_answer_that_is_no_token_is_not_shown(body):
    office = Office()
    office.broken = answering(body)

    with pytest.raises(ContractBroken, match="as documented") as caught:
        calls_of(office, lambda get: get())

    error = caught.value
    assert "secret" not in f"{error!r} {error.__cause__!r} {error.__context__!r}"


def test_a_token_that_the_vendor_repeats_is_not_shown():
    def repeating(request):
        if request.path == "/token":
            return answering({"access_token": "secret-token", "expires_in": 7200})
        return answering(
            b"no: " + request.headers["authorization"].removeprefix("bearer ").encode()
        )

    async def decoded(get):
        (await get()).json()

    with pytest.raises(ContractBroken) as caught:
        calls_of(repeating, decoded)

    assert "secret" not in str(caught.value)


def test_a_caller_that_gives_up_does_not_stop_the_others():
    office = Office()

    async def one_leaves(get):
        first = asyncio.ensure_future(get())
        second = asyncio.ensure_future(get())
        await asyncio.sleep(0)
        first.cancel()
        return await second

    answer, _ = calls_of(office, one_leaves)

    assert answer.status == 200


class Stopwatch:
    """In the place of the network: each call takes 10 ms, and how long it might is kept."""

    def __init__(self):
        self.patience = []
        self.statuses = [200, 401, 200, 200]

    async def call(self, operation, method, path, *, policy, **more):
        self.patience.append(policy.deadline_s)
        await asyncio.sleep(0.01)
        body = b'{"access_token": "t", "expires_in": 7200}'
        return Answer("v", operation, self.statuses.pop(0), {}, body, "")

    def conceal(self, secret, *, instead_of=""): ...


@pytest.mark.parametrize(("policy", "shrinks"), [(LIVE_CALL, True), (JOB_CALL, False)])
def test_only_of_a_live_call_the_deadline_is_for_all_steps(policy, shrinks):
    http: Any = Stopwatch()
    calls = TokenCalls(http, REQUEST, FixedClock(NOW))

    asyncio.run(calls.get("x", "/x", policy=policy))

    assert len(http.patience) == 4
    assert (http.patience[-1] <= policy.deadline_s - 0.03) is shrinks
