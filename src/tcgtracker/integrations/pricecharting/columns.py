"""What the columns of the price guide mean, by kind of product (vendors: key descriptions)."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from tcgtracker.domain.quote import Facet
from tcgtracker.domain.variant import RAW, SEALED, PriceKind

ID = "id"
CONSOLE = "console-name"
NAME = "product-name"
GENRE = "genre"
TCG_ID = "tcg-id"
LOOSE = "loose-price"
COMPLETE = "cib-price"
NEW = "new-price"

# For trading cards the keys are a ladder of grades. Grades below 10 pool all graders.
CARD_VARIANTS = {
    LOOSE: RAW,
    "condition-9-price": "any-1",
    "condition-10-price": "any-2",
    "condition-13-price": "any-3",
    "condition-14-price": "any-4",
    "condition-15-price": "any-5",
    "condition-16-price": "any-6",
    COMPLETE: "any-7",
    NEW: "any-8",
    "graded-price": "any-9",
    "box-only-price": "any-9.5",
    "manual-only-price": "psa-10",
    "bgs-10-price": "bgs-10",
    "condition-17-price": "cgc-10",
    "condition-18-price": "sgc-10",
    "condition-19-price": "cgc-10-pristine",
    "condition-20-price": "bgs-10-black",
    "condition-21-price": "tag-10",
    "condition-22-price": "ace-10",
}
LADDER = (LOOSE, COMPLETE, NEW, "graded-price", "box-only-price", "manual-only-price")
"""The steps that should rise; the tens of other graders stand beside one another."""

CARD_FACETS = {
    column: Facet(kind=PriceKind.GUIDE, variant=variant)
    for column, variant in CARD_VARIANTS.items()
}
BOXED_FACET = Facet(kind=PriceKind.BOXED, variant=SEALED)
BOXED_CARD_FACET = Facet(kind=PriceKind.BOXED, variant=RAW)
"""Of a single card, only where the operator has asked for that mapping."""

OTHER_SCOPE = "other"
_GAMES = (
    ("Disney Lorcana", "lorcana-cards"),
    ("Lorcana", "lorcana-cards"),
    ("Magic", "magic-cards"),
    ("One Piece", "one-piece-cards"),
    ("Pokemon", "pokemon-cards"),
    ("YuGiOh", "yugioh-cards"),
)
CATEGORIES: Mapping[str, tuple[str, ...]] = {
    "pokemon": ("pokemon-cards",),
    "onepiece": ("one-piece-cards",),
    "magic": ("magic-cards",),
    "yugioh": ("yugioh-cards",),
    "lorcana": ("lorcana-cards",),  # unconfirmed by the vendor; a wrong one is noticed
}
"""Our slug of a game to the vendor's category of it."""
_GAME_OF = {scope: slug for slug, scopes in CATEGORIES.items() for scope in scopes}
KNOWN_SCOPES = frozenset(_GAME_OF)
_SPORT = re.compile(r"([A-Za-z]+) Cards\b")
_BRACKET = re.compile(r"\[([^\[\]]*)\]")
_HASH_NUMBER = re.compile(r"#(\S+)")
# One Piece names end in the number without a hash: "Monkey.D.Luffy [Alternate Art] OP02-001"
_CODE_NUMBER = re.compile(r"\b([A-Z]{1,4}\d{0,2}-\d{3})$")
# "Pokemon Card", "One Piece Cards"; not the video game genre "Board & Card"
_CARD_GENRE = re.compile(r"[^&]*\bcards?", re.IGNORECASE)


class Product(NamedTuple):
    """What kind of thing a row is about."""

    scope: str
    is_card: bool
    is_comic: bool


def scope_of(console: str) -> str:
    """Return the category of a console name, as the vendor's download names it."""
    for prefix, scope in _GAMES:
        if console == prefix or console.startswith(prefix + " "):
            return scope
    sport = _SPORT.match(console)
    return f"{sport[1].lower()}-cards" if sport else OTHER_SCOPE


def game_of(scope: str) -> str:
    """Return our slug of a category's game, the category itself for one that has none."""
    return _GAME_OF.get(scope, scope)


def printing_of(name: str) -> str:
    """Return what a product's name says in brackets (`1st Edition`), '' when nothing."""
    return " ".join(text.strip() for text in _BRACKET.findall(name)).strip()


def number_of(name: str) -> str:
    """Return the collector number in a product's name, empty when there is none."""
    found = _HASH_NUMBER.findall(name)
    if found:
        return str(found[-1])
    code = _CODE_NUMBER.search(name)
    return code[1] if code else ""


def classify(console: str, name: str, genre: str, category: str | None) -> Product:
    """Tell what a row is about; `category` overrides the scope that the console name tells.

    A row without a genre is a card when it stands in a category of cards and has a number.
    """
    scope = category or scope_of(console)
    comic = console.startswith("Comic Books") or genre.casefold().startswith("comic")
    if genre:
        card = _CARD_GENRE.fullmatch(genre) is not None
    else:
        card = scope.endswith("-cards") and bool(number_of(name))
    return Product(scope, card, comic)
