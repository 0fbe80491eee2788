"""JSON bodies that two readers could take for two things are refused before any route."""

from typing import Any

import pytest

from tcgtracker.api.json_body import MAX_DEPTH, check_json
from tcgtracker.domain.errors import InvalidInput
from tests.unit.api.conftest import Ask

JSON = {"Content-Type": "application/json"}
BULK = "/api/v1/prices/update/bulk"
REFUSED = {
    "key-twice": b'{"card_ids": [1], "card_ids": [2]}',
    "nan": b'{"card_ids": [NaN]}',
    "infinity": b'{"card_ids": [-Infinity]}',
    "half-a-character": b'{"card_ids": ["\\ud800"]}',
    "half-a-key": b'{"\\udfff": 1}',
    "broken-utf-8": b'{"card_ids": ["\xed\xa0\x80"]}',
    "utf-16": '{"card_ids": [1]}'.encode("utf-16"),
    "byte-order-mark": b"\xef\xbb\xbf{}",
    "too-deep": b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
    "without-end": b"[" * 500_000,
    "long-number": b'{"card_ids": [' + b"9" * 5_000 + b"]}",
    "broken": b'{"card_ids": [1,]}',
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED.keys())
def test_body_that_is_no_plain_json_is_a_422(ask: Ask, body: bytes) -> None:
    answer = ask("POST", BULK, content=body, headers=JSON)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["where"] for error in answer.json()["errors"]] == ["body"]


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b'{"a": "[[\\"[{"}', b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, b'"\\ud83d\\ude00"'],
)
def test_plain_json_passes(body: bytes) -> None:
    check_json(body)


def test_another_content_type_is_not_looked_at(ask: Ask) -> None:
    answer = ask("POST", BULK, content=REFUSED["nan"], headers={"Content-Type": "text/plain"})
    assert [error["where"] for error in answer.json()["errors"]] == ["body"]


def test_a_json_body_in_many_pieces_reaches_the_route(ask: Ask) -> None:
    async def pieces() -> Any:
        for piece in (b'{"card', b'_ids": ', b"[1]}"):
            yield piece

    assert ask("POST", BULK, content=pieces(), headers=JSON).status_code == 404


def test_half_a_character_is_named() -> None:
    with pytest.raises(InvalidInput, match="UTF-8"):
        check_json(b'"\\ud800"')


@pytest.mark.parametrize("query", ["name=a%00b", "name=%00"])
def test_a_nul_in_the_name_of_a_job_is_a_422(ask: Ask, query: str) -> None:
    assert ask("GET", f"/api/v1/jobs?{query}").status_code == 422


@pytest.mark.parametrize("field", ["username", "password"])
def test_a_nul_in_a_sign_in_is_a_422(ask_as_nobody: Ask, field: str) -> None:
    form = {"username": "misty", "password": "starmie starmie", field: "a\0b"}
    assert ask_as_nobody("POST", "/api/v1/auth/login", data=form).status_code == 422
