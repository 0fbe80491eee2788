"""The sources are one list: what the database admits is what the program and its API know."""

import re

import pytest
from pydantic import TypeAdapter
from sqlalchemy import Connection, insert, inspect, select
from sqlalchemy.exc import IntegrityError

from tcgtracker.api import parameters
from tcgtracker.database.engine import Database
from tcgtracker.database.tables import metadata
from tcgtracker.database.tables.prices import vendor_products
from tcgtracker.domain.source import Source
from tests.support import NOW

NAMES = {source.value for source in Source}
# What is made anew from the others needs no check of its own.
_DERIVED = {"card_quotes"}


def tables_of_sources() -> set[str]:
    return {
        table.name
        for table in metadata.tables.values()
        if "source" in table.columns and table.name not in _DERIVED
    }


def add(connection: Connection, source: str) -> None:
    connection.execute(
        insert(vendor_products).values(source=source, external_id="7", first_seen_at=NOW)
    )


def test_a_row_of_each_source_comes_back(database: Database) -> None:
    with database.write() as connection:
        for source in Source:
            add(connection, source)
    with database.read() as connection:
        rows = connection.execute(select(vendor_products.c.source)).scalars().all()
    assert sorted(rows) == sorted(NAMES)


def test_what_is_no_source_is_refused_by_the_database(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as connection:
        add(connection, "ebay")


def test_the_labels_of_the_database_are_the_sources(database: Database) -> None:
    found: dict[str, set[str]] = {}
    checks = inspect(database.engine(writes=False))
    for table in tables_of_sources():
        for check in checks.get_check_constraints(table):
            if re.search(r"\bsource\b", check["sqltext"]):
                found[table] = set(re.findall(r"'([a-z]+)'", check["sqltext"]))
    assert found == dict.fromkeys(tables_of_sources(), NAMES)


def test_the_api_takes_the_same_names() -> None:
    schema = TypeAdapter(parameters.SourceName).json_schema()
    assert set(schema["$defs"]["Source"]["enum"]) == NAMES
