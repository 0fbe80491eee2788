"""Suspect prices and links among the sandbox's prices with planted errors: precision and recall.

Ground truth is what was planted. Beside it the plain rule that a ratio over 10 is an error.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from random import Random

from tcgtracker.analytics.pair_comparison import compare_prices
from tcgtracker.analytics.source_prices import EARLIER, SourcePrices, SourceQuote, Thing
from tcgtracker.analytics.suspects import Side, Suspect
from tcgtracker.domain.clock import to_epoch
from tcgtracker.domain.source import Source
from tcgtracker.domain.variant import PriceKind
from tcgtracker.sandbox.make_world import make_world
from tcgtracker.sandbox.prices import justtcg_cents, ladder_cents, tcgplayer_prices
from tcgtracker.sandbox.world import World, WorldCard
from tests.bench.support import emit

LEFT, RIGHT, THIRD = Source.JUSTTCG, Source.PRICECHARTING, Source.TCGCSV
_FIRST_DAY = date(2026, 1, 1)
_NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)
SEEDS = (1, 2, 3)
SHARE = 0.03
WIDE = 0.25
_PLAIN_FACTOR = 10
_KINDS = {Source.PRICECHARTING: PriceKind.GUIDE}

Planted = Mapping[Thing, str]


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What was found of what was planted: by kind (found, planted), and how many were no errors."""

    found: Mapping[str, tuple[int, int]]
    wrong: int
    right_side: int
    right_suspect: int

    @property
    def true(self) -> int:
        return sum(found for found, _ in self.found.values())

    @property
    def precision(self) -> float:
        return self.true / max(1, self.true + self.wrong)

    @property
    def recall(self) -> float:
        return self.true / max(1, sum(planted for _, planted in self.found.values()))


def run() -> None:
    """Print precision and recall of the learned rule and of the plain one, over three worlds.

    Once with the sandbox's own ratios, which are tight, once with a guide that strays as widely as
    guides of real cards do.
    """
    for setting, stray in (("tight", 0.0), ("wide", WIDE)):
        made = [planted_prices(seed, stray=stray) for seed in SEEDS]
        learned = [by_learning(*one) for one in made]
        _emit(f"suspects_{setting}_learned", learned)
        _emit(f"suspects_{setting}_over_10x", [by_plain_rule(*one) for one in made])
        true = sum(one.true for one in learned)
        side = sum(one.right_side for one in learned)
        emit(f"suspects_{setting}_side_told_right", side / true, "of those found")
        kind = sum(one.right_suspect for one in learned)
        emit(f"suspects_{setting}_kind_told_right", kind / true, "of those found")


def _emit(name: str, found: Sequence[Verdicts]) -> None:
    emit(f"{name}_precision", _mean([one.precision for one in found]), "of the flags")
    emit(f"{name}_recall", _mean([one.recall for one in found]), "of the errors")
    for kind in sorted(found[0].found):
        hits = sum(one.found[kind][0] for one in found)
        of = sum(one.found[kind][1] for one in found)
        slug = kind.replace(" ", "_")
        emit(f"{name}_recall_{slug}", hits / max(1, of), f"of {of} errors")


def by_learning(prices: SourcePrices, planted: Planted) -> Verdicts:
    """Judge with the product's own comparison."""
    found = compare_prices(prices, LEFT, RIGHT, now=_NOW, limit=100_000)
    flagged = {one.thing: one.departure for one in found.outliers}
    side = sum(flagged[thing].side is Side.RIGHT for thing in planted if thing in flagged)
    suspect = sum(
        flagged[thing].suspect is (Suspect.LINK if kind.startswith("link") else Suspect.PRICE)
        for thing, kind in planted.items()
        if thing in flagged
    )
    return _verdicts(flagged.keys(), planted, side, suspect)


def by_plain_rule(prices: SourcePrices, planted: Planted) -> Verdicts:
    """Judge by a ratio over 10, or under a tenth."""
    flagged = {
        thing
        for thing, quotes in prices.by_thing.items()
        if {LEFT, RIGHT} <= quotes.keys()
        and max(quotes[LEFT].market, quotes[RIGHT].market)
        > _PLAIN_FACTOR * min(quotes[LEFT].market, quotes[RIGHT].market)
    }
    return _verdicts(flagged, planted, 0, 0)


