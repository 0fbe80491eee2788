"""How each vendor writes a name: the same card is called differently everywhere."""

import re
import unicodedata

from tcgtracker.sandbox.world import WorldCard

_PAGE_WORDS = {"Reverse Holofoil": "Reverse Holo", "1st Edition Holofoil": "1st Edition"}
_SHADOWLESS_CODE = "base1s"


def slug(*parts: str) -> str:
    """Return lower-case ASCII words joined by hyphens, as JustTCG and TCGplayer's URLs do."""
    return re.sub(r"[^a-z0-9]+", "-", _ascii(" ".join(parts)).lower()).strip("-")


def clean_name(name: str) -> str:
    """Return TCGplayer's cleanName: letters, digits and single spaces."""
    return " ".join(re.sub(r"[^A-Za-z0-9 ]+", " ", _ascii(name)).split())


def page_name(card: WorldCard, page: str) -> str:
    """Return PriceCharting's product-name of a card's page, `Charizard [Shadowless] #4`.

    page: a key of `WorldCard.pricecharting_ids`: a printing's name, '' for the plain page.
    """
    words = [card.name]
    if card.game == "onepiece" and card.variant:
        words.append(f"[{card.variant}]")
    if page.startswith("Unlimited") and card.set_code == _SHADOWLESS_CODE:
        words.append("[Shadowless]")
    elif page:
        words.append(f"[{_PAGE_WORDS.get(page, page)}]")
    if card.number:
        words.append(card.number if card.game == "onepiece" else f"#{card.short_number}")
    return " ".join(words)


def _ascii(text: str) -> str:
    """Return the text without accents, apostrophes and signs that have no ASCII letter."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return plain.replace("'", "")
