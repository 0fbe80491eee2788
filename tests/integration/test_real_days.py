"""Weeks of real days, in any order and with days missing, read to the cent as the files say."""

import random
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from tcgtracker.database.engine import Database
from tcgtracker.domain.source import Source
from tcgtracker.prices.products import load_series
from tcgtracker.prices.reading import Answer, Reading
from tcgtracker.prices.store import load_histories
from tests.integration.real_days import (
    Key,
    Truth,
    at_20,
    days_of,
    files_of,
    import_files,
    read_truth,
    stored_rows,
)

pytestmark = pytest.mark.data

SAMPLE = 1_000
OTHER_HOURS = (-20, -12, -1, 3, 16, 23)
"""Hours from 20:00 at which a day that nobody looked at must not answer either."""


def sample_of(truth: Truth) -> dict[str, list[Key]]:
    """Return random series, and every one that was missing on some day and there on another."""
    picked: dict[str, list[Key]] = {}
    total = sum(len(truth.keys(category)) for category in truth.says)
    for category, by_day in truth.says.items():
        keys = sorted(truth.keys(category))
        chosen = set(random.Random(4).sample(keys, 1 + SAMPLE * len(keys) // total))
        chosen |= {key for key in keys if not all(key in listed for listed in by_day.values())}
        picked[category] = sorted(chosen)
    return picked


def assert_reads_as_the_files_say(
    database: Database, truth: Truth, left_out: Sequence[date] = ()
) -> None:
    answers = dict.fromkeys(Answer, 0)
    with database.read() as connection:
        ids = {
            (int(one.external_id), one.facet.sub_key): one.id
            for one in load_series(connection, source=Source.TCGCSV)
        }
        for category, keys in sample_of(truth).items():
            by_day = truth.says[category]
            seen = {key for day in by_day if day not in left_out for key in by_day[day]}
            wanted = [key for key in keys if key in seen]
            assert not any(key in ids for key in keys if key not in seen)
            histories = load_histories(
                connection, database.dialect, np.array([ids[key] for key in wanted])
            )
            for key in wanted:
                read = histories[ids[key]].at
                for day, listed in by_day.items():
                    at = at_20(day)
                    answers[read(at).answer] += 1
                    if day in left_out:
                        assert read(at).answer is Answer.NOT_OBSERVED
                        for hours in OTHER_HOURS:
                            assert read(at + hours * 3600).answer is Answer.NOT_OBSERVED
                    elif key in listed:
                        assert read(at) == Reading(Answer.PRICED, listed[key]), (key, day)
                    else:
                        assert read(at).answer is Answer.GAP, (key, day)
                assert read(at_20(max(by_day)) + 1).answer is Answer.NOT_OBSERVED
                assert read(at_20(min(by_day)) - 1).answer is Answer.NOT_OBSERVED
    assert answers[Answer.PRICED] > answers[Answer.GAP] > 0
    assert (answers[Answer.NOT_OBSERVED] > 0) == bool(left_out)
    assert answers[Answer.UNREADABLE] == 0


def assert_a_repetition_stores_nothing(database: Database, paths: list[Path], truth: Truth) -> None:
    before = stored_rows(database)
    again = import_files(database, paths)
    assert (again.stored, again.gaps, again.history_rows, again.revised) == (0, 0, 0, 0)
    assert again.unchanged == again.rows_read == truth.rows
    assert stored_rows(database) == before


def check_orders(
    database: Database, days: list[Path], categories: tuple[str, ...]
) -> tuple[int, ...]:
    """Import in order, repeat; return rows observed, changes, gaps, rows in the tables."""
    truth = read_truth(tuple(days), categories)
    report = import_files(database, files_of(days, categories))
    assert report.rows_read == truth.rows
    assert report.looks == len(days) * len(categories)
    assert (report.held, report.revised, report.incomplete) == (0, 0, [])
    assert_reads_as_the_files_say(database, truth)
    assert_a_repetition_stores_nothing(database, files_of(days, categories), truth)
    return report.rows_read, report.stored, report.gaps, stored_rows(database)


def check_shuffled(database: Database, days: list[Path], categories: tuple[str, ...]) -> int:
    """Import in a random order of files, repeat, and return the rows in the tables."""
    truth = read_truth(tuple(days), categories)
    paths = files_of(days, categories)
    random.Random(11).shuffle(paths)
    assert paths != sorted(paths)
    for path in paths:
        import_files(database, [path])
    assert_reads_as_the_files_say(database, truth)
    assert_a_repetition_stores_nothing(database, paths, truth)
    return stored_rows(database)


def check_left_out(
    database: Database, days: list[Path], categories: tuple[str, ...], left_out: tuple[int, ...]
) -> None:
    """Import all but some days in a random order; then those too, which must mend everything."""
    truth = read_truth(tuple(days), categories)
    missing = [days[number] for number in left_out]
    there = [day for day in days if day not in missing]
    random.Random(12).shuffle(there)
    import_files(database, files_of(there, categories))
    assert_reads_as_the_files_say(
        database, truth, [date.fromisoformat(day.name) for day in missing]
    )
    import_files(database, files_of(missing, categories))
    assert_reads_as_the_files_say(database, truth)


def test_five_days_in_order(real_data: Path, database: Database) -> None:
    days, categories = days_of(real_data)[8:13], ("68", "71")  # over the end of a month
    observed, changes, gaps, rows = check_orders(database, days, categories)
    assert rows == changes + gaps
    assert changes < 0.75 * observed
    assert gaps > 0


def test_five_days_shuffled_store_the_same_rows(real_data: Path, database: Database) -> None:
    days, categories = days_of(real_data)[8:13], ("68", "71")
    rows = check_shuffled(database, days, categories)
    assert rows == expected_rows(read_truth(tuple(days), categories))


def test_five_days_with_one_left_out(real_data: Path, database: Database) -> None:
    check_left_out(database, days_of(real_data)[8:13], ("68", "71"), (2,))


@pytest.mark.long
def test_all_days_in_order(
    real_data: Path, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    counted = check_orders(database, days_of(real_data), ("3", "68", "71"))
    with capsys.disabled():
        observed, changes, gaps, rows = counted
        name = database.dialect.name
        print(f"\n{name}: {observed:,} rows observed, {changes:,} changes and {gaps:,} gaps stored")  # noqa: T201
    assert (observed, changes, gaps) == (1_150_244, 631_229, 886)
    assert rows == changes + gaps == expected_rows(all_days(real_data))


@pytest.mark.long
def test_all_days_shuffled_store_the_same_rows(real_data: Path, database: Database) -> None:
    rows = check_shuffled(database, days_of(real_data), ("3", "68", "71"))
    assert rows == 631_229 + 886


@pytest.mark.long
def test_all_days_with_two_left_out(real_data: Path, database: Database) -> None:
    check_left_out(database, days_of(real_data), ("3", "68", "71"), (6, 17))


def all_days(real_data: Path) -> Truth:
    return read_truth(tuple(days_of(real_data)), ("3", "68", "71"))


def expected_rows(truth: Truth) -> int:
    """Count by hand where a day says something else of a product than the day before."""
    rows = 0
    for by_day in truth.says.values():
        for key in {key for listed in by_day.values() for key in listed}:
            said = [by_day[day].get(key) for day in sorted(by_day)]
            first = next(number for number, values in enumerate(said) if values is not None)
            rows += 1
            rows += sum(said[number] != said[number - 1] for number in range(first + 1, len(said)))
    return rows
