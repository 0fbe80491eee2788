"""Names of cards, read down to the words that must agree and those that may be missing.

`Empoleon LV.X` is `Empoleon` where a catalog keeps the suffix apart, `Professor's Research` is
`Professor's Research (Professor Oak)`; `Charizard V` is never `Charizard GX`, `Energy Removal 2`
never `Energy Removal`.
"""

import html
import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from rapidfuzz import fuzz

from tcgtracker.catalog.matching.numbers import read_number
from tcgtracker.catalog.names import folded

_BRACKET = re.compile(r"\[([^\[\]]*)\]|\(([^()]*)\)|\{([^{}]*)\}")
_TAIL = re.compile(r"(?:\s+-\s*|\s*#\s*|\s+)(\S+)\s*$")
_LEVEL = re.compile(r"\blv\s?x\b|\blevel x\b|\blevel up\b")
_SYMBOLS = {"δ": " delta ", "α": " alpha ", "β": " beta ", "γ": " gamma ", "◇": " prism star "}
_WORDS = {
    "pokemon": {
        "female": "f",
        "male": "m",
        "species": "",
    }
}
"""Words that vendors write differently."""
# What may follow (or, for a Mega, stand before) a Pokemon's name; catalogs keep it apart or not.
_QUALIFIERS = {
    "pokemon": frozenset(
        [
            "ex",
            "gx",
            "v",
            "vmax",
            "vstar",
            "vunion",
            "levelx",
            "prime",
            "legend",
            "break",
            "star",
            "delta",
            "prism",
            "sp",
        ]
    )
}
_MEGA = {"m": "mega", "mega": "mega"}
# Pictures that a game numbers apart, so that the number tells them (TCGplayer's words).
_NUMBERED_ART = {
    "pokemon": frozenset(
        {
            "full art",
            "alternate art",
            "alternate full art",
            "alternate art secret",
            "secret",
            "secret rare",
            "gold",
            "rainbow rare",
            "shiny",
        }
    )
}
# Words of a product that is the other picture under the same number. Others (`Manga`, `Full Art`)
# say which of several it is, which no catalog of ours tells: they stay asides.
_ART = {"onepiece": frozenset({"parallel", "alternate art", "alt art", "sp", "tr"})}
LEAST_ALIKE = 86.0
"""Likeness, 0 to 100, of two spellings of one name."""
MOST_LETTERS_MORE = 2
"""By which a misspelling is longer than the name: more is a word (`Staff`, `Jumbo`, `PSA`)."""
LEAST_ALIKE_KNOWN = 95.0
"""The same where the one spelling is another card's name: Pidgeot is not Pidgeotto."""


class NameVerdict(StrEnum):
    """How two names agree."""

    SAME = "is the same"
    BESIDES = "is the same but for an aside"
    QUALIFIED = "is the same but for a suffix that one side leaves out"
    ALIKE = "is nearly the same"
    FOREIGN = "is in another script"
    OTHER = "is another"


@dataclass(frozen=True, slots=True)
class CardName:
    """A name in parts.

    core: the words that must agree, joined; full: with the asides (`Unown [A]`). figures: numbers
    and single letters in them. qualifiers: suffixes such as VMAX. asides: bracketed texts. art:
    asides that name another picture.
    """

    core: str
    full: str
    figures: tuple[str, ...]
    qualifiers: frozenset[str]
    asides: tuple[str, ...]
    art: frozenset[str]