def planted_prices(
    seed: int, *, share: float = SHARE, stray: float = 0.0
) -> tuple[SourcePrices, Planted]:
    """Return the prices of a made-up world by three sources, with errors on the right side.

    stray: how widely the right side strays from the others (logarithm), lastingly for each thing.
    """
    world = make_world(seed, _FIRST_DAY)
    random = Random(seed)
    prices, owners = _prices(world)
    for quotes in prices.by_thing.values():
        if stray and RIGHT in quotes:
            factor = math.exp(random.gauss(0, stray))
            one = quotes[RIGHT]
            now, before = round(one.market * factor), round((one.before or 0) * factor)
            quotes[RIGHT] = replace(one, market=max(1, now), before=max(1, before))
    both = [thing for thing, quotes in prices.by_thing.items() if {LEFT, RIGHT} <= quotes.keys()]
    planted: dict[Thing, str] = {}
    for thing in random.sample(both, round(share * len(both))):
        kind = random.choice(list(_ERRORS))
        quote = _ERRORS[kind](
            prices.by_thing[thing][RIGHT], _siblings(prices, owners, thing), random
        )
        if quote is not None:
            prices.by_thing[thing][RIGHT] = quote
            planted[thing] = kind
    return prices, planted


def _prices(world: World) -> tuple[SourcePrices, Mapping[int, WorldCard]]:
    prices, owners = SourcePrices(), {}
    days = (_NOW.date(), (_NOW - EARLIER).date())
    for number, card in enumerate(world.cards(), 1):
        owners[number] = card
        for printing in card.printings:
            state = "sealed" if card.sealed else "ungraded"
            thing = Thing(number, printing.name, state, "USD")
            for source, cents in _figures(world, card, printing.name, days):
                prices.by_thing[thing][source] = _quote(source, number, *cents)
    return prices, owners


def _figures(
    world: World, card: WorldCard, printing: str, days: Sequence[date]
) -> Iterator[tuple[Source, tuple[int, int]]]:
    """Yield (source, price now and before) of those that have both."""
    condition = "Sealed" if card.sealed else "Near Mint"
    views: dict[Source, Callable[[date], int | None]] = {
        LEFT: lambda day: justtcg_cents(world, card, printing, condition, day),
        RIGHT: lambda day: ladder_cents(world, card, printing, day).get(
            "new-price" if card.sealed else "loose-price"
        ),
        THIRD: lambda day: getattr(tcgplayer_prices(world, card, printing, day), "market", None),
    }
    for source, view in views.items():
        now, before = view(days[0]), view(days[1])
        if now and before:
            yield source, (now, before)


def _quote(source: Source, number: int, now: int, before: int) -> SourceQuote:
    return SourceQuote(
        source=source,
        link_id=number,
        series_id=number,
        external_id=str(number),
        kind=_KINDS.get(source, PriceKind.MARKET),
        variant="raw",
        language="und",
        market=now,
        before=before,
        seen_at=to_epoch(_NOW - timedelta(hours=3)),
    )


def _siblings(
    prices: SourcePrices, owners: Mapping[int, WorldCard], thing: Thing
) -> dict[str, list[SourceQuote]]:
    """Return what the right source says of other printings of the card, and of its set."""
    found: dict[str, list[SourceQuote]] = defaultdict(list)
    card = owners[thing.card_id]
    for other, quotes in prices.by_thing.items():
        if RIGHT not in quotes or other == thing:
            continue
        if other.card_id == thing.card_id:
            found["printing"].append(quotes[RIGHT])
        elif owners[other.card_id].set_code == card.set_code:
            found["card"].append(quotes[RIGHT])
    return found


def _jumped(factor: float) -> Callable[..., SourceQuote | None]:
    def plant(quote: SourceQuote, *_others: object) -> SourceQuote | None:
        wrong = max(1, round(quote.market * factor))
        return replace(quote, market=wrong) if wrong != quote.market else None

    return plant


def _other(what: str) -> Callable[..., SourceQuote | None]:
    def plant(
        quote: SourceQuote, siblings: Mapping[str, Sequence[SourceQuote]], random: Random
    ) -> SourceQuote | None:
        if not siblings[what]:
            return None
        other = random.choice(siblings[what])
        return replace(quote, market=other.market, before=other.before)

    return plant


_ERRORS: Mapping[str, Callable[..., SourceQuote | None]] = {
    "price 3 times": _jumped(3),
    "price a third": _jumped(1 / 3),
    "price 12 times": _jumped(12),
    "price in cents": _jumped(100),
    "link another printing": _other("printing"),
    "link another card": _other("card"),
}


def _verdicts(flagged: Collection[Thing], planted: Planted, side: int, suspect: int) -> Verdicts:
    hits = set(flagged)
    counts = Counter(planted.values())
    found = Counter(kind for thing, kind in planted.items() if thing in hits)
    return Verdicts(
        {kind: (found[kind], counts[kind]) for kind in _ERRORS},
        len(hits - planted.keys()),
        side,
        suspect,
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
