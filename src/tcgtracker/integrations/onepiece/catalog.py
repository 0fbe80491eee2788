"""One Piece cards and packs. A card's id is its number, with `_p1` or `_r1` for another art."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from tcgtracker.domain.catalog import GAMES
from tcgtracker.integrations.catalog_records import (
    MAX_URL,
    BadRow,
    CardRecord,
    SetRecord,
    clean_text,
    required_text,
)

_ONE_PIECE = GAMES[1]
# The publisher numbers the packs of each edition in a range of its own.
_EDITIONS = {"569": ("en", ""), "550": ("ja", "asia")}
_OTHER_EDITION = ("und", "")
_CARD_ID = re.compile(r"([^_]+)(?:_([A-Za-z]+\d*))?")


def pack_record(row: Mapping[str, Any]) -> SetRecord:
    """Return the set of one pack.

    Raises:
        BadRow: the pack lacks its id or title.
    """
    base = _pack_of(required_text(row.get("id"), "pack id"))
    parts = row.get("title_parts") or {}
    if not isinstance(parts, Mapping):
        raise BadRow("title_parts is no object")
    return SetRecord(
        game=base.game,
        code=base.code,
        region=base.region,
        name=required_text(row.get("raw_title"), "raw_title"),
        series=clean_text(parts.get("prefix"), "prefix"),
    )


def card_record(row: Mapping[str, Any]) -> CardRecord:
    """Return the card of one line. Printings come from price rows, the list names none.

    Raises:
        BadRow: the line lacks what a card needs, or the id has another form.
    """
    identifier = required_text(row.get("id"), "id")
    match = _CARD_ID.fullmatch(identifier)
    if not match:
        raise BadRow("id is not a number with an art suffix")
    base = _pack_of(required_text(row.get("pack_id"), "pack_id"))
    return CardRecord(
        key=f"{base.code}:{identifier}",
        set=base,
        collector_number=match[1],
        art=match[2] or "",
        name=required_text(row.get("name"), "name"),
        rarity=clean_text(row.get("rarity"), "rarity"),
        image_url=clean_text(row.get("img_full_url"), "img_full_url", limit=MAX_URL),
    )


@lru_cache(maxsize=1024)
def _pack_of(identifier: str) -> SetRecord:
    edition, region = _EDITIONS.get(identifier[:3], _OTHER_EDITION)
    return SetRecord(
        game=_ONE_PIECE,
        code=f"onepiece:{edition}:{identifier}",
        region=region,
        name=identifier,
        placeholder=True,
    )
