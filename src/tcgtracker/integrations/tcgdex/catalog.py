"""TCGdex's cards and sets: every language's names, cross references to TCGplayer.

International and asia sets reuse ids, so the region is part of every key. `suffix` is a field of
its own at the source; the name stays as given.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from typing import Any, TypeVar

from tcgtracker.domain.catalog import GAMES
from tcgtracker.integrations.catalog_records import (
    BadRow,
    CardRecord,
    ProductIdRecord,
    SetRecord,
    clean_text,
    iso_date,
    positive_id,
    required_text,
)

_POKEMON = GAMES[0]
# What the source calls a region, what stands in our set codes, what the set's region is.
_REGIONS = {"international": ("intl", ""), "asia": ("asia", "asia")}
_FIRST_EDITION = "1st-edition"
_PLAIN = {"normal": "Normal", "holo": "Holofoil", "reverse": "Reverse Holofoil"}
_FIRST = {"normal": "1st Edition", "holo": "1st Edition Holofoil"}
_UNLIMITED = {"normal": "Unlimited", "holo": "Unlimited Holofoil"}
_STANDARD_SIZE = "standard"
_T = TypeVar("_T")


def set_record(row: Mapping[str, Any]) -> SetRecord:
    """Return the set of one line of `sets.ndjson`.

    Raises:
        BadRow: the line lacks what a set needs.
    """
    base = _set_of(row.get("region"), row.get("id"))
    third_party = _mapping(row.get("thirdParty"), "thirdParty")
    aliases = [
        f"{vendor}:{positive_id(third_party[vendor], f'thirdParty.{vendor}')}"
        for vendor in ("tcgplayer", "cardmarket")
        if third_party.get(vendor)
    ]
    counts = _mapping(row.get("cardCount"), "cardCount")
    total = counts.get("total") or counts.get("official")
    return SetRecord(
        game=_POKEMON,
        code=base.code,
        region=base.region,
        name=_first_language(row.get("name"), "name"),
        series=clean_text(row.get("serie"), "serie"),
        release_date=_release_date(row.get("releaseDate")),
        total_cards=positive_id(total, "cardCount") if total else None,
        aliases=tuple(aliases),
        other_names=_other_languages(row.get("name"), "name"),
        printed_codes=_printed_codes(row),
    )


def card_record(row: Mapping[str, Any], skipped: Counter[str]) -> CardRecord:
    """Return the card of one line of `cards.ndjson`; `skipped` counts what is not certain.

    Raises:
        BadRow: the line lacks what a card needs.
    """
    region = _region(row.get("region"))
    rarity = clean_text(row.get("rarity"), "rarity")
    variants = _variants(row.get("variants"), skipped)
    return CardRecord(
        key=f"tcgdex:{_REGIONS[region][0]}:{required_text(row.get('id'), 'id')}",
        set=_set_of(region, row.get("setId")),
        collector_number=required_text(row.get("localId"), "localId"),
        name=_first_language(row.get("name"), "name"),
        rarity="" if rarity == "None" else rarity,
        printings=tuple(dict.fromkeys(v[0] for v in variants if v[0] and not v[1])),
        products=_products(row, variants),
        other_names=_other_languages(row.get("name"), "name"),
    )


_Variant = tuple[str, str, str]
"""Printing as TCGplayer names it (or ''), what is special (or ''), TCGplayer's id (or '')."""


def _variants(value: object, skipped: Counter[str]) -> list[_Variant]:
    if value is None:
        return []
    if isinstance(value, Mapping):
        return [(name, "", "") for name in _flags(value, skipped)]
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise BadRow("variants is neither a list nor an object")
    with_first = {item.get("type") for item in value if _is_first_edition(item)}
    found: list[_Variant] = []
    for item in value:
        special = _special(item)
        printing = "" if special else _printing(item, with_first)
        if special:
            skipped[f"variant beside the plain card: {special[:60]}"] += 1
        elif not printing:
            skipped["variant whose printing is not certain"] += 1
        identifier = _mapping(item.get("thirdParty"), "thirdParty").get("tcgplayer")
        found.append(
            (
                printing,
                special,
                str(positive_id(identifier, "thirdParty.tcgplayer")) if identifier else "",
            )
        )
    return found


def _printing(item: Mapping[str, Any], with_first: set[Any]) -> str:
    """Return TCGplayer's name of a plain variant, '' when it is not certain."""
    kind = str(item.get("type"))
    if _is_first_edition(item):
        return _FIRST.get(kind, "") if not item.get("subtype") else ""
    if item.get("subtype"):
        return _UNLIMITED.get(kind, "")
    # Beside a first edition TCGplayer says Unlimited or Normal, which this source does not tell.
    return "" if item.get("type") in with_first else _PLAIN.get(kind, "")


