"""Cents out of 64-bit floats, and one row a series."""

from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcgtracker.domain.errors import InvalidInput
from tcgtracker.domain.money import MAX_MINOR
from tcgtracker.domain.quote import Facet
from tcgtracker.integrations.columns import Rows, minor_from_binary64, settle_duplicates
from tcgtracker.integrations.contract import NO_PRICE, RejectedRow


def by_decimal(text: str) -> int:
    cents = Decimal(text).scaleb(2).to_integral_value(rounding=ROUND_HALF_EVEN)
    return int(cents)


def texts_up_to_15_digits() -> st.SearchStrategy[str]:
    def text(whole: int, places: int, part: int) -> str:
        kept = min(places, 15 - len(str(whole)))
        return f"{whole}.{str(part).zfill(12)[:kept]}" if kept > 0 else str(whole)

    return st.builds(
        text,
        st.integers(0, MAX_MINOR // 100 - 1),
        st.integers(0, 12),
        st.integers(0, 10**12 - 1),
    )


@settings(max_examples=300)
@given(st.lists(texts_up_to_15_digits(), min_size=1, max_size=60))
def test_floats_give_the_cents_of_their_text(texts):
    minor = minor_from_binary64(np.array([float(text) for text in texts]))

    assert minor.tolist() == [by_decimal(text) for text in texts]


@settings(max_examples=300)
@given(st.lists(st.integers(0, MAX_MINOR), min_size=1, max_size=60))
def test_every_amount_of_two_decimals_is_exact(minors):
    texts = [f"{minor // 100}.{minor % 100:02d}" for minor in minors]

    assert minor_from_binary64(np.array([float(text) for text in texts])).tolist() == minors


@pytest.mark.parametrize(
    ("amount", "cents"),
    [
        (51.9900016784668, 5199),
        (0.125, 12),
        (0.375, 38),
        (1.005, 100),  # the double is 1.00499999999999989, the text says a tie
        (1.015, 102),
        (0.29, 29),
        (21474836.47, MAX_MINOR),
        (0.004, 0),
    ],
)
def test_more_than_two_decimals_round_half_even_as_text(amount, cents):
    assert minor_from_binary64(np.array([[amount]])).tolist() == [[cents]]


def test_nan_is_no_price():
    assert minor_from_binary64(np.array([np.nan, 1.0])).tolist() == [NO_PRICE, 100]


@pytest.mark.parametrize("amount", [-0.01, np.inf, -np.inf, 21474836.48, 21474836.476, 1e300])
def test_what_no_column_holds_is_refused(amount):
    with pytest.raises(InvalidInput, match="an amount is"):
        minor_from_binary64(np.array([1.0, amount]))


def rows_of(*rows: tuple[int, int, int]) -> Rows:
    ids, facets, market = zip(*rows, strict=True)
    values = [[minor, 1, 2, 3, NO_PRICE] for minor in market]
    return Rows(np.array(ids), np.array(facets), np.array(values), (Facet("A"), Facet("B")))


def test_rows_without_repetition_stay_as_they_are():
    rows = rows_of((1, 0, 5), (1, 1, 5), (2, 0, 5))

    assert settle_duplicates(rows).rows is rows


def test_equal_rows_are_one_and_contradicting_rows_none():
    settled = settle_duplicates(
        rows_of((1, 0, 5), (2, 0, 7), (1, 1, 9), (2, 0, 8), (1, 0, 5), (2, 0, 7))
    )

    assert settled.duplicates == 1
    assert settled.rows.external_id.tolist() == [1, 1]
    assert settled.rows.facet.tolist() == [0, 1]
    assert [row.external_id for row in settled.conflicting] == ["2", "2", "2"]
    assert {row.reason for row in settled.conflicting} == {"conflicting-duplicate"}
    assert settled.conflicting[1].facet == Facet("A")
    assert '"market_price": 8' in settled.conflicting[1].raw


def test_a_row_contradicts_a_refused_row_of_its_series():
    refused = [RejectedRow("1", Facet("B"), "negative-price", "{}")]

    settled = settle_duplicates(rows_of((1, 0, 5), (1, 1, 5)), refused)

    assert settled.rows.facet.tolist() == [0]
    assert [(row.external_id, row.facet) for row in settled.conflicting] == [("1", Facet("B"))]


def test_facets_without_rows_are_dropped():
    compact = rows_of((1, 1, 5)).compact()

    assert compact.facets == (Facet("B"),)
    assert compact.facet.tolist() == [0]
