"""Files of labelled pairs: what each side says, and who is who for the judge."""

import csv
from pathlib import Path
from typing import cast

from tcgtracker.catalog.matching.evaluation import Pair
from tcgtracker.catalog.matching.values import Product
from tcgtracker.domain.errors import InvalidInput

_NEEDED = ("left_source", "left_id", "right_source", "right_id", "left_name", "left_number")
_GAMES = {"punk-records": "onepiece"}
"""The game of a catalog; the others are of Pokemon."""


def read_pairs(path: Path) -> list[Pair]:
    """Read a CSV file of pairs.

    Raises:
        InvalidInput: it cannot be read or lacks a column.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            missing = [name for name in _NEEDED if name not in (reader.fieldnames or ())]
            if missing:
                raise InvalidInput(f"{path.name} lacks the column(s) {', '.join(missing)}")
            pairs = []
            for place, row in enumerate(reader, start=1):
                row.pop(cast("str", None), None)  # more cells than the header has columns
                pairs.append(_pair(place, row))
            return pairs
    except OSError as exc:
        raise InvalidInput(f"{path.name} cannot be read: {exc.strerror or exc}") from exc
    except (UnicodeDecodeError, csv.Error) as exc:
        raise InvalidInput(f"{path.name} is no CSV file: {exc}") from exc


def _pair(place: int, row: dict[str, str | None]) -> Pair:
    text = {name: value or "" for name, value in row.items()}
    return Pair(
        name=text.get("pair_id") or str(place),
        kind=text.get("kind") or f"{text['left_source']}-{text['right_source']}",
        left=(text["left_source"], text["left_id"]),
        right=(text["right_source"], text["right_id"]),
        product=Product(
            game=_GAMES.get(text["right_source"], "pokemon"),
            name=text["left_name"],
            number=text["left_number"],
            set_name=text.get("left_set", ""),
            set_code=text.get("left_set_code", ""),
            rarity=text.get("left_rarity", ""),
        ),
    )
