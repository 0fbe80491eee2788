"""links evaluate and export, as a user calls them."""

import csv
import json
from pathlib import Path

import pytest

from tests.support import CATEGORY, GROUP
from tests.unit.catalog.builders import a_card, a_product, a_set, a_variant, envelope, lines
from tests.unit.cli.conftest import Command
from tests.unit.integrations.builders import a_row, an_answer, write_group

_COLUMNS = ["pair_id", "kind", "left_source", "left_id", "left_name", "left_set", "left_number"]
_NAMES = ("Alakazam", "Blastoise", "Chansey", "Charizard")


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    folder = tmp_path / "tcgdex"
    folder.mkdir()
    lines(folder / "sets.ndjson", [a_set(name={"en": "Ruby Dunes"})])
    cards = [a_card(str(number), name) for number, name in enumerate(_NAMES, start=1)]
    lines(folder / "cards.ndjson.gz", cards)
    return folder


def write_pairs(path: Path, *rows: tuple[str, str, str], right: str = "base4-{}") -> Path:
    """Write (name, number, number of the labelled card) as pairs."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([*_COLUMNS, "right_source", "right_id"])
        for place, (name, number, card) in enumerate(rows, start=1):
            left = [str(place), "shop-tcgdex", "shop", f"s{place}", name, "Ruby Dunes", number]
            writer.writerow([*left, "tcgdex", right.format(card)])
    return path


def test_figures_and_errors(command: Command, catalog: Path, tmp_path: Path) -> None:
    pairs = write_pairs(
        tmp_path / "pairs.csv",
        ("Alakazam", "001/130", "1"),
        ("Blastoise", "2", "2"),
        ("Chansey", "3", "4"),
        ("Chansey", "9", "3"),
        ("Mew", "5", "99"),
    )
    said = command("links", "evaluate", str(pairs), "--json")
    assert said.code == 0, said.err
    body = json.loads(said.out)
    figures = body["figures"]["shop-tcgdex"]
    assert (figures["pairs"], figures["right"], figures["wrong"]) == (4, 2, 1)
    assert (figures["unknown"], figures["card absent"]) == (1, 1)
    assert (figures["precision"], figures["recall"]) == ("0.6667", "0.5000")
    assert [one["linked"] for one in body["errors"]] == ["base4-3", ""]
    shown = command("links", "evaluate", str(pairs), "--catalog", str(catalog), "--errors")
    assert shown.code == 0
    assert "no card of a set that it may be of has its number and name" in shown.out


def test_floor_that_is_not_reached_ends_with_1(
    command: Command, catalog: Path, tmp_path: Path
) -> None:
    pairs = write_pairs(tmp_path / "pairs.csv", ("Alakazam", "1", "1"), ("Mew", "2", "2"))
    floors = tmp_path / "floors.json"
    demand: dict[str, object] = {
        "floors": {"shop-tcgdex": {"precision": 0.999, "recall": 0.97, "pairs": 2}}
    }
    floors.write_text(json.dumps({"pairs.csv": demand}))
    said = command("links", "evaluate", str(pairs), "--floors", str(floors))
    assert said.code == 1
    assert "shop-tcgdex: recall 0.5 is below 0.97" in said.err
    demand["wrong_labels"] = {"2": "another card"}
    floors.write_text(json.dumps({"pairs.csv": demand}))
    said = command("links", "evaluate", str(pairs), "--floors", str(floors))
    assert said.code == 1
    assert "pairs 1 is below 2" in said.err
    assert "1 labels are called wrong, of 2 pairs" in said.err
    floors.write_text(json.dumps({"other.csv": demand}))
    assert command("links", "evaluate", str(pairs), "--floors", str(floors)).code == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"left_id,right_id\n1,2\n", "lacks the column(s) left_source, right_source"),
        (b"\xff\xfe\x00", "is no CSV file"),
        (None, "cannot be read"),
    ],
)
def test_bad_file_of_pairs(
    command: Command, catalog: Path, tmp_path: Path, content: bytes | None, message: str
) -> None:
    pairs = tmp_path / "pairs.csv"
    if content is not None:
        pairs.write_bytes(content)
    said = command("links", "evaluate", str(pairs))
    assert said.code == 2
    assert message in said.err


def test_no_catalog_and_bad_floors_are_said(command: Command, tmp_path: Path) -> None:
    pairs = write_pairs(tmp_path / "pairs.csv", ("Alakazam", "1", "1"))
    said = command("links", "evaluate", str(pairs))
    assert said.code == 2
    assert "--catalog" in said.err
    floors = tmp_path / "floors.json"
    floors.write_text('{"pairs.csv": {"floors": 3}}')
    said = command("links", "evaluate", str(pairs), "--floors", str(floors))
    assert said.code == 2
    assert "is no file of floors" in said.err


def test_export_names_both_sides_by_outside_ids(
    command: Command, catalog: Path, tmp_path: Path
) -> None:
    assert command("db", "upgrade").code == 0
    groups = [{"groupId": GROUP, "categoryId": CATEGORY, "name": "Base", "publishedOn": None}]
    products = [a_product(42444, number="001/130", name="Alakazam")]
    nasty = a_card("2", "Blastoise", id="=1+1", variants=[a_variant(42445)])
    more = [a_card("1", variants=[a_variant(42444)]), nasty]
    joined = lines(tmp_path / "more.ndjson", more)
    files = (
        envelope(tmp_path / "g.json", groups),
        envelope(tmp_path / "p.json", products),
        catalog / "sets.ndjson",
        joined,
    )
    assert command("import", "catalog", *map(str, files)).code == 0
    prices = an_answer(a_row(42444, market=1.0), a_row(42445, market=1.0))
    write_group(tmp_path, "2026-05-01", CATEGORY, GROUP, prices)
    assert command("import", "prices", str(tmp_path / "2026-05-01")).code == 0
    target = tmp_path / "links.csv"
    assert command("links", "export", str(target)).code == 0
    with target.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    assert rows == [
        ["left_source", "left_id", "right_source", "right_id", "state", "score"],
        ["tcgplayer", "42444", "tcgdex", "base4-1", "confirmed", "1.0000"],
        ["tcgplayer", "42445", "tcgdex", "'=1+1", "derived", "1.0000"],  # no formula
    ]
    said = command("links", "export", str(tmp_path / "no" / "folder.csv"))
    assert said.code == 2
    assert "cannot be written" in said.err


def test_match_says_what_it_did(command: Command) -> None:
    assert command("db", "upgrade").code == 0
    said = command("links", "match")
    assert (said.code, said.out) == (
        0,
        "no guide has named a product yet: 'tcgtracker sync pricecharting'\n",
    )
    assert json.loads(command("links", "match", "--dry-run", "--json").out) == []
