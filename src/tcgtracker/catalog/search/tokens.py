"""Words and numbers as the index keeps them, the same for what is written and what is typed."""

import re
import unicodedata

MAX_QUERY = 200
"""Characters of a query that are looked at."""
MAX_TOKENS = 12

_SIGNS = str.maketrans(
    {"♀": " female ", "♂": " male ", "δ": " delta ", "★": " star ", "☆": " star "}
)
# An apostrophe joins (Farfetch'd), as people leave it out; everything else that is no word divides.
_JOINED = re.compile(r"['’`´]")
_WORD = re.compile(r"\w+", re.UNICODE)
_NUMBER = re.compile(r"[0-9a-z]+(?:[-/][0-9a-z]+)+")
_PLAIN = re.compile(r"0+(?=\d)")


def fold(text: str) -> str:
    """Return text without case and accents: `Pokémon` and `POKEMON` are one."""
    spread = unicodedata.normalize("NFKD", text.translate(_SIGNS))
    return "".join(one for one in spread if not unicodedata.combining(one)).casefold()


def words(text: str) -> list[str]:
    """Return the words of a name."""
    return _WORD.findall(_JOINED.sub("", fold(text)))


def number_terms(number: str) -> list[str]:
    """Return under what a collector number is found: `4/102` whole, and its 4; `OP01-001` whole,
    its set's OP01 and its 1.
    """
    folded = fold(number).strip()
    found: dict[str, None] = {}
    for whole in _NUMBER.findall(folded) or _WORD.findall(folded):
        found[plain_number(whole)] = None
        if "/" in whole:
            found[plain_number(whole.partition("/")[0])] = None
        elif "-" in whole:
            for part in whole.split("-"):
                found[plain_number(part)] = None
    return list(found)


def query_tokens(text: str) -> list[str]:
    """Return what was typed as tokens; numbers with a stroke stay whole."""
    tokens: dict[str, None] = {}
    for chunk in fold(text[:MAX_QUERY]).split():
        if _NUMBER.fullmatch(chunk) and any(one.isdigit() for one in chunk):
            tokens[plain_number(chunk)] = None
            continue
        for word in _WORD.findall(_JOINED.sub("", chunk)):
            tokens[plain_number(word)] = None
    return list(tokens)[:MAX_TOKENS]


def plain_number(text: str) -> str:
    """Return a number without leading zeros, part by part: `004/102` is `4/102`."""
    if not any(one.isdigit() for one in text):
        return text
    return "/".join(_PLAIN.sub("", part) if part.isdigit() else part for part in text.split("/"))
