"""The answers of one category on one day make one page."""

import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcgtracker.domain.money import MAX_MINOR
from tcgtracker.domain.quote import Facet
from tcgtracker.domain.source import Source
from tcgtracker.domain.variant import PriceKind
from tcgtracker.integrations.tcgcsv.answers import read_carefully
from tcgtracker.integrations.tcgcsv.prices import GroupAnswer, Scope, price_page
from tests.unit.integrations.builders import a_row, an_answer, market_of, rejected_of, values_of

SCOPE = Scope(date(2026, 4, 18), 3)


def page_of(*bodies: bytes):
    answers = [GroupAnswer(group, f"g{group}", body) for group, body in enumerate(bodies, 1)]
    return price_page(SCOPE, answers)


def test_a_page_says_whose_when_and_what():
    row = a_row(7, "Holofoil", market=1.5, low=1, high=9.99, mid=2.25, direct=1.1)

    page = page_of(an_answer(row), an_answer())

    assert page.source is Source.TCGCSV
    assert page.scope == "3"
    assert page.observed_at == datetime(2026, 4, 18, 20, tzinfo=UTC)
    assert page.parts == {"1", "2"}
    assert page.missing == ()
    assert page.facets == (Facet("Holofoil", PriceKind.MARKET, "raw", "und", "USD"),)
    assert values_of(page) == {(7, "Holofoil", "market", "raw"): (150, 100, 999, 225, 110)}
    assert page.rows_read == 1


@pytest.mark.parametrize("nothing", [None, 0, 0.0, -0.0])
def test_null_and_zero_are_no_price(nothing):
    page = page_of(an_answer(a_row(1, market=nothing, low=2.5)))

    assert values_of(page)[(1, "Normal", "market", "raw")] == (None, 250, None, None, None)


def test_a_missing_price_is_no_price_and_an_unknown_field_is_ignored():
    page = page_of(an_answer({"productId": 1, "subTypeName": "Foil", "news": {"x": [1]}}))

    assert market_of(page) == {(1, "Foil"): None}
    assert page.rejected == []


BAD_ROWS = [
    (a_row(5, market=-0.01), "negative-price", True),
    (a_row(5, low="1.50"), "not-a-number", True),
    (a_row(5, low=True), "not-a-number", True),
    (a_row(5, high=[1]), "not-a-number", True),
    (a_row(5, high=21474836.48), "too-large", True),
    (a_row(5, high=10**40), "too-large", True),
    ({"subTypeName": "Normal", "marketPrice": 1}, "missing-field", False),
    ({"productId": 5, "marketPrice": 1}, "missing-field", False),
    (a_row(5, ""), "missing-field", False),
    (a_row(5, "Holo\x00foil"), "bad-sub-type", False),
    (a_row(5, "x" * 201), "bad-sub-type", False),
    (a_row(5) | {"subTypeName": 3}, "bad-sub-type", False),
    (a_row(0), "bad-product-id", False),
    (a_row(-4), "bad-product-id", False),
    (a_row(2**50), "bad-product-id", False),
    (a_row(5) | {"productId": "5"}, "bad-product-id", False),
    (a_row(5) | {"productId": 5.5}, "bad-product-id", False),
    (a_row(5) | {"productId": True}, "bad-product-id", False),
    (None, "not-an-object", False),
    (["productId"], "not-an-object", False),
]


@pytest.mark.parametrize(("row", "reason", "has_facet"), BAD_ROWS)
def test_a_row_that_cannot_be_right_is_refused_alone(row, reason, has_facet):
    good = a_row(1, market=3)

    page = page_of(an_answer(good, row), an_answer(a_row(2, market=4)))

    assert market_of(page) == {(1, "Normal"): 300, (2, "Normal"): 400}
    assert [refused.reason for refused in page.rejected] == [reason]
    assert (page.rejected[0].facet == Facet("Normal")) is has_facet
    assert page.rejected[0].raw == json.dumps(row)[:500]
    assert page.facets == (Facet("Normal"),)
    assert page.missing == ()
    assert page.parts == {"1", "2"}
    assert page.rows_read == 3


