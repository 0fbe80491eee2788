"""V7, V8, V9: bodies that are cut, are not what they say, or would fill the memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import pytest

from tcgtracker.domain.errors import ContractBroken, Unavailable, VendorError
from tcgtracker.domain.source import Source
from tcgtracker.integrations.contract import CallPolicy
from tcgtracker.quotes.outcomes import Outcome
from tests.integration.vendor_faults.invariants import Point, points
from tests.integration.vendor_faults.stack import ASKED, GAME, Stack

MB = 2**20
MOST_GROWTH = 50 * MB
PATIENT = CallPolicy(deadline_s=20)


@pytest.mark.parametrize("fault", ["truncated", "short_length", "cut", "reset"])
@pytest.mark.parametrize("vendor", ASKED)
def test_v7_cut_answer_is_discarded_whole(stack: Stack, vendor: str, fault: str) -> None:
    source = Source(vendor)
    cards = stack.cards(3)
    before = _history(stack, source)
    stack.sandbox.fault(fault, vendor=vendor, pattern="(?<!token)$")
    outcomes = stack.update(*cards, source=source)
    assert stack.fired(fault) >= 1
    assert _history(stack, source) == before, "half an answer was stored"
    for outcome in outcomes:
        assert isinstance(outcome.misses[0].error, VendorError)
        assert outcome.price is not None
        assert outcome.price.source is not source
    stack.sandbox.clear_faults()
    stack.advance(61)
    again = stack.update(*cards, source=source)
    assert {one.price.source for one in again if one.price} == {source}


@pytest.mark.parametrize("fault", ["short_length", "cut", "reset"])
def test_v7_cut_file_is_discarded_whole(stack: Stack, fault: str) -> None:
    before = _history(stack, Source.PRICECHARTING)
    stack.advance(600)
    stack.sandbox.fault(fault, vendor="pricecharting")
    report = stack.tracker.bulk_sync.pricecharting(GAME)
    assert report.failures, "a cut file counts as read"
    stack.tell(report.failures[0].error)
    assert stack.fired(fault) == 1
    assert _history(stack, Source.PRICECHARTING) == before
    stack.sandbox.clear_faults()
    stack.advance(601)
    assert not stack.tracker.bulk_sync.pricecharting(GAME).failures


def test_v7_file_that_ends_early_stands_as_incomplete(each_stack: Stack) -> None:
    stack = each_stack
    before = _history(stack, Source.PRICECHARTING)
    stack.advance(600)
    stack.sandbox.fault("truncated", vendor="pricecharting")
    report = stack.tracker.bulk_sync.pricecharting(GAME)
    assert stack.fired("truncated") == 1
    _assert_incomplete(
        _history(stack, Source.PRICECHARTING) - before, report.failures[0].incomplete
    )
    stack.sandbox.clear_faults()
    stack.advance(601)
    assert not stack.tracker.bulk_sync.pricecharting(GAME).failures, "and is fetched again"


@pytest.mark.parametrize("fault", ["truncated", "short_length", "cut", "reset"])
def test_v7_one_cut_file_of_many_makes_no_gap(stack: Stack, fault: str) -> None:
    assert not stack.tracker.bulk_sync.tcgcsv(GAME).failures
    before = _history(stack, Source.TCGCSV)
    stack.advance(24 * 3600)
    stack.sandbox.fault(fault, vendor="tcgcsv", pattern="/17851/prices$")
    report = stack.tracker.bulk_sync.tcgcsv(GAME)
    assert stack.fired(fault) >= 1
    assert report.outcomes[0].incomplete
    assert "17851" in report.outcomes[0].reason
    new = _history(stack, Source.TCGCSV) - before
    assert new, "the other files count"
    assert not [point for point in new if point.state == 1], "a gap without a complete look"
    stack.sandbox.clear_faults()
    stack.advance(600)
    assert not stack.tracker.bulk_sync.tcgcsv(GAME).failures


@pytest.mark.parametrize(
    ("vendor", "fault"),
    [
        *product(ASKED, ("bom", "empty", "no_content")),
        ("pricecharting", "latin1"),
        ("justtcg", "latin1"),
    ],
)
def test_v8_other_bytes_than_documented_are_not_stored(
    stack: Stack, vendor: str, fault: str
) -> None:
    source = Source(vendor)
    cards = stack.cards(2)
    before = _history(stack, source)
    stack.sandbox.fault(fault, vendor=vendor, pattern="(?<!token)$")
    outcomes = stack.update(*cards, source=source)
    assert stack.fired(fault) >= 1
    assert _history(stack, source) == before
    for outcome in outcomes:
        assert isinstance(outcome.misses[0].error, ContractBroken)
        assert outcome.price is not None
        assert outcome.price.source is not source
    assert stack.state(vendor).last_error
    stack.recover(cards[0])


@pytest.mark.parametrize("vendor", ASKED)
def test_v8_a_page_under_the_right_status_is_not_stored(stack: Stack, vendor: str) -> None:
    source = Source(vendor)
    (card,) = stack.cards()
    before = _history(stack, source)
    params = {"status": 200, "content_type": "text/html"}
    stack.sandbox.fault("html_error", vendor=vendor, pattern="(?<!token)$", params=params)
    outcome = stack.update_one(card, source=source)
    assert stack.fired("html_error") == 1
    assert isinstance(outcome.misses[0].error, ContractBroken)
    assert _history(stack, source) == before
    stack.recover(card)


@pytest.mark.parametrize("vendor", ASKED)
def test_v8_whole_json_under_another_type_is_judged_by_its_bytes(stack: Stack, vendor: str) -> None:
    (card,) = stack.cards()
    stack.sandbox.fault("wrong_type", vendor=vendor, pattern="(?<!token)$")
    outcome = stack.update_one(card, source=Source(vendor))
    assert stack.fired("wrong_type") == 1
    assert outcome.price is not None
    assert outcome.price.source is Source(vendor)


@pytest.mark.parametrize("fault", ["bom", "empty", "no_content", "wrong_type"])
def test_v8_files_of_other_bytes_are_not_stored(stack: Stack, fault: str) -> None:
    stack.advance(600)
    before = _history(stack, Source.PRICECHARTING)
    params = {"type": "application/x-text/csv"} if fault == "wrong_type" else {}
    stack.sandbox.fault(fault, vendor="pricecharting", params=params)
    report = stack.tracker.bulk_sync.pricecharting(GAME)
    assert stack.fired(fault) == 1
    if fault in ("bom", "wrong_type"):  # every column is named and every row reads: it is the file
        assert not report.failures
        return
    assert isinstance(report.failures[0].error, ContractBroken | Unavailable)
    assert _history(stack, Source.PRICECHARTING) == before


@pytest.mark.parametrize("fault", ["gzip_bomb", "huge_body", "deep_json"])
@pytest.mark.parametrize("vendor", ASKED)
def test_v9_bombs_are_cut_before_they_fill_the_memory(
    stack: Stack, vendor: str, fault: str
) -> None:
    source = Source(vendor)
    (card,) = stack.cards()
    before = _history(stack, source)
    stack.sandbox.fault(fault, vendor=vendor, pattern="(?<!token)$")
    with _memory_growth() as growth:
        outcome = stack.update_one(card, source=source, policy=PATIENT)
    assert growth[0] < MOST_GROWTH, f"{growth[0] / MB:.0f} MB"
    assert stack.fired(fault) == 1
    assert isinstance(outcome.misses[0].error, ContractBroken)
    assert outcome.outcome in (Outcome.STORED, Outcome.UNCHANGED)
    assert _history(stack, source) == before
    stack.recover(card)


@pytest.mark.parametrize("fault", ["gzip_bomb", "huge_body", "deep_json"])
def test_v9_bombs_in_files_are_cut(stack: Stack, fault: str) -> None:
    stack.advance(600)
    stack.sandbox.fault(fault, vendor="pricecharting")
    stack.sandbox.fault(fault, vendor="tcgcsv", pattern="/prices$", first=1)
    with _memory_growth() as growth:
        guide = stack.tracker.bulk_sync.pricecharting(GAME)
        day = stack.tracker.bulk_sync.tcgcsv(GAME)
    assert growth[0] < MOST_GROWTH, f"{growth[0] / MB:.0f} MB"
    assert (stack.fired(fault, "pricecharting"), stack.fired(fault, "tcgcsv")) == (1, 1)
    assert isinstance(guide.outcomes[0].error, ContractBroken)
    assert day.outcomes[0].incomplete


def _assert_incomplete(new: set[Point], incomplete: list[str]) -> None:
    """The rows that came whole count; nothing follows from the absence of the others."""
    assert incomplete
    assert {point.state for point in new} == {0}


def _history(stack: Stack, source: Source) -> set[Point]:
    with stack.tracker.history.read() as connection:
        return {point for point in points(connection) if point.source == source}


@contextmanager
def _memory_growth() -> Iterator[list[int]]:
    """Yield a list that holds, afterwards, by how many bytes the process grew at its peak."""
    grown = [0]
    Path("/proc/self/clear_refs").write_text("5")  # proc(5): the peak begins anew
    before = _status("VmRSS")
    yield grown
    grown[0] = _status("VmHWM") - before


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"no {name}")
