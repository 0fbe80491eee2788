"""How right the matching is on real pairs, held to what it once reached."""

import json
from pathlib import Path

import pytest

from tcgtracker.catalog.matching.evaluation import evaluate
from tcgtracker.cli import app
from tcgtracker.cli.errors import run
from tests.integration.matching.held_out import (
    open_world,
    pokemontcg_pairs,
    tcgcsv_pairs,
    tcgdex,
    tcgplayer_pairs,
)

pytestmark = pytest.mark.data
FLOORS = Path(__file__).resolve().parents[2] / "matching_floors.json"
PRECISION = 0.999


def test_labelled_pairs_reach_their_floors(
    real_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = real_data / "matching_sample.csv"
    code = run(app, ["links", "evaluate", str(pairs), "--floors", str(FLOORS), "--json"])
    said = json.loads(capsys.readouterr().out)
    assert code == 0, said["below"]
    assert sum(one["pairs"] for one in said["figures"].values()) >= 2_000
    assert all(float(one["precision"]) >= PRECISION for one in said["figures"].values())


@pytest.mark.long
def test_whole_catalogs_that_were_set_aside(real_data: Path) -> None:
    catalog = tcgdex(real_data)
    for make, recall, fewest in (
        (pokemontcg_pairs, 0.995, 15_000),
        (tcgcsv_pairs, 0.97, 8_000),
        (tcgplayer_pairs, 0.9, 50),
    ):
        held = make(real_data)
        (figures,) = evaluate(held.pairs, catalog, also=held.others).values()
        assert figures.pairs >= fewest
        assert figures.precision >= PRECISION, figures.misses
        assert figures.recall >= recall


@pytest.mark.long
def test_cards_of_sets_that_we_lack_are_left_alone(real_data: Path) -> None:
    for kind, figures in open_world(real_data, seeds=3, parts=(1.0, 0.05, 0.01)).items():
        assert figures.precision >= PRECISION, kind
        assert figures.absent > 100
        assert figures.recall >= (0.9 if "code" in kind else 0.97), kind
