"""Damaged, strange and hostile files through the intake: refused or counted, nothing in halves."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, select

from tcgtracker.database.engine import Database
from tcgtracker.database.tables.prices import quarantined_rows
from tcgtracker.domain.clock import SystemClock
from tcgtracker.domain.errors import InvalidInput
from tcgtracker.integrations.price_files import iter_price_pages
from tcgtracker.prices.products import load_series
from tcgtracker.prices.reading import Answer
from tcgtracker.prices.store import load_histories
from tcgtracker.quotes.report import CollectReport
from tcgtracker.quotes.service import Intake
from tests.integration.made_days import at_20, make_day
from tests.integration.real_days import assert_adds_up, contents, import_files, stored_rows
from tests.integration.workers import ROOT
from tests.unit.integrations.builders import a_line, a_row, an_answer

HEADER = "id,console-name,product-name,loose-price,cib-price,new-price,graded-price"
DAY = "2025-09-24"


def refused(database: Database, *paths: Path, match: str) -> CollectReport:
    """Import files that must be refused with a clear message; return what was recorded before."""
    report = CollectReport()

    def keep(_page: object, total: CollectReport) -> None:
        nonlocal report
        report = total

    with pytest.raises(InvalidInput, match=match) as caught:
        Intake(database, SystemClock()).collect(
            iter_price_pages(paths), input_name="test", trust=True, on_page=keep
        )
    assert len(str(caught.value)) < 500
    assert "Traceback" not in str(caught.value)
    assert_adds_up(report)
    return report


def markets(database: Database, at: int) -> dict[tuple[str, str], tuple[Answer, int | None]]:
    """Return what every series reads at a moment: the answer and the market price."""
    with database.read() as connection:
        series = load_series(connection)
        histories = load_histories(
            connection, database.dialect, np.array([one.id for one in series], np.int64)
        )
        readings = {one: histories[one.id].at(at) for one in series}
    return {
        (one.external_id, one.facet.sub_key or one.facet.variant): (
            reading.answer,
            reading.values[0],
        )
        for one, reading in readings.items()
    }


def quarantined(database: Database) -> dict[str, int]:
    table = quarantined_rows
    with database.read() as connection:
        query = select(table.c.reason, func.count()).group_by(table.c.reason)
        return {row[0]: row[1] for row in connection.execute(query)}


def write(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def lines_file(folder: Path, *bodies: bytes) -> Path:
    content = b"".join(a_line(DAY, 68, group, body) for group, body in enumerate(bodies, start=1))
    return write(folder, "answers.ndjson", content)


def guide(folder: Path, *rows: str, header: str = HEADER) -> Path:
    return write(folder, f"guide-{DAY}.csv", "\n".join([header, *rows, ""]).encode())


def test_a_cut_gzip_keeps_its_whole_groups_and_gaps_nothing(
    database: Database, tmp_path: Path
) -> None:
    import_files(database, [make_day(tmp_path, 0)])
    whole = make_day(tmp_path, 1).read_bytes()
    says = {
        (str(row["productId"]), "Normal"): (Answer.PRICED, round(row["marketPrice"] * 100))
        for line in gzip.decompress(whole).splitlines()
        for row in json.loads(line)["body"]["results"]
    }
    cut = write(tmp_path, "cut.ndjson.gz", whole[: len(whole) * 2 // 3])

    report = refused(database, cut, match=r"cut\.ndjson\.gz.*(damaged|cut off)")

    assert report.incomplete
    assert report.gaps == 0
    found = markets(database, at_20(1))
    read = {key: one for key, one in found.items() if one[0] is Answer.PRICED}
    assert 0 < len(read) == report.rows_read < len(says)
    assert read.items() <= says.items()
    assert {one[0] for key, one in found.items() if key not in read} == {Answer.NOT_OBSERVED}

    import_files(database, [write(tmp_path, "whole.ndjson.gz", whole)])
    found = markets(database, at_20(1))
    assert {key: one for key, one in found.items() if one[0] is Answer.PRICED} == says


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"<!DOCTYPE html><html><body>503</body></html>", "web page"),
        (b"", "empty"),
        (b"\xff\xfei\0d\0", "UTF-16"),
        (b"PK\x03\x04 a zip", "no price file"),
        (b'{"success":true,"results":[]}', "day, category and group"),
        (f"{HEADER.replace('loose-price', 'losse-price')}\n1,Pokemon,A #1,$1\n".encode(), "loose"),
        (f"{HEADER.replace(',', ';')}\n1;Pokemon;A #1;1,00\n".encode(), "semicolons"),
        (f"{HEADER}\n".encode(), "no rows"),
    ],
    ids=["html", "empty", "utf-16", "zip", "no-place", "no-column", "semicolons", "no-rows"],
)
def test_what_is_no_price_file_is_refused_whole(
    database: Database, tmp_path: Path, content: bytes, match: str
) -> None:
    good = make_day(tmp_path, 0)
    bad = write(tmp_path, f"guide-{DAY}.csv", content)
    before = contents(database)
    with pytest.raises(InvalidInput, match=match):
        Intake(database, SystemClock()).collect(
            iter_price_pages([bad, good]), input_name="test", trust=True
        )
    assert contents(database) == before
    assert stored_rows(database) == 0


def test_a_web_page_for_one_group_gaps_nothing(database: Database, tmp_path: Path) -> None:
    import_files(database, [make_day(tmp_path, 0)])
    here = [key for key, one in markets(database, at_20(0)).items() if one[0] is Answer.PRICED]
    lines = gzip.decompress(make_day(tmp_path, 1).read_bytes()).splitlines(keepends=True)
    lines[1] = a_line("2025-09-25", 68, 2, b"<html>busy</html>")
    report = import_files(database, [write(tmp_path, "odd.ndjson", b"".join(lines))])
    assert any("web page" in reason for reason in report.incomplete)
    assert report.gaps == 0
    found = markets(database, at_20(1))
    assert [key for key in here if found[key][0] is Answer.GAP] == []


def test_a_byte_order_mark_and_unknown_columns_change_nothing(
    database: Database, tmp_path: Path
) -> None:
    path = write(
        tmp_path,
        f"guide-{DAY}.csv",
        b"\xef\xbb\xbf" + f"{HEADER},brand-new\n7,Pokemon Base,Mew #8,$1.25,,,,$9\n".encode(),
    )
    report = import_files(database, [path])
    assert report.stored == 1
    at = at_20(0) - 20 * 3600
    assert markets(database, at) == {("7", "raw"): (Answer.PRICED, 125)}


def test_hostile_amounts_in_a_guide_are_quarantined(database: Database, tmp_path: Path) -> None:
    amounts = {
        "1,25 EUR": "euro words",
        "€1.25": "euro sign",
        "-$3.00": "negative",
        "$1000000000000.00": "absurd",
        "NaN": "not a number",
        "Infinity": "not a number",
        "1e5": "exponent",
        "$": "nothing",
        "=1+1": "formula",
    }
    rows = [
        f'{number},Pokemon Base,Card #{number},"{text}",$2.00,,'
        for number, text in enumerate(amounts, start=1)
    ]
    path = guide(tmp_path, *rows, '50,Pokemon Base,Good #50,$4.00,,,"$1,000.10"')
    report = import_files(database, [path])
    assert report.quarantined.total() == len(amounts) == sum(quarantined(database).values())
    found = markets(database, at_20(0) - 20 * 3600)
    for number in range(1, len(amounts) + 1):
        assert found[str(number), "raw"] == (Answer.UNREADABLE, None)
        assert found[str(number), "any-7"] == (Answer.PRICED, 200)
    assert found["50", "raw"] == (Answer.PRICED, 400)
    assert found["50", "any-9"] == (Answer.PRICED, 100_010)
    assert len(found) == 2 * len(amounts) + 2


def test_hostile_amounts_in_an_answer_are_quarantined(database: Database, tmp_path: Path) -> None:
    amounts: list[Any] = [-1, -0.01, 10**12, 1e300, "1,25", "€1.25", True, [], {}, 10**400]
    rows = [a_row(number, market=amount, low=1) for number, amount in enumerate(amounts, start=1)]
    path = lines_file(tmp_path, an_answer(*rows, a_row(99, market=2.5)))
    report = import_files(database, [path])
    assert report.quarantined.total() == len(amounts) == sum(quarantined(database).values())
    found = markets(database, at_20(0))
    assert found.pop(("99", "Normal")) == (Answer.PRICED, 250)
    assert set(found.values()) == {(Answer.UNREADABLE, None)}
    assert len(found) == len(amounts)


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_words_that_are_no_json_numbers_spoil_their_answer(
    database: Database, tmp_path: Path, word: str
) -> None:
    bad = an_answer(a_row(1, market=1)).replace(
        b'"marketPrice": 1', b'"marketPrice": ' + word.encode()
    )
    assert word.encode() in bad
    report = import_files(database, [lines_file(tmp_path, bad, an_answer(a_row(2, market=2)))])
    assert report.incomplete
    assert markets(database, at_20(0)) == {("2", "Normal"): (Answer.PRICED, 200)}


def test_duplicates_that_contradict_are_no_price(database: Database, tmp_path: Path) -> None:
    rows = [a_row(1, market=1.00), a_row(2, market=3), a_row(2, market=3), a_row(1, market=1.01)]
    report = import_files(database, [lines_file(tmp_path, an_answer(*rows))])
    assert report.quarantined == {"conflicting-duplicate": 2}
    assert report.skipped == {"duplicate": 1}
    assert markets(database, at_20(0)) == {
        ("1", "Normal"): (Answer.UNREADABLE, None),
        ("2", "Normal"): (Answer.PRICED, 300),
    }
    guide_report = import_files(
        database,
        [guide(tmp_path, "7,Pokemon Base,Mew #8,$1,,,", "7,Pokemon Base,Mew #8,$2,,,")],
    )
    assert guide_report.quarantined == {"conflicting-duplicate": 2}


def test_a_row_with_a_cell_too_many_moves_no_price(database: Database, tmp_path: Path) -> None:
    path = guide(tmp_path, "7,Pokemon, Base,Mew #8,$1.25,$2,,", "8,Pokemon Base,Mew #9,$3.00,,,")
    report = import_files(database, [path])
    assert report.quarantined == {"broken-row": 1}
    assert report.incomplete
    found = markets(database, at_20(0) - 20 * 3600)
    assert found == {("8", "raw"): (Answer.PRICED, 300)}


def test_the_good_part_is_as_if_the_bad_had_not_been_there(
    database: Database, tmp_path: Path
) -> None:
    good = [a_row(number, market=number / 4) for number in range(1, 60)]
    bad = [a_row(number, market=-number) for number in range(60, 80)]
    mixed = [row for pair in zip(good, [*bad, *[None] * 40], strict=False) for row in pair if row]
    import_files(database, [lines_file(tmp_path, an_answer(*mixed))])
    found = markets(database, at_20(0))
    assert len(found) == 79
    priced = {int(key[0]): one[1] for key, one in found.items() if one[0] is Answer.PRICED}
    assert priced == {row["productId"]: row["productId"] * 25 for row in good}


_MEASURE = """
import sys
from pathlib import Path
from tests.peak_memory import peak_mib
from tcgtracker.database.engine import Database
from tcgtracker.database.migrate import upgrade
from tcgtracker.domain.clock import SystemClock
from tcgtracker.domain.errors import InvalidInput
from tcgtracker.integrations.price_files import iter_price_pages
from tcgtracker.quotes.service import Intake
database = Database(sys.argv[1])
upgrade(database)
try:
    Intake(database, SystemClock()).collect(iter_price_pages([Path(sys.argv[2])]), input_name="t")
except InvalidInput as exc:
    print("refused:", exc)
print(int(peak_mib()))
"""


@pytest.mark.parametrize(
    ("start", "limit_mb"),
    [(b'{"date":"2025-09-24","categoryId":68,"groupId":1,"body":"', 400), (HEADER.encode(), 200)],
    ids=["answer", "guide"],
)
@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "gzip"])
def test_a_line_of_a_gigabyte_is_refused_in_bounded_memory(
    sqlite_url: str, tmp_path: Path, start: bytes, limit_mb: int, *, zipped: bool
) -> None:
    path = tmp_path / f"guide-{DAY}.csv"
    if zipped:  # 1 GiB of one letter is 1 MB of gzip
        with gzip.open(path, "wb", compresslevel=1) as stream:
            stream.write(start)
            for _ in range(64):
                stream.write(b"a" * 2**24)
    else:
        path.write_bytes(start + b"\n1,Pokemon,")
        os.truncate(path, 2**30)  # the rest reads as zero bytes, on one line
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, sqlite_url, str(path)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    said, peak = done.stdout.strip().splitlines()[-2:]
    assert "refused:" in said
    assert "longer than" in said or "inflates" in said
    assert int(peak) < limit_mb
