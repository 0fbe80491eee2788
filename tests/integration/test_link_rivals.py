"""A person decides on a link while the rules, which saw it as it was before, write it too."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from tcgtracker.catalog.links import link_all
from tcgtracker.database.engine import Database
from tcgtracker.database.migrate import upgrade
from tcgtracker.database.unit_of_work import unit_of_work
from tcgtracker.quotes.link_acts import Act, Target
from tests.integration.test_deadlocks import WAITING
from tests.unit.catalog.stating import PC, a_statement
from tests.unit.quotes.reviewing import ReviewKit


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    database = Database(postgres_url)
    upgrade(database)
    yield database
    database.close()


def wait_for_a_waiter(database: Database) -> None:
    ends_at = time.monotonic() + 10
    with database.read() as looking:
        while not looking.execute(text(WAITING)).scalar_one():
            looking.rollback()
            assert time.monotonic() < ends_at, "nobody waits"
            time.sleep(0.01)


def test_a_persons_word_outlives_the_rules_that_did_not_see_it(
    database: Database, tmp_path: Path
) -> None:
    kit = ReviewKit(database, tmp_path)
    kit.guide(a_statement("10", "Alakazam #3"), price=700)
    link_id = kit.link("10").record.id
    with ThreadPoolExecutor(1) as pool:
        with unit_of_work(database, database) as uow:
            act = Act(uow, database, kit.kit.clock, by="ash")
            act.reject(act.groups.link(link_id))
            act.finish()
            guide = pool.submit(kit.guide, a_statement("10", "Alakazam #1"), price=800)
            wait_for_a_waiter(database)
        guide.result(30)
    assert kit.state("10")[2] == "rejected"
    assert kit.link("10").record.decided_by == "ash"
    assert kit.quoted() == {}


@pytest.mark.parametrize("word", ["reject", "accept"])
def test_a_persons_word_outlives_rules_that_write_what_they_read_before(
    database: Database, tmp_path: Path, word: str
) -> None:
    kit = ReviewKit(database, tmp_path)
    kit.guide(a_statement("10", "Alakazam #1"), price=700)
    assert kit.state("10")[2] == "derived"
    link_id = kit.link("10").record.id
    with database.write() as connection:  # as an earlier version of the rules had left it
        connection.execute(text("UPDATE product_links SET state = 'unknown', printing_id = NULL"))
    with ThreadPoolExecutor(1) as pool:
        with unit_of_work(database, database) as uow:
            act = Act(uow, database, kit.kit.clock, by="ash")
            link = act.groups.link(link_id)
            rules = pool.submit(link_all, database, database, PC, clock=kit.kit.clock)
            wait_for_a_waiter(database)
            if word == "reject":
                act.reject(link)
            else:
                act.accept(link, Target(kit.card_id("2"), "Holofoil"))
            act.finish()
        rules.result(30)
    assert kit.link("10").record.decided_by == "ash"
    assert kit.state("10")[2] == ("rejected" if word == "reject" else "confirmed")
    assert kit.quoted() == ({} if word == "reject" else {"2": 700})
