"""`tcgtracker sync`: against the vendors of the sandbox, over HTTP."""

import json
from collections.abc import Iterator
from datetime import date

import pytest

from tcgtracker.sandbox.make_sandbox import make_sandbox
from tcgtracker.sandbox.serving import Sandbox
from tests.unit.cli.conftest import Command


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with make_sandbox(first_day=date(2026, 5, 1), pacing=False) as running:
        for key, value in running.environment().items():
            monkeypatch.setenv(key, str(value))
        yield running


def test_sets_of_all_vendors_are_one_set_each(command: Command, sandbox: Sandbox) -> None:
    command("db", "upgrade")
    first = json.loads(command("sync", "sets", "--game", "pokemon", "--json").out)
    made = [one["counts"].get("sets_created", 0) for one in first["outcomes"]]
    assert sum(made) == max(made) > 0
    again = json.loads(command("sync", "sets", "--game", "pokemon", "--json").out)
    assert [one["counts"] for one in again["outcomes"]] == [{}, {}, {}]


def test_a_vendor_that_fails_is_told_and_the_others_are_kept(
    command: Command, sandbox: Sandbox
) -> None:
    command("db", "upgrade")
    sandbox.fault("server_error", vendor="justtcg")
    said = command("sync", "sets", "--game", "pokemon")
    assert said.code == 1
    assert "error: justtcg pokemon: justtcg: sets:" in said.err
    assert "tcgplayer\tpokemon\tdone" in said.out


def test_a_guide_makes_cards_and_the_second_one_waits(command: Command, sandbox: Sandbox) -> None:
    command("db", "upgrade")
    said = command("sync", "pricecharting", "--game", "onepiece")
    assert (said.code, said.err) == (0, "")
    assert "cards created" in said.out
    assert "unchanged" in command("sync", "pricecharting", "--game", "onepiece").out


def test_without_keys_it_says_what_is_missing(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in ("API_TCGCSV_ENABLED", "API_PRICECHARTING_API_KEY", "API_JUSTTCG_API_KEY"):
        monkeypatch.delenv(key, raising=False)
    command("db", "upgrade")
    said = command("sync", "tcgcsv")
    assert (said.code, said.err.startswith("error: tcgcsv is not asked: set ")) == (1, True)
    assert command("sync", "sets", "--game", "chess").code == 2
    assert "there is no set 'x:1'" in command("sync", "cards", "--set", "x:1").err
