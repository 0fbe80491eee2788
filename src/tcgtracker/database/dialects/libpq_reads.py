"""Short reads through libpq itself: psycopg's cursor takes five times what the answer does.

Blocking, so for threads: what psycopg's own waiting adds (it looks for signals in between) is most
of a short read's cost.
"""

import re
from collections import OrderedDict
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import errors, pq
from psycopg.adapt import Transformer

_MOST_PREPARED = 200
_UNKNOWN_STATEMENT = b"26000"
_PARAMETER = re.compile(r":(\w+)")


class LibpqReader:
    """SELECTs over a psycopg connection that only reads, each prepared at its first use.

    Where also something is written psycopg must not be passed by: after a DROP or a ROLLBACK it
    has the server forget all prepared statements.
    """

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self._pgconn = connection.pgconn
        self._begin = _begin_sql(connection)
        self._rows = Transformer(connection)
        self._names: OrderedDict[str, bytes] = OrderedDict()
        self._prepared = 0

    def read(self, sql: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run a SELECT with parameters `:name` and return its rows.

        Raises:
            psycopg.Error: the database refused it, or does not answer.
        """
        statement, names = _positional(sql)
        if self._pgconn.transaction_status == pq.TransactionStatus.IDLE:
            self._run(self._begin)
        values = [_as_text(parameters[name]) for name in names]
        name = self._names.get(sql)
        if name is None:
            name = self._prepare(sql, statement)
        else:
            self._names.move_to_end(sql)
        result = self._pgconn.exec_prepared(name, values, None, pq.Format.BINARY)
        if result.status != pq.ExecStatus.TUPLES_OK:
            raise self._error(result)
        self._rows.set_pgresult(result, format=pq.Format.BINARY)
        return self._rows.load_rows(0, result.ntuples, tuple)

    def _prepare(self, sql: str, statement: bytes) -> bytes:
        while len(self._names) >= _MOST_PREPARED:
            _, oldest = self._names.popitem(last=False)
            self._run(b"DEALLOCATE " + oldest)
        self._prepared += 1
        name = f"tcgtracker_{self._prepared}".encode()
        result = self._pgconn.prepare(name, statement)
        if result.status != pq.ExecStatus.COMMAND_OK:
            raise self._error(result)
        self._names[sql] = name
        return name

    def _run(self, command: bytes) -> None:
        result = self._pgconn.exec_(command)
        if result.status != pq.ExecStatus.COMMAND_OK:
            raise self._error(result)

    def _error(self, result: pq.abc.PGresult) -> psycopg.Error:
        said = result.get_error_message()
        state = result.error_field(pq.DiagnosticField.SQLSTATE)
        if state == _UNKNOWN_STATEMENT:
            self._names.clear()  # somebody had the server forget them: prepared anew
        if not state:  # not the server's words: the connection is lost
            return psycopg.OperationalError(said)
        return errors.lookup(state.decode())(said)


def is_alive(connection: "psycopg.Connection[Any]") -> bool:
    """Ask the server whether it is still there."""
    return connection.pgconn.exec_(b"").status == pq.ExecStatus.EMPTY_QUERY


def roll_back(connection: "psycopg.Connection[Any]") -> None:
    """End an open transaction; where that fails, psycopg's own attempt that follows says so."""
    if connection.pgconn.transaction_status != pq.TransactionStatus.IDLE:
        connection.pgconn.exec_(b"ROLLBACK")


@lru_cache(maxsize=1024)
def _positional(sql: str) -> tuple[bytes, tuple[str, ...]]:
    """Return SQL with PostgreSQL's marks for parameters instead of `:name`, and their names."""
    names = tuple(dict.fromkeys(_PARAMETER.findall(sql)))
    return _PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}", sql).encode(), names


def _begin_sql(connection: "psycopg.Connection[Any]") -> bytes:
    """Return how the connection begins a transaction."""
    level = connection.isolation_level
    words = f" ISOLATION LEVEL {level.name.replace('_', ' ')}" if level is not None else ""
    return f"BEGIN{words} READ ONLY".encode()


def _as_text(value: int | str | list[int]) -> bytes:
    """Return a value as PostgreSQL reads it: the statement says of which type it is."""
    if isinstance(value, list):
        return f"{{{','.join(map(str, value))}}}".encode()
    return str(value).encode()
