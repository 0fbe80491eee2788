"""What all vendors of the sandbox agree on: games, sets, cards, printings, and their true values.

Generated from a seed, never a vendor's figures. Each vendor shows its own view: other names, other
ids, other prices around the same true value, and some wrong ones.
"""

from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class WorldPrinting:
    """One finish of a card. `cents` is its true value on the first day."""

    name: str
    cents: int


@dataclass(frozen=True, slots=True)
class WorldCard:
    """One card or sealed product.

    product_id: TCGplayer's product id (a card with a separately sold picture has its own card).
    pricecharting_id: by printing name; '' is the plain page. justtcg_id: the slug, justtcg_uuid
    the stable key. Empty where that vendor does not have it. `traps` names what is wrong on
    purpose with the vendors' view of this card, for the tests.
    """

    game: str
    set_code: str
    number: str
    name: str
    rarity: str
    product_id: int
    justtcg_id: str
    justtcg_uuid: str
    pricecharting_ids: dict[str, str]
    printings: tuple[WorldPrinting, ...]
    sealed: bool = False
    traps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WorldSet:
    """One set with the ids under which the vendors know it.

    game: our slug; category_id and group_id: TCGplayer's; justtcg_id and justtcg_game: JustTCG's
    slugs; console: PriceCharting's console-name.
    """

    game: str
    code: str
    name: str
    abbreviation: str
    released: date
    category_id: int
    group_id: int
    justtcg_game: str
    justtcg_id: str
    console: str
    cards: tuple[WorldCard, ...] = ()


@dataclass(slots=True)
class World:
    """Everything that exists in the sandbox."""

    seed: int
    sets: tuple[WorldSet, ...]
    first_day: date
    by_product: dict[int, WorldCard] = field(default_factory=dict)
