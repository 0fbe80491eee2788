"""Declarations, and the slots of a schedule."""

from datetime import UTC, datetime, time, timedelta, timezone

import pytest

from tcgtracker.domain.errors import Conflict, InvalidInput, RetryableVendorError, StorageError
from tcgtracker.operations.context import JobContext
from tcgtracker.operations.errors import UnknownJob
from tcgtracker.operations.registry import Job, JobRegistry


def nothing(_context: JobContext) -> None:
    return None


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_two_registries_know_nothing_of_one_another():
    one, other = JobRegistry([Job(name="a", handler=nothing)]), JobRegistry()
    other.add(Job(name="b", handler=nothing))
    assert (one.names(), other.names()) == (frozenset({"a"}), frozenset({"b"}))


def test_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(UnknownJob, match=r"no job 'b'; known: a"):
        JobRegistry([Job(name="a", handler=nothing)]).get("b")


def test_a_name_is_given_once():
    registry = JobRegistry([Job(name="a", handler=nothing)])
    with pytest.raises(Conflict, match="two jobs are named a"):
        registry.add(Job(name="a", handler=nothing))


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "Sync Sets"},
        {"name": ""},
        {"every": timedelta(hours=1), "at": time(2)},
        {"every": timedelta(0)},
        {"every": timedelta(seconds=1.5)},
        {"at": time(2, tzinfo=timezone(timedelta(hours=2)))},
        {"max_attempts": 0},
        {"retry_delay": timedelta(seconds=-1)},
    ],
)
def test_wrong_declaration_is_refused(wrong):
    with pytest.raises(InvalidInput):
        Job(**{"name": "a", "handler": nothing, **wrong})


def test_one_attempt_and_three_repetitions_a_minute_apart_is_the_rule():
    job = Job(name="a", handler=nothing)
    assert (job.max_attempts, job.retry_delay) == (4, timedelta(seconds=60))


def test_only_passing_trouble_is_repeated():
    plain = Job(name="a", handler=nothing)
    patient = Job(name="a", handler=nothing, retry_on=(KeyError,))
    for error in (RetryableVendorError("justtcg", "cards", "503"), StorageError("down")):
        assert plain.retries(error)
        assert patient.retries(error)
    assert not plain.retries(KeyError("x"))
    assert patient.retries(KeyError("x"))
    assert not patient.retries(ValueError("x"))


@pytest.mark.parametrize(
    ("now", "last", "following"),
    [
        ("2025-10-01 05:59:59", "2025-10-01 00:00", "2025-10-01 06:00"),
        ("2025-10-01 06:00:00", "2025-10-01 06:00", "2025-10-01 12:00"),
        ("2025-12-31 23:00:00", "2025-12-31 18:00", "2026-01-01 00:00"),
    ],
)
def test_slots_of_a_period_are_its_multiples(now, last, following):
    job = Job(name="a", handler=nothing, every=timedelta(hours=6))
    assert job.last_slot(moment(now)) == moment(last)
    assert job.next_slot(moment(now)) == moment(following)


@pytest.mark.parametrize(
    ("now", "last", "following"),
    [
        ("2024-02-29 01:59:59", "2024-02-28 02:00", "2024-02-29 02:00"),
        ("2024-02-29 02:00:00", "2024-02-29 02:00", "2024-03-01 02:00"),
        # Clocks go back in Europe this night; UTC knows nothing of it.
        ("2025-10-26 02:30:00", "2025-10-26 02:00", "2025-10-27 02:00"),
    ],
)
def test_slots_of_a_time_of_day_are_in_utc(now, last, following):
    job = Job(name="a", handler=nothing, at=time(2))
    assert job.last_slot(moment(now)) == moment(last)
    assert job.next_slot(moment(now)) == moment(following)


def test_a_job_without_a_schedule_has_no_slots():
    registry = JobRegistry([Job(name="a", handler=nothing)])
    assert registry.scheduled() == []
    with pytest.raises(InvalidInput, match="no schedule"):
        registry.get("a").last_slot(moment("2025-10-01 00:00"))
