"""Transactions on PostgreSQL that wait for one another: the one that is given up is done again."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from tcgtracker.database.engine import Database
from tcgtracker.database.migrate import upgrade
from tcgtracker.database.unit_of_work import repeated
from tcgtracker.domain.errors import Deadlock, StorageError
from tcgtracker.quotes.card_quotes import lock_cards, refresh_cards
from tests.unit.catalog.stating import a_statement
from tests.unit.quotes.reviewing import ASH, ReviewKit

LINKS = "SELECT id FROM product_links FOR UPDATE"
CARDS = "SELECT id FROM cards FOR UPDATE"
QUOTES = "SELECT card_id FROM card_quotes FOR UPDATE"
WAITING = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    database = Database(postgres_url)
    upgrade(database)
    yield database
    database.close()


@pytest.fixture
def kit(database: Database, tmp_path: Path) -> ReviewKit:
    return ReviewKit(database, tmp_path)


class Rival:
    """A second connection that holds one thing, and takes another once somebody waits for it."""

    def __init__(self, database: Database, connection: Connection) -> None:
        self._database = database
        self._connection = connection
        self.crossed = False

    def take_when_waited_for(self, statement: str) -> None:
        ends_at = time.monotonic() + 10
        with self._database.read() as looking:
            while not looking.execute(text(WAITING)).scalar_one():
                looking.rollback()  # what is seen of others stays the same within a transaction
                assert time.monotonic() < ends_at, "nobody waits"
                time.sleep(0.01)
        self._connection.execute(text(statement))
        self.crossed = True


@contextmanager
def a_rival(database: Database, holds: str) -> Iterator[Rival]:
    """Hold something; in a deadlock the other one is given up, since this one looks for none."""
    with database.write() as connection:
        connection.execute(text("SET LOCAL deadlock_timeout = '60s'"))
        connection.execute(text(holds))
        yield Rival(database, connection)


def test_a_review_that_was_given_up_is_done_again(database: Database, kit: ReviewKit) -> None:
    kit.guide(a_statement("10", "Alakazam #3"), price=700)
    link_id = kit.link("10").record.id
    with ThreadPoolExecutor(1) as pool:
        with a_rival(database, LINKS) as rival:
            review = pool.submit(kit.review.accept, link_id, ASH)
            rival.take_when_waited_for(CARDS)
        done = review.result(30)
    assert rival.crossed
    assert done.link.record.decided_by == "ash"
    assert kit.quoted() == {"1": 700}
    assert kit.audited() == [("link.accepted", "pricecharting:10")]


def test_quotes_that_were_given_up_are_made_again(database: Database, kit: ReviewKit) -> None:
    kit.guide(a_statement("10", "Alakazam #1"), price=700)
    assert kit.quoted() == {"1": 700}
    with ThreadPoolExecutor(1) as pool:
        with a_rival(database, QUOTES) as rival:
            made = pool.submit(refresh_cards, database, database, [kit.card_id("1")])
            rival.take_when_waited_for(CARDS)
        assert made.result(30) == 1
    assert rival.crossed
    assert kit.quoted() == {"1": 700}


def test_an_intake_writes_rows_of_a_card_that_a_review_holds(
    database: Database, kit: ReviewKit
) -> None:
    """Each would else hold what the other needs next: the card, and the product's link."""
    card_id = kit.card_id("1")
    with database.write() as reviewing, database.write() as taking_in:
        lock_cards(reviewing, [card_id])
        taking_in.execute(text("SET LOCAL lock_timeout = '2s'"))
        statement = "INSERT INTO printings (card_id, name) VALUES (:card, 'Foil')"
        taking_in.execute(text(statement), {"card": card_id})


def hold_soon(database: Database, card_id: int) -> None:
    with database.write() as connection:
        connection.execute(text("SET LOCAL lock_timeout = '200ms'"))
        lock_cards(connection, [card_id])


def test_two_that_hold_the_same_card_wait_for_one_another(
    database: Database, kit: ReviewKit
) -> None:
    with database.write() as first:
        lock_cards(first, [kit.card_id("1")])
        with pytest.raises(StorageError, match="lock timeout"):
            hold_soon(database, kit.card_id("1"))


def test_a_deadlock_without_end_is_told() -> None:
    tried = []

    def act() -> None:
        tried.append(1)
        raise Deadlock("again")

    with pytest.raises(Deadlock, match="again"):
        repeated(act, attempts=3)
    assert len(tried) == 3
