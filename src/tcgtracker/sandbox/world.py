"""What all vendors of the sandbox agree on: games, sets, cards, printings, and their true values.

Generated from a seed, never a vendor's figures. Each vendor shows its own view: other names, other
ids, other prices around the same true value, and some wrong ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

CONDITIONS = (
    "Near Mint",
    "Lightly Played",
    "Moderately Played",
    "Heavily Played",
    "Damaged",
)
"""As TCGplayer numbers them from 1; TCGplayer's condition 6 is `Unopened`, JustTCG's `Sealed`."""


@dataclass(frozen=True, slots=True)
class WorldPrinting:
    """One finish of a card. `cents` is its true value on the first day."""

    name: str
    cents: int


@dataclass(frozen=True, slots=True)
class WorldCard:
    """One card or sealed product.

    product_id: TCGplayer's product id (a card with a separately sold picture has its own card);
    0 where TCGplayer does not have it. variant: what its picture or stamp is called, `Alternate
    Art`. tcgplayer_name: as listed there (and at JustTCG), with variant or number where usual.
    pricecharting_ids: by printing name; '' is the plain page. pricecharting_tcg_id: the tcg-id
    stated on each of these pages, '' for none, not always right. justtcg_id: the slug,
    justtcg_uuid the stable key; justtcg_number and justtcg_product as stated there. Empty where
    that vendor does not have it. `traps` names what is wrong on purpose with the vendors' view of
    this card, for the tests. renamed, vanishes, moves (to a set code): from that build day of
    TCGplayer on.
    """

    game: str
    set_code: str
    number: str
    name: str
    rarity: str
    product_id: int
    justtcg_id: str
    justtcg_uuid: str
    pricecharting_ids: Mapping[str, str]
    printings: tuple[WorldPrinting, ...]
    sealed: bool = False
    traps: tuple[str, ...] = ()
    variant: str = ""
    tcgplayer_name: str = ""
    pricecharting_tcg_id: str = ""
    justtcg_number: str | None = None
    justtcg_product: str | None = None
    renamed: tuple[date, str] | None = None
    vanishes: date | None = None
    moves: tuple[date, str] | None = None

    @property
    def key(self) -> str:
        """What its prices are drawn from: unique in the world, the same under every name."""
        return f"{self.set_code}|{self.number}|{self.name}|{self.variant}"

    @property
    def short_number(self) -> str:
        """The number as PriceCharting prints it: `139` of `139/195`, `TG12` of `TG12/TG30`."""
        head = self.number.partition("/")[0]
        return (head.lstrip("0") or head) if head.isdigit() else head

    def conditions(self) -> tuple[str, ...]:
        """Return the conditions that are traded: one for sealed products."""
        return ("Sealed",) if self.sealed else CONDITIONS

    def sku_id(self, printing: str, condition: str) -> int:
        """Return TCGplayer's id of a printing in a condition, which JustTCG repeats."""
        at = [each.name for each in self.printings].index(printing)
        return self.product_id * 100 + at * 10 + self.conditions().index(condition) + 1


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
    traps: tuple[str, ...] = ()


@dataclass(slots=True)
class World:
    """Everything that exists in the sandbox."""

    seed: int
    sets: tuple[WorldSet, ...]
    first_day: date
    by_product: dict[int, WorldCard] = field(default_factory=dict)

    def cards(self) -> tuple[WorldCard, ...]:
        """Return every card of every set, also those that one vendor alone lists."""
        return tuple(card for world_set in self.sets for card in world_set.cards)

    def trapped(self, trap: str) -> tuple[WorldCard, ...]:
        """Return the cards made for a trap."""
        return tuple(card for card in self.cards() if trap in card.traps)

    def listed(self, code: str, day: date) -> tuple[WorldCard, ...]:
        """Return what TCGplayer lists in a set on a build day, in the order of product ids."""
        return tuple(
            _on_day(card, day)
            for card in self.by_product.values()
            if _set_on_day(card, day) == code
        )

    def product(self, product_id: int, day: date) -> WorldCard | None:
        """Return what TCGplayer lists under a product id on a build day."""
        card = self.by_product.get(product_id)
        if card is None or not _set_on_day(card, day):
            return None
        return _on_day(card, day)


def _set_on_day(card: WorldCard, day: date) -> str:
    if card.vanishes is not None and day >= card.vanishes:
        return ""
    if card.moves is not None and day >= card.moves[0]:
        return card.moves[1]
    return card.set_code


def _on_day(card: WorldCard, day: date) -> WorldCard:
    if card.renamed is not None and day >= card.renamed[0]:
        return replace(card, tcgplayer_name=card.renamed[1])
    return card
