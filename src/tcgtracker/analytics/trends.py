"""The cards of a game whose price moved most, by one source, between two moments."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from heapq import nsmallest

import numpy as np
from sqlalchemy import Connection, select

from tcgtracker.catalog.link_rows import chunks, links_of
from tcgtracker.database.dialects.base import DatabaseDialect
from tcgtracker.database.tables.catalog import card_quotes, cards, games, tcg_sets
from tcgtracker.database.tables.prices import observations
from tcgtracker.domain.clock import from_epoch, to_epoch
from tcgtracker.domain.errors import NotFound
from tcgtracker.domain.quote import RowState
from tcgtracker.domain.source import FRESH_FOR, Source
from tcgtracker.prices.instants import item_looks
from tcgtracker.prices.kept_out import moments_kept_out
from tcgtracker.prices.products import load_series
from tcgtracker.prices.rows import rows_in_force
from tcgtracker.prices.store import load_histories

MOST_CARDS = 2_000
"""Cards that are looked at, the dearest first: what bounds the time of an answer."""


@dataclass(frozen=True, slots=True)
class Move:
    """A card's price then and now, minor units of one series."""

    card_id: int
    series_id: int
    before: int
    now: int

    @property
    def change(self) -> Fraction:
        """The change as a part of the price before."""
        return Fraction(self.now - self.before, self.before)


@dataclass(frozen=True, slots=True)
class Trends:
    """The moves up and down, the largest first; `considered` cards had a price at both moments.

    bounded: there were more than `MOST_CARDS`, and the cheapest were left out.
    """

    up: tuple[Move, ...]
    down: tuple[Move, ...]
    considered: int
    bounded: bool


def load_trends(
    connection: Connection,
    history_connection: Connection,
    dialect: DatabaseDialect,
    *,
    game: str,
    source: Source,
    currency: str,
    days: int,
    least: int,
    limit: int,
    now: datetime,
) -> Trends:
    """Return the largest moves within `days` of the source's headline series.

    dialect: of the history connection. least: the price in minor units of `currency` that both
    moments must reach, since a card of cents doubles every day.

    Raises:
        NotFound: there is no such game.
    """
    game_id = connection.scalar(select(games.c.id).where(games.c.slug == game))
    if game_id is None:
        raise NotFound(f"there is no game {game!r}: '/games' lists them")
    rows = connection.execute(
        select(card_quotes.c.card_id, card_quotes.c.series_id, card_quotes.c.market_price)
        .join(cards, cards.c.id == card_quotes.c.card_id)
        .join(tcg_sets, tcg_sets.c.id == cards.c.set_id)
        .where(
            tcg_sets.c.game_id == game_id,
            card_quotes.c.source == source,
            card_quotes.c.currency == currency,
            card_quotes.c.listed,
            card_quotes.c.observed_at >= now - FRESH_FOR,
            card_quotes.c.market_price >= max(1, least),
        )
        .order_by(card_quotes.c.market_price.desc(), card_quotes.c.card_id)
        .limit(MOST_CARDS + 1)
    ).all()
    bounded, rows = len(rows) > MOST_CARDS, rows[:MOST_CARDS]
    at = to_epoch(now - timedelta(days=days))
    trusted = _trusted(connection, history_connection, [row.series_id for row in rows])
    rows = [row for row in rows if (row.card_id, row.series_id) in trusted]
    before = _prices_at(history_connection, dialect, [row.series_id for row in rows], at, least)
    moves = [
        Move(row.card_id, row.series_id, before[row.series_id], row.market_price)
        for row in rows
        if row.series_id in before
    ]
    up = nsmallest(limit, (one for one in moves if one.now > one.before), key=_largest)
    down = nsmallest(limit, (one for one in moves if one.now < one.before), key=_largest)
    return Trends(tuple(up), tuple(down), len(moves), bounded)


def _trusted(
    connection: Connection, history_connection: Connection, series_ids: Sequence[int]
) -> set[tuple[int, int]]:
    """Return card and series of each trusted link: card quotes may be older than a decision."""
    product_of = {
        one.id: one.vendor_product_id
        for chunk in chunks(series_ids)
        for one in load_series(history_connection, series_ids=chunk)
    }
    links = links_of(connection, set(product_of.values()))
    return {
        (links[product].card_id, series_id)
        for series_id, product in product_of.items()
        if product in links and links[product].state.trusted
    }


def still_shown(connection: Connection, moves: Sequence[tuple[int, int]]) -> bool:
    """Tell whether cards show these series (card, series) yet: no link was refused since."""
    found: set[tuple[int, int]] = set()
    for chunk in chunks(sorted({card_id for card_id, _ in moves})):
        rows = connection.execute(
            select(card_quotes.c.card_id, card_quotes.c.series_id).where(
                card_quotes.c.card_id.in_(chunk)
            )
        )
        found.update((row.card_id, row.series_id) for row in rows)
    return found.issuperset(moves)


def _prices_at(
    connection: Connection,
    dialect: DatabaseDialect,
    series_ids: Sequence[int],
    at: int,
    least: int,
) -> dict[int, int]:
    """Return the prices that stood at a moment, and were looked at within a week before it.

    Without the look, a price of long ago would pass for that of the moment.
    """
    found = rows_in_force(connection, dialect, np.array(sorted(set(series_ids)), np.int64), at)
    found = found.select((found.state == RowState.PRICED) & (found.values[:, 0] >= max(1, least)))
    oldest = at - int(FRESH_FOR.total_seconds())
    aged = set(found.series_id[found.observed_at < oldest].tolist())
    unseen = aged - _looked_at(connection, dialect, sorted(aged), oldest, at)
    return {
        series_id: market
        for series_id, market in zip(
            found.series_id.tolist(), found.values[:, 0].tolist(), strict=True
        )
        if series_id not in unseen
    }


def _looked_at(
    connection: Connection,
    dialect: DatabaseDialect,
    series_ids: Sequence[int],
    since: int,
    until: int,
) -> set[int]:
    """Return the series that a look found between two moments (epoch seconds, inclusive).

    A look whose quote is not believed found no price.
    """
    series = [
        one for chunk in chunks(series_ids) for one in load_series(connection, series_ids=chunk)
    ]
    rows = connection.execute(
        select(observations.c.scope_id)
        .where(
            observations.c.scope_id.in_({one.scope_id for one in series if one.scope_id}),
            observations.c.complete,
            observations.c.observed_at.between(from_epoch(since), from_epoch(until)),
        )
        .distinct()
    )
    scopes = set(rows.scalars())
    rest = [one for one in series if one.scope_id not in scopes]
    own = item_looks(connection, sorted({one.vendor_product_id for one in rest}))
    found = {one.id for one in series if one.scope_id in scopes}
    for one in rest:
        looks = own.get(one.vendor_product_id)
        if looks is not None and ((looks >= since) & (looks <= until)).any():
            found.add(one.id)
    return found - _disbelieved(connection, dialect, sorted(found), since, until)


def _disbelieved(
    connection: Connection,
    dialect: DatabaseDialect,
    series_ids: Sequence[int],
    since: int,
    until: int,
) -> set[int]:
    """Return the series of which every look between two moments found a price held or refused."""
    doubted = moments_kept_out(connection, series_ids)
    histories = load_histories(connection, dialect, np.array(sorted(doubted), np.int64))
    return {
        series_id
        for series_id, history in histories.items()
        if all(
            look in doubted[series_id] for look in history.looks.tolist() if since <= look <= until
        )
    }


def _largest(move: Move) -> tuple[Fraction, int]:
    return -abs(move.change), move.card_id
