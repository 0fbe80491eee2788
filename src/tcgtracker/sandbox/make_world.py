"""Make the sandbox's catalog from a seed: the same seed gives the same world everywhere."""

import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random

from tcgtracker.sandbox.card_plans import ID_TRAPS, MOVES_TO, CardPlan
from tcgtracker.sandbox.chance import dice, key_of
from tcgtracker.sandbox.fill_sets import fill, valued
from tcgtracker.sandbox.names import slug
from tcgtracker.sandbox.set_plans import ONE_PIECE, PLANS, POKEMON, POKEMON_JAPAN, Era, SetPlan
from tcgtracker.sandbox.traps import Trap
from tcgtracker.sandbox.world import World, WorldCard, WorldPrinting, WorldSet

_JUSTTCG_GAMES = {
    POKEMON: "pokemon",
    POKEMON_JAPAN: "pokemon-japan",
    ONE_PIECE: "one-piece-card-game",
}
_FIRST_GROUP = {POKEMON: 604, POKEMON_JAPAN: 23_500, ONE_PIECE: 17_660}


def make_world(seed: int, first_day: date, *, codes: Collection[str] | None = None) -> World:
    """Return everything that the sandbox's vendors know.

    first_day: the day on which each printing has its stated value; a few products change at
    TCGplayer some days later. codes: of the only sets that are made, all of them otherwise.
    """
    ids = _Ids(dice(seed, "ids"))
    sets = tuple(
        _set(plan, seed, first_day, ids) for plan in PLANS if codes is None or plan.code in codes
    )
    every = sorted((card for each in sets for card in each.cards), key=lambda c: c.product_id)
    return World(seed, sets, first_day, {c.product_id: c for c in every if c.product_id})


@dataclass(slots=True)
class _Ids:
    """Hands out ids with gaps, as real ones have."""

    chance: Random
    product: int = 42_300
    page: int = 630_000
    group: dict[int, int] = field(default_factory=lambda: dict(_FIRST_GROUP))
    slugs: set[str] = field(default_factory=set)

    def next_product(self) -> int:
        self.product += self.chance.randint(1, 40)
        return self.product

    def next_page(self) -> str:
        self.page += self.chance.randint(1, 90)
        return str(self.page)

    def next_group(self, category_id: int) -> int:
        self.group[category_id] += self.chance.randint(1, 60)
        return self.group[category_id]

    def next_slug(self, *parts: str) -> str:
        text = slug(*parts)
        while text in self.slugs:
            text += "-2"
        self.slugs.add(text)
        return text


def _set(plan: SetPlan, seed: int, first_day: date, ids: _Ids) -> WorldSet:
    chance = dice(seed, "set", plan.code)
    one_piece = plan.category_id == ONE_PIECE
    title = plan.name.rpartition(": ")[2]
    justtcg_game = _JUSTTCG_GAMES[plan.category_id]
    made = WorldSet(
        game="onepiece" if one_piece else "pokemon",
        code=plan.code,
        name=plan.name,
        abbreviation=plan.abbreviation or plan.code.upper(),
        released=plan.released,
        category_id=plan.category_id,
        group_id=ids.next_group(plan.category_id),
        justtcg_game=justtcg_game,
        justtcg_id=slug(plan.name, justtcg_game),
        console=plan.console or f"{'One Piece' if one_piece else 'Pokemon'} {title}",
        traps=plan.traps,
    )
    singles, sealed = fill(plan, chance)
    cards = [
        _card(each, made, plan, ids, chance, sealed=each in sealed) for each in (*singles, *sealed)
    ]
    return replace(made, cards=tuple(_with_id_traps(cards, plan, first_day, chance)))


def _card(
    plan: CardPlan, made: WorldSet, era: SetPlan, ids: _Ids, chance: Random, *, sealed: bool
) -> WorldCard:
    product_id = ids.next_product()
    justtcg_id = ids.next_slug(made.justtcg_game, made.name, plan.listed, plan.rarity)
    return WorldCard(
        game=made.game,
        set_code=made.code,
        number=plan.number,
        name=plan.name,
        rarity=plan.rarity,
        product_id=product_id,
        justtcg_id=justtcg_id,
        justtcg_uuid=str(uuid.UUID(int=key_of("a", justtcg_id) << 64 | key_of("b", justtcg_id))),
        pricecharting_ids=dict(_pages(plan, era.era, ids)),
        printings=tuple(
            WorldPrinting(*each) for each in valued(plan.printings, plan.cents, chance)
        ),
        sealed=sealed,
        traps=plan.traps,
        variant=plan.variant,
        tcgplayer_name=plan.listed,
        pricecharting_tcg_id=str(product_id),
        justtcg_number="N/A" if sealed else plan.number,
        justtcg_product=str(product_id),
    )


def _pages(plan: CardPlan, era: Era, ids: _Ids) -> Iterator[tuple[str, str]]:
    for at, printing in enumerate(plan.printings):
        plain = at == 0 and era is not Era.SHADOWLESS
        yield "" if plain else printing, ids.next_page()


def _with_id_traps(
    cards: list[WorldCard], plan: SetPlan, first_day: date, chance: Random
) -> list[WorldCard]:
    """Set the traps of ids and of time, each on an ordinary single of its own."""
    for code, trap in ID_TRAPS:
        if code != plan.code:
            continue
        free = [at for at, card in enumerate(cards) if not card.traps and not card.sealed]
        at = chance.choice(free)
        day = first_day + timedelta(days=chance.randint(2, 6))
        other = next(card for card in cards if card.product_id not in (0, cards[at].product_id))
        cards[at] = _trapped(cards[at], trap, day, other.product_id)
    return cards


def _trapped(card: WorldCard, trap: Trap, day: date, other: int) -> WorldCard:
    card = replace(card, traps=(*card.traps, trap))
    no_justtcg: dict[str, object] = {
        "justtcg_id": "",
        "justtcg_uuid": "",
        "justtcg_number": None,
        "justtcg_product": None,
    }
    no_pages: dict[str, object] = {"pricecharting_ids": {}, "pricecharting_tcg_id": ""}
    changes: dict[Trap, dict[str, object]] = {
        Trap.WRONG_TCG_ID: {"pricecharting_tcg_id": str(other)},
        Trap.NO_TCG_ID: {"pricecharting_tcg_id": ""},
        Trap.JUSTTCG_NUMBER_NULL: {"justtcg_number": None},
        Trap.JUSTTCG_NUMBER_NA: {"justtcg_number": "N/A"},
        Trap.JUSTTCG_NO_PRODUCT: {"justtcg_product": None},
        Trap.SLUG_ONLY: {"justtcg_uuid": "", "justtcg_number": None, "justtcg_product": None},
        Trap.ONLY_TCGPLAYER: no_justtcg | no_pages,
        Trap.ONLY_JUSTTCG: {"product_id": 0, "justtcg_product": None} | no_pages,
        Trap.ONLY_PRICECHARTING: {"product_id": 0, "pricecharting_tcg_id": ""} | no_justtcg,
        Trap.RENAMED: {"renamed": (day, f"{card.tcgplayer_name} (Corrected)")},
        Trap.VANISHES: {"vanishes": day},
        Trap.MOVES: {"moves": (day, MOVES_TO.get(card.set_code, ""))},
    }
    return replace(card, **changes.get(trap, {}))  # type: ignore[arg-type] # names above