@lru_cache(maxsize=131_072)
def read_card_name(text: str, game: str, number: str = "") -> CardName:
    """Take a name apart; what repeats the number is dropped (`Houndoom (H11)`, `mew-GG10`)."""
    own, text = read_number(number), html.unescape(text)
    found = [folded(next(filter(None, one), "")) for one in _BRACKET.findall(text)]
    rest = _BRACKET.sub(" ", text).strip()
    if " " not in rest and not rest[:1].isupper():  # a page address: `darkrai-vstar-GG50`
        rest = rest.replace("-", " ")
    while own and (tail := _TAIL.search(rest)) and _repeats(tail[1], number):
        rest = rest[: tail.start()]
    for symbol, word in _SYMBOLS.items():
        rest = rest.replace(symbol, word)
    words = _LEVEL.sub("levelx", folded(rest)).split()
    spelled = _WORDS.get(game, {})
    words = [word for word in (spelled.get(one, one) for one in words) if word]
    core, qualifiers = _split(words, game)
    for aside in list(found):
        words = [spelled.get(word, word) for word in aside.removeprefix("gold ").split()]
        if words and {word for word in words if word} <= _QUALIFIERS.get(game, frozenset()):
            qualifiers |= frozenset(word for word in words if word)
            found.remove(aside)
    kept = tuple(
        aside
        for aside in found
        if aside
        and not _repeats(aside.replace(" ", "-"), number)
        and not _starts_with_number(aside, number)
        and aside not in _NUMBERED_ART.get(game, ())
    )
    art = frozenset(kept) & _ART.get(game, frozenset())
    figures = tuple(re.findall(r"[0-9]+|\b[a-z]\b", " ".join(core)))
    joined, asides = "".join(core), _without(kept, art)
    full = joined + "".join(aside.replace(" ", "") for aside in asides)
    return CardName(joined, full, figures, qualifiers, asides, art)


def compare_names(
    left: CardName, right: CardName, *, least_alike: float = LEAST_ALIKE
) -> NameVerdict:
    """Say how two names of cards with the same number agree."""
    if not left.core or not right.core:
        return NameVerdict.OTHER
    if left.core != right.core:
        if left.full == right.full:
            return _qualified(left, right)
        if left.core.isascii() != right.core.isascii():
            return NameVerdict.FOREIGN
        if _qualified(left, right) is NameVerdict.OTHER or left.figures != right.figures:
            return NameVerdict.OTHER
        alike = (
            abs(len(left.core) - len(right.core)) <= MOST_LETTERS_MORE
            and fuzz.ratio(left.core, right.core) >= least_alike
        )
        return NameVerdict.ALIKE if alike else NameVerdict.OTHER
    verdict = _qualified(left, right)
    if verdict is NameVerdict.SAME and left.full != right.full:
        return NameVerdict.BESIDES
    return verdict


def unexplained(said: CardName, known: CardName) -> tuple[str, ...]:
    """Return the asides of a product that the card's own name does not have."""
    return () if said.full == known.full else _without(said.asides, known.asides)


def _without(texts: tuple[str, ...], others: Collection[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text not in others))


def _qualified(left: CardName, right: CardName) -> NameVerdict:
    if left.qualifiers == right.qualifiers:
        return NameVerdict.SAME
    if left.qualifiers <= right.qualifiers or right.qualifiers <= left.qualifiers:
        return NameVerdict.QUALIFIED
    return NameVerdict.OTHER


def _split(words: list[str], game: str) -> tuple[list[str], frozenset[str]]:
    known = _QUALIFIERS.get(game, frozenset())
    core = list(words)
    found = set()
    while len(core) > 1 and core[-1] in known:
        found.add(core.pop())
    if known and len(core) > 1 and core[0] in _MEGA:
        found.add(_MEGA[core.pop(0)])
    if len(core) > 1 and core[0] == "basic" and core[-1] == "energy":
        core.pop(0)
    return core, frozenset(found)


def _repeats(text: str, number: str) -> bool:
    """Tell whether a text is the number again: `154/091`, `14`, `OP01-006`, `096` of `OP01-096`."""
    said, own = read_number(text), read_number(number)
    if not said or not own or (said.digits is None and said.prefix != own.prefix):
        return False
    return said.block == own.block and said.prefix in ("", own.prefix)


def _starts_with_number(aside: str, number: str) -> bool:
    """Tell an aside such as `131 full art`, where the number tells the picture."""
    head, _, rest = aside.partition(" ")
    return bool(rest) and _repeats(head, number) and rest in _NUMBERED_ART["pokemon"]
