"""`tcgtracker compare` and `consensus`."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tcgtracker.analytics.usual_ratios import learn_game
from tcgtracker.database.engine import Database
from tests.unit.analytics.two_sources import TwoSources
from tests.unit.cli.conftest import Command


@pytest.fixture
def made(command: Command, sqlite_url: str, tmp_path: Path) -> Iterator[TwoSources]:
    assert command("db", "upgrade").code == 0
    made = TwoSources(Database(sqlite_url), tmp_path / "made", datetime.now(UTC).date())
    made.fill(guide={3: 9_999})
    learn_game(made.database, made.database, "pokemon", now=made.now)
    yield made
    made.database.close()


def test_two_sources_over_a_game_and_of_a_card(command: Command, made: TwoSources) -> None:
    pair = ("--left", "tcgcsv", "--right", "pricecharting")
    said = command("compare", *pair)
    assert (said.code, said.err) == (0, "")
    assert "ungraded\tUSD\tall\t\t0.9001" in said.out
    assert "Name3 003/130, Holofoil: 11.11 and 99.99 USD" in said.out
    assert "suspect: price, right" in said.out
    found = json.loads(command("compare", *pair, "--limit", "0", "--json").out)
    assert (found["outlier_count"], found["outliers"]) == (1, [])
    card = str(made.ids["Name1"])
    shown = command("compare", card)
    assert shown.out.startswith("Name1\n")
    assert "pricecharting\t9.15\tUSD\tguide\traw\tHolofoil" in shown.out
    assert len(json.loads(command("compare", card, "--json").out)["prices"]) == 2
    for wrong in ((), ("--left", "tcgcsv"), (card, *pair)):
        assert command("compare", *wrong).code == 2


def test_consensus_of_a_card(command: Command, made: TwoSources) -> None:
    said = command("consensus", str(made.ids["Name1"]))
    assert said.code == 0, said.err
    assert "Holofoil, ungraded: 10." in said.out
    assert "2 sources, spread 2.0 %)" in said.out
    assert "on the scale of tcgcsv's market prices" in said.out
    none = json.loads(command("consensus", str(made.ids["Name3"]), "--json").out)
    assert none["printings"][0]["price"] is None
    assert command("consensus", "nobody").code == 1
