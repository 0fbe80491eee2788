"""Folders and lines of TCGCSV answers make whole scopes, however they are spread."""

import random

import pytest

from tcgtracker.domain.errors import InvalidInput
from tcgtracker.integrations.contract import PricePage
from tcgtracker.integrations.price_files import iter_price_pages
from tcgtracker.integrations.tcgcsv.days import iter_scopes
from tcgtracker.integrations.tcgcsv.lines import AnswerLines
from tests.unit.integrations.builders import (
    a_gzip,
    a_line,
    a_row,
    an_answer,
    market_of,
    write_group,
)

D1, D2 = "2026-04-01", "2026-04-02"


def body(product: int, price: float = 1.0) -> bytes:
    return an_answer(a_row(product, market=price))


@pytest.fixture
def archive(tmp_path):
    """Two days, two categories, two groups each; product ids tell where they are."""
    root = tmp_path / "archive"
    for number, day in enumerate((D1, D2), 1):
        for category in (3, 68):
            for group in (9, 10):
                product = number * 100_000 + category * 100 + group
                write_group(root, day, category, group, body(product))
    return root


def scopes_of(*paths):
    return [
        (page.observed_at.date().isoformat(), page.scope, sorted(market_of(page)), page.missing)
        for page in iter_price_pages(paths)
    ]


def ids(*products):
    return [(product, "Normal") for product in products]


DAY_1 = [(D1, "3", ids(100309, 100310), ()), (D1, "68", ids(106809, 106810), ())]
DAY_2 = [(D2, "3", ids(200309, 200310), ()), (D2, "68", ids(206809, 206810), ())]


def test_a_folder_of_days_gives_every_category_of_every_day_in_order(archive):
    assert scopes_of(archive) == DAY_1 + DAY_2


def test_days_come_in_the_order_in_which_they_are_named(archive):
    assert scopes_of(archive / D2, archive / D1) == DAY_2 + DAY_1


def test_a_category_folder_is_whole(archive):
    assert scopes_of(archive / D1 / "68") == DAY_1[1:]


@pytest.mark.parametrize("name", ["10", "10/prices"])
def test_one_group_alone_is_not_the_whole_category(archive, name):
    (found,) = scopes_of(archive / D1 / "3" / name)

    assert found == (D1, "3", ids(100310), ("only some groups of category 3 were given (10)",))


def test_every_group_named_alone_is_still_not_known_to_be_the_whole(archive):
    (found,) = scopes_of(archive / D1 / "3" / "9", archive / D1 / "3" / "10" / "prices")

    assert found[2] == ids(100309, 100310)
    assert found[3] == ("only some groups of category 3 were given (9, 10)",)


def test_a_group_beside_its_whole_category_changes_nothing(archive):
    (page,) = iter_price_pages([archive / D1 / "3" / "9", archive / D1 / "3"])

    assert page.missing == ()
    assert page.skipped == {"duplicate": 1}
    assert sorted(market_of(page)) == ids(100309, 100310)


def test_relative_paths_say_as_much(archive, monkeypatch):
    monkeypatch.chdir(archive / D1 / "3")

    assert scopes_of("9/prices")[0][2] == ids(100309)


def test_a_group_without_its_file_makes_the_scope_incomplete(archive):
    (archive / D1 / "3" / "10" / "prices").unlink()

    found = scopes_of(archive / D1)

    assert found[0] == (D1, "3", ids(100309), (f"{D1}/3/10/prices: is not there",))
    assert found[1] == DAY_1[1]


def test_a_category_without_any_file_is_told_and_not_taken_for_empty(archive):
    for group in ("9", "10"):
        (archive / D1 / "3" / group / "prices").unlink()

    found = scopes_of(archive / D1)

    reasons = tuple(f"{D1}/3/{group}/prices: is not there" for group in (9, 10))
    assert found == [DAY_1[1], (D1, "3", [], reasons)]


def test_a_broken_group_file_leaves_the_others(archive):
    (archive / D1 / "3" / "10" / "prices").write_bytes(b"<html>403 Forbidden</html>")

    found = scopes_of(archive / D1)

    assert found[0][2] == ids(100309)
    assert found[0][3] == (f"{D1}/3/10/prices: is a web page (HTML or XML), not JSON",)


def test_group_files_may_be_gzip_and_a_cut_one_is_told(archive):
    (archive / D1 / "3" / "9" / "prices").write_bytes(a_gzip(body(100309)))
    (archive / D1 / "3" / "10" / "prices").write_bytes(a_gzip(body(100310))[:-9])

    found = scopes_of(archive / D1)[0]

    assert found[2] == ids(100309)
    assert found[3][0].startswith(f"{D1}/3/10/prices: ")
    assert "the gzip stream is damaged or cut off" in found[3][0]


