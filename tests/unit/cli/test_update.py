"""`plan` and `update` as a user types them, with the vendors of the sandbox."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tcgtracker.sandbox.make_sandbox import DEFAULT_SEED, make_sandbox
from tcgtracker.sandbox.make_world import make_world
from tcgtracker.sandbox.serving import Sandbox
from tcgtracker.sandbox.world import WorldCard
from tests.unit.catalog.builders import a_product, envelope
from tests.unit.cli.conftest import Command

CARDS = 3
FIRST_DAY = datetime.now(UTC).date() - timedelta(days=1)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with make_sandbox(first_day=FIRST_DAY, pacing=False) as served:
        yield served


@pytest.fixture
def ready(
    command: Command, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Command:
    """Some cards of the sandbox's world by their TCGplayer ids; JustTCG is configured alone."""
    for key, value in sandbox.environment().items():
        if key.startswith("API_JUSTTCG"):
            monkeypatch.setenv(key, value)
    assert command("db", "upgrade").code == 0
    world_set = next(
        one for one in make_world(DEFAULT_SEED, FIRST_DAY).sets if one.category_id == 3
    )
    cards: list[WorldCard] = [
        one
        for one in world_set.cards
        if not one.traps and not one.sealed and one.justtcg_id and one.product_id
    ][:CARDS]
    groups = [
        {
            "groupId": world_set.group_id,
            "categoryId": 3,
            "name": world_set.name,
            "publishedOn": None,
        }
    ]
    products = [
        a_product(
            card.product_id,
            number=card.number,
            name=card.tcgplayer_name or card.name,
            groupId=world_set.group_id,
        )
        for card in cards
    ]
    files = (envelope(tmp_path / "g.json", groups), envelope(tmp_path / "p.json", products))
    said = command("import", "catalog", *map(str, files), "--json")
    assert json.loads(said.out)["counts"]["cards_created"] == CARDS, said.err
    return command


def calls(sandbox: Sandbox) -> int:
    return len(sandbox.calls("justtcg"))


def test_the_plan_tells_its_cost_and_calls_nobody(ready: Command, sandbox: Sandbox) -> None:
    made: dict[str, Any] = json.loads(ready("plan", "--json").out)
    (step,) = made["steps"]
    assert (step["vendor"], step["operation"], step["calls"]) == ("justtcg", "items", 1)
    assert (made["due"], len(step["cards"])) == (CARDS, CARDS)
    budget = next(one for one in made["budgets"] if one["vendor"] == "justtcg")
    assert budget["left_after"]["day"] == budget["left"]["day"] - 1
    said = ready("plan")
    assert "set API_PRICECHARTING_API_KEY to use it" in said.out
    assert calls(sandbox) == 0


def test_stale_cards_are_updated_in_one_call_and_are_not_due_again(
    ready: Command, sandbox: Sandbox
) -> None:
    said = ready("update", "--stale", "--json")
    assert said.code == 0, said.err
    outcomes = json.loads(said.out)
    assert {(one["outcome"], one["source"]) for one in outcomes} == {("stored", "justtcg")}
    assert all(float(one["market_price"]) > 0 for one in outcomes)
    assert calls(sandbox) == 1
    again = ready("update", "--stale")
    assert (again.code, calls(sandbox)) == (0, 1)
    assert "no card is due" in again.out


def test_a_failing_vendor_leaves_the_last_price_marked_stale(
    ready: Command, sandbox: Sandbox
) -> None:
    assert ready("update", "1", "--json").code == 0
    sandbox.fault("server_error", vendor="justtcg")
    said = ready("update", "1", "--json")
    assert said.code == 1
    (outcome,) = json.loads(said.out)
    assert (outcome["outcome"], outcome["stale"], outcome["source"]) == ("stale", True, "justtcg")
    assert outcome["market_price"]
    assert "justtcg" in outcome["fallback_reason"]
    text = ready("update", "1")
    assert "stale, " in text.out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("update",), 2, "name one or more cards"),
        (("update", "999"), 1, "no card fits"),
        (("update", "1", "--source", "tcgcsv"), 2, "cannot be asked for single cards"),
        (("update", "--stale", "--source", "justtcg"), 2, "--source goes with cards"),
    ],
)
def test_what_cannot_be_asked_is_told_in_one_line(
    ready: Command, arguments: tuple[str, ...], code: int, said: str
) -> None:
    answer = ready(*arguments)
    assert (answer.code, answer.out) == (code, "")
    assert said in answer.err


def test_a_job_is_left_to_a_worker(ready: Command, sandbox: Sandbox) -> None:
    job = json.loads(ready("update", "1", "--background", "--json").out)["job_id"]
    shown = json.loads(ready("jobs", "show", job, "--json").out)
    assert (shown["name"], shown["state"]) == ("update_card_price", "ready")
    assert calls(sandbox) == 0
