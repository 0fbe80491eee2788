"""How SQLite reads the history of a few series: by looking for them, never by reading a month."""

import numpy as np
import pytest

from tcgtracker.database.engine import Database


@pytest.mark.parametrize("before", [True, False])
def test_the_nearest_row_of_a_series_is_looked_for(sqlite_url: str, *, before: bool) -> None:
    database = Database(sqlite_url)
    with database.write() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE month (series_id INTEGER, observed_at INTEGER, revision INTEGER,"
            " PRIMARY KEY (series_id, observed_at, revision)) WITHOUT ROWID"
        )
        with database.dialect.ids(connection, np.array([1, 2])) as (wanted, _):
            sql = database.dialect.nearest_rows("h.series_id", "month", wanted, before=before)
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", {"at": 1}).all()
    database.close()
    assert any(str(row[3]).startswith("SEARCH h USING PRIMARY KEY") for row in plan), plan
