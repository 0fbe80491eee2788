"""PriceCharting's pages: one for each card and printing, named as there."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from tcgtracker.sandbox.chance import key_of, share
from tcgtracker.sandbox.prices import LADDER, ladder_cents
from tcgtracker.sandbox.world import World, WorldCard, WorldSet

_BRACKETS = {
    "Unlimited": "Shadowless",
    "Unlimited Holofoil": "Shadowless",
    "1st Edition Holofoil": "1st Edition",
    "Reverse Holofoil": "Reverse Holo",
    "Holofoil": "Holo",
}
"""Of a page that is not the plain one; Shadowless is what an unlimited copy is without 1st."""
_GENRES = {"pokemon": "Pokemon Card", "onepiece": "One Piece Cards"}
SLUGS = {"pokemon-cards": "pokemon", "one-piece-cards": "onepiece"}
LATER_KEYS = tuple(key for key in LADDER if key.startswith("condition-"))
"""In the header of 37 columns, in this order; that of 27 has 17 and 18 alone."""
EARLIER_KEYS = ("condition-17-price", "condition-18-price")
GRADE_KEYS = tuple(key for key in LADDER if key not in LATER_KEYS)
_RETAIL = {
    "retail-loose-buy": ("loose-price", 0.66),
    "retail-loose-sell": ("loose-price", 1.1),
    "retail-cib-buy": ("cib-price", 0.66),
    "retail-cib-sell": ("cib-price", 1.1),
    "retail-new-buy": ("new-price", 0.66),
    "retail-new-sell": ("new-price", 1.1),
}


@dataclass(frozen=True, slots=True)
class Page:
    """One product page. printing: whose value it shows. tcg_id: '' for none."""

    id: str
    name: str
    console: str
    game: str
    genre: str
    released: date
    tcg_id: str
    upc: str
    volume: int
    printing: str
    card: WorldCard

    def words(self) -> str:
        """Return the text that a search looks through."""
        return f"{self.name} {self.console}".casefold()


def pages(world: World) -> Iterator[Page]:
    """Yield every page, set by set."""
    for made in world.sets:
        for card in made.cards:
            for label, page_id in card.pricecharting_ids.items():
                yield _page(world, made, card, label, page_id)


def _page(world: World, made: WorldSet, card: WorldCard, label: str, page_id: str) -> Page:
    key = key_of(world.seed, "pricecharting page", page_id)
    return Page(
        id=page_id,
        name=_name(card, label),
        console=made.console,
        game=made.game,
        genre="Sealed Product" if card.sealed else _GENRES[made.game],
        released=made.released,
        tcg_id=card.pricecharting_tcg_id,
        upc=f"{key % 10**12:012d}" if card.sealed else "",
        volume=int(1 + 2_000 * share(key, 1) ** 3),
        printing=label or card.printings[0].name,
        card=card,
    )


def _name(card: WorldCard, label: str) -> str:
    """Return `Charizard [1st Edition] #4`, `Monkey.D.Luffy [Alternate Art] OP02-001`."""
    bracket = _BRACKETS.get(label, label)
    parts = [card.name, *(f"[{each}]" for each in (card.variant, bracket) if each)]
    if card.number:
        # One Piece numbers stand without the sign (vendors/pricecharting.md section 3).
        parts.append(card.short_number if card.game == "onepiece" else f"#{card.short_number}")
    return " ".join(parts)


def prices(world: World, page: Page, day: date) -> dict[str, int]:
    """Return the pennies of each key of a day; a key that is absent has no price."""
    found = ladder_cents(world, page.card, page.printing, day)
    for name, (base, factor) in _RETAIL.items():
        if base in found and base != "cib-price":
            found[name] = max(1, round(found[base] * factor))
    return found


def stated_as_zero(page: Page, key: str) -> bool:
    """Tell how a missing price is sent: 0 (most of the time), or not at all."""
    return share(key_of("pricecharting missing", page.id, key), 0) < 0.6  # noqa: PLR2004


def console_uid(console: str) -> str:
    """Return the `G` number by which the guide can be limited to a set."""
    return f"G{key_of('console', console) % 100_000}"
