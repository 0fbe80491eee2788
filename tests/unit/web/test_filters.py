"""Money, moments and changes as people read them."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from tcgtracker.web import filters
from tcgtracker.web.pages.sign_in import own_path

NOW = datetime(2026, 11, 22, 18, tzinfo=UTC)


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [
        (123450, "USD", "$1,234.50"),
        (5, "EUR", "€0.05"),
        (1234567, "JPY", "¥1,234,567"),
        (-250, "USD", "−$2.50"),
        (1000, "CHF", "10.00 CHF"),
        (None, "USD", "–"),
    ],
)
def test_money_has_the_places_and_the_sign_of_its_currency(
    minor: int | None, currency: str, shown: str
) -> None:
    assert filters.money(minor, currency) == shown


@pytest.mark.parametrize(
    ("change", "shown", "name"),
    [
        (Fraction(1, 8), "+12.5 %", "up"),
        ("-3.20", "−3.2 %", "down"),
        (Fraction(0), "0.0 %", "flat"),
        (None, "–", "flat"),
        (Fraction(25), "+2,500.0 %", "up"),
    ],
)
def test_a_change_says_its_direction(change: Fraction | str | None, shown: str, name: str) -> None:
    assert filters.percent(change) == shown
    assert filters.direction(change) == name


@pytest.mark.parametrize(
    ("back", "shown"),
    [
        (timedelta(0), "just now"),
        (timedelta(seconds=90), "90 s ago"),
        (timedelta(minutes=119), "119 min ago"),
        (timedelta(hours=47), "47 h ago"),
        (timedelta(days=3), "3 d ago"),
        (timedelta(days=-2), "in 2 d"),
    ],
)
def test_an_age_is_in_its_largest_unit(back: timedelta, shown: str) -> None:
    assert filters.ago(NOW - back, NOW) == shown


@pytest.mark.parametrize(
    ("variant", "shown"),
    [
        ("raw", "Ungraded"),
        ("nm", "Near Mint"),
        ("psa-10", "PSA 10"),
        ("any-9.5", "Grade 9.5"),
        ("bgs-10-black", "BGS 10 Black"),
    ],
)
def test_a_state_is_said_in_words(variant: str, shown: str) -> None:
    assert filters.variant(variant) == shown


@pytest.mark.parametrize(
    "text",
    ["//evil.example", "/\\evil.example", "https://evil.example", "", "/\tx", "/a b", "/a\\b"],
)
def test_the_way_back_stays_on_this_site(text: str) -> None:
    assert own_path(text) == "/"
    assert own_path("/cards/1?days=7") == "/cards/1?days=7"
