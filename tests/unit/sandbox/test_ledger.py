from tcgtracker.sandbox.ledger import Call, Ledger, digest
from tcgtracker.sandbox.wire import Request
from tests.unit.sandbox.echo_vendor import NOON


def _served(ledger: Ledger, body: bytes) -> Call:
    call = ledger.received("echo", Request("GET", "/", {}, {}), NOON, NOON)
    call.answer_digest = digest(body)
    ledger.served(call, body, csv=False)
    return call


def test_oldest_calls_are_dropped_and_counted():
    ledger = Ledger(kept_calls=2)
    calls = [_served(ledger, b"{}") for _ in range(5)]
    assert ledger.calls() == calls[3:]
    assert ledger.dropped_calls == 3


def test_equal_answers_are_kept_once_and_old_ones_dropped_by_size():
    ledger = Ledger(kept_bytes=25)
    for _ in range(4):
        _served(ledger, b"0123456789")
    assert len(ledger.bodies()) == 4
    assert len({id(body.body) for body in ledger.bodies()}) == 1
    _served(ledger, b"abcdefghij")
    assert ledger.dropped_bodies == 0
    _served(ledger, b"ABCDEFGHIJ")
    assert [body.body for body in ledger.bodies()] == [b"abcdefghij", b"ABCDEFGHIJ"]
    assert ledger.dropped_bodies == 4
    _served(ledger, b"0123456789")
    assert [body.body for body in ledger.bodies()] == [b"ABCDEFGHIJ", b"0123456789"]


def test_numbers_go_on_after_clearing():
    ledger = Ledger()
    before = _served(ledger, b"{}")
    ledger.clear()
    assert not ledger.calls()
    assert not ledger.bodies()
    assert _served(ledger, b"{}").number == before.number + 1


def test_bearer_and_key_headers_are_told_apart_by_digest_only():
    ledger = Ledger()
    keys = [
        ledger.received("echo", Request("GET", "/", {}, headers), NOON, NOON).key
        for headers in ({"x-api-key": "a-key"}, {"authorization": "Bearer x"}, {})
    ]
    assert len(set(keys)) == 3
    assert keys[2] == ""
    assert "a-key" not in keys[0]
