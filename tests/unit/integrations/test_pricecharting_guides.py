"""Moments, columns and faults of PriceCharting's guides as files."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from tcgtracker.domain.errors import InvalidInput
from tcgtracker.integrations.contract import PricePage
from tcgtracker.integrations.price_files import iter_price_pages
from tests.unit.integrations.builders import a_gzip
from tests.unit.integrations.guides import MOMENT, SHORT_HEADER, a_guide, a_product


def test_the_moment_is_the_given_one_in_utc(pages_of):
    given = datetime(2026, 4, 19, 1, 30, 5, 999, tzinfo=timezone(timedelta(hours=2)))

    (page,) = pages_of(a_guide(a_product()), observed_at=given)

    assert page.observed_at == datetime(2026, 4, 18, 23, 30, 5, tzinfo=UTC)


@pytest.mark.parametrize("name", ["2026-04-18.csv", "guide_2026-04-18 (1).csv", "x2026-04-18"])
def test_else_it_is_the_date_in_the_file_name(pages_of, name):
    assert pages_of(a_guide(a_product()), name)[0].observed_at == MOMENT


@pytest.mark.parametrize(
    "name", ["guide.csv", "2026-02-30.csv", "12026-04-18.csv", "2026-04-18_2026-04-19.csv"]
)
def test_without_a_moment_the_file_is_refused(pages_of, name):
    with pytest.raises(InvalidInput, match=r"date"):
        pages_of(a_guide(a_product()), name)


def test_a_moment_without_a_zone_is_refused(pages_of):
    with pytest.raises(InvalidInput, match="time zone"):
        pages_of(a_guide(a_product()), observed_at=datetime(2026, 4, 18))  # noqa: DTZ001


@pytest.mark.parametrize("column", ["id", "console-name", "product-name", "loose-price"])
def test_a_missing_column_is_named(pages_of, column):
    header = [name for name in SHORT_HEADER if name != column]
    row = {name: value for name, value in a_product().items() if name != column}

    with pytest.raises(InvalidInput, match=f"guide-2026-04-18.csv: needs the column '{column}'"):
        pages_of(a_guide(row, header=header))


def test_semicolons_and_a_guide_without_rows_are_refused(pages_of):
    with pytest.raises(InvalidInput, match="commas or tabs, not semicolons"):
        pages_of(a_guide(a_product(), delimiter=";"))
    with pytest.raises(InvalidInput, match="has no rows"):
        pages_of(a_guide())


def test_an_endless_line_or_cell_is_refused(pages_of):
    with pytest.raises(InvalidInput, match="longer than 1,048,576 bytes"):
        pages_of(a_guide(a_product()) + b"x" * 2_000_000)
    with pytest.raises(InvalidInput, match="field larger than field limit"):
        pages_of(a_guide(a_product()) + b'2,"' + b"x\n" * 200_000)


def test_a_cut_off_guide_gives_what_it_has_as_incomplete_and_then_the_fault(tmp_path):
    rows = [a_product(n, f"Card {n * 7919 % 10007} #{n}", loose="$1.00") for n in range(1, 5001)]
    path = tmp_path / "guide-2026-04-18.csv.gz"
    whole = a_gzip(a_guide(*rows))
    path.write_bytes(whole[: len(whole) // 2])
    pages: list[PricePage] = []

    with pytest.raises(InvalidInput, match=r"2026-04-18\.csv\.gz: the gzip stream is damaged"):
        pages.extend(iter_price_pages([path]))

    (page,) = pages
    assert page.missing == ("guide-2026-04-18.csv.gz: cut off or damaged",)
    assert 1000 < len(page.external_id) < 5000
    assert page.rejected == []
    assert page.external_id.tolist() == list(range(1, len(page.external_id) + 1))


def test_guides_of_one_moment_make_one_page(tmp_path):
    first, second = tmp_path / "a-2026-04-18.csv", tmp_path / "b-2026-04-18.csv"
    other = tmp_path / "b-2026-04-19.csv"
    first.write_bytes(a_guide(a_product(1)))
    second.write_bytes(a_guide(a_product(2) | {"console-name": "Pokemon Other Set"}))
    other.write_bytes(a_guide(a_product(3)))

    pages = list(iter_price_pages([first, other, second]))

    assert [(page.observed_at.day, sorted(page.texts)) for page in pages] == [
        (18, [1, 2]),
        (19, [3]),
    ]
    assert pages[0].parts == {"Pokemon Invented Set", "Pokemon Other Set"}
