"""JustTCG's words for games, conditions and languages, and ours."""

from collections.abc import Mapping

from tcgtracker.domain.variant import SEALED, UNKNOWN_LANGUAGE, Condition

GAME_IDS: Mapping[str, tuple[str, ...]] = {
    "pokemon": ("pokemon", "pokemon-japan"),
    "onepiece": ("one-piece-card-game",),
    "magic": ("magic-the-gathering",),
    "yugioh": ("yugioh",),
    "lorcana": ("disney-lorcana",),
}
"""Our slug of a game to the vendor's ids of it."""

ASIAN_GAMES = frozenset({"pokemon-japan"})

_CONDITIONS = {
    "sealed": SEALED,
    "s": SEALED,
    "near mint": Condition.NEAR_MINT.value,
    "nm": Condition.NEAR_MINT.value,
    "lightly played": Condition.LIGHTLY_PLAYED.value,
    "lp": Condition.LIGHTLY_PLAYED.value,
    "moderately played": Condition.MODERATELY_PLAYED.value,
    "mp": Condition.MODERATELY_PLAYED.value,
    "heavily played": Condition.HEAVILY_PLAYED.value,
    "hp": Condition.HEAVILY_PLAYED.value,
    "damaged": Condition.DAMAGED.value,
    "dmg": Condition.DAMAGED.value,
}
# TCGplayer's languages, which the vendor passes on; BCP 47.
_LANGUAGES = {
    "english": "en",
    "japanese": "ja",
    "german": "de",
    "french": "fr",
    "italian": "it",
    "spanish": "es",
    "portuguese": "pt",
    "russian": "ru",
    "korean": "ko",
    "chinese (s)": "zh-Hans",
    "chinese (t)": "zh-Hant",
    "simplified chinese": "zh-Hans",
    "traditional chinese": "zh-Hant",
}


def variant_of(condition: str) -> str | None:
    """Return the variant of a condition, None for one that we do not know."""
    return _CONDITIONS.get(condition.strip().casefold())


def language_of(language: str) -> str:
    """Return the code of a language, `und` where the vendor names none or one unknown to us."""
    return _LANGUAGES.get(language.strip().casefold(), UNKNOWN_LANGUAGE)


def sub_key_of(printing: str, condition: str, language: str) -> str:
    """Return the key of a variant under its card: each is a product of its own."""
    return f"{printing} / {condition} / {language or 'Unknown'}"


def game_of(name: str) -> str:
    """Return our slug of a game by the vendor's id or name of it, else the vendor's slug."""
    letters = _letters(name)
    for slug, ids in GAME_IDS.items():
        if any(_letters(identifier) == letters for identifier in ids):
            return slug
    return "-".join(name.casefold().split())


def is_asian(name: str) -> bool:
    """Tell by id or displayed name whether a game of the vendor is an Asian edition."""
    return any(_letters(identifier) == _letters(name) for identifier in ASIAN_GAMES)


def _letters(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())
