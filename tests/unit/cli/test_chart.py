"""The chart, dot by dot."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcgtracker.cli.chart import Point, draw_chart
from tcgtracker.domain.errors import InvalidInput


def chart(points: list[Point], *, currency: str = "USD", width: int = 30, height: int = 5) -> str:
    return draw_chart(points, currency=currency, width=width, height=height)


def test_a_step_is_a_step() -> None:
    assert chart([(20000, 100), (20001, 100), (20002, 200)]) == (
        "2.00 ┤                ⡏⠉⠉⠉⠉⠉⠉⠉\n"
        "     │                ⡇\n"
        "1.00 ┤⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⡇\n"
        "     └────────────────────────\n"
        "      2024-10-04    2024-10-06"
    )


@pytest.mark.parametrize("gap", [[(20001, None)], []])
def test_a_gap_is_blank_and_not_bridged(gap: list[Point]) -> None:
    assert chart([(20000, 100), *gap, (20002, 200)]) == (
        "2.00 ┤                ⠉⠉⠉⠉⠉⠉⠉⠉\n"
        "     │\n"
        "1.00 ┤⣀⣀⣀⣀⣀⣀⣀⣀\n"
        "     └────────────────────────\n"
        "      2024-10-04    2024-10-06"
    )


def test_a_flat_line_lies_in_the_middle_and_yen_have_no_cents() -> None:
    assert chart([(20000, 1500)], currency="JPY") == (
        "     │\n"
        "1500 ┤⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒\n"
        "     │\n"
        "     └────────────────────────\n"
        "      2024-10-04    2024-10-04"
    )


def test_a_spike_of_one_day_among_many_is_not_lost() -> None:
    points: list[Point] = [(20000 + day, 10000 if day == 300 else 100) for day in range(600)]
    assert chart(points, width=34) == (
        "100.00 ┤             ⡇\n"
        "       │             ⡇\n"
        "  1.00 ┤⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣇⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀\n"
        "       └──────────────────────────\n"
        "        2024-10-04      2026-05-26"
    )


def test_no_price_is_said() -> None:
    assert chart([(0, None), (31, None)]) == "no price from 1970-01-01 to 1970-02-01"


@pytest.mark.parametrize("points", [[], [(2, 5), (1, 5)], [(1, 5), (1, 6)]])
def test_points_must_ascend(points: list[Point]) -> None:
    with pytest.raises(InvalidInput, match="ascending"):
        chart(points)


@pytest.mark.parametrize(("width", "height"), [(29, 5), (80, 3), (0, 0), (-5, -5)])
def test_too_little_space_is_refused(width: int, height: int) -> None:
    with pytest.raises(InvalidInput, match="at least 30 columns and 4 lines"):
        chart([(1, 100)], width=width, height=height)


@given(
    st.dictionaries(
        st.integers(0, 40_000), st.none() | st.integers(0, 2**31 - 1), min_size=1, max_size=50
    ),
    st.integers(40, 200),
    st.integers(4, 40),
)
def test_stays_in_its_space_and_shows_something(
    days: dict[int, int | None], width: int, height: int
) -> None:
    drawn = chart(sorted(days.items()), width=width, height=height)
    if all(value is None for value in days.values()):
        assert drawn.startswith("no price")
        return
    lines = drawn.splitlines()
    assert len(lines) == height
    assert max(len(line) for line in lines) <= width
    assert any("\u2800" < char <= "\u28ff" for char in drawn)
