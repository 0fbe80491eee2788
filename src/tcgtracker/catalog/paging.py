"""Lists paged by key: a cursor is opaque text that names the last row seen.

Rows added meanwhile neither repeat nor hide others.
"""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Select, tuple_

from tcgtracker.catalog.views import Page
from tcgtracker.domain.errors import InvalidInput

MAX_LIMIT = 1_000
_T = TypeVar("_T")


def read_page(
    connection: Connection,
    statement: Select[Any],
    key: tuple[ColumnElement[str], ColumnElement[int]],
    limit: int,
    cursor: str,
    make: Callable[[Sequence[Any]], _T],
) -> Page[_T]:
    """Return the page after the cursor, ordered by `key` (a text, then an id).

    Raises:
        InvalidInput: a limit or cursor that cannot be used.
    """
    if not 0 < limit <= MAX_LIMIT:
        raise InvalidInput(f"limit is 1 to {MAX_LIMIT}")
    if cursor:
        statement = statement.where(tuple_(*key) > tuple_(*_decode(cursor)))
    rows = connection.execute(
        statement.add_columns(key[0].label("key_name"), key[1].label("key_id"))
        .order_by(*key)
        .limit(limit + 1)
    ).all()
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(
        rows=tuple(make(row[:-2]) for row in rows[:limit]),
        next_cursor=_encode(last.key_name, last.key_id) if last else None,
    )


def _encode(name: str, identifier: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([name, identifier]).encode()).decode().rstrip("=")


def _decode(cursor: str) -> tuple[str, int]:
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        name, identifier = json.loads(base64.urlsafe_b64decode(padded))
    except (binascii.Error, UnicodeError, ValueError, TypeError) as exc:
        raise InvalidInput("the cursor is not one that a list gave: begin without it") from exc
    if not isinstance(name, str) or type(identifier) is not int or "\0" in name:
        raise InvalidInput("the cursor is not one that a list gave: begin without it")
    return name, identifier
