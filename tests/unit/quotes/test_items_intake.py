"""An answer about single products: statements first, so that no wrong price is read."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from tcgtracker.database.engine import Database
from tcgtracker.database.tables.catalog import card_quotes, cards
from tcgtracker.database.tables.prices import collect_runs, quarantined_rows
from tcgtracker.domain.clock import FixedClock
from tcgtracker.domain.quote import Facet, PriceValues
from tcgtracker.domain.source import Source
from tcgtracker.domain.variant import PriceKind
from tcgtracker.integrations.contract import ItemPage, ItemQuotes, RejectedRow
from tcgtracker.quotes.items_intake import ItemIntake, ItemsReport, TakenItem
from tests.unit.catalog.stating import a_statement, one_card, state_of

MOMENT = datetime(2026, 5, 1, tzinfo=UTC)
UNGRADED = Facet(kind=PriceKind.GUIDE)
CLOCK = FixedClock(datetime(2026, 5, 1, 12, tzinfo=UTC))


def a_page(price: int = 500, *, day: int = 1, name: str = "Alakazam #1") -> ItemPage:
    at = MOMENT.replace(day=day)
    return ItemPage(
        Source.PRICECHARTING,
        items=[ItemQuotes("630417", at, {UNGRADED: PriceValues(market_price=price)})],
        stated=[a_statement(name=name)],
    )


def take(database: Database, *pages: ItemPage, history: Database | None = None) -> ItemsReport:
    intake = ItemIntake(database, history or database, CLOCK)
    with intake.run(Source.PRICECHARTING, "test") as run:
        for page in pages:
            intake.take(page, run)
        return run.report


def quoted(database: Database) -> list[int | None]:
    with database.read() as connection:
        return list(connection.scalars(select(card_quotes.c.market_price)))


def test_price_and_link_come_with_one_answer(database: Database, tmp_path: Path) -> None:
    one_card(database, tmp_path)
    report = take(database, a_page())
    assert (report.looks, report.stored, report.stated.claimed) == (1, 1, 1)
    assert (report.rows_read, quoted(database)) == (1, [500])
    assert report.items == {"630417": TakenItem(MOMENT, stored=1)}
    assert state_of(database, "630417") == ("Holofoil", "derived")


def test_the_same_answer_again_changes_nothing(database: Database, tmp_path: Path) -> None:
    one_card(database, tmp_path)
    report = take(database, a_page(), a_page())
    assert (report.looks, report.stored, report.unchanged, report.history_rows) == (2, 1, 1, 1)


def test_a_price_that_is_confirmed_is_as_new_as_the_look(
    database: Database, tmp_path: Path
) -> None:
    one_card(database, tmp_path)
    take(database, a_page(), a_page(day=9))
    with database.read() as connection:
        seen = connection.execute(select(card_quotes.c.market_price, card_quotes.c.observed_at))
        assert seen.all() == [(500, MOMENT.replace(day=9))]
        updated = connection.scalars(select(cards.c.last_price_update)).all()
        assert updated == [MOMENT.replace(day=9)]


def test_the_price_of_what_the_product_became_is_never_shown(
    database: Database, tmp_path: Path
) -> None:
    one_card(database, tmp_path)
    report = take(database, a_page(), a_page(700, day=2, name="Machamp #8"))
    assert report.stated.suspended == 1
    assert quoted(database) == []
    assert state_of(database, "630417") == ("Holofoil", "suspended")


def test_a_history_of_its_own_learns_of_the_doubt_first(database: Database, tmp_path: Path) -> None:
    from tcgtracker.database.migrate import upgrade

    history = Database(f"sqlite:///{tmp_path / 'history.db'}")
    upgrade(history)
    one_card(database, tmp_path)
    report = take(database, a_page(), history=history)
    assert (report.stated.new, quoted(database)) == (1, [500])
    take(database, a_page(700, day=2, name="Machamp #8"), history=history)
    assert quoted(database) == []
    history.close()


def test_refused_rows_and_empty_answers_are_counted(database: Database) -> None:
    page = a_page()
    page.items = [ItemQuotes("1", MOMENT, {})]
    page.rejected = [RejectedRow("630417", UNGRADED, "negative-price", "-1")]
    report = take(database, page)
    assert report.skipped == {"product without any series": 1}
    assert report.quarantined == {"negative-price": 1}
    with database.read() as connection:
        row = connection.execute(select(quarantined_rows)).one()
        run = connection.execute(select(collect_runs)).one()
    assert (row.external_id, row.reason) == ("630417", "negative-price")
    assert (run.state, run.report["rows_read"]) == ("done", 2)


def test_a_run_that_breaks_off_says_why_and_keeps_its_pages(
    database: Database, tmp_path: Path
) -> None:
    one_card(database, tmp_path)
    intake = ItemIntake(database, database, CLOCK)

    def broken_off() -> None:
        with intake.run(Source.PRICECHARTING, "x") as run:
            intake.take(a_page(), run)
            raise ValueError("gone")

    with pytest.raises(ValueError, match="gone"):
        broken_off()
    with database.read() as connection:
        kept = connection.execute(select(collect_runs)).one()
    assert (kept.state, kept.error, kept.report["stored"]) == ("failed", "ValueError: gone", 1)
    assert quoted(database) == [500]