def test_links_inside_a_folder_are_not_followed(archive, tmp_path):
    outside = write_group(tmp_path / "elsewhere", D1, 3, 11, body(5))
    (archive / D1 / "3" / "11").symlink_to(outside.parent)
    (archive / D1 / "3" / "12").mkdir()
    (archive / D1 / "3" / "12" / "prices").symlink_to(outside)

    found = scopes_of(archive / D1)[0]

    assert found[2] == ids(100309, 100310)
    assert found[3] == (f"{D1}/3/12/prices: is not there",)


def test_files_of_other_names_are_no_part_of_the_layout(archive):
    (archive / "notes.txt").write_text("x")
    (archive / D1 / "prices").write_text("x")
    (archive / D1 / "x3").mkdir()

    assert scopes_of(archive) == DAY_1 + DAY_2


def lines_file(path, *lines):
    path.write_bytes(b"".join(lines))
    return path


def test_lines_of_one_category_make_one_page_with_its_groups(tmp_path):
    path = lines_file(
        tmp_path / "x.ndjson",
        a_line(D1, 3, 9, body(1)),
        a_line(D1, 3, 10, an_answer()),
        b"\r\n",
        a_line(D1, 68, 9, body(2)).replace(b"\n", b"\r\n"),
    )

    pages = list(iter_price_pages([path]))

    assert [(page.scope, sorted(page.parts), page.missing) for page in pages] == [
        ("3", ["10", "9"], ()),
        ("68", ["9"], ()),
    ]
    assert [market_of(page) for page in pages] == [{(1, "Normal"): 100}, {(2, "Normal"): 100}]


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_lines_may_be_gzip_and_start_with_a_byte_order_mark(tmp_path, zipped, mark):
    content = mark + a_line(D1, 3, 9, body(1)).rstrip()
    path = tmp_path / "prices"
    path.write_bytes(a_gzip(content) if zipped else content)

    assert scopes_of(path) == [(D1, "3", ids(1), ())]


def test_a_scope_spread_over_several_files_makes_one_page(tmp_path):
    first = lines_file(
        tmp_path / "a.ndjson",
        a_line(D1, 3, 9, body(1)),
        a_line(D1, 68, 9, body(3)),
        a_line(D2, 3, 9, body(5)),
    )
    second = lines_file(
        tmp_path / "b.ndjson",
        a_line(D1, 3, 10, body(2)),
        a_line(D2, 3, 10, body(6)),
        a_line(D2, 3, 11, body(7)),
    )

    assert sorted(scopes_of(first, second)) == [
        (D1, "3", ids(1, 2), ()),
        (D1, "68", ids(3), ()),
        (D2, "3", ids(5, 6, 7), ()),
    ]


def test_a_scope_spread_over_lines_and_folders_makes_one_page(tmp_path, archive):
    path = lines_file(tmp_path / "a.ndjson", a_line(D1, 3, 11, body(1)))

    found = scopes_of(path, archive / D1 / "3" / "9")

    assert found == [(D1, "3", ids(1, 100309), ())]


def test_mixed_days_are_one_page_each_while_they_fit_in_memory(tmp_path):
    lines = [a_line(day, 3, group, body(group)) for group in (1, 2, 3) for day in (D1, D2)]
    path = lines_file(tmp_path / "a.ndjson", *lines)

    assert scopes_of(path) == [(D1, "3", ids(1, 2, 3), ()), (D2, "3", ids(1, 2, 3), ())]
    with pytest.raises(InvalidInput, match=r"a\.ndjson line 3: the days are so mixed up"):
        list(iter_scopes([AnswerLines(path)], max_waiting=2 * len(body(1))))


def test_keys_in_another_order_and_further_keys_are_read(tmp_path):
    path = lines_file(
        tmp_path / "a.ndjson",
        b'{"body":' + body(1) + b',"groupId":9,"categoryId":3,"date":"' + D1.encode() + b'"}\n',
        a_line(D1, 3, 10, body(2)).replace(b"}\n", b',"fetched":{"by":1}}\n'),
    )

    assert scopes_of(path) == [(D1, "3", ids(1, 2), ())]


BROKEN_LINES = [
    b"<html>\n",
    b'{"categoryId":3,"groupId":9,"body":{}}\n',
    a_line("2026-02-30", 3, 9, body(1)),
    a_line("2026-04-01T00:00:00", 3, 9, body(1)),
    a_line(D1, -3, 9, body(1)),
    b"[" * 100_000 + b"\n",
    b'{"date":"\xff","categoryId":3,"groupId":9,"body":{}}\n',
]


