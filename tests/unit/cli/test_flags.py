"""`tcgtracker flags`: what it shows, changes and refuses."""

import json

import pytest

from tests.unit.cli.conftest import Command


@pytest.fixture
def ready(command: Command) -> Command:
    assert command("db", "upgrade").code == 0
    return command


def test_a_flag_is_set_shown_and_given_its_default_back(ready: Command) -> None:
    said = ready("flags", "set", "pricing.primary_source", "justtcg")
    assert (said.code, said.out) == (0, "pricing.primary_source is justtcg\n")
    assert "note: justtcg is not asked: set API_JUSTTCG_API_KEY" in said.err
    assert ready("flags", "get", "pricing.primary_source").out == "justtcg\n"
    listed = {one["flag"]: one for one in json.loads(ready("flags", "list", "--json").out)}
    assert listed["pricing.primary_source"]["value"] == "justtcg"
    assert listed["pricing.primary_source"]["changed_by"].startswith("command line (")
    assert listed["pricing.fallback_sources"]["changed_at"] is None
    said = ready("flags", "reset", "pricing.primary_source")
    assert said.out == "pricing.primary_source is pricecharting, its default\n"
    history = json.loads(ready("flags", "history", "--json").out)
    assert [(one["old"], one["new"]) for one in history] == [
        ("justtcg", "pricecharting"),
        ("pricecharting", "justtcg"),
    ]
    assert "pricing.primary_source\tjusttcg\tpricecharting" in ready("flags", "history").out


def test_sources_are_separated_by_commas(ready: Command) -> None:
    assert ready("flags", "set", "pricing.fallback_sources", "tcgplayer, justtcg").code == 0
    assert ready("flags", "get", "pricing.fallback_sources").out == "tcgplayer,justtcg\n"
    assert "pricing.fallback_sources\ttcgplayer,justtcg\t" in ready("flags", "list").out
    assert ready("flags", "set", "pricing.fallback_sources", "").out.endswith("is empty\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("set", "pricing.primary_source", "ebay"), "is no source: pricecharting, justtcg"),
        (("set", "pricing.rollout_percent", "200"), "no whole number from 0 to 100"),
        (("set", "pricing.rollout_percent", "ten"), "no whole number from 0 to 100"),
        (("set", "pricing.color", "red"), "there is no flag 'pricing.color'"),
        (("get", "pricing.color"), "there is no flag 'pricing.color'"),
        (("reset", "pricing.color"), "there is no flag 'pricing.color'"),
    ],
)
def test_what_is_refused_is_one_clear_line(
    ready: Command, arguments: tuple[str, ...], said: str
) -> None:
    found = ready("flags", *arguments)
    assert found.code == 2
    assert found.err.startswith("error: ")
    assert said in found.err
    assert found.err.count("\n") == 1