def _special(item: Mapping[str, Any]) -> str:
    """Return what sets a variant apart from the plain card: TCGplayer sells it on its own."""
    parts = []
    if item.get("subtype") not in (None, "unlimited"):
        parts.append(clean_text(item["subtype"], "subtype"))
    if item.get("foil"):
        parts.append(clean_text(item["foil"], "foil"))
    if item.get("size") not in (None, _STANDARD_SIZE):
        parts.append(clean_text(item["size"], "size"))
    parts.extend(f"{stamp} stamp" for stamp in _stamps(item) if stamp != _FIRST_EDITION)
    if item.get("languages"):
        parts.append("some languages only")
    return ", ".join(parts)


def _stamps(item: Mapping[str, Any]) -> list[str]:
    stamps = item.get("stamp") or []
    if isinstance(stamps, str):
        stamps = [stamps]
    if not isinstance(stamps, list):
        raise BadRow("stamp is no list")
    return sorted(clean_text(stamp, "stamp").lower().replace(" ", "-") for stamp in stamps)


def _is_first_edition(item: Mapping[str, Any]) -> bool:
    return _FIRST_EDITION in _stamps(item)


def _flags(value: Mapping[str, Any], skipped: Counter[str]) -> Iterator[str]:
    """Read the older shape: an object of booleans."""
    first = bool(value.get("firstEdition"))
    if first or value.get("wPromo"):
        skipped["variant whose printing is not certain"] += 1
    for kind, name in _PLAIN.items():
        if value.get(kind) and not (first and kind in _FIRST):
            yield name


def _products(row: Mapping[str, Any], variants: list[_Variant]) -> tuple[ProductIdRecord, ...]:
    """Return each TCGplayer id once; the printing only where the id stands for one of them."""
    whole_card = _mapping(row.get("thirdParty"), "thirdParty").get("tcgplayer")
    stated: dict[str, list[_Variant]] = {}
    if whole_card:
        stated[str(positive_id(whole_card, "thirdParty.tcgplayer"))] = [("", "", "")]
    for variant in variants:
        if variant[2]:
            stated.setdefault(variant[2], []).append(variant)
    records = []
    for identifier, named in stated.items():
        specials = {special for _, special, _ in named}
        printings = {printing for printing, _, _ in named}
        # An id of the plain card and of a stamped one is the plain card's product: TCGplayer
        # lists a stamp by itself, and this source repeats the id where it has no better one.
        records.append(
            ProductIdRecord(
                external_id=identifier,
                printing=printings.pop() if len(printings) == 1 and specials == {""} else "",
                variant="" if "" in specials else " or ".join(sorted(specials)),
            )
        )
    return tuple(records)


def _region(value: object) -> str:
    if value not in _REGIONS:
        raise BadRow("region is neither international nor asia")
    return str(value)


def _set_of(region: object, identifier: object) -> SetRecord:
    return _placeholder(_region(region), required_text(identifier, "set id"))


@lru_cache(maxsize=4096)
def _placeholder(region: str, identifier: str) -> SetRecord:
    part, ours = _REGIONS[region]
    return SetRecord(
        game=_POKEMON,
        code=f"tcgdex:{part}:{identifier}",
        region=ours,
        name=identifier,
        placeholder=True,
    )


def _first_language(value: object, what: str) -> str:
    """Return the English text, else the Japanese one, else the first."""
    return _pick(value, what, required_text) or ""


def _other_languages(value: object, what: str) -> tuple[str, ...]:
    """Return the texts of the other languages, each once."""
    if not isinstance(value, Mapping):
        return ()
    first = _first_language(value, what)
    every = (clean_text(text, what) for text in value.values())
    return tuple(dict.fromkeys(text for text in every if text not in ("", first)))


def _printed_codes(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the codes that stand on the cards, and of the game's online version."""
    printed = _mapping(row.get("abbreviations"), "abbreviations").get("official")
    codes = (clean_text(printed, "abbreviations"), clean_text(row.get("tcgOnline"), "tcgOnline"))
    return tuple(dict.fromkeys(code for code in codes if code))


def _release_date(value: object) -> date | None:
    return _pick(value, "releaseDate", iso_date)


def _pick(value: object, what: str, read: Callable[[object, str], _T]) -> _T | None:
    if not isinstance(value, Mapping):
        return read(value, what)
    for language in ("en", "ja", *value):
        if value.get(language):
            return read(value[language], what)
    return read(None, what)


def _mapping(value: object, what: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise BadRow(f"{what} is no object")
    return value