@pytest.mark.parametrize("broken", BROKEN_LINES)
def test_a_line_that_does_not_tell_its_scope_may_be_of_those_beside_it(tmp_path, broken):
    path = lines_file(
        tmp_path / "a.ndjson",
        a_line(D1, 1, 9, body(1)),
        a_line(D1, 2, 9, body(2)),
        broken,
        a_line(D1, 3, 9, body(3)),
        a_line(D1, 4, 9, body(4)),
    )
    reason = ("a.ndjson line 3: does not say which day and group it is",)

    assert scopes_of(path) == [
        (D1, "1", ids(1), ()),
        (D1, "2", ids(2), reason),
        (D1, "3", ids(3), reason),
        (D1, "4", ids(4), ()),
    ]


def test_in_a_file_not_grouped_by_scope_it_may_be_of_any(tmp_path):
    path = lines_file(
        tmp_path / "a.ndjson",
        a_line(D1, 1, 9, body(1)),
        a_line(D1, 2, 9, body(2)),
        a_line(D1, 1, 10, body(11)),
        b"{}\n",
    )

    assert [bool(missing) for *_, missing in scopes_of(path)] == [True, True]


def test_a_line_with_a_broken_body_concerns_its_own_scope(tmp_path):
    path = lines_file(
        tmp_path / "a.ndjson",
        a_line(D1, 3, 9, body(1)),
        a_line(D1, 3, 10, body(2))[:-30] + b"\n",
        a_line(D1, 68, 9, body(3)),
    )

    first, second = scopes_of(path)

    assert first[:3] == (D1, "3", ids(1))
    assert first[3][0].startswith("a.ndjson line 2: is not whole JSON")
    assert second == (D1, "68", ids(3), ())


def test_a_file_of_nothing_but_broken_lines_is_refused(tmp_path):
    path = lines_file(tmp_path / "a.ndjson", b'{"body":1}\n', b"{}\n")

    with pytest.raises(InvalidInput, match=r"a\.ndjson: no line of it can be read"):
        scopes_of(path)


def noisy_body(group: int) -> bytes:
    """An answer that hardly compresses, so that the cut falls where it is meant to."""
    generator = random.Random(group)
    rows = [a_row(group * 1000 + n, market=generator.randrange(1, 10**9) / 100) for n in range(500)]
    return an_answer(*rows)


def test_a_cut_off_file_gives_what_it_has_and_then_the_fault(tmp_path):
    content = b"".join(
        a_line(D1, category, group, noisy_body(category * 10 + group))
        for category in (1, 2, 3)
        for group in (1, 2)
    )
    path = tmp_path / "a.ndjson.gz"
    zipped = a_gzip(content)
    path.write_bytes(zipped[: len(zipped) * 6 // 10])
    whole = lines_file(tmp_path / "b.ndjson", a_line(D1, 9, 1, body(9)))
    pages: list[PricePage] = []

    with pytest.raises(InvalidInput, match=r"a\.ndjson\.gz: the gzip stream is damaged or cut off"):
        pages.extend(iter_price_pages([path, whole]))

    assert [(page.scope, len(page.external_id), page.missing) for page in pages] == [
        ("1", 1000, ()),
        ("2", 500, ("a.ndjson.gz: cut off or damaged",)),
        ("9", 1, ()),
    ]


def test_the_scope_in_which_the_file_breaks_off_is_incomplete_even_without_a_whole_line(tmp_path):
    content = a_line(D1, 1, 1, noisy_body(1)) + a_line(D1, 2, 1, noisy_body(2))
    path = tmp_path / "a.ndjson.gz"
    zipped = a_gzip(content)
    path.write_bytes(zipped[: len(zipped) * 3 // 4])
    pages: list[PricePage] = []

    with pytest.raises(InvalidInput, match="cut off"):
        pages.extend(iter_price_pages([path]))

    found = {page.scope: (len(page.external_id), bool(page.missing)) for page in pages}
    assert found == {"1": (500, False), "2": (0, True)}


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path):
    path = lines_file(tmp_path / "a.ndjson", a_line(D1, 3, 9, body(1)), a_line(D1, 3, 10, body(2)))
    fewer = AnswerLines(path)
    lines_file(path, a_line(D1, 3, 9, body(1)))
    with pytest.raises(InvalidInput, match="changed while it was read"):
        list(iter_scopes([fewer]))

    more = AnswerLines(path)
    lines_file(path, a_line(D1, 3, 9, body(1)), a_line(D1, 3, 10, body(2)))
    with pytest.raises(InvalidInput, match="changed while it was read"):
        list(iter_scopes([more]))
