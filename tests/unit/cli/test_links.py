"""`tcgtracker links` as an operator types it."""

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tcgtracker.database.engine import Database
from tests.unit.catalog.stating import a_statement
from tests.unit.cli.conftest import Command
from tests.unit.quotes.reviewing import UNCLEAR, ReviewKit


@pytest.fixture
def kit(command: Command, sqlite_url: str, tmp_path: Path) -> Iterator[ReviewKit]:
    assert command("db", "upgrade").code == 0
    database = Database(sqlite_url)
    kit = ReviewKit(database, tmp_path)
    kit.guide(a_statement("10", "Alakazam #3"), price=500)
    kit.guide(a_statement("10", "Alakazam #3"), a_statement("11", "Machamp #9", "2"), price=900)
    yield kit
    database.close()


@pytest.fixture
def unclear(kit: ReviewKit) -> ReviewKit:
    """The same with products that nothing speaks against."""
    kit.guide(*UNCLEAR)
    return kit


def typed(patch: pytest.MonkeyPatch, *answers: str) -> None:
    patch.setattr(sys, "stdin", io.StringIO("".join(f"{one}\n" for one in answers)))


def test_a_link_is_shown_accepted_and_undone(command: Command, kit: ReviewKit) -> None:
    link = str(kit.link("10").record.id)
    listed = json.loads(command("links", "review", "--json").out)
    assert listed["counts"] == {"suspended": 0, "unknown": 2}
    assert {one["external_id"] for one in listed["items"]} == {"10", "11"}
    shown = command("links", "show", link)
    assert "refused: pricecharting states 'Alakazam #3'" in shown.out
    assert "number\t3\t1\tdisagrees" in shown.out
    said = command("links", "accept", link, "--note", "a misprint")
    assert (said.code, said.err) == (0, "")
    assert "is confirmed, Alakazam 1, Holofoil" in said.out
    assert kit.quoted() == {"1": 900}
    assert command("links", "undo", link).code == 0
    assert kit.quoted() == {}
    assert command("links", "reject", link).code == 0
    again = command("links", "accept", link)
    assert (again.code, "operator refused this pair" in again.err) == (1, True)
    assert "refused: card" in command("links", "show", link).out
    assert json.loads(command("links", "show", link, "--json").out)["state"] == "rejected"


def test_links_are_gone_through_by_keys(
    command: Command, kit: ReviewKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(monkeypatch, "x", "p", "Gold", "r")
    said = command("links", "review")
    assert said.code == 0, said.err
    assert "links in question: 2 unknown" in said.out
    assert kit.link("11").record.state == "rejected" or kit.link("10").record.state == "rejected"
    gold = [one for one in ("10", "11") if kit.link(one).record.printing == "Gold"]
    assert len(gold) == 1


def test_a_review_ends_where_it_is_left(
    command: Command, kit: ReviewKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(monkeypatch, "q")
    assert command("links", "review").code == 0
    assert {kit.link(one).record.state for one in ("10", "11")} == {"unknown"}


def test_all_of_a_rule_need_a_word_more(command: Command, unclear: ReviewKit) -> None:
    tried = command("links", "accept-all", "--rule", "ids-2")
    assert "would accept:" in tried.out
    assert unclear.quoted() == {}
    done = json.loads(command("links", "accept-all", "--rule", "ids-2", "--yes", "--json").out)
    assert done["accepted"] == 2
    assert len(unclear.quoted()) == 2
    assert "undone: 2 links" in command("links", "undo", "--batch", done["batch"]).out
    assert command("links", "undo").code == 2
    assert command("links", "undo", "--batch", "x").code == 2
    assert command("links", "undo", "999").code == 1
