"""What the names and codes of two sets say to each other, before any card is looked at."""

import html
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from tcgtracker.catalog.matching.values import CandidateSet
from tcgtracker.catalog.names import folded
from tcgtracker.domain.catalog import ASIA

# vendors/pricecharting.md section 3: the console name is the set behind the game.
_GAME = re.compile(
    r"^(?:pokemon|one piece|magic|yugioh|yu gi oh|disney lorcana|lorcana)"
    r"(?P<language> japanese| chinese| korean)?(?: tcg)?(?= |$)"
)
# TCGplayer's groups: "SV01: Scarlet & Violet Base Set", "SM - Cosmic Eclipse", "ME: Promo"
_CODE = re.compile(r"^(?P<code>[A-Z]{1,5}[0-9]{0,2}(?:\.[0-9])?(?:-[A-Z0-9]+)?)(?::\s+|\s+-\s+)")
_LABEL = re.compile(r"\[(?P<code>[A-Z0-9 -]+)\]")
_DECK = re.compile(r"\b(?:Starter|Ultra) Deck (?P<number>[0-9]{1,2})\b", re.IGNORECASE)
"""One Piece's decks: "Starter Deck 3: The Seven Warlords of The Sea" is ST-03."""
_PHRASES = (
    (re.compile(r"\bblack star promos?\b"), "promo"),
    (re.compile(r"\bpromo(?:s|tion|tional)?(?: cards?)?\b"), "promo"),
    (re.compile(r"\b(me|sv|swsh|sm|xy|bw|dp|hgss)p\b"), r"\1"),
    (re.compile(r"\bwotc\b|\bwizards of the coast\b"), "wizards"),
    (re.compile(r"\bsword and shield\b"), "swsh"),
    (re.compile(r"\bscarlet and violet\b"), "sv"),
    (re.compile(r"\bsun and moon\b"), "sm"),
    (re.compile(r"\bblack and white\b"), "bw"),
    (re.compile(r"\bdiamond and pearl\b"), "dp"),
    (re.compile(r"\bheart ?gold (?:and )?soul ?silver\b|\bhs\b"), "hgss"),
    (re.compile(r"\bmega evolution\b"), "me"),
    (re.compile(r"\benergies\b"), "energy"),
    (re.compile(r"\bstarter deck ex\b"), "starter deck"),
)
_FILLING = frozenset(
    [
        "the",
        "of",
        "and",
        "set",
        "sets",
        "tcg",
        "card",
        "cards",
        "game",
        "series",
        "collection",
        "base",
        "edition",
        "pack",
        "packs",
        "booster",
        "starter",
        "ultra",
        "deck",
        "pokemon",
    ]
)
"""Words that tell no two sets apart as long as there are others."""
_FIRST = frozenset({"1", "i"})
"""The first of several is often not counted: `EX Trainer Kit 1` is `EX Trainer Kit`."""
_FIGURE = re.compile(r"[0-9]+|ii|iii|iv|vi{0,3}|ix")
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")
_PROMO = "promo"
_REPRINTS = frozenset(
    [
        "1st",
        "unlimited",
        "shadowless",
        "release",
        "prerelease",
        "pre",
        "event",
        "league",
        "championship",
        "championships",
        "staff",
        "stamped",
        "jumbo",
        "oversized",
        "german",
        "french",
        "italian",
        "spanish",
        "portuguese",
        "dutch",
        "russian",
        "polish",
    ]
)
"""Words of sets that print the cards of another one again, under the same numbers."""
_ASIAN = frozenset({"japanese", "korean", "chinese", "thai", "indonesian"})


class SetVerdict(StrEnum):
    """How a vendor's set and one of ours agree in words."""

    SAME = "has the same name"
    CODE = "has the same code"
    WITHIN = "has a name within the other"
    SHARES = "shares words of the name"
    UNSAID = "is not named"
    OTHER = "has another name"
    CONTRARY = "is told apart by its name"
    REPRINT = "prints another set again"


