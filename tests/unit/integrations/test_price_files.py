"""The kind of a file is told by its content, and what is none is refused before any page."""

import pytest

from tcgtracker.domain.errors import InvalidInput
from tcgtracker.domain.source import Source
from tcgtracker.integrations.price_files import iter_price_pages, total_bytes
from tests.unit.integrations.builders import a_gzip, a_line, a_row, an_answer, write_group
from tests.unit.integrations.guides import a_guide, a_product

DAY = "2026-04-18"
LINE = a_line(DAY, 3, 9, an_answer(a_row(1, market=1)))
GUIDE = a_guide(a_product(1, loose="$1.00"))


@pytest.mark.parametrize("name", [f"x-{DAY}", f"{DAY}.txt", f"{DAY}.csv", f"{DAY}.7z"])
@pytest.mark.parametrize("pack", [bytes, a_gzip])
def test_the_name_does_not_decide(tmp_path, name, pack):
    path = tmp_path / name
    for content, source in ((LINE, Source.TCGCSV), (GUIDE, Source.PRICECHARTING)):
        path.write_bytes(pack(content))

        assert [page.source for page in iter_price_pages([path])] == [source]


def test_the_page_of_an_earlier_guide_waits_for_the_check_of_a_later_archive(tmp_path):
    guide, archive = tmp_path / f"{DAY}.csv", tmp_path / "x.7z"
    guide.write_bytes(GUIDE)
    archive.write_bytes(b"7z\xbc\xaf\x27\x1c" + b"\0" * 50)

    with pytest.raises(InvalidInput, match=r"x\.7z"):
        next(iter_price_pages([guide, archive]))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html>", "is a web page"),
        ("id,product-name".encode("utf-16"), "is UTF-16 text"),
        (an_answer(a_row()), "does not say which day, category and group"),
        (b"name,price\nx,1\n", "is no price file"),
        (b"\x00\x01", "is no price file"),
        (a_gzip(LINE)[:12], "the gzip stream is damaged"),
        (a_gzip(b""), "is empty"),
        (b"7z\xbc\xaf\x27\x1c" + b"\0" * 50, "the 7z archive is damaged"),
    ],
)
def test_what_is_no_price_file_is_refused_before_any_page(tmp_path, content, says):
    good, bad = tmp_path / "good.ndjson", tmp_path / "bad.bin"
    good.write_bytes(LINE)
    bad.write_bytes(content)

    with pytest.raises(InvalidInput, match=r"bad\.bin: ") as caught:
        next(iter_price_pages([good, bad]))

    assert says in str(caught.value)


def test_what_is_not_there_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match=r"nowhere: there is no such file"):
        next(iter_price_pages([tmp_path / "nowhere"]))
    with pytest.raises(InvalidInput, match=r"there is no price file in this folder"):
        next(iter_price_pages([tmp_path]))
    with pytest.raises(InvalidInput, match=r"no price file was named"):
        next(iter_price_pages([]))
    (tmp_path / DAY / "3").mkdir(parents=True)
    with pytest.raises(InvalidInput, match=r"there is no price file in this folder"):
        next(iter_price_pages([tmp_path / DAY]))
    with pytest.raises(InvalidInput, match=r"there is no price file in this folder"):
        next(iter_price_pages([tmp_path / DAY / "3"]))


def test_a_folder_gives_its_price_files_and_days(tmp_path):
    (tmp_path / "b.ndjson").write_bytes(a_line("2026-04-20", 3, 9, an_answer()))
    (tmp_path / "a.ndjson.gz").write_bytes(a_gzip(a_line("2026-04-19", 3, 9, an_answer())))
    (tmp_path / f"guide-{DAY}.csv").write_bytes(GUIDE)
    (tmp_path / "readme.md").write_text("no prices")
    (tmp_path / "link.ndjson").symlink_to(tmp_path / "readme.md")
    write_group(tmp_path, DAY, 3, 9, an_answer())

    pages = list(iter_price_pages([tmp_path]))

    assert [(page.source.value, page.observed_at.day) for page in pages] == [
        ("tcgcsv", 18),
        ("tcgcsv", 19),
        ("tcgcsv", 20),
        ("pricecharting", 18),
    ]


def test_a_path_named_twice_is_read_once(tmp_path):
    path = tmp_path / "a.ndjson"
    path.write_bytes(LINE)

    (page,) = iter_price_pages([path, tmp_path, path])

    assert page.skipped == {}


def test_progress_rises_to_the_total(tmp_path):
    lines, guide = tmp_path / "a.ndjson.gz", tmp_path / f"{DAY}.csv"
    lines.write_bytes(a_gzip(LINE * 1 + a_line(DAY, 3, 10, an_answer(a_row(2)))))
    guide.write_bytes(GUIDE)
    group = write_group(tmp_path / "x", DAY, 3, 11, an_answer(a_row(3)))
    paths = [lines, guide, group]
    told: list[int] = []

    list(iter_price_pages(paths, on_progress=told.append))

    assert told == sorted(told)
    assert told[-1] == total_bytes(paths)
