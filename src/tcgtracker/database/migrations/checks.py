"""Changing which values a column admits, with the rows in place and whoever refers to them.

from tcgtracker.database.migrations.checks import admit

def upgrade() -> None:
    admit("vendor_products", "source", ["pricecharting", "justtcg", "newsource"])
"""

from collections.abc import Sequence

from alembic import op
from sqlalchemy import text

from tcgtracker.domain.errors import StorageError


def admit(table: str, column: str, values: Sequence[str]) -> None:
    """Let the CHECK `ck_TABLE_COLUMN_known` admit these values; called in a migration.

    PostgreSQL looks at every row, and refuses when one holds another value. On SQLite a table with
    rows that others refer to cannot be made anew inside a transaction; its definition is changed
    instead, by the procedure of the manual ("ALTER TABLE", section 7), and the rows are looked at
    here.

    Raises:
        StorageError: there is no such CHECK, or a row holds another value.
    """
    connection = op.get_bind()
    name = f"ck_{table}_{column}_known"
    listed = ", ".join("'" + value.replace("'", "''") + "'" for value in values)
    check = f"{column} IN ({listed})"
    others = connection.execute(
        text(f'SELECT {column} FROM "{table}" WHERE NOT ({check}) LIMIT 1')
    ).scalar()
    if others is not None:
        raise StorageError(f"{table}.{column} holds {others!r}, which is no longer admitted")
    if connection.dialect.name == "postgresql":
        op.drop_constraint(op.f(name), table, type_="check")
        op.create_check_constraint(op.f(name), table, check)
        return
    sql = connection.execute(
        text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :table"),
        {"table": table},
    ).scalar_one()
    start = sql.find(f"CONSTRAINT {name} CHECK (")
    if start < 0:
        raise StorageError(f"{table} has no CHECK {name}")
    opening = sql.index("(", start)
    end = _closing(sql, opening)
    version = connection.execute(text("PRAGMA schema_version")).scalar_one()
    connection.execute(text("PRAGMA writable_schema = ON"))
    connection.execute(
        text("UPDATE sqlite_master SET sql = :sql WHERE type = 'table' AND name = :table"),
        {"sql": f"{sql[: opening + 1]}{check}{sql[end:]}", "table": table},
    )
    connection.execute(text(f"PRAGMA schema_version = {version + 1}"))
    connection.execute(text("PRAGMA writable_schema = OFF"))


def _closing(sql: str, opening: int) -> int:
    """Return where the bracket that opens there is closed; the values hold none."""
    depth = 0
    for place in range(opening, len(sql)):
        depth += {"(": 1, ")": -1}.get(sql[place], 0)
        if not depth:
            return place
    raise StorageError("a table's definition has a bracket that is not closed")
