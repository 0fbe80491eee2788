"""What to type into eBay's search. Pure."""

import re

from tcgtracker.domain.errors import InvalidInput

MAX_QUERY = 100
"""Characters of `q`; eBay cuts what is longer (vendors/ebay.md section 2)."""

GAME_WORDS = {
    "pokemon": "pokemon",
    "onepiece": "one piece",
    "magic": "magic",
    "yugioh": "yugioh",
    "lorcana": "lorcana",
}
"""Titles name the game; the category of card singles is one for all games."""

# `(a, b)` means OR and `*` is not allowed
_OPERATORS = re.compile(r"[(),*\"\s\x00-\x1f]+")


def search_words(query: str, game: str) -> str:
    """Return the query as plain words, with the game's where they fit and do not stand there yet.

    Raises:
        InvalidInput: it has no word.
    """
    words = _OPERATORS.sub(" ", query).strip()
    if not words:
        raise InvalidInput("what is to be searched? The query has no words")
    added = f"{words} {GAME_WORDS.get(game, '')}".strip()
    if GAME_WORDS.get(game, "") not in words.lower() and len(added) <= MAX_QUERY:
        return added
    if len(words) <= MAX_QUERY:
        return words
    return words[: MAX_QUERY + 1].rpartition(" ")[0] or words[:MAX_QUERY]
