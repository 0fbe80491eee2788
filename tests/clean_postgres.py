"""One PostgreSQL database for many tests: making and dropping one costs seconds of checkpoints."""

from typing import Any

from sqlalchemy import Table, create_engine, select, text

from tcgtracker.database.engine import Database
from tcgtracker.database.migrate import upgrade
from tcgtracker.database.tables import metadata

# Foreign keys are not asked: everything goes. Months of prices are partitions made by a test.
_EMPTY = """
DO $$
DECLARE one record; filled boolean;
BEGIN
    SET LOCAL lock_timeout = '10s';
    SET LOCAL session_replication_role = replica;
    FOR one IN
        SELECT c.oid::regclass AS name, c.relispartition AS part FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND c.relkind = 'r' AND c.relname <> 'alembic_version'
    LOOP
        IF one.part THEN
            EXECUTE format('DROP TABLE %s', one.name);
            CONTINUE;
        END IF;
        EXECUTE format('SELECT EXISTS (SELECT 1 FROM %s)', one.name) INTO filled;
        IF filled THEN
            EXECUTE format('DELETE FROM %s', one.name);
        END IF;
    END LOOP;
    FOR one IN SELECT schemaname, sequencename, start_value FROM pg_sequences
        WHERE schemaname = 'public' AND last_value IS NOT NULL
    LOOP
        PERFORM setval(format('%I.%I', one.schemaname, one.sequencename), one.start_value, false);
    END LOOP;
END $$
"""


class CleanPostgres:
    """A migrated database; `empty` makes it as it was, with the rows that migrations wrote."""

    def __init__(self, url: str) -> None:
        self.url = url
        database = Database(url)
        upgrade(database)
        database.close()
        self._engine = create_engine(url)
        with self._engine.connect() as connection:
            rows = {
                table: [dict(row) for row in connection.execute(select(table)).mappings()]
                for table in metadata.sorted_tables
            }
        self._written: dict[Table, list[dict[str, Any]]] = {t: r for t, r in rows.items() if r}

    def empty(self) -> None:
        """Remove what a test wrote.

        Raises:
            OperationalError: a connection that the test left open holds a lock.
        """
        with self._engine.begin() as connection:
            connection.execute(text(_EMPTY))
            for table, rows in self._written.items():
                connection.execute(table.insert(), rows)

    def close(self) -> None:
        self._engine.dispose()
