from datetime import timedelta

import pytest

from tests.unit.sandbox.calling import call, control
from tests.unit.sandbox.echo_vendor import NOON, echo_sandbox


@pytest.fixture(scope="module")
def sandbox():
    with echo_sandbox() as running:
        yield running


@pytest.fixture
def at(sandbox):
    sandbox.clear_faults()
    sandbox.reset()
    sandbox.clock.run(0)
    sandbox.clock.set(NOON)
    return sandbox.control_url


def test_fault_is_set_counted_and_cleared(sandbox, at):
    url = sandbox.urls["echo"]
    answer = control(
        at, action="set_fault", fault="server_error", vendor="echo", params={"status": 503}
    )
    assert answer.status == 200
    assert call(url).status == 503
    page = call(at, "/_control/faults").json()
    assert (page["set"][0]["seen"], page["set"][0]["fired"]) == (1, 1)
    assert page["fired"] == {"echo server_error": 1}
    assert control(at, action="clear_faults", number=answer.json()["number"]).json() == {
        "cleared": 1
    }
    assert call(url).status == 200


def test_door_is_closed_when_the_control_port_says_so(sandbox, at):
    control(at, action="set_fault", fault="refuse")
    with pytest.raises(ConnectionRefusedError):
        call(sandbox.urls["echo"])
    control(at, action="clear_faults")
    assert call(sandbox.urls["echo"]).status == 200


def test_clock_is_set_moved_and_run(sandbox, at):
    page = control(at, action="clock", set="2026-06-01T00:00:00+02:00", advance_s=60).json()
    assert page == {"now": "2026-05-31T22:01:00Z", "speed": 0.0}
    control(at, action="clock", set="2026-06-01T00:00:00Z", speed=86_400)
    assert sandbox.clock.speed == 86_400
    assert sandbox.clock.now() - NOON > timedelta(days=30)


def test_log_and_served_prices(sandbox, at):
    call(sandbox.urls["echo"], "/x?t=secret")
    (logged,) = call(at, "/_control/calls?vendor=echo&since=0").json()["calls"]
    assert (logged["path"], logged["query"], logged["status"]) == ("/x", {"t": ["***"]}, 200)
    served = call(at, "/_control/served?vendor=echo").json()["served"]
    assert served[0] == {
        "call": logged["number"],
        "vendor": "echo",
        "products": ["1"],
        "facet": ["price"],
        "value": "12.5",
        "at": "2026-05-01T12:00:00Z",
    }
    control(at, action="reset")
    assert call(at, "/_control/calls").json() == {"calls": [], "dropped": 0}


def test_state_lists_every_fault_with_its_parameters(at):
    page = call(at, "/_control").json()
    kinds = {kind["fault"]: kind for kind in page["faults"]}
    assert kinds["slow"]["params"] == {"bytes": 1, "pause_s": 0.15}
    assert page["now"] == "2026-05-01T12:00:00Z"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, "action must be one of"),
        ({"action": "explode"}, "action must be one of"),
        ({"action": "set_fault"}, "no fault ''"),
        ({"action": "set_fault", "fault": "nonsense"}, "no fault 'nonsense'"),
        ({"action": "set_fault", "fault": []}, "fault must be a name"),
        ({"action": "set_fault", "fault": "slow", "vendor": "x"}, "no vendor 'x'"),
        ({"action": "set_fault", "fault": "slow", "nth": "2"}, "'nth' must be int"),
        ({"action": "set_fault", "fault": "slow", "nth": -1}, "'nth' must be from 0"),
        ({"action": "set_fault", "fault": "refuse", "nth": 1}, "refuse does not know nth"),
        ({"action": "set_fault", "fault": "not_http", "path": "/a"}, "does not know path"),
        ({"action": "set_fault", "fault": "stall", "params": {"seconds": -1}}, "from 0 to"),
        ({"action": "set_fault", "fault": "price_nan", "params": {"keys": "["}}, "'keys':"),
        (
            {"action": "set_fault", "fault": "rate_limited", "params": {"retry_after": "never"}},
            "retry_after must be one of",
        ),
        ({"action": "set_fault", "fault": "slow", "probability": 2}, "probability must be"),
        ({"action": "set_fault", "fault": "slow", "pattern": "("}, "'pattern':"),
        ({"action": "set_fault", "fault": "slow", "params": {"b": 1}}, "no parameter 'b'"),
        ({"action": "set_fault", "fault": "slow", "params": 1}, "'params' must be"),
        ({"action": "set_fault", "fault": "slow", "typo": 1}, "no argument 'typo'"),
        ({"action": "set_fault", "fault": "slow", "name": 1, "self": 2}, "no argument 'name'"),
        ({"action": "set_fault", "fault": "stale", "params": {"hours": 1e6}}, "87,600 at most"),
        ({"action": "clear_faults", "number": "x"}, "number must be an integer"),
        ({"action": "clock", "set": "yesterday"}, "write it as"),
        ({"action": "clock", "set": "2026-05-01T00:00:00"}, "has no time zone"),
        ({"action": "clock", "advance_s": 1e300}, "advance_s"),
        ({"action": "clock", "set": "0001-01-01T00:00:00Z"}, "knows the years"),
        ({"action": "clock", "advance_s": -1e11}, "advance_s"),
        ({"action": "clock", "speed": -1}, "speed must be"),
        ({"action": "clock", "speed": True}, "speed must be a number"),
        ({"action": "options", "vendor": "echo", "set": {}}, "vendor must be one of"),
        ({"action": "reset", "all": True}, "unknown: all"),
    ],
)
def test_bad_input_gets_a_reason(at, given, reason):
    answer = control(at, **given)
    assert answer.status == 400
    assert reason in answer.json()["error"]


@pytest.mark.parametrize("body", [b"", b"no json", b"[]", b"[" * 100_000, b" " * 300_000])
def test_bad_bodies_get_a_reason(at, body):
    answer = call(at, "/_control", method="POST", body=body)
    assert (answer.status, bool(answer.json()["error"])) == (400, True)


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/_control/calls?since=x", "GET", 400),
        ("/_control/calls?vendor=x", "GET", 400),
        ("/_control/calls", "DELETE", 405),
        ("/other", "GET", 404),
    ],
)
def test_other_pages_and_methods(at, path, method, status):
    assert call(at, path, method=method).status == status
