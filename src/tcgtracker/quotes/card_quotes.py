"""The newest price of each card and source, kept for lists and the headline price.

A reader of the change sets: it follows the intake by cursor, so the intake knows nothing of cards.
Everything here can be rebuilt from the history and the links.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, delete, func, select, update

from tcgtracker.database.dialects.base import DatabaseDialect, IntArray
from tcgtracker.database.engine import Database
from tcgtracker.database.tables.catalog import card_quotes, cards, printings, product_links
from tcgtracker.database.tables.prices import observations
from tcgtracker.database.unit_of_work import UnitOfWork, unit_of_work
from tcgtracker.domain.catalog import LinkState, printing_rank
from tcgtracker.domain.clock import from_epoch, to_epoch
from tcgtracker.domain.quote import RowState
from tcgtracker.domain.variant import kind_rank, variant_rank
from tcgtracker.prices.changes import ChangeSet, load_change_sets, load_cursor, save_cursor
from tcgtracker.prices.instants import item_looks
from tcgtracker.prices.products import Series, load_series
from tcgtracker.prices.rows import FAR_FUTURE, rows_in_force
from tcgtracker.prices.store import load_histories

CONSUMER = "card_quotes"
_BATCH = 2_000
_SETS = 200
_TRUSTED = [state.value for state in LinkState if state.trusted]


@dataclass(frozen=True, slots=True)
class _Tie:
    card_id: int
    vendor_product_id: int
    printing: str


@dataclass(frozen=True, slots=True)
class _Newest:
    """The newest market price of a series, however old; moments are epoch seconds.

    market_at: the last look that found the price. seen_at: the last look that found the product.
    listed: the price still stands there.
    """

    market: int | None = None
    market_at: int | None = None
    seen_at: int | None = None
    listed: bool = False


def follow_changes(database: Database, history: Database) -> int:
    """Bring the card quotes up to the newest change set; return how many sets were followed."""
    followed = 0
    while True:
        with database.read() as connection:
            cursor = load_cursor(connection, CONSUMER)
        with history.read() as connection:
            sets = load_change_sets(connection, cursor, _SETS)
            changed = _products_of(connection, sets)
        if not sets:
            return followed
        with database.read() as connection:
            affected = _cards_of(connection, changed)
        refresh_cards(database, history, affected)
        with database.write() as connection:
            _see_scopes(connection, sets)
            save_cursor(connection, database.dialect, CONSUMER, sets[-1].id)
        followed += len(sets)


def rebuild(database: Database, history: Database) -> int:
    """Make the quotes of every linked card anew; return how many cards that were."""
    with database.read() as connection:
        linked = connection.execute(select(product_links.c.card_id).distinct()).scalars().all()
        quoted = connection.execute(select(card_quotes.c.card_id).distinct()).scalars().all()
    return refresh_cards(database, history, {*linked, *quoted})


def refresh_cards(database: Database, history: Database, card_ids: Iterable[int]) -> int:
    """Make the quotes of some cards anew, some thousand in one transaction."""
    wanted = sorted(set(card_ids))
    for start in range(0, len(wanted), _BATCH):
        with unit_of_work(database, history) as uow:
            _refresh(uow, history.dialect, wanted[start : start + _BATCH])
    return len(wanted)


def _products_of(connection: Connection, sets: Sequence[ChangeSet]) -> list[int]:
    if not sets:
        return []
    changed = np.unique(np.concatenate([one.series for one in sets]))
    found: set[int] = set()
    for start in range(0, len(changed), 10_000):
        series = load_series(connection, series_ids=changed[start : start + 10_000].tolist())
        found.update(one.vendor_product_id for one in series)
    return sorted(found)


def _cards_of(connection: Connection, product_ids: Sequence[int]) -> set[int]:
    found: set[int] = set()
    for start in range(0, len(product_ids), 10_000):
        found.update(
            connection.execute(
                select(product_links.c.card_id).where(
                    product_links.c.vendor_product_id.in_(product_ids[start : start + 10_000])
                )
            ).scalars()
        )
    return found


def _see_scopes(connection: Connection, sets: Sequence[ChangeSet]) -> None:
    """Let the quotes of scopes that were looked at whole say so, changed or not."""
    newest: dict[int, int] = {}
    for one in sets:
        if one.complete and one.scope_id is not None:
            newest[one.scope_id] = max(one.observed_at, newest.get(one.scope_id, 0))
    for scope_id, at in newest.items():
        moment = from_epoch(at)
        of_scope = (card_quotes.c.scope_id == scope_id) & (card_quotes.c.listed)
        connection.execute(
            update(card_quotes)
            .where(of_scope, card_quotes.c.observed_at < moment)
            .values(observed_at=moment)
        )
        connection.execute(
            update(cards)
            .where(
                cards.c.id.in_(select(card_quotes.c.card_id).where(of_scope)),
                (cards.c.last_price_update.is_(None)) | (cards.c.last_price_update < moment),
            )
            .values(last_price_update=moment)
        )


def _refresh(uow: UnitOfWork, dialect: DatabaseDialect, card_ids: Sequence[int]) -> None:
    # One at a time for a card: two that replace the same rows would both insert them.
    uow.connection.execute(
        select(cards.c.id).where(cards.c.id.in_(card_ids)).order_by(cards.c.id).with_for_update()
    ).all()
    ties = _trusted_ties(uow.connection, card_ids)
    series = _series_of(uow.history, [tie.vendor_product_id for tie in ties])
    newest = _newest_of(uow.history, dialect, series)
    printing_of = {tie.vendor_product_id: tie for tie in ties}
    candidates: defaultdict[tuple[int, str], list[Series]] = defaultdict(list)
    for one in series:
        card_id = printing_of[one.vendor_product_id].card_id
        candidates[card_id, one.source.value].append(one)

    def rank(one: Series) -> tuple[bool, bool, int, int, int, int]:
        return (
            not newest[one.id].listed,
            newest[one.id].market is None,
            printing_rank(printing_of[one.vendor_product_id].printing),
            variant_rank(one.facet.variant),
            kind_rank(one.facet.kind),
            one.id,
        )

    rows = []
    updated: dict[int, int] = {}
    for (card_id, source), choices in candidates.items():
        chosen = min(choices, key=rank)
        price = newest[chosen.id]
        seen = [newest[one.id].seen_at for one in choices]
        latest = max((at for at in seen if at is not None), default=None)
        if latest is not None:
            updated[card_id] = max(latest, updated.get(card_id, latest))
        rows.append(
            {
                "card_id": card_id,
                "source": source,
                "series_id": chosen.id,
                "scope_id": chosen.scope_id,
                "currency": chosen.facet.currency,
                "market_price": price.market,
                "observed_at": None if price.market_at is None else from_epoch(price.market_at),
                "listed": price.listed,
            }
        )
    uow.connection.execute(delete(card_quotes).where(card_quotes.c.card_id.in_(card_ids)))
    if rows:
        uow.connection.execute(card_quotes.insert(), rows)
    _save_updates(uow.connection, card_ids, updated)


def _save_updates(connection: Connection, card_ids: Sequence[int], updated: dict[int, int]) -> None:
    by_moment: defaultdict[int | None, list[int]] = defaultdict(list)
    for card_id in card_ids:
        by_moment[updated.get(card_id)].append(card_id)
    for at, ids in by_moment.items():
        moment = None if at is None else from_epoch(at)
        connection.execute(
            update(cards).where(cards.c.id.in_(ids)).values(last_price_update=moment)
        )


def _trusted_ties(connection: Connection, card_ids: Sequence[int]) -> list[_Tie]:
    rows = connection.execute(
        select(
            product_links.c.card_id,
            product_links.c.vendor_product_id,
            func.coalesce(printings.c.name, ""),
        )
        .join(printings, printings.c.id == product_links.c.printing_id, isouter=True)
        .where(product_links.c.card_id.in_(card_ids), product_links.c.state.in_(_TRUSTED))
    )
    return [_Tie(*row) for row in rows]


def _series_of(connection: Connection, product_ids: Sequence[int]) -> list[Series]:
    found: list[Series] = []
    for start in range(0, len(product_ids), 10_000):
        found += load_series(connection, vendor_product_ids=product_ids[start : start + 10_000])
    return found


def _newest_of(
    connection: Connection, dialect: DatabaseDialect, series: Sequence[Series]
) -> dict[int, _Newest]:
    """Return the newest price of each series; a series without one now is read to its end."""
    ids: IntArray = np.array(sorted(one.id for one in series), np.int64)
    looks = _last_looks(connection, {one.scope_id for one in series if one.scope_id is not None})
    own = item_looks(connection, sorted({one.vendor_product_id for one in series}))
    by_id = {one.id: one for one in series}
    rows = rows_in_force(connection, dialect, ids, FAR_FUTURE)
    found: dict[int, _Newest] = {}
    for place, series_id in enumerate(rows.series_id.tolist()):
        if rows.state[place] != RowState.PRICED or rows.values[place, 0] < 0:
            continue
        one, at = by_id[series_id], int(rows.observed_at[place])
        last = max(at, looks.get(one.scope_id or 0, at))
        if one.vendor_product_id in own:
            last = max(last, int(own[one.vendor_product_id][-1]))
        found[series_id] = _Newest(int(rows.values[place, 0]), last, last, listed=True)
    rest = np.array([one for one in ids.tolist() if one not in found], np.int64)
    for series_id, history in load_histories(connection, dialect, rest).items():
        market = history.last_market()
        found[series_id] = _Newest(
            market[0] if market else None, market[1] if market else None, history.last_seen_at()
        )
    return found


def _last_looks(connection: Connection, scope_ids: Iterable[int]) -> dict[int, int]:
    rows = connection.execute(
        select(observations.c.scope_id, func.max(observations.c.observed_at))
        .where(observations.c.scope_id.in_(sorted(scope_ids)), observations.c.complete)
        .group_by(observations.c.scope_id)
    )
    return {row[0]: to_epoch(row[1]) for row in rows}
