"""Sealed blocks give back what was sealed, many at once or each alone; damage is an error."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcgtracker.database.dialects.base import HistoryRows
from tcgtracker.domain.clock import DAY_S
from tcgtracker.domain.errors import StorageError
from tcgtracker.domain.quote import RowState
from tcgtracker.prices.codec import decode_blocks, encode_blocks
from tcgtracker.prices.rows import rows_from_tuples

YEAR = 2025
START = int(datetime(YEAR, 1, 1, tzinfo=UTC).timestamp())
EVENING = 20 * 3600

prices = st.integers(-1, 3) | st.integers(0, 2**31 - 1)
seconds = st.sampled_from([0, EVENING, 7, DAY_S - 1])
rows_of_one = st.lists(
    st.tuples(
        st.integers(0, 364),
        seconds,
        st.integers(0, 2),
        st.sampled_from([RowState.PRICED, RowState.PRICED, RowState.GAP, RowState.UNREADABLE]),
        st.tuples(prices, prices, prices, prices, prices),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda row: row[:3],
)


def made(drawn: list[list[Any]]) -> HistoryRows:
    """Return rows sorted by key; those without a price have no values."""
    tuples = [
        (7 + series, START + day * DAY_S + second, revision, int(state))
        + (values if state is RowState.PRICED else (-1,) * 5)
        for series, rows in enumerate(drawn)
        for day, second, revision, state, values in rows
    ]
    return rows_from_tuples(sorted(tuples))


def same(one: HistoryRows, other: HistoryRows) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in HistoryRows.__slots__
    )


@given(st.lists(rows_of_one, min_size=1, max_size=4))
def test_blocks_give_back_their_rows(drawn: list[list[Any]]) -> None:
    rows = made(drawn)
    ids, contents = encode_blocks(rows, YEAR)
    blocks = [(one, YEAR, block) for one, block in zip(ids.tolist(), contents, strict=True)]

    assert same(decode_blocks(blocks), rows)
    alone = HistoryRows.concatenate([decode_blocks([block]) for block in blocks])
    assert same(alone, rows)


def test_no_blocks_are_no_rows() -> None:
    assert len(decode_blocks([])) == 0


@given(rows_of_one, st.data())
def test_a_cut_block_is_an_error_that_names_it(drawn: list[Any], cut: st.DataObject) -> None:
    _, (block,) = encode_blocks(made([drawn]), YEAR)
    keep = cut.draw(st.integers(0, len(block) - 1))

    with pytest.raises(StorageError):
        decode_blocks([(7, YEAR, block), (8, YEAR, block[:keep])])


@given(st.binary(min_size=1, max_size=40))
def test_any_other_bytes_are_rows_or_an_error(content: bytes) -> None:
    try:
        decode_blocks([(7, YEAR, b"\x01" + content)])
    except StorageError as exc:
        assert "block" in str(exc)  # noqa: PT017 - both ends are right


def test_a_newer_codec_is_named() -> None:
    with pytest.raises(StorageError, match="codec 9"):
        decode_blocks([(7, YEAR, b"\x09\x00\x01")])
