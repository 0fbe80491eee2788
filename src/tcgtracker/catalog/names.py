"""Names of cards and sets as vendors write them, read down to what can be compared exactly."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

_BRACKET = re.compile(r"\[([^\[\]]*)\]")
_PARENTHESIS = re.compile(r"\(([^()]*)\)")
_TAIL_NUMBER = re.compile(
    r"(?:\s-\s*|\s*#\s*)([A-Za-z]{0,5}[0-9]+[A-Za-z]?(?:[/-][A-Za-z]{0,5}[0-9]+)?)\s*$"
)
_TAIL_OF_TOTAL = re.compile(r"\s([A-Za-z]{0,5}[0-9]+[a-z]?/[A-Za-z]{0,5}[0-9]+)\s*$")
# One Piece: "Monkey.D.Luffy OP02-001"
_TAIL_CODE = re.compile(r"\s([A-Z]{1,4}[0-9]{0,2}-[0-9]{3})\s*$")
_SYMBOLS = {"♂": " m ", "♀": " f ", "☆": " star ", "★": " star ", "&": " and ", "+": " plus "}
_WORD = re.compile(r"[^\W_]+")
# vendors/pricecharting.md section 3: the console name is the set behind the game.
_GAME = re.compile(
    r"^(pokemon|one piece|magic|yugioh|yu gi oh|lorcana|disney lorcana|digimon)"
    r"( japanese| chinese| korean)?(?= |$)"
)
# TCGplayer's groups: "SV01: Scarlet & Violet Base Set", "ME: Ascended Heroes"
_SET_CODE = re.compile(r"^[A-Z0-9&-]{1,8}:\s+")
_NUMBER_WORD = re.compile(r"[0-9]+|ii|iii|iv|vi{0,3}|ix|x")
_COMMON = frozenset(
    {"the", "of", "and", "set", "sets", "tcg", "card", "cards", "game", "series", "collection"}
)
REPRINTS = frozenset({"shadowless"})
"""Words that make another set of one whose name has the rest: its cards bear the same numbers."""


@dataclass(frozen=True, slots=True)
class ProductName:
    """A name in parts: `plain` without spaces, its words, what stood in brackets, its number."""

    plain: str
    words: frozenset[str]
    brackets: tuple[str, ...]
    asides: frozenset[str]
    number: str


@dataclass(frozen=True, slots=True)
class SetName:
    """A set's name: the words that tell it apart, and what a game's prefix says of its region.

    region: `asia`, '' (the prefix names no language), None without a prefix.
    """

    words: frozenset[str]
    numbers: frozenset[str]
    region: str | None


def folded(text: str) -> str:
    """Return the text in lower case, without accents and punctuation, words apart by a space."""
    for symbol, word in _SYMBOLS.items():
        text = text.replace(symbol, word)
    text = unicodedata.normalize(
        "NFKD", text.replace("'", "").replace("\N{RIGHT SINGLE QUOTATION MARK}", "")
    )
    text = "".join(char for char in text if not unicodedata.combining(char))
    return " ".join(_WORD.findall(text.casefold()))


@lru_cache(maxsize=65_536)
def read_name(text: str) -> ProductName:
    """Take a product's name apart: `Charizard [1st Edition] #4`, `Umbreon VMAX - 095/069`."""
    brackets = tuple(folded(found) for found in _BRACKET.findall(text) if folded(found))
    rest = _BRACKET.sub(" ", text)
    asides = frozenset(folded(found) for found in _PARENTHESIS.findall(rest)) - {""}
    rest = _PARENTHESIS.sub(" ", rest)
    number = ""
    for pattern in (_TAIL_NUMBER, _TAIL_OF_TOTAL, _TAIL_CODE):
        if found := pattern.search(rest):
            number = found[1]
            rest = rest[: found.start()]
            break
    words = folded(rest)
    return ProductName(words.replace(" ", ""), frozenset(words.split()), brackets, asides, number)


@lru_cache(maxsize=8_192)
def read_set(text: str) -> SetName:
    """Read a set's name; the game before it and a set code before a colon say nothing."""
    words = folded(_SET_CODE.sub("", text))
    region = None
    if found := _GAME.match(words):
        region = "asia" if found[2] else ""
        words = words[found.end() :].strip() or words
    every = frozenset(words.split())
    numbers = frozenset(word for word in every if _NUMBER_WORD.fullmatch(word))
    return SetName(every - _COMMON or every, numbers | (every & REPRINTS), region)


def name_without(text: str, drop: Callable[[str], bool]) -> str:
    """Return a product's name without its number and the brackets whose folded text is dropped."""

    def kept(found: re.Match[str]) -> str:
        return " " if drop(folded(found[1])) else found[0]

    rest = _BRACKET.sub(kept, text)
    for pattern in (_TAIL_NUMBER, _TAIL_OF_TOTAL, _TAIL_CODE):
        if found := pattern.search(rest):
            rest = rest[: found.start()]
            break
    return " ".join(rest.split()) or text


def region_of(set_name: str) -> str:
    """Return the region that a set's name tells: `asia`, '' where it tells none."""
    return read_set(set_name).region or ""
