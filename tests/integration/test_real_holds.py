"""Real days without trust: held is exactly what the rule names, and it reads as the rule says."""

from collections import Counter
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from tcgtracker.database.engine import Database
from tcgtracker.database.tables.prices import price_holds
from tcgtracker.domain.clock import to_epoch
from tcgtracker.domain.quote import VALUE_NAMES
from tcgtracker.prices.products import load_series
from tcgtracker.prices.reading import Answer, Reading
from tcgtracker.prices.store import load_histories
from tests.integration.hold_rule import ABSENT, HeldQuote, Judged, judge_series
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

EPOCH = date(1970, 1, 1)


def judge_all(truth: Truth) -> dict[Key, Judged]:
    judged = {}
    for category, by_day in truth.says.items():
        for key in truth.keys(category):
            judged[key] = judge_series({day: by_day[day].get(key) for day in by_day})
    return judged


def holds_in(database: Database) -> dict[Key, list[HeldQuote]]:
    found: dict[Key, list[HeldQuote]] = {}
    with database.read() as connection:
        key_of = {
            one.id: (int(one.external_id), one.facet.sub_key) for one in load_series(connection)
        }
        rows = connection.execute(select(price_holds).order_by(price_holds.c.observed_at))
        for row in rows.mappings():
            day = EPOCH + timedelta(seconds=to_epoch(row["observed_at"]))
            assert to_epoch(row["observed_at"]) == at_20(day)
            values = tuple(row[name] for name in VALUE_NAMES)
            confirmed = [EPOCH + timedelta(days=days) for days in row["confirmed_days"]]
            hold = HeldQuote(day, values, row["state"], confirmed)
            found.setdefault(key_of[row["series_id"]], []).append(hold)
    return found


def assert_reads(database: Database, judged: dict[Key, Judged]) -> None:
    with database.read() as connection:
        ids = {(int(one.external_id), one.facet.sub_key): one.id for one in load_series(connection)}
        wanted = [key for key, one in judged.items() if one.holds] + sorted(judged)[::50]
        histories = load_histories(
            connection, database.dialect, np.array([ids[key] for key in wanted])
        )
        for key in wanted:
            for day, values in judged[key].reads.items():
                expected = (
                    Reading(Answer.GAP) if values is ABSENT else Reading(Answer.PRICED, values)
                )
                assert histories[ids[key]].at(at_20(day)) == expected, (key, day)


def changes_of(judged: dict[Key, Judged]) -> int:
    """Count the days that read otherwise than the day before: the rows there should be."""
    count = 0
    for one in judged.values():
        reads = [one.reads[day] for day in sorted(one.reads)]
        count += 1 + sum(now != before for before, now in pairwise(reads))
    return count


def current_rows(database: Database) -> int:
    """Count the rows that readers take: of each moment the one of the highest revision."""
    with database.read() as connection:
        ids = np.array([one.id for one in load_series(connection)])
        histories = load_histories(connection, database.dialect, ids)
        return sum(len(history.rows) for history in histories.values())


def states_of(named: dict[Key, list[HeldQuote]]) -> Counter[str]:
    return Counter(hold.state for holds in named.values() for hold in holds)


def check(database: Database, days: list[Path], categories: tuple[str, ...]) -> Counter[str]:
    truth = read_truth(tuple(days), categories)
    judged = judge_all(truth)
    report = import_files(database, files_of(days, categories), trust=False)
    named = {key: one.holds for key, one in judged.items() if one.holds}
    assert holds_in(database) == named
    assert_reads(database, judged)
    assert current_rows(database) == changes_of(judged)
    # A value written out for a look whose own held quote is released later is superseded there.
    assert stored_rows(database) - current_rows(database) <= states_of(named)["released"] // 10
    states = states_of(named)
    assert report.held >= states["held"]
    again = import_files(database, files_of(days, categories), trust=False)
    assert (again.stored, again.held, again.released, again.history_rows) == (0, 0, 0, 0)
    assert holds_in(database) == named
    return states


def test_weeks_of_two_games(real_data: Path, database: Database) -> None:
    states = check(database, days_of(real_data)[:16], ("68", "71"))
    assert states["held"] > 0


@pytest.mark.long
def test_all_days_of_two_games(real_data: Path, database: Database) -> None:
    states = check(database, days_of(real_data), ("68", "71"))
    assert states["held"] > 0


@pytest.mark.long
def test_all_days_of_pokemon(real_data: Path, database: Database) -> None:
    states = check(database, days_of(real_data), ("3",))
    assert states["held"] > 0
    assert states["released"] > 0
