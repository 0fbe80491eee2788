"""Decoding of bodies, and the file that appears only when it is whole."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcgtracker.domain.errors import ContractBroken
from tcgtracker.integrations.answers import Answer
from tcgtracker.integrations.bodies import PartFile, decode_json
from tcgtracker.runtime.redaction import Redactor


def an_answer(body: bytes, *secrets: str) -> Answer:
    return Answer("shop", "product", 200, {}, body, "id-1", Redactor(secrets))


def test_numbers_keep_their_digits() -> None:
    decoded = decode_json(b"[1.10, 0.1, 1e400, -1e-400, 12, 1E2]")
    assert decoded == [
        Decimal("1.10"),
        Decimal("0.1"),
        Decimal("1e400"),
        Decimal("-1e-400"),
        12,
        Decimal(100),
    ]
    assert str(decoded[0]) == "1.10"
    assert all(isinstance(number, Decimal) for number in decoded if number != 12)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty"),
        (b"\n\t ", "empty"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b'{"a": "caf\xe9"}', "not UTF-8 at byte 10"),
        ('{"a": 1}'.encode("utf-16"), "not UTF-8"),
        ('{"a": 1}'.encode("utf-16-le"), "Expecting property name"),
        (b'{"a": NaN}', "NaN is no number"),
        (b'{"a": -Infinity}', "-Infinity is no number"),
        (b'{"a": 1e401}', "out of every range"),
        (b'{"a": 1e99999999999999999999}', "out of every range"),
        (b'{"a": ' + b"9" * 5000 + b"}", "thousands of digits"),
        (b"[" * 100_000 + b"]" * 100_000, "nested too deep"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested too deep"),
        (b'{"a": 1', "Expecting ',' delimiter at character 7"),
        (b"<html>", "Expecting value at character 0"),
        (b"{} {}", "Extra data at character 3"),
    ],
)
def test_what_is_no_json_is_told_with_its_reason(body: bytes, reason: str) -> None:
    with pytest.raises(ContractBroken, match="no JSON: ") as caught:
        an_answer(body).json()
    assert reason in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 250
    assert caught.value.request_id == "id-1"


@given(st.binary(max_size=200))
def test_any_bytes_are_json_or_a_broken_contract(body: bytes) -> None:
    try:
        decoded = an_answer(body).json()
    except ContractBroken:
        return
    assert decoded == json.loads(body, parse_float=Decimal)


def test_error_does_not_carry_the_body_along() -> None:
    body = b'{"price": "caf\xe9 ' + b"confidential" * 2000
    for read in (an_answer(body).json, an_answer(body).text):
        with pytest.raises(ContractBroken) as caught:
            read()
        error: BaseException | None = caught.value
        while error is not None:
            assert "confidential" not in repr(error)
            error = error.__cause__ or error.__context__


def test_excerpt_is_masked_before_it_is_cut() -> None:
    answer = an_answer(b"x" * 74 + b"canary-0123456789 and more", "canary-0123456789")
    assert answer.excerpt() == "x" * 74 + "***" + " an"


def test_long_body_is_not_quoted() -> None:
    assert an_answer(b"x" * 20_000).excerpt() == ""


def test_reason_is_bounded_and_on_one_line() -> None:
    told = str(an_answer(b"", "canary").broken("a canary\n" + "x" * 5000))
    assert told.startswith("shop: product: a ***\\nxxx")
    assert len(told) < 600


def test_repr_shows_neither_body_nor_headers() -> None:
    answer = Answer("shop", "p", 200, {"set-cookie": "canary"}, b"canary", "")
    assert "canary" not in repr(answer)


def test_part_file_that_is_not_kept_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "guide.csv"
    path.write_bytes(b"former")
    with PartFile(path) as part:
        part.sink.write(b"half")
    assert path.read_bytes() == b"former"
    assert list(tmp_path.iterdir()) == [path]


def test_part_file_that_is_kept_takes_the_name(tmp_path: Path) -> None:
    path = tmp_path / "guide.csv"
    with PartFile(path) as part:
        part.sink.write(b"whole")
        assert part.head(3) == b"who"
        assert not path.exists()
        part.keep()
    assert path.read_bytes() == b"whole"
