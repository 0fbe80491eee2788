"""After a whole file, the plan asks for none of its cards one by one."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select

from tcgtracker.database.engine import Database
from tcgtracker.database.tables.catalog import cards
from tcgtracker.domain.source import Source
from tcgtracker.integrations.contract import NO_PRICE, BulkPage, Capability
from tcgtracker.quotes.planning import Planner
from tests.unit.catalog.stating import a_statement
from tests.unit.quotes.sync_kit import NOON, SyncKit, a_guide, a_shelf

HOUR = timedelta(hours=1)
PRICED = a_statement("101", "Alakazam #1", "")
UNPRICED = a_statement("102", "Blastoise #2", "")


def guide(*, missing: str = "") -> BulkPage:
    """Return a guide with a price of the first product alone."""
    page = a_guide([PRICED, UNPRICED], missing=missing)
    page.prices.values[1, 0] = NO_PRICE
    return page


def a_kit(database: Database, page: BulkPage) -> SyncKit:
    shelf = a_shelf(Source.PRICECHARTING, Capability.BULK, Capability.ITEMS)
    shelf.info = replace(shelf.info, games={"pokemon": ("3",)}, refresh=timedelta(days=1))
    shelf.bulk_pages = {"pokemon": [page]}
    kit = SyncKit(database, shelf)
    kit.bulk.pricecharting("pokemon")
    return kit


def planned(kit: SyncKit) -> list[str]:
    """Return the names of the cards that the plan asks for one by one."""
    parts = kit.parts
    plan = Planner(parts.database, parts.history, parts.vendors, parts.clock).plan().plan
    wanted = [card_id for step in plan.steps for card_id in step.card_ids]
    with parts.database.read() as connection:
        found = connection.scalars(
            select(cards.c.name).where(cards.c.id.in_(wanted)).order_by(cards.c.name)
        )
        return list(found)


def test_no_card_of_a_complete_guide_is_asked_for_alone(database: Database) -> None:
    kit = a_kit(database, guide())
    assert planned(kit) == []
    with database.read() as connection:
        rows = connection.execute(
            select(cards.c.name, cards.c.next_check_at, cards.c.unanswered).order_by(cards.c.name)
        ).all()
    assert [tuple(row) for row in rows] == [
        ("Alakazam", NOON + 12 * HOUR, 0),  # the guide is of midnight, and new after a day
        ("Blastoise", NOON + 6 * HOUR, 1),
    ]
    kit.clock.advance(6 * HOUR)
    assert planned(kit) == ["Blastoise"]


def test_each_guide_without_a_price_doubles_the_wait(database: Database) -> None:
    kit = a_kit(database, guide())
    kit.bulk.pricecharting("pokemon", force=True)
    kit.clock.advance(12 * HOUR - timedelta(seconds=1))
    assert planned(kit) == []
    kit.clock.advance(timedelta(seconds=1))
    assert "Blastoise" in planned(kit)


def test_an_incomplete_guide_settles_nothing(database: Database) -> None:
    kit = a_kit(database, guide(missing="cut off"))
    assert "Blastoise" in planned(kit)