def test_the_largest_amount_is_kept():
    page = page_of(an_answer(a_row(1, market=21474836.47, low=0.125)))

    assert values_of(page)[(1, "Normal", "market", "raw")][:2] == (MAX_MINOR, 12)


@pytest.mark.parametrize(
    ("number", "reason"),
    [("1e400", "too-large"), ("1e99999999999999999999", "too-large"), ("-1e400", "negative-price")],
)
def test_a_number_beyond_every_float_is_refused(number, reason):
    body = an_answer(a_row(1, market=7)).replace(b"7", number.encode())

    assert rejected_of(page_of(body)) == [("1", reason)]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "is empty"),
        (b"  \n", "is empty"),
        (b"<!DOCTYPE html><html>403</html>", "is a web page"),
        (an_answer(a_row(1, market=1))[:-9], "is not whole JSON"),
        (an_answer(a_row(1, market=float("nan"))), "NaN is no JSON number"),
        (an_answer(a_row(1, market=float("inf"))), "Infinity is no JSON number"),
        (an_answer(a_row(1)) + b"{}", "is not whole JSON"),
        (an_answer(a_row(1, market=1), success=False), "the vendor says that it failed"),
        (b'{"success": true}', "has no list of results"),
        (b'{"success": true, "results": null}', "has no list of results"),
        (b'{"results": []}', "the vendor says that it failed"),
        (b"[]", "not the vendor's answer"),
        (b'{"success": true, "results": ["\xff"]}', "is not whole JSON"),
        (b'{"success": true, "results": ' + b"[" * 200_000, "nested too deeply"),
        (an_answer(a_row(1)).replace(b"1", b"9" * 5000), "is not whole JSON"),
    ],
)
def test_an_unreadable_answer_makes_the_scope_incomplete(body, says):
    page = page_of(an_answer(a_row(2, market=1)), body)

    assert market_of(page) == {(2, "Normal"): 100}
    assert page.parts == {"1"}
    assert len(page.missing) == 1
    assert page.missing[0].startswith("g2: ")
    assert says in page.missing[0]


def test_a_byte_order_mark_is_no_fault():
    page = page_of(b"\xef\xbb\xbf" + an_answer(a_row(1, market=1)))

    assert market_of(page) == {(1, "Normal"): 100}
    assert page.missing == ()


def test_equal_rows_are_counted_once_and_contradicting_rows_refused():
    first = an_answer(a_row(1, market=1), a_row(2, market=1), a_row(2, "Foil", market=8))
    second = an_answer(a_row(1, market=1), a_row(2, market=2))

    page = page_of(first, second)

    assert market_of(page) == {(1, "Normal"): 100, (2, "Foil"): 800}
    assert page.skipped == {"duplicate": 1}
    assert rejected_of(page) == [("2", "conflicting-duplicate")] * 2
    assert page.rows_read == 5


def test_an_equal_row_is_found_on_the_slow_path_too():
    page = page_of(
        an_answer(a_row(1, market=1)), an_answer(a_row(1, market=1), a_row(3, market=-1))
    )

    assert market_of(page) == {(1, "Normal"): 100}
    assert page.skipped == {"duplicate": 1}
    assert rejected_of(page) == [("3", "negative-price")]


def test_no_answer_gives_an_empty_page():
    page = price_page(SCOPE, [], ["why"])

    assert (page.rows_read, page.missing, page.values.shape) == (0, ("why",), (0, 5))


prices = st.none() | st.integers(0, MAX_MINOR).map(lambda minor: minor / 100)
rows = st.builds(
    a_row,
    st.integers(1, 10**9),
    st.sampled_from(["Normal", "Foil", "1st Edition"]),
    market=prices,
    low=prices,
    high=prices,
    mid=prices,
    direct=prices,
)


@given(st.lists(rows, max_size=20, unique_by=lambda row: (row["productId"], row["subTypeName"])))
def test_the_fast_path_says_what_the_slow_one_says(results):
    body = an_answer(*results)
    careful = {
        (product, sub_type, "market", "raw"): tuple(None if m == -1 else m for m in values)
        for product, sub_type, values in read_carefully(body).good
    }

    assert values_of(page_of(body)) == careful
