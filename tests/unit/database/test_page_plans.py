"""How SQLite reads what pages show of tables that grow: by an index, never row after row."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Connection

from tcgtracker.catalog.review_rows import LinkFilter, count_links
from tcgtracker.database.engine import Database
from tcgtracker.database.migrate import upgrade
from tcgtracker.database.tables.operations import JobState
from tcgtracker.operations.queue_depth import load_depth
from tcgtracker.operations.repository import list_page
from tcgtracker.operations.values import JobFilter
from tcgtracker.quotes.quarantine import count_reasons
from tcgtracker.quotes.runs import load_last_runs
from tests.support import NOW

RARE = [state for state in JobState if state is not JobState.DONE]


@pytest.fixture
def database(sqlite_url: str) -> Iterator[Database]:
    database = Database(sqlite_url)
    upgrade(database)
    yield database
    database.close()


def steps_of(database: Database, table: str, act: Callable[[Connection], object]) -> list[str]:
    """Return the steps over a table, and the sorting, of the statements that an act sends."""
    seen: list[str] = []
    with database.read() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.set_trace_callback(seen.append)
        act(connection)
        raw.set_trace_callback(None)
        return [
            str(row.detail)
            for sql in seen
            if sql.startswith("SELECT")
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}")
            if table in row.detail or "TEMP B-TREE" in row.detail
        ]


def test_the_queue_is_counted_without_the_jobs_that_are_done(database: Database) -> None:
    steps = steps_of(database, "jobs", lambda connection: load_depth(connection, NOW))
    assert steps == [
        "SCAN jobs USING COVERING INDEX ix_jobs_not_done",
        "SEARCH jobs USING INDEX ix_jobs_due (run_at<?)",
    ]


@pytest.mark.parametrize("state", RARE)
def test_jobs_of_a_rare_state_are_found_in_their_order(database: Database, state: JobState) -> None:
    wanted = JobFilter(frozenset({state}))
    steps = steps_of(database, "jobs", lambda connection: list_page(connection, wanted))
    assert steps == ["SEARCH jobs USING INDEX ix_jobs_not_done (state=?)"]


def test_the_newest_run_of_each_source_is_one_step(database: Database) -> None:
    steps = steps_of(database, "collect_runs", load_last_runs)
    assert steps
    assert all(step.startswith("SEARCH collect_runs") for step in steps), steps


def test_refused_rows_are_counted_in_the_index_of_their_reasons(database: Database) -> None:
    steps = steps_of(database, "quarantined_rows", count_reasons)
    assert steps[0] == "SCAN quarantined_rows USING COVERING INDEX ix_quarantined_rows_reason"


def test_links_are_counted_in_the_index_of_their_states(database: Database) -> None:
    steps = steps_of(
        database, "product_links", lambda connection: count_links(connection, LinkFilter())
    )
    assert steps == ["SEARCH product_links USING COVERING INDEX ix_product_links_state (state=?)"]
