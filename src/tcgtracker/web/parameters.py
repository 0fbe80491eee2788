"""The parameters of pages, each with its bounds."""

from typing import Annotated

from fastapi import Path, Query
from pydantic import AfterValidator

MAX_ID = 2**31 - 1
_MAX_TEXT = 200


def _storable(text: str) -> str:
    if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ValueError("holds what no text has")
    return text


def optional_card_id(text: str) -> int | None:
    """Return the id of a card that a form may have left empty."""
    fits = text.isascii() and text.isdigit() and 1 <= int(text) <= MAX_ID
    return int(text) if fits else None


Storable = AfterValidator(_storable)
SearchText = Annotated[str, Query(max_length=_MAX_TEXT), Storable]
GameSlug = Annotated[str, Query(max_length=_MAX_TEXT), Storable]
ShortText = Annotated[str, Query(max_length=_MAX_TEXT), Storable]
Cursor = Annotated[str, Query(max_length=2_000), Storable]
CardId = Annotated[int, Path(ge=1, le=MAX_ID)]
SetId = Annotated[int, Path(ge=1, le=MAX_ID)]
