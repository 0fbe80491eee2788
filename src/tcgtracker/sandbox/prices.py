"""What a printing is worth on a day, and what each vendor says about it; integer US cents.

Pure and without state: any day, before the first or after it, is computed alone from the seed, so
that a month of history costs what a month of answers costs. Sizes follow the real data: about 40 %
of TCGplayer's rows move a day, by 2.9 % in the median; market prices are rarely missing, except in
the Japanese category; the direct price is mostly missing.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from tcgtracker.sandbox.chance import key_of, share
from tcgtracker.sandbox.set_plans import CATEGORY_OF, POKEMON, POKEMON_JAPAN
from tcgtracker.sandbox.traps import Trap
from tcgtracker.sandbox.world import World, WorldCard

CONDITION_SHARES: Mapping[str, float] = {
    "Near Mint": 1.0,
    "Lightly Played": 0.85,
    "Moderately Played": 0.7,
    "Heavily Played": 0.5,
    "Damaged": 0.35,
    "Sealed": 1.0,
}
LADDER: Mapping[str, float] = {
    "loose-price": 0.93,
    "condition-9-price": 0.5,
    "condition-10-price": 0.55,
    "condition-13-price": 0.62,
    "condition-14-price": 0.7,
    "condition-15-price": 0.78,
    "condition-16-price": 0.9,
    "cib-price": 1.15,
    "new-price": 1.5,
    "graded-price": 2.3,
    "box-only-price": 3.4,
    "manual-only-price": 7.5,
    "bgs-10-price": 10.5,
    "condition-17-price": 4.6,
    "condition-18-price": 4.2,
    "condition-19-price": 6.4,
    "condition-20-price": 21.0,
    "condition-21-price": 5.5,
    "condition-22-price": 4.4,
}
"""PriceCharting's keys for cards, as multiples of the ungraded market value."""

_RISING = (
    "loose-price",
    "cib-price",
    "new-price",
    "graded-price",
    "box-only-price",
    "manual-only-price",
    "bgs-10-price",
)
_OCTAVES = ((1, 0.022), (4, 0.045), (16, 0.08), (64, 0.14), (256, 0.22))
"""Days and logarithmic size of the waves that make up a price's path: bounded for ever."""

_MOVES_SHARE = 0.3
_LISTINGS_SHARE = 0.2
"""Of all rows, those whose value (or cheapest listings) change from one day to the next."""
_QUIET_DAYS = 40
_DEAR = 2_000


@dataclass(frozen=True, slots=True)
class FivePrices:
    """TCGplayer's row of a printing. None: not stated."""

    low: int | None
    mid: int | None
    high: int | None
    market: int | None
    direct_low: int | None


def true_cents(world: World, card: WorldCard, printing: str, day: date) -> int:
    """Return what a printing in near mint is worth; at least one cent."""
    (first,) = (each.cents for each in card.printings if each.name == printing)
    key = key_of(world.seed, card.key, printing)
    change = _level(key, _last_move(key, day.toordinal())) - _level(
        key, _last_move(key, world.first_day.toordinal())
    )
    return max(1, round(first * math.exp(change)))


