"""Plain parameters of a history are read by hand; odd ones are left to FastAPI."""

import pytest

from tcgtracker.api.history_wish import HistoryWish, plain_wish
from tcgtracker.api.parameters import Shape, Wording
from tcgtracker.domain.source import Source


@pytest.mark.parametrize(
    ("query", "wish"),
    [
        (b"", HistoryWish(7)),
        (b"days=365&shape=columns", HistoryWish(7, days=365, shape=Shape.COLUMNS)),
        (b"source=tcgcsv", HistoryWish(7, source=Source.TCGCSV)),
        (b"printing=Foil", HistoryWish(7, printing="Foil")),
        (b"condition=nm", HistoryWish(7, condition=Wording.NEAR_MINT)),
    ],
)
def test_plain_parameters_are_read(query: bytes, wish: HistoryWish) -> None:
    assert plain_wish("7", query) == wish


@pytest.mark.parametrize(
    "query",
    [
        b"days=365&n=12",
        b"currency=EUR",
        b"&&x",
        b"days=0",
        b"days=3661",
        b"days=-1",
        b"days=1.0",
        b"days=",
        b"days",
        b"days=1&days=2",
        b"days=%33",
        b"days=+3",
        b"da%79s=3",
        b"days=" + b"9" * 5_000,
        b"days=\xd9\xa3",
        b"source=nobody",
        b"source=TCGCSV",
        b"shape=rows",
        b"condition=mint",
        b"grade=psa-10",
        b"printing=" + b"x" * 201,
        b"printing=%00",
    ],
)
def test_odd_parameters_are_left_to_fastapi(query: bytes) -> None:
    assert plain_wish("7", query) is None


@pytest.mark.parametrize("card_id", ["0", "-1", "01", "2147483648", "1.0", "x", "", "٣", "1 "])
def test_odd_ids_are_left_to_fastapi(card_id: str) -> None:
    assert plain_wish(card_id, b"") is None
