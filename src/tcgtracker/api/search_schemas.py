"""What a search answers."""

from typing import Annotated

from pydantic import BaseModel, Field

from tcgtracker.api.catalog_schemas import Card

SEARCHABLE = ("pricecharting", "justtcg", "tcgplayer", "ebay", "all")
"""What a vendor search is addressed to, the last part of its path."""


class Found(BaseModel):
    """Cards, best first."""

    items: list[Card]
    total: Annotated[int, Field(description="cards that fit, here or not")]
    corrected: Annotated[bool, Field(description="a word was read as mistyped")]


class Suggestions(BaseModel):
    """Names of cards, each once."""

    items: list[str]
