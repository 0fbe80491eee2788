"""Fill a set of the made-up world with cards: the planned ones, then ordinary ones by chance."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from random import Random

from tcgtracker.sandbox.card_plans import CARD_PLANS, CREW, EVENTS, SPECIES, TRAINERS, CardPlan
from tcgtracker.sandbox.set_plans import ONE_PIECE, Era, SetPlan
from tcgtracker.sandbox.traps import Trap

_RARITIES = {
    "Common": (38, 12),
    "Uncommon": (28, 20),
    "Rare": (16, 60),
    "Holo Rare": (9, 240),
    "Ultra Rare": (7, 700),
    "Secret Rare": (2, 3_200),
}
"""Rarity: how many of a hundred, and the median of their values in cents."""

_ONE_PIECE_RARITIES = {
    "C": (40, 9),
    "UC": (25, 15),
    "R": (18, 55),
    "SR": (11, 450),
    "L": (5, 160),
    "SEC": (1, 3_500),
}
_ERA_FACTOR = {Era.PLAIN: 6.0, Era.STAMPED: 8.0, Era.SHADOWLESS: 22.0}
_SPREAD = 1.1
"""Standard deviation of the logarithm: real market prices span 0.04 to 367 dollars."""

_ULTRA = {
    Era.REVERSE: ("V", "VMAX", "ex"),
    Era.SHINY: ("V", "VSTAR"),
    Era.JAPANESE: ("ex", "V"),
}
_SEALED = (("Booster Pack", 520), ("Booster Box", 16_400), ("Elite Trainer Box", 5_900))
_PARALLEL_SHARE = 0.3


def fill(plan: SetPlan, chance: Random) -> tuple[list[CardPlan], list[CardPlan]]:
    """Return a set's singles by number and its sealed products."""
    planned = [card for card in CARD_PLANS if card.code == plan.code]
    taken = {card.number for card in planned}
    free = [
        number
        for n in range(1, plan.total + 1)
        if (number := plan.number.format(n=n, total=plan.total)) not in taken
    ]
    drawn = sorted(chance.sample(free, min(plan.singles, len(free))), key=free.index)
    names = _names(plan, chance)
    singles = planned + [
        card for number in drawn for card in _ordinary(plan, number, next(names), chance)
    ]
    return _listed(plan, singles), _sealed(plan, chance) if plan.sealed else []


def valued(printings: tuple[str, ...], cents: int, chance: Random) -> list[tuple[str, int]]:
    """Return each printing with its value; the first has the card's, others more, rarely less."""
    valued = [(printings[0], cents)]
    for name in printings[1:]:
        low, high = (2.2, 5.5) if name.startswith("1st") else (0.8, 2.6)
        valued.append((name, max(2, round(cents * chance.uniform(low, high)) + 1)))
    return valued


def _names(plan: SetPlan, chance: Random) -> Iterator[str]:
    one_piece = plan.category_id == ONE_PIECE
    words = list(CREW if one_piece else SPECIES)
    others = EVENTS if one_piece else TRAINERS
    while True:
        chance.shuffle(words)
        for at, word in enumerate(words):
            yield chance.choice(others) if at % 9 == 8 else word  # noqa: PLR2004 - one in nine


def _ordinary(plan: SetPlan, number: str, name: str, chance: Random) -> list[CardPlan]:
    table = _ONE_PIECE_RARITIES if plan.category_id == ONE_PIECE else _RARITIES
    rarity = chance.choices(list(table), [weight for weight, _ in table.values()])[0]
    if rarity in ("Ultra Rare", "Secret Rare") and plan.era in _ULTRA and name not in TRAINERS:
        name = f"{name} {chance.choice(_ULTRA[plan.era])}"
    median = table[rarity][1] * _ERA_FACTOR.get(plan.era, 1.0)
    cents = max(2, round(chance.lognormvariate(0, _SPREAD) * median))
    printings = _printings(plan.era, rarity)
    card = CardPlan(plan.code, number, name, rarity, cents, printings)
    if rarity not in ("SR", "SEC", "L") or chance.random() > _PARALLEL_SHARE:
        return [card]
    art = chance.choice(("Parallel", "Alternate Art"))
    dear = round(cents * chance.uniform(4, 30))
    return [card, replace(card, variant=art, cents=dear, traps=(Trap.PARALLEL,))]


def _printings(era: Era, rarity: str) -> tuple[str, ...]:
    plain = rarity in ("Common", "Uncommon", "C", "UC", "Rare")
    if era in (Era.STAMPED, Era.SHADOWLESS):
        ending = "" if plain else " Holofoil"
        return (f"Unlimited{ending}", f"1st Edition{ending}")
    if era is Era.ONE_PIECE:
        return ("Normal",) if rarity in ("C", "UC") else ("Foil",)
    if era is Era.SHINY:
        return ("Holofoil",)
    finish = "Normal" if plain else "Holofoil"
    if era is Era.REVERSE and rarity in ("Common", "Uncommon", "Rare", "Holo Rare"):
        return (finish, "Reverse Holofoil")
    return (finish,)


def _listed(plan: SetPlan, singles: list[CardPlan]) -> list[CardPlan]:
    """Name the cards as TCGplayer does: a number where a set has a name twice."""
    often = Counter(card.name for card in singles)
    listed = []
    for card in sorted(singles, key=lambda each: (each.number, each.variant)):
        text, again = card.name, often[card.name] > 1
        if card.variant:
            text += f" ({card.variant})"
        elif plan.category_id == ONE_PIECE:
            text += f" ({card.number.rpartition('-')[2]})" if again else ""
        elif again or Trap.NUMBER_IN_NAME in card.traps:
            text += f" - {card.number}"
        listed.append(replace(card, listed=card.listed or text))
    return listed


def _sealed(plan: SetPlan, chance: Random) -> list[CardPlan]:
    title = plan.name.rpartition(": ")[2]
    return [
        CardPlan(
            plan.code,
            "",
            f"{title} {what}",
            "",
            round(cents * chance.uniform(0.7, 2.2) * _ERA_FACTOR.get(plan.era, 1.0)),
            ("Normal",),
            listed=f"{title} {what}",
        )
        for what, cents in _SEALED
        if what != "Elite Trainer Box" or plan.era is Era.REVERSE
    ]
