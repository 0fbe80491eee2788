"""When to ask again: every form of Retry-After, and the budget of repetitions."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tcgtracker.integrations.retry_after import (
    Refusals,
    RetryBudget,
    asked_wait_s,
    wait_after_refusal,
)

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
SIX_HOURS = 6 * 3600.0


def wait_s(header: str | None, *, refusals: int = 1, jitter: float = 0.0) -> float:
    wait = wait_after_refusal(header, now=NOW, refusals=refusals, first_wait_s=10, jitter=jitter)
    return wait.total_seconds()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("30", 30),
        (" 30 ", 30),
        ("1.5", 1.5),
        ("0", 1),
        ("-5", 1),
        ("0.001", 1),
        ("315360000", SIX_HOURS),
        ("9" * 300, SIX_HOURS),
        ("9" * 399, SIX_HOURS),
        ("Fri, 01 May 2026 12:02:00 GMT", 120),
        ("Fri, 01 May 2026 12:02:00 -0000", 120),
        ("Fri, 01 May 2026 14:02:00 +0200", 120),
        ("Friday, 01-May-26 12:02:00 GMT", 120),
        ("Fri May  1 12:02:00 2026", 120),
        ("Fri, 01 May 2020 12:00:00 GMT", 1),
        ("Fri, 01 May 2036 12:00:00 GMT", SIX_HOURS),
        ("Fri, 31 Dec 9999 23:59:59 -2359", SIX_HOURS),
        (None, 10),
        ("", 10),
        ("soon", 10),
        ("nan", 10),
        ("inf", 10),
        ("1e9", 10),
        ("0x10", 10),
        ("1_000", 10),
        ("+5", 10),
        ("٣٠", 10),
        ("30, 60", 10),
        ("30 seconds", 10),
        ("9" * 5000, 10),
        ("Fri, 99 May 2026 12:00:00 GMT", 10),
    ],
)
def test_each_form_of_the_header(header: str | None, seconds: float) -> None:
    assert wait_s(header) == seconds


@given(st.one_of(st.none(), st.text(), st.from_regex(r"[-+]?[0-9.,:eE ]*", fullmatch=True)))
@example("Mon, 01 Jan 0001 00:00:00 +2359")
@example("Fri, 31 Dec 99999999999 23:59:59 GMT")
def test_any_header_gives_a_wait_between_the_limits(header: str | None) -> None:
    assert 1 <= wait_s(header, refusals=3, jitter=0.99) <= SIX_HOURS


@given(st.integers(1, 21_600))
def test_seconds_and_date_say_the_same(seconds: int) -> None:
    date = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    assert wait_s(str(seconds)) == wait_s(date) == seconds


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_unnamed_wait_is_never_shorter_than_the_first_and_grows(
    refusals: int, jitter: float
) -> None:
    shorter, wait = wait_s(None, refusals=refusals), wait_s(None, refusals=refusals, jitter=jitter)
    assert 10 <= shorter <= wait <= SIX_HOURS
    assert wait_s(None, refusals=refusals + 1) >= shorter


def test_header_that_is_none_is_told_from_one_that_asks_for_nothing() -> None:
    assert asked_wait_s("0", now=NOW) == 0
    assert asked_wait_s("junk", now=NOW) is None


def test_refusals_of_calls_under_way_together_count_once() -> None:
    refusals = Refusals(10)
    first = refusals.wait(None, now=NOW)
    for _ in range(5):
        refusals.note(NOW + first, now=NOW)
    assert refusals.wait(None, now=NOW) < timedelta(seconds=12.5)
    later = NOW + first
    assert timedelta(seconds=20) <= refusals.wait(None, now=later) < timedelta(seconds=25)
    refusals.forget()
    assert refusals.wait(None, now=later) < timedelta(seconds=12.5)


def test_repetitions_stay_below_a_fifth_beyond_the_spare_ones() -> None:
    budget = RetryBudget()
    taken = 0
    for _ in range(1000):
        budget.earn()
        taken += budget.take()
    assert 195 <= taken <= 203
