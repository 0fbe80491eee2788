"""A small catalog with prices, through the real parsers and the real intake."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from tcgtracker.catalog.service import import_catalog
from tcgtracker.database.engine import Database
from tcgtracker.database.tables.accounts import KeyScope
from tcgtracker.domain.clock import Clock, FixedClock
from tcgtracker.integrations.price_files import iter_price_pages
from tcgtracker.quotes.card_quotes import rebuild
from tcgtracker.quotes.following import follow
from tcgtracker.quotes.report import CollectReport
from tcgtracker.quotes.service import Intake
from tcgtracker.tracker import Tracker
from tests.unit.catalog.builders import a_product, envelope
from tests.unit.integrations.builders import a_row, an_answer, write_group

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
CATEGORY, GROUP = 3, 605
PASSWORD = "correct horse battery"  # noqa: S105 - of users that live for one test

Day = Mapping[tuple[int, str], Mapping[str, float] | None]
"""Prices in dollars of (product, printing), as `a_row` takes them; None = not listed."""


def import_products(
    database: Database, folder: Path, names: Mapping[int, str], *, clock: Clock | None = None
) -> None:
    """Make a card of each product id."""
    folder.mkdir(parents=True, exist_ok=True)
    groups = envelope(
        folder / "groups.json",
        [{"groupId": GROUP, "categoryId": CATEGORY, "name": "Base", "publishedOn": "2000-01-01"}],
    )
    rows = [
        a_product(product, number=f"{place:03}/130", name=name)
        for place, (product, name) in enumerate(names.items(), 1)
    ]
    products = envelope(folder / "products.json", rows)
    clock = clock or FixedClock(NOW)
    import_catalog(database, database, [groups, products], clock=clock)
    rebuild(database, database)


def import_days(
    database: Database,
    folder: Path,
    days: Mapping[date, Day],
    *,
    clock: Clock | None = None,
    trust: bool = False,
) -> CollectReport:
    """Write each day as the vendor's archive has it, and take them in."""
    clock = clock or FixedClock(NOW)
    paths = []
    for day, listed in days.items():
        rows = [
            a_row(product, printing, **prices)
            for (product, printing), prices in listed.items()
            if prices is not None
        ]
        write_group(folder, day.isoformat(), CATEGORY, GROUP, an_answer(*rows))
        paths.append(folder / day.isoformat())  # the whole day, so that what it lacks is gone
    report = Intake(database, clock).collect(
        iter_price_pages(paths), input_name="test", trust=trust
    )
    follow(database, database, clock=clock)
    return report


def as_json(body: bytes) -> Any:
    return json.loads(body)


def card_ids(database: Database) -> dict[str, int]:
    """Return the ids of the cards by name."""
    with database.read() as connection:
        rows: Sequence[Any] = connection.exec_driver_sql("SELECT name, id FROM cards").all()
    return {row[0]: row[1] for row in rows}


def api_key(tracker: Tracker) -> dict[str, str]:
    """Return the header of a key of the first user (an admin), who is made for it."""
    tracker.accounts.register("admin", PASSWORD)
    token = tracker.accounts.sign_in("admin", PASSWORD).access_token
    _, key = tracker.api_keys.make(tracker.door.account(token=token), "tests", KeyScope.WRITE)
    return {"X-API-Key": key}
