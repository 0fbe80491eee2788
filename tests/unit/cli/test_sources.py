"""`tcgtracker sources`: what it lists, and what its switches do."""

import io
import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from tcgtracker.database.engine import Database
from tcgtracker.domain.clock import SystemClock
from tcgtracker.domain.errors import SourceDisabled
from tcgtracker.operations.call_gate import DatabaseCallGate
from tcgtracker.operations.quota import Plan
from tcgtracker.runtime.ports import CallOutcome
from tests.unit.cli.conftest import Command


@pytest.fixture
def ready(command: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("API_JUSTTCG_API_KEY", "a key of the test")
    monkeypatch.delenv("API_PRICECHARTING_API_KEY", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)
    assert command("db", "upgrade").code == 0
    return command


@pytest.fixture
def gate(ready: Command, sqlite_url: str) -> Iterator[DatabaseCallGate]:
    plans = {"justtcg": Plan(per_day=100, per_month=1000)}
    database = Database(sqlite_url)
    yield DatabaseCallGate(database, SystemClock(), plans)
    database.close()


def call(gate: DatabaseCallGate, outcome: CallOutcome, message: str = "") -> None:
    """Make a call whose news do not go to a stream that a command has closed."""
    with capture_logs():
        gate.leave_now(gate.enter_now("justtcg", "cards"), outcome, message=message)


def listed(command: Command, source: str) -> dict[str, object]:
    said = command("sources", "list", "--json")
    assert said.code == 0, said.err
    found: dict[str, object] = {one["source"]: one for one in json.loads(said.out)}[source]
    return found


def test_source_without_key_says_what_is_missing(ready: Command) -> None:
    assert "API_PRICECHARTING_API_KEY" in str(listed(ready, "pricecharting")["disabled"])


def test_new_source_is_enabled_with_its_whole_quota(ready: Command) -> None:
    line = listed(ready, "justtcg")
    assert (line["disabled"], line["breaker"], line["paused_until"]) == ("", "closed", None)
    quota = {one["window"]: one for one in line["quota"]}  # type: ignore[attr-defined]
    assert quota["month"]["left"] == 1000
    assert 0 < quota["day"]["left"] <= 100
    assert line["terms"]


def test_open_breaker_and_used_calls_are_shown(ready: Command, gate: DatabaseCallGate) -> None:
    for _ in range(5):
        call(gate, CallOutcome.FAILED, "connection \x1b[31mrefused")
    line = listed(ready, "justtcg")
    assert line["breaker"] == "open"
    assert line["paused_until"] is not None
    said = ready("sources", "list")
    assert "995/1000 month" in said.out
    assert "\\x1b[31mrefused" in said.out


def test_wait_that_the_vendor_asked_for_is_shown(ready: Command, gate: DatabaseCallGate) -> None:
    until = SystemClock().now() + timedelta(hours=1)
    ticket = gate.enter_now("justtcg", "cards")
    gate.leave_now(ticket, CallOutcome.REFUSED, not_before=until)
    assert str(listed(ready, "justtcg")["paused_until"])[:16] == until.isoformat()[:16]


def test_disable_and_enable_reach_the_gate(ready: Command, gate: DatabaseCallGate) -> None:
    assert ready("sources", "disable", "justtcg").out == "justtcg is switched off\n"
    assert listed(ready, "justtcg")["disabled"] == "switched off by the operator"
    with pytest.raises(SourceDisabled):
        gate.enter_now("justtcg", "cards")
    assert ready("sources", "enable", "justtcg").out == "justtcg is switched on\n"
    gate.enter_now("justtcg", "cards")


def test_enable_says_why_a_source_is_not_asked_all_the_same(ready: Command) -> None:
    said = ready("sources", "enable", "pricecharting")
    assert said.out.startswith("pricecharting is switched on, but is not asked: set API_PRICE")


def test_resume_lifts_a_stop(ready: Command, gate: DatabaseCallGate) -> None:
    call(gate, CallOutcome.BAD_CREDENTIALS, "the key is refused")
    assert listed(ready, "justtcg")["disabled"] == "stopped: the key is refused"
    assert ready("sources", "resume", "justtcg").code == 0
    gate.enter_now("justtcg", "cards")


@pytest.mark.parametrize("verb", ["enable", "disable", "resume"])
def test_unknown_source_is_named_with_the_known_ones(ready: Command, verb: str) -> None:
    said = ready("sources", verb, "cardmarket")
    assert said.code == 2
    assert "justtcg" in said.err


def test_a_purge_asks_and_counts(ready: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert ready("sources", "purge", "justtcg").code != 0
    rows = {one["source"]: one for one in json.loads(ready("sources", "list", "--json").out)}
    assert rows["justtcg"]["disabled"] == ""
    said = ready("sources", "purge", "justtcg", "--yes", "--json")
    assert said.code == 0
    assert json.loads(said.out)["products"] == 0
    rows = {one["source"]: one for one in json.loads(ready("sources", "list", "--json").out)}
    assert "switched off" in rows["justtcg"]["disabled"]
    assert ready("sources", "purge", "cardmarket", "--yes").code == 2
