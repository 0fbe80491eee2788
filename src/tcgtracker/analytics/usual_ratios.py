"""The usual ratios of sources as they are kept: learned from a whole game, a day at a time."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import combinations

from sqlalchemy import Connection, delete, insert, select

from tcgtracker.analytics.ratios import Usual, Usuals, learn
from tcgtracker.analytics.source_prices import (
    SourcePrices,
    SourceQuote,
    find_game,
    iter_shared_prices,
)
from tcgtracker.database.engine import Database
from tcgtracker.database.tables.catalog import games
from tcgtracker.database.tables.links import source_ratios
from tcgtracker.domain.clock import Clock, to_epoch
from tcgtracker.domain.source import FRESH_FOR, SOURCE_ORDER, Source
from tcgtracker.domain.variant import UNKNOWN_LANGUAGE
from tcgtracker.operations.context import JobContext
from tcgtracker.operations.registry import Job

LEARN_RATIOS = "learn_source_ratios"
OLDEST = timedelta(days=30)
"""Ratios are learned each day; when that failed for so long, prices are taken as they are."""
Group = tuple[str, str]
"""State and currency: ratios are learned and used within one of each."""
PairUsuals = Mapping[tuple[Source, Source], Mapping[Group, Usuals]]


def comparable(left: SourceQuote, right: SourceQuote) -> bool:
    """Tell whether two quotes of one thing are of one language, as far as they say."""
    languages = {left.language, right.language} - {UNKNOWN_LANGUAGE}
    return len(languages) < 2  # noqa: PLR2004 - two languages are two things


def is_fresh(quote: SourceQuote, now: datetime) -> bool:
    return to_epoch(now) - quote.seen_at <= FRESH_FOR.total_seconds()


def teaches(left: SourceQuote, right: SourceQuote, now: datetime) -> bool:
    """Tell whether two quotes of one thing say what is usual: comparable, and both fresh."""
    return comparable(left, right) and is_fresh(left, now) and is_fresh(right, now)


def learn_pair(
    prices: SourcePrices, left: Source, right: Source, now: datetime
) -> dict[Group, Usuals]:
    """Learn what is usual between two sources from all fresh prices that can be compared."""
    pairs: dict[Group, list[tuple[int, int]]] = defaultdict(list)
    for thing, quotes in prices.by_thing.items():
        if left in quotes and right in quotes and teaches(quotes[left], quotes[right], now):
            pairs[thing.state, thing.currency].append((quotes[left].market, quotes[right].market))
    return {group: learn(found) for group, found in sorted(pairs.items())}


def learn_game(database: Database, history: Database, game: str, *, now: datetime) -> int:
    """Learn the ratios of every pair of sources of a game anew; return how many were learned.

    Raises:
        NotFound: there is no such game.
    """
    # Part by part, and of each only two numbers: the whole game is as large as a catalog may be.
    pairs: dict[tuple[Source, Source], dict[Group, list[tuple[int, int]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    with database.read() as connection, history.read() as history_connection:
        game_id = find_game(connection, game)
        for prices in iter_shared_prices(
            connection, history_connection, history.dialect, now=now, game=game
        ):
            for thing, quotes in prices.by_thing.items():
                for left, right in combinations(sorted(quotes, key=SOURCE_ORDER.index), 2):
                    one, other = quotes[left], quotes[right]
                    if teaches(one, other, now):
                        group = pairs[left, right][thing.state, thing.currency]
                        group.append((one.market, other.market))
    rows = [
        {
            "game_id": game_id,
            "left_source": left,
            "right_source": right,
            "state": state,
            "currency": currency,
            "band": band,
            "center": usual.center,
            "spread": usual.spread,
            "pairs": usual.pairs,
            "learned_at": now,
        }
        for (left, right), groups in pairs.items()
        for (state, currency), found in groups.items()
        for band, usual in learn(found).by_band.items()
    ]
    with database.write() as connection:
        # One at a time for a game: two that replace the same rows would both insert them.
        connection.execute(select(games.c.id).where(games.c.id == game_id).with_for_update()).all()
        connection.execute(delete(source_ratios).where(source_ratios.c.game_id == game_id))
        if rows:
            connection.execute(insert(source_ratios), rows)
    return len(rows)


def load_usuals(connection: Connection, game: str, *, now: datetime) -> PairUsuals:
    """Return what is usual in a game, of each pair of sources both ways.

    What was learned longer ago than `OLDEST` is not known any more.
    """
    bands: dict[tuple[Source, Source], dict[Group, dict[int, Usual]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    rows = connection.execute(
        select(
            source_ratios.c.left_source,
            source_ratios.c.right_source,
            source_ratios.c.state,
            source_ratios.c.currency,
            source_ratios.c.band,
            source_ratios.c.center,
            source_ratios.c.spread,
            source_ratios.c.pairs,
        )
        .join(games, games.c.id == source_ratios.c.game_id)
        .where(games.c.slug == game, source_ratios.c.learned_at >= now - OLDEST)
    )
    for left, right, state, currency, band, *usual in rows:
        bands[Source(left), Source(right)][state, currency][band] = Usual(*usual)
    found: dict[tuple[Source, Source], dict[Group, Usuals]] = {}
    for (left, right), groups in bands.items():
        found[left, right] = {group: Usuals(one) for group, one in groups.items()}
        found[right, left] = {group: Usuals(one).inverse() for group, one in groups.items()}
    return found


def jobs(database: Database, history: Database, clock: Clock) -> list[Job]:
    """Return the job that learns the ratios of all games."""

    def learn_ratios(_job: JobContext) -> dict[str, int]:
        with database.read() as connection:
            slugs = list(connection.scalars(select(games.c.slug).order_by(games.c.slug)))
        return {slug: learn_game(database, history, slug, now=clock.now()) for slug in slugs}

    return [Job(name=LEARN_RATIOS, handler=learn_ratios, every=timedelta(days=1))]