_BEST_FIRST = (
    SetVerdict.SAME,
    SetVerdict.WITHIN,
    SetVerdict.REPRINT,
    SetVerdict.CONTRARY,
    SetVerdict.CODE,
    SetVerdict.SHARES,
    SetVerdict.OTHER,
)
"""Which verdict counts of several: a code is worth nothing against a name that contradicts."""


@dataclass(frozen=True, slots=True)
class SetName:
    """A set's name: words that tell it apart, all its words, figures, its code, its region.

    region: `asia` where a word says so, '' where the game before the name does not, else None.
    """

    words: frozenset[str]
    every: frozenset[str]
    figures: frozenset[str]
    code: str
    region: str | None


@lru_cache(maxsize=32_768)
def read_set_name(text: str) -> SetName:
    """Read a set's name as a vendor or a catalog writes it."""
    code, text = "", html.unescape(text)
    if found := _DECK.search(text):
        code, text = f"ST{int(found['number']):02d}", text[: found.start()] + text[found.end() :]
    elif found := _CODE.match(text):
        code, text = found["code"], text[found.end() :]
    elif found := _LABEL.search(text):
        code, text = found["code"], text[: found.start()] + text[found.end() :]
    words = folded(text)
    region = None
    if found := _GAME.match(words):
        region = ASIA if found["language"] else ""
        words = words[found.end() :].strip() or words
    for pattern, word in _PHRASES:
        words = pattern.sub(word, words)
    every = frozenset(words.split()) - _FIRST or frozenset(words.split())
    if every & _ASIAN:
        region = ASIA
    telling = every - _FILLING or every
    figures = frozenset(word for word in every if _FIGURE.fullmatch(word))
    if not any(char.isdigit() for char in code):
        code = ""  # of a series: `SV: Prismatic Evolutions` is no set of the code SV
    return SetName(telling, every, figures, plain_code(code), region)


def plain_code(text: str) -> str:
    """Return a set code without case and punctuation: `OP-06` and `OP06` are one."""
    return "".join(char for char in text.casefold() if char.isalnum())


def compare_sets(name: str, code: str, ours: CandidateSet) -> SetVerdict:
    """Say how a vendor's set and one of ours agree; the best of our names counts."""
    said = read_set_name(name) if name else None
    codes = {plain_code(one.partition(":")[0]) for one in ours.codes}
    given = {plain_code(code)} - {""}
    if said:
        if said.region is not None and said.region != ours.region:
            return SetVerdict.REPRINT
        verdicts = {_compare(said, read_set_name(one)) for one in ours.names}
        if (given | {said.code}) & codes - {""}:
            verdicts.add(SetVerdict.CODE)
        return next(verdict for verdict in _BEST_FIRST if verdict in {*verdicts, SetVerdict.OTHER})
    if given:
        return SetVerdict.CODE if given & codes else SetVerdict.OTHER
    return SetVerdict.UNSAID


def _compare(left: SetName, right: SetName) -> SetVerdict:
    if (left.every ^ right.every) & _REPRINTS:
        return SetVerdict.REPRINT
    if left.figures != right.figures and not (left.figures ^ right.figures) & (
        left.words & right.words
    ):
        # `Base Set` is not `Base Set 2`; what a year is to one vendor is an anniversary to another.
        one_sided = not left.figures or not right.figures
        year = all(_YEAR.fullmatch(word) for word in left.figures ^ right.figures)
        apart = left.every & right.every and not (one_sided and year)
        return SetVerdict.CONTRARY if apart else SetVerdict.OTHER
    if left.words == right.words:
        return SetVerdict.SAME
    shared = left.words & right.words - {_PROMO}
    one_is_promo = (_PROMO in left.words) != (_PROMO in right.words)
    if one_is_promo and not (left.figures and shared - left.figures):
        return SetVerdict.SHARES if shared else SetVerdict.OTHER
    ours, theirs = left.words - {_PROMO}, right.words - {_PROMO}
    if ours <= theirs or theirs <= ours:
        return SetVerdict.WITHIN
    return SetVerdict.SHARES if shared else SetVerdict.OTHER