def tcgplayer_prices(world: World, card: WorldCard, printing: str, day: date) -> FivePrices | None:
    """Return the row of a printing in the build of a day; None where there is none."""
    if Trap.NO_PRICES in card.traps or not card.product_id:
        return None
    market = true_cents(world, card, printing, day)
    key = key_of(world.seed, card.key, printing, "listings")
    spread = _last_move(key, day.toordinal(), _LISTINGS_SHARE)
    low = max(1, round(market * (0.62 + 0.42 * share(key, spread))))
    mid = max(low, round(market * (0.98 + 0.32 * share(key, 2_000_000 + spread))))
    asked = 1.2 + 6 * share(key, 4_000_000 + day.toordinal() // 9) ** 3
    return FivePrices(
        low,
        mid,
        max(mid, round(mid * asked)),
        None if _market_missing(card, key, day) else market,
        max(1, round(low * 1.06)) if _has_direct(card, key, day) else None,
    )


def sku_prices(
    world: World, card: WorldCard, printing: str, condition: str, day: date
) -> FivePrices | None:
    """Return the same for one condition; mid and high are not stated there."""
    whole = tcgplayer_prices(world, card, printing, day)
    if whole is None:
        return None
    market, low = (
        None if cents is None else condition_cents(world, card, printing, condition, cents)
        for cents in (whole.market, whole.low)
    )
    return FivePrices(low, None, None, market, whole.direct_low)


def condition_cents(
    world: World, card: WorldCard, printing: str, condition: str, cents: int
) -> int:
    """Return the value of a condition, given that of a near mint copy."""
    noise = share(key_of(world.seed, card.key, printing, condition), 0) - 0.5
    swing = 0.0 if condition in ("Near Mint", "Sealed") else 0.12
    return max(1, round(cents * CONDITION_SHARES[condition] * (1 + swing * noise)))


def justtcg_cents(
    world: World, card: WorldCard, printing: str, condition: str, day: date
) -> int | None:
    """Return JustTCG's price of a condition, within 3 % of the true value; None if unknown."""
    key = key_of(world.seed, card.key, printing, condition, "justtcg")
    if condition == "Damaged" and share(key, 0) < 0.1:  # noqa: PLR2004 - a tenth is thin
        return None
    value = true_cents(world, card, printing, day)
    own = 0.97 + 0.06 * share(key, 1 + _last_move(key, day.toordinal()))
    return max(1, round(condition_cents(world, card, printing, condition, value) * own))


def ladder_cents(world: World, card: WorldCard, printing: str, day: date) -> dict[str, int]:
    """Return PriceCharting's keys with their pennies, rising with the grade; absent is unknown.

    Sealed products have `loose-price` and `new-price` alone, cheap cards few graded sales.
    """
    value = true_cents(world, card, printing, day)
    key = key_of(world.seed, card.key, printing, "pricecharting")
    if card.sealed:
        return {"loose-price": max(1, round(value * 0.9)), "new-price": value}
    found: dict[str, int] = {}
    for at, (name, factor) in enumerate(LADDER.items()):
        known = 1.0 if name == "loose-price" else 0.95 if value >= _DEAR else 0.45
        if share(key, at) < known:
            found[name] = max(1, round(value * factor * (0.95 + 0.1 * share(key, 100 + at))))
    floor = 0
    for name in _RISING:
        if name in found:
            found[name] = floor = max(found[name], floor)
    return found


def asking_cents(world: World, card: WorldCard, printing: str, offer: int, day: date) -> int:
    """Return what the n-th seller at eBay asks: around the value, some far above."""
    key = key_of(world.seed, card.key, printing, "asking", offer)
    dream = share(key, 0) > 0.93  # noqa: PLR2004 - one in fourteen dreams
    factor = 3 + 9 * share(key, 1) if dream else 0.8 + 0.7 * share(key, 1)
    return max(99, round(true_cents(world, card, printing, day) * factor))


@lru_cache(maxsize=65_536)
def _level(key: int, ordinal: int) -> float:
    """Return the logarithm of a price's path on a day: waves of growing length and size."""
    total = 0.0
    for octave, (days, size) in enumerate(_OCTAVES):
        at, rest = divmod(ordinal, days)
        place = at * len(_OCTAVES) + octave
        before, after = share(key, place), share(key, place + len(_OCTAVES))
        total += size * (before + (after - before) * rest / days - 0.5) * 2
    return total


@lru_cache(maxsize=65_536)
def _last_move(key: int, ordinal: int, moving: float = _MOVES_SHARE) -> int:
    """Return the latest day, not after this one, on which the price moved."""
    moves = key_of(key, "moves")
    for back in range(_QUIET_DAYS):
        if share(moves, ordinal - back) < moving:
            return ordinal - back
    return ordinal - ordinal % _QUIET_DAYS


def _market_missing(card: WorldCard, key: int, day: date) -> bool:
    rare = 0.03 if CATEGORY_OF[card.set_code] != POKEMON_JAPAN else 0.32
    return Trap.NULL_MARKET in card.traps or share(key, 6_000_000 + day.toordinal() // 60) < rare


def _has_direct(card: WorldCard, key: int, day: date) -> bool:
    if CATEGORY_OF[card.set_code] != POKEMON:
        return False
    return share(key, 8_000_000 + day.toordinal() // 30) < 0.28  # noqa: PLR2004 - as measured
