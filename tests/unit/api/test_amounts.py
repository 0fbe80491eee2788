"""Columns of amounts read as each amount alone does."""

import numpy as np
import orjson
from hypothesis import given
from hypothesis import strategies as st

from tcgtracker.api.amounts import amounts_json
from tcgtracker.domain.money import MAX_MINOR, format_minor

amounts = st.integers(-1, 12) | st.integers(-1, MAX_MINOR)


@given(st.lists(st.tuples(amounts, amounts), max_size=9), st.sampled_from(["USD", "JPY", "KWD"]))
def test_columns_read_as_each_amount_alone(rows: list[tuple[int, int]], currency: str) -> None:
    table = np.array(rows, np.int64).reshape(-1, 2)
    written = [
        [None if one < 0 else format_minor(one, currency) for one in column]
        for column in table.T.tolist()
    ]

    assert orjson.loads(orjson.dumps(amounts_json(table, currency))) == written
