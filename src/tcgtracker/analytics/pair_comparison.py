"""Two sources over a whole game: what each covers, how their prices relate, what does not fit."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from tcgtracker.analytics.ratios import ALL_BANDS, Usual, Usuals, learn_changes
from tcgtracker.analytics.source_prices import (
    SourcePrices,
    SourceQuote,
    Thing,
    load_source_prices,
)
from tcgtracker.analytics.suspects import Departure, Knowledge, PricePair, judge
from tcgtracker.analytics.usual_ratios import Group, comparable, is_fresh, learn_pair
from tcgtracker.catalog.link_rows import chunks
from tcgtracker.database.dialects.base import DatabaseDialect
from tcgtracker.database.tables.catalog import printings, product_links
from tcgtracker.domain.catalog import LinkState
from tcgtracker.domain.errors import InvalidInput
from tcgtracker.domain.source import Source


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many things of one state have a fresh price at both, or at one alone.

    stale: priced by one of the two, but not seen within a week.
    """

    state: str
    currency: str
    both: int
    only_left: int
    only_right: int
    stale: int


@dataclass(frozen=True, slots=True)
class BandRatio:
    """What is usual in a price band; `band` -1 is all of them together."""

    state: str
    currency: str
    band: int
    usual: Usual


@dataclass(frozen=True, slots=True)
class Outlier:
    """Two quotes of a thing that do not fit each other."""

    thing: Thing
    left: SourceQuote
    right: SourceQuote
    departure: Departure


@dataclass(frozen=True, slots=True)
class PairComparison:
    """Two sources side by side; the outliers by what is at stake, the dearest first.

    judged: pairs of which it is known what is usual. unjudged: of the others nothing can be said.
    """

    left: Source
    right: Source
    coverage: tuple[Coverage, ...]
    ratios: tuple[BandRatio, ...]
    judged: int
    unjudged: int
    outliers: tuple[Outlier, ...]
    outlier_count: int


def compare_pair(
    connection: Connection,
    history: Connection,
    dialect: DatabaseDialect,
    *,
    game: str,
    left: Source,
    right: Source,
    now: datetime,
    limit: int,
) -> PairComparison:
    """Compare two sources over a game; dialect: of the history.

    Raises:
        InvalidInput: both are the same source.
        NotFound: there is no such game.
    """
    if left is right:
        raise InvalidInput("name two different sources")
    prices = load_source_prices(connection, history, dialect, now=now, game=game)
    return compare_prices(prices, left, right, now=now, limit=limit)


def compare_prices(
    prices: SourcePrices, left: Source, right: Source, *, now: datetime, limit: int
) -> PairComparison:
    """Compare two sources: pure."""
    usuals = learn_pair(prices, left, right, now)
    others = {
        source
        for quotes in prices.by_thing.values()
        for source in quotes
        if source not in (left, right)
    }
    to_left = {source: learn_pair(prices, source, left, now) for source in others}
    to_right = {source: learn_pair(prices, source, right, now) for source in others}
    pairs = {
        thing: pair
        for thing, quotes in prices.by_thing.items()
        if (pair := _pair(quotes, left, right, now)) is not None
    }
    moves: dict[Group, list[tuple[tuple[int, int], tuple[int, int]]]] = defaultdict(list)
    for thing, pair in pairs.items():
        if pair.before:
            moves[thing.state, thing.currency].append((pair.before, (pair.left, pair.right)))
    knowledge = {
        group: Knowledge(
            left,
            right,
            one,
            learn_changes(moves[group]),
            _of(to_left, group),
            _of(to_right, group),
        )
        for group, one in usuals.items()
    }
    outliers, judged, unjudged = [], 0, 0
    for thing, pair in pairs.items():
        quotes = prices.by_thing[thing]
        known = knowledge[thing.state, thing.currency]
        if known.usuals.of(pair.left, pair.right) is None:
            unjudged += 1
            continue
        judged += 1
        if departure := judge(pair, known):
            outliers.append(Outlier(thing, quotes[left], quotes[right], departure))
    outliers.sort(key=_at_stake)
    return PairComparison(
        left=left,
        right=right,
        coverage=_coverage(prices, left, right, now),
        ratios=tuple(
            BandRatio(state, currency, band, usual)
            for (state, currency), one in usuals.items()
            for band, usual in one.by_band.items()
        ),
        judged=judged,
        unjudged=unjudged,
        outliers=tuple(outliers[:limit]),
        outlier_count=len(outliers),
    )


def median_ratio(comparison: PairComparison, state: str, currency: str) -> Usual | None:
    """Return what is usual over all bands of a state."""
    for one in comparison.ratios:
        if (one.state, one.currency, one.band) == (state, currency, ALL_BANDS):
            return one.usual
    return None


def links_stand(connection: Connection, links: Collection[tuple[int, int, str]]) -> bool:
    """Tell whether these links (id, card, printing) are what they were, and trusted."""
    found: set[tuple[int, int, str]] = set()
    for chunk in chunks(sorted({link_id for link_id, _, _ in links})):
        rows = connection.execute(
            select(product_links.c.id, product_links.c.card_id, printings.c.name)
            .outerjoin(printings, printings.c.id == product_links.c.printing_id)
            .where(
                product_links.c.id.in_(chunk),
                product_links.c.state.in_([state for state in LinkState if state.trusted]),
            )
        )
        found.update((row[0], row[1], row[2] or "") for row in rows)
    return found.issuperset(links)


def _pair(
    quotes: Mapping[Source, SourceQuote], left: Source, right: Source, now: datetime
) -> PricePair | None:
    if left not in quotes or right not in quotes:
        return None
    one, other = quotes[left], quotes[right]
    if not (comparable(one, other) and is_fresh(one, now) and is_fresh(other, now)):
        return None
    before = (one.before, other.before) if one.before and other.before else None
    others = {
        source: quote.market
        for source, quote in quotes.items()
        if source not in (left, right)
        and is_fresh(quote, now)
        and comparable(quote, one)
        and comparable(quote, other)
    }
    return PricePair(one.market, other.market, before, others)


def _of(found: Mapping[Source, Mapping[Group, Usuals]], group: Group) -> dict[Source, Usuals]:
    return {source: usuals[group] for source, usuals in found.items() if group in usuals}


def _coverage(
    prices: SourcePrices, left: Source, right: Source, now: datetime
) -> tuple[Coverage, ...]:
    counts: dict[Group, Counter[str]] = defaultdict(Counter)
    for thing, quotes in prices.by_thing.items():
        asked = [quotes[source] for source in (left, right) if source in quotes]
        if not asked:
            continue
        fresh = {quote.source for quote in asked if is_fresh(quote, now)}
        count = counts[thing.state, thing.currency]
        if len(fresh) < len(asked):
            count["stale"] += 1
        if fresh == {left, right}:
            count["both"] += 1
        elif fresh:
            count["left" if left in fresh else "right"] += 1
    return tuple(
        Coverage(*group, count["both"], count["left"], count["right"], count["stale"])
        for group, count in sorted(counts.items())
    )


def _at_stake(one: Outlier) -> tuple[float, int]:
    return -one.departure.factor * max(one.left.market, one.right.market), one.thing.card_id
