"""The parameters of requests, each with its bounds: what is outside is a 422 problem."""

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from fastapi import Path, Query
from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from tcgtracker.analytics.windows import MAX_DAYS
from tcgtracker.domain.errors import InvalidInput
from tcgtracker.domain.money import minor_from_decimal
from tcgtracker.domain.source import Source
from tcgtracker.domain.variant import RAW, SEALED, Condition, parse_grade

MAX_ID = 2**31 - 1
_MAX_TEXT = 200
_MAX_CURSOR = 2_000
_FIRST_YEAR = 1990
"""Before that no game of ours was sold."""


def without_nul(text: str | None) -> str | None:
    """Refuse a text that no database keeps."""
    if text is not None and "\0" in text:
        raise ValueError("holds a NUL character")
    return text


def moment_of(given: object) -> object:
    """Return a moment of ISO 8601 with its offset; a number is none, whatever it might count.

    Raises:
        ValueError: it is none, or of a time before there were such cards.
    """
    if given is None:
        return None
    moment = _read_moment(given) if isinstance(given, str) else None
    if moment is None:
        raise ValueError("is no moment: write it as 2026-05-01T20:00:00Z")
    if moment.year < _FIRST_YEAR:
        raise ValueError(f"is before {_FIRST_YEAR}")
    return moment


def _read_moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def grade_of(text: str | None) -> str | None:
    """Return a grade in its stored form.

    Raises:
        ValueError: it is none.
    """
    if text is None:
        return None
    try:
        return str(parse_grade(text))
    except InvalidInput as exc:
        raise ValueError(str(exc)) from exc


class Wording(StrEnum):
    """The ungraded state that is priced."""

    NEAR_MINT = Condition.NEAR_MINT.value
    LIGHTLY_PLAYED = Condition.LIGHTLY_PLAYED.value
    MODERATELY_PLAYED = Condition.MODERATELY_PLAYED.value
    HEAVILY_PLAYED = Condition.HEAVILY_PLAYED.value
    DAMAGED = Condition.DAMAGED.value
    RAW = RAW
    SEALED = SEALED


class Shape(StrEnum):
    """How the change rows of a history are laid out."""

    POINTS = "points"
    COLUMNS = "columns"


def _text(about: str, example: str) -> object:
    return Query(description=about, min_length=1, max_length=_MAX_TEXT, examples=[example])


def minor_of(amount: Decimal | None, currency: str) -> int | None:
    """Return an amount in minor units."""
    return None if amount is None else minor_from_decimal(amount, currency)


NulFree = AfterValidator(without_nul)
GivenMoment = Annotated[
    datetime | None,
    BeforeValidator(moment_of),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}),
]
CardIdPath = Annotated[int, Path(description="id of a card", ge=1, le=MAX_ID, examples=[1])]
SetIdPath = Annotated[int, Path(description="id of a set", ge=1, le=MAX_ID, examples=[1])]
Limit = Annotated[int, Query(description="rows at most", ge=1, le=200)]
Cursor = Annotated[
    str | None,
    Query(description="next_cursor of the page before", min_length=1, max_length=_MAX_CURSOR),
    NulFree,
]
GameSlug = Annotated[str | None, _text("slug of a game", "pokemon"), NulFree]
RequiredGame = Annotated[str, _text("slug of a game", "pokemon"), NulFree]
SetId = Annotated[int | None, Query(alias="set", description="id of a set", ge=1, le=MAX_ID)]
Region = Annotated[str | None, _text("region of the set", "international"), NulFree]
Rarity = Annotated[str | None, _text("rarity, exactly as it is listed", "Rare"), NulFree]
CardText = Annotated[
    str | None, _text("part of the name, or the whole collector number", "Farfetch'd"), NulFree
]
SearchText = Annotated[
    str,
    Query(
        description="words and numbers, as they come: name, set, code, collector number",
        min_length=1,
        max_length=_MAX_TEXT,
        examples=["charzard 4/102"],
    ),
    NulFree,
]
Days = Annotated[
    int, Query(description="UTC days up to today, which is one of them", ge=1, le=MAX_DAYS)
]
SourceName = Annotated[Source | None, Query(description="only series of this source")]
PrintingName = Annotated[
    str | None, _text("only series of this printing, in any case", "Holofoil"), NulFree
]
ConditionName = Annotated[
    Wording | None, Query(description="only series of this ungraded state; not with grade")
]
GradeName = Annotated[
    str | None,
    _text("only series of this grade, as psa-10, any-9.5 or bgs-10-black", "psa-10"),
    NulFree,
    AfterValidator(grade_of),
]
MAX_AMOUNT = 20_000_000
_Bound = {"ge": 0, "le": MAX_AMOUNT, "allow_inf_nan": False}
LeastPrice = Annotated[Decimal | None, Query(description="headline price at least", **_Bound)]
MostPrice = Annotated[Decimal | None, Query(description="headline price at most", **_Bound)]
CurrencyCode = Annotated[
    str, Query(description="of the prices, ISO 4217; nothing is converted", pattern="^[A-Z]{3}$")
]
