"""Games, sets, cards and printings, and how a vendor's product is tied to them."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class ProductType(StrEnum):
    """A single card, or anything sold sealed."""

    SINGLE = "single"
    SEALED = "sealed"


class LinkState(StrEnum):
    """How far the tie between a vendor's product and a printing is trusted."""

    CONFIRMED = "confirmed"
    DERIVED = "derived"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    SUSPENDED = "suspended"

    @property
    def trusted(self) -> bool:
        return self in (LinkState.CONFIRMED, LinkState.DERIVED)


class LinkAction(StrEnum):
    """What a person did with a link."""

    ACCEPT = "accept"
    RELINK = "relink"
    REJECT = "reject"
    SKIP = "skip"


ASIA = "asia"
"""The region of Japanese, Korean and Chinese sets; '' is that of international ones."""

# DESIGN section 4: the order in which a headline price prefers printings.
_PRINTING_ORDER = (
    "Normal",
    "Unlimited",
    "Holofoil",
    "Foil",
    "1st Edition",
    "Reverse Holofoil",
)


def printing_rank(name: str) -> int:
    """Return the place of a printing in the headline order (others come last)."""
    return _PRINTING_ORDER.index(name) if name in _PRINTING_ORDER else len(_PRINTING_ORDER)


@dataclass(frozen=True, slots=True)
class Game:
    """`slug` is the API's name: pokemon, onepiece, magic, yugioh, lorcana, else the vendor's."""

    slug: str
    name: str


# DESIGN section 4. TCGplayer category ids: vendors/tcgplayer.md section 3.
GAMES = (
    Game("pokemon", "Pokémon"),
    Game("onepiece", "One Piece"),
    Game("magic", "Magic: The Gathering"),
    Game("yugioh", "Yu-Gi-Oh!"),
    Game("lorcana", "Disney Lorcana"),
)
TCGPLAYER_CATEGORY_GAMES = {
    3: "pokemon", 85: "pokemon", 68: "onepiece", 1: "magic", 2: "yugioh", 71: "lorcana",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class CardSet:
    """A set as a catalog names it; `code` carries where it comes from (`tcgdex:intl:base3`)."""

    code: str
    region: str
    name: str
    series: str = ""
    release_date: date | None = None
    total_cards: int | None = None
