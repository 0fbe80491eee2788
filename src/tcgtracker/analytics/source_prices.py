"""The newest price of each printing by each source, brought to what can be compared."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Connection, Select, func, select

from tcgtracker.analytics.ratios import state_of
from tcgtracker.catalog.link_rows import chunks
from tcgtracker.database.dialects.base import DatabaseDialect, IntArray
from tcgtracker.database.tables.catalog import cards, games, printings, product_links, tcg_sets
from tcgtracker.database.tables.prices import observations
from tcgtracker.domain.catalog import LinkState
from tcgtracker.domain.clock import to_epoch
from tcgtracker.domain.errors import NotFound
from tcgtracker.domain.quote import RowState
from tcgtracker.domain.source import Source
from tcgtracker.domain.variant import UNKNOWN_LANGUAGE, PriceKind, variant_rank
from tcgtracker.prices.instants import item_looks
from tcgtracker.prices.kept_out import moments_kept_out
from tcgtracker.prices.products import Series, load_series
from tcgtracker.prices.rows import FAR_FUTURE, rows_in_force
from tcgtracker.prices.store import load_histories

EARLIER = timedelta(days=14)
"""How far back the earlier moment lies that tells a jump from what was always so."""
_TRUSTED = [state.value for state in LinkState if state.trusted]
_SPEAKS = (product_links.c.state.in_(_TRUSTED), product_links.c.source != Source.MANUAL)
PART = 2_000
"""Cards in memory at once where a whole game is gone through."""


@dataclass(frozen=True, slots=True)
class Thing:
    """What is priced: two prices of one thing may be compared. `printing` '' is not proven."""

    card_id: int
    printing: str
    state: str
    currency: str


@dataclass(frozen=True, slots=True)
class SourceQuote:
    """What a source says of a thing now.

    market: minor units. before: the same at an earlier moment, None where it is not known.
    seen_at: epoch seconds of the last look that found it.
    """

    source: Source
    link_id: int
    series_id: int
    external_id: str
    kind: PriceKind
    variant: str
    language: str
    market: int
    before: int | None
    seen_at: int


@dataclass(slots=True)
class SourcePrices:
    """The prices by thing and source."""

    by_thing: dict[Thing, dict[Source, SourceQuote]] = field(
        default_factory=lambda: defaultdict(dict)
    )


@dataclass(frozen=True, slots=True)
class _Tie:
    link_id: int
    card_id: int
    printing: str


def load_source_prices(
    connection: Connection,
    history: Connection,
    dialect: DatabaseDialect,
    *,
    now: datetime,
    game: str = "",
    sources: Collection[Source] = (),
    card_ids: Sequence[int] = (),
) -> SourcePrices:
    """Return the newest prices of a game's cards, or of some cards, through trusted links.

    dialect: of the history. Of several series of one source for one thing, the one that a
    headline price would take.

    Raises:
        NotFound: there is no such game.
    """
    ties: dict[int, _Tie] = {}
    statement = _ties(connection, game, sources)
    parts = [statement]
    if card_ids:
        parts = [
            statement.where(product_links.c.card_id.in_(one)) for one in chunks(sorted(card_ids))
        ]
    for part in parts:
        for row in connection.execute(part):
            ties[row[0]] = _Tie(row[1], row[2], row[3] or "")
    series, states = [], {}
    for chunk in chunks(sorted(ties)):
        for one in load_series(history, vendor_product_ids=chunk):
            if state := state_of(one.facet):
                series.append(one)
                states[one.id] = state
    ids = np.array(sorted(one.id for one in series), np.int64)
    current = _priced(history, dialect, ids, FAR_FUTURE)
    earlier = _priced(history, dialect, ids, to_epoch(now - EARLIER))
    looks = _Looks(history, dialect, [one for one in series if one.id in current])
    found = SourcePrices()
    for one in sorted(series, key=_preference):
        if one.id not in current:
            continue
        market, since = current[one.id]
        tie = ties[one.vendor_product_id]
        thing = Thing(tie.card_id, tie.printing, states[one.id], one.facet.currency)
        found.by_thing[thing].setdefault(
            one.source,
            SourceQuote(
                source=one.source,
                link_id=tie.link_id,
                series_id=one.id,
                external_id=one.external_id,
                kind=one.facet.kind,
                variant=one.facet.variant,
                language=one.facet.language,
                market=market,
                before=earlier[one.id][0] if one.id in earlier else None,
                seen_at=looks.last(one, since),
            ),
        )
    return found


def iter_shared_prices(
    connection: Connection,
    history: Connection,
    dialect: DatabaseDialect,
    *,
    now: datetime,
    game: str,
    part: int = PART,
) -> Iterator[SourcePrices]:
    """Yield a part at a time the prices of those cards that more than one source knows.

    As `load_source_prices`, which holds all of a game in memory. part: cards of one.
    """
    statement = _of_game(
        select(product_links.c.card_id).where(*_SPEAKS), find_game(connection, game)
    )
    several = statement.group_by(product_links.c.card_id).having(
        func.count(product_links.c.source.distinct()) > 1
    )
    card_ids = connection.scalars(several.order_by(product_links.c.card_id)).all()
    for start in range(0, len(card_ids), part):
        yield load_source_prices(
            connection, history, dialect, now=now, card_ids=card_ids[start : start + part]
        )


def _ties(connection: Connection, game: str, sources: Collection[Source]) -> Select[Any]:
    statement = (
        select(
            product_links.c.vendor_product_id,
            product_links.c.id,
            product_links.c.card_id,
            printings.c.name,
        )
        .outerjoin(printings, printings.c.id == product_links.c.printing_id)
        .where(*_SPEAKS)
    )
    if sources:
        statement = statement.where(product_links.c.source.in_(sorted(sources)))
    if game:
        statement = _of_game(statement, find_game(connection, game))
    return statement


def find_game(connection: Connection, slug: str) -> int:
    """Return the id of a game.

    Raises:
        NotFound: there is no such game.
    """
    game_id = connection.scalar(select(games.c.id).where(games.c.slug == slug))
    if game_id is None:
        raise NotFound(f"there is no game {slug!r}: '/games' lists them")
    return int(game_id)


def _of_game(statement: Select[Any], game_id: int) -> Select[Any]:
    return (
        statement.join(cards, cards.c.id == product_links.c.card_id)
        .join(tcg_sets, tcg_sets.c.id == cards.c.set_id)
        .where(tcg_sets.c.game_id == game_id)
    )


def _preference(one: Series) -> tuple[bool, int, int]:
    """Order the series of one thing: a stated language first, then as a headline price would."""
    return one.facet.language == UNKNOWN_LANGUAGE, variant_rank(one.facet.variant), one.id


def _priced(
    history: Connection,
    dialect: DatabaseDialect,
    ids: IntArray,
    at: int,
) -> dict[int, tuple[int, int]]:
    """Return market price and moment of the rows in force that hold one."""
    rows = rows_in_force(history, dialect, ids, at)
    rows = rows.select((rows.state == RowState.PRICED) & (rows.values[:, 0] > 0))
    return {
        series_id: (market, since)
        for series_id, market, since in zip(
            rows.series_id.tolist(),
            rows.values[:, 0].tolist(),
            rows.observed_at.tolist(),
            strict=True,
        )
    }


class _Looks:
    """When series were looked at last: an unchanged price is as new as the look that found it."""

    def __init__(
        self, history: Connection, dialect: DatabaseDialect, series: Sequence[Series]
    ) -> None:
        scope_ids = sorted({one.scope_id for one in series if one.scope_id is not None})
        self._scopes: dict[int, int] = {}
        for chunk in chunks(scope_ids):
            rows = history.execute(
                select(observations.c.scope_id, observations.c.observed_at)
                .where(observations.c.scope_id.in_(chunk), observations.c.complete)
                .order_by(observations.c.observed_at)
            )
            self._scopes.update({row[0]: to_epoch(row[1]) for row in rows})
        self._items = item_looks(history, sorted({one.vendor_product_id for one in series}))
        # A look whose price was not believed did not find the one before it.
        doubted = sorted(moments_kept_out(history, [one.id for one in series]))
        self._believed = {
            series_id: found[1]
            for series_id, one in load_histories(
                history, dialect, np.array(doubted, np.int64)
            ).items()
            if (found := one.last_market()) is not None
        }

    def last(self, one: Series, since: int) -> int:
        """Return the last look that found a price that stands since a moment."""
        if one.id in self._believed:
            return self._believed[one.id]
        own = self._items.get(one.vendor_product_id)
        last = int(own[-1]) if own is not None and len(own) else 0
        return max(since, last, self._scopes.get(one.scope_id or 0, 0))
