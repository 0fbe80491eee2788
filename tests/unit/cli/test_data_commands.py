"""Import, card, history, holds, seal: what a user types, on a SQLite file."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support import CATEGORY, GROUP
from tests.unit.catalog.builders import a_product, envelope
from tests.unit.cli.conftest import Command
from tests.unit.integrations.builders import a_line, a_row, an_answer, write_group

LAST = datetime.now(UTC).date() - timedelta(days=1)


@pytest.fixture
def ready(command: Command, tmp_path: Path) -> Command:
    """A migrated database with two cards."""
    assert command("db", "upgrade").code == 0
    groups = [{"groupId": GROUP, "categoryId": CATEGORY, "name": "Base", "publishedOn": None}]
    products = [
        a_product(1, number="001/130", name="Farfetch'd"),
        a_product(2, number="002/130", name="Farfetch'd V"),
    ]
    files = (envelope(tmp_path / "g.json", groups), envelope(tmp_path / "p.json", products))
    said = command("import", "catalog", *map(str, files), "--json")
    assert said.code == 0, said.err
    assert json.loads(said.out)["counts"]["cards_created"] == 2
    return command


def day_folder(folder: Path, back: int, market: float) -> str:
    day = (LAST - timedelta(days=back)).isoformat()
    rows = (a_row(1, market=market), a_row(2, market=2.0))
    write_group(folder, day, CATEGORY, GROUP, an_answer(*rows))
    return str(folder / day)


def test_from_files_to_a_chart(ready: Command, tmp_path: Path) -> None:
    days = [day_folder(tmp_path, back, 1.0 + back / 10) for back in range(5, -1, -1)]
    said = ready("import", "prices", *days)
    assert said.code == 0, said.err
    assert "rows read:" in said.out
    shown = ready("history", "001/130", "--days", "10")
    assert shown.code == 0, shown.err
    assert "Farfetch'd" in shown.out
    assert "1.00" in shown.out
    body = json.loads(ready("history", "001/130", "--json").out)
    assert (body["max_price"], body["trend"]) == ("1.50", "decreasing")
    card = json.loads(ready("card", "001/130", "--json").out)
    assert (card["name"], card["price"]["market_price"]) == ("Farfetch'd", "1.00")
    product = ready("history", "--source", "tcgcsv", "--product", "1", "--json")
    assert json.loads(product.out)[0]["min_price"] == "1.00"
    assert ready("seal").code == 0
    assert ready("db", "rebuild-state").code == 0


def test_several_cards_are_listed(ready: Command) -> None:
    said = ready("card", "farfetch")
    assert said.code == 0
    assert "Farfetch'd V" in said.out
    assert ready("history", "farfetch").code == 2
    assert ready("card", "nothing-like-it").code == 1
    assert ready("history").code == 2
    assert ready("history", "1", "--product", "1").code == 2
    assert ready("history", "1", "--condition", "nm", "--grade", "psa-10").code == 2


def test_a_file_that_breaks_off_keeps_what_came_before(ready: Command, tmp_path: Path) -> None:
    day = LAST.isoformat()
    lines = tmp_path / "days.ndjson"
    whole = a_line(day, CATEGORY, GROUP, an_answer(a_row(1, market=1.0)))
    lines.write_bytes(whole + a_line(day, 68, 7, an_answer(a_row(9, market=1.0)))[:-20])
    said = ready("import", "prices", str(lines), "--json")
    if said.code == 0:  # the line that is cut off is counted as incomplete, not as a fault
        assert json.loads(said.out)["incomplete"]
    else:
        assert said.code == 1
        assert json.loads(said.out)["fault"] in said.err
    assert json.loads(said.out)["stored"] == 1


def test_a_fault_after_stored_pages_is_exit_code_1(
    ready: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import gzip

    rows = b"".join(
        a_line(
            (LAST - timedelta(days=back)).isoformat(),
            CATEGORY,
            GROUP,
            an_answer(*(a_row(n, market=(n * 7919 + back) % 977 + 1) for n in range(1, 900))),
        )
        for back in range(12, -1, -1)
    )
    cut = gzip.compress(rows)
    file = tmp_path / "days.ndjson.gz"
    file.write_bytes(cut[: len(cut) * 3 // 4])
    said = ready("import", "prices", str(file), "--json")
    assert said.code == 1
    body = json.loads(said.out)
    assert body["stored"] > 0
    assert body["fault"]
    assert said.err.startswith("error: ")


@pytest.mark.parametrize(
    ("content", "words"), [(b"", "empty"), (b"<html>", "web page"), (b"{}", "JSON")]
)
def test_what_is_no_price_file_is_wrong_input(
    ready: Command, tmp_path: Path, content: bytes, words: str
) -> None:
    file = tmp_path / "x.ndjson"
    file.write_bytes(content)
    said = ready("import", "prices", str(file))
    assert said.code == 2
    assert words in said.err
    assert ready("import", "prices", str(file), "--observed-at", "soon").code == 2
    assert ready("import", "catalog", str(file)).code == 2


def test_a_date_before_there_were_such_cards_is_wrong_input(ready: Command, tmp_path: Path) -> None:
    file = tmp_path / "guide.csv"
    file.write_text("id,console-name,product-name,loose-price\n1,Pokemon Base Set,Abra #1,$1.00\n")
    for moment in ("0001-01-01T00:00:00Z", "1959-12-31"):
        said = ready("import", "prices", str(file), "--observed-at", moment)
        assert said.code == 2
        assert "before there were such prices" in said.err
    assert ready("db", "check").code == 0


def test_a_held_price_is_decided(ready: Command, tmp_path: Path) -> None:
    prices = [1.0, 1.0, 1.0, 1.0, 900.0, 1.0, 800.0]
    days = [day_folder(tmp_path, back, prices[6 - back]) for back in range(6, -1, -1)]
    assert ready("import", "prices", *days).code == 0
    first, second = json.loads(ready("holds", "list", "--json").out)
    assert (first["market_price"], second["market_price"]) == ("900.00", "800.00")
    assert (first["reference_price"], first["kind"]) == ("1.00", "market")
    assert "product_name" in first
    assert ready("holds", "release", str(first["hold_id"])).code == 0
    assert ready("holds", "release", str(first["hold_id"])).code == 1
    assert ready("holds", "reject", str(second["hold_id"])).code == 0
    assert ready("holds", "reject", "99").code == 1
    assert "no price is held back" in ready("holds", "list").out
    body = json.loads(ready("history", "001/130", "--json").out)
    assert body["max_price"] == "900.00"
    assert body["current"]["market_price"] == "1.00"
    trusted = [day_folder(tmp_path / "own", 0, 700.0)]
    assert ready("import", "prices", "--trust", *trusted).code == 0
    assert json.loads(ready("card", "001/130", "--json").out)["price"]["market_price"] == "700.00"


def test_a_folder_with_something_in_it_is_refused(command: Command, tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    said = command("demo", "--folder", str(tmp_path))
    assert (said.code, "not empty" in said.err) == (2, True)
