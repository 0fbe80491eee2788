"""The newest price of each card and source, kept for lists and the headline price.

A reader of the change sets: it follows the intake by cursor, so the intake knows nothing of cards.
Everything here can be rebuilt from the history and the links.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from sqlalchemy import Connection, delete, func, select, update

from tcgtracker.analytics.speaking import newest_look, speaking_rank, speaks
from tcgtracker.catalog.link_rows import chunks
from tcgtracker.database.dialects.base import DatabaseDialect, IntArray
from tcgtracker.database.engine import Database
from tcgtracker.database.tables.catalog import card_quotes, cards, printings, product_links
from tcgtracker.database.tables.links import link_values
from tcgtracker.database.tables.prices import observations
from tcgtracker.database.unit_of_work import UnitOfWork, repeated, unit_of_work
from tcgtracker.domain.catalog import LinkState
from tcgtracker.domain.clock import from_epoch, to_epoch
from tcgtracker.domain.quote import RowState
from tcgtracker.prices.changes import (
    CARD_QUOTES,
    ChangeSet,
    load_change_sets,
    load_cursor,
    save_cursor,
)
from tcgtracker.prices.instants import item_looks
from tcgtracker.prices.kept_out import moments_kept_out, series_kept_out_at
from tcgtracker.prices.products import Series, load_series
from tcgtracker.prices.quick import Newest
from tcgtracker.prices.rows import FAR_FUTURE, rows_in_force
from tcgtracker.prices.store import load_histories

_BATCH = 2_000
_SETS = 200
_SHOWN = [state.value for state in LinkState if state.trusted]
_IN_QUESTION = [LinkState.UNKNOWN.value, LinkState.SUSPENDED.value]


@dataclass(frozen=True, slots=True)
class _Tie:
    card_id: int
    vendor_product_id: int
    printing: str
    trusted: bool


@dataclass(frozen=True, slots=True)
class _Newest:
    """The newest market price of a series, and when the product was last seen (epoch seconds)."""

    price: Newest
    seen_at: int | None = None


def follow_changes(database: Database, history: Database) -> int:
    """Bring the card quotes up to the newest change set; return how many sets were followed."""
    followed = 0
    while True:
        with database.read() as connection:
            cursor = load_cursor(connection, CARD_QUOTES)
        with history.read() as connection:
            sets = load_change_sets(connection, cursor, _SETS)
            changed = _products_of(connection, sets)
        if not sets:
            return followed
        with database.write() as connection:
            _see_scopes(connection, sets)
        with database.read() as connection:
            affected = _cards_of(connection, changed)
        refresh_cards(database, history, affected)
        with database.write() as connection:
            save_cursor(connection, database.dialect, CARD_QUOTES, sets[-1].id)
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
        repeated(partial(_refresh, database, history, wanted[start : start + _BATCH]))
    return len(wanted)


def _refresh(database: Database, history: Database, card_ids: Sequence[int]) -> None:
    with unit_of_work(database, history) as uow:
        refresh_within(uow, history.dialect, card_ids)


def lock_cards(connection: Connection, card_ids: Iterable[int]) -> None:
    """Hold the cards: one at a time makes quotes of a card, or changes its links by hand.

    Two that replace the same rows would both insert them. The first lock of a transaction. It
    keeps no intake waiting that writes rows which name a card: that one may hold what is next here.
    """
    wanted = select(cards.c.id).where(cards.c.id.in_(sorted(set(card_ids))))
    connection.execute(wanted.order_by(cards.c.id).with_for_update(key_share=True)).all()


def _products_of(connection: Connection, sets: Sequence[ChangeSet]) -> list[int]:
    if not sets:
        return []
    # Also what a look found at a price that is not believed: nobody saw the price before it then.
    disbelieved = series_kept_out_at(connection, {one.observed_at for one in sets})
    changed = np.unique(np.concatenate([disbelieved, *(one.series for one in sets)]))
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


def refresh_within(uow: UnitOfWork, dialect: DatabaseDialect, card_ids: Sequence[int]) -> None:
    """Make the quotes of some cards anew in a transaction; dialect: of the history."""
    lock_cards(uow.connection, card_ids)
    ties = {tie.vendor_product_id: tie for tie in _ties(uow.connection, card_ids)}
    series = _series_of(uow.history, list(ties))
    newest = _newest_of(uow.history, dialect, series)
    candidates: defaultdict[tuple[int, str], list[Series]] = defaultdict(list)
    in_question: defaultdict[int, list[Series]] = defaultdict(list)
    for one in series:
        tie = ties[one.vendor_product_id]
        if tie.trusted:
            candidates[tie.card_id, one.source.value].append(one)
        else:
            in_question[one.vendor_product_id].append(one)

    def first_of(choices: Sequence[Series]) -> Series:
        last = newest_look(newest[one.id].price for one in choices)
        return min(
            choices,
            key=lambda one: speaking_rank(
                one, ties[one.vendor_product_id].printing, newest[one.id].price, last
            ),
        )

    rows = []
    updated: dict[int, int] = {}
    for (card_id, source), series_of_source in candidates.items():
        seen = [newest[one.id].seen_at for one in series_of_source]
        latest = max((at for at in seen if at is not None), default=None)
        if latest is not None:
            updated[card_id] = max(latest, updated.get(card_id, latest))
        choices = [one for one in series_of_source if speaks(one)]
        if not choices:
            continue
        chosen = first_of(choices)
        price = newest[chosen.id].price
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
    _save_values(
        uow.connection,
        card_ids,
        {
            ties[product_id]: (chosen, newest[chosen.id].price)
            for product_id, choices in in_question.items()
            for chosen in [first_of(choices)]
        },
    )


def _save_values(
    connection: Connection, card_ids: Sequence[int], found: Mapping[_Tie, tuple[Series, Newest]]
) -> None:
    """Write what the products of uncertain links are worth, for the order of their review."""
    connection.execute(delete(link_values).where(link_values.c.card_id.in_(card_ids)))
    for chunk in chunks([tie.vendor_product_id for tie in found]):  # they were another card's
        connection.execute(delete(link_values).where(link_values.c.vendor_product_id.in_(chunk)))
    rows = [
        {
            "vendor_product_id": tie.vendor_product_id,
            "card_id": tie.card_id,
            "market_price": price.market,
            "currency": series.facet.currency,
            "priced_at": from_epoch(price.market_at),
        }
        for tie, (series, price) in found.items()
        if price.market is not None and price.market_at is not None
    ]
    if rows:
        connection.execute(link_values.insert(), rows)


def _save_updates(connection: Connection, card_ids: Sequence[int], updated: dict[int, int]) -> None:
    by_moment: defaultdict[int | None, list[int]] = defaultdict(list)
    for card_id in card_ids:
        by_moment[updated.get(card_id)].append(card_id)
    for at, ids in by_moment.items():
        moment = None if at is None else from_epoch(at)
        connection.execute(
            update(cards).where(cards.c.id.in_(ids)).values(last_price_update=moment)
        )


def _ties(connection: Connection, card_ids: Sequence[int]) -> list[_Tie]:
    """Return the links of cards that are trusted or in question."""
    rows = connection.execute(
        select(
            product_links.c.card_id,
            product_links.c.vendor_product_id,
            func.coalesce(printings.c.name, ""),
            product_links.c.state.in_(_SHOWN),
        )
        .join(printings, printings.c.id == product_links.c.printing_id, isouter=True)
        .where(
            product_links.c.card_id.in_(card_ids),
            product_links.c.state.in_([*_SHOWN, *_IN_QUESTION]),
        )
    )
    return [_Tie(row[0], row[1], row[2], bool(row[3])) for row in rows]


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
    disbelieved = moments_kept_out(connection, ids.tolist())
    listed: set[int] = set()
    found: dict[int, _Newest] = {}
    for place, series_id in enumerate(rows.series_id.tolist()):
        if rows.state[place] != RowState.PRICED or rows.values[place, 0] < 0:
            continue
        listed.add(series_id)
        if series_id in disbelieved:  # which look found the price, its history tells
            continue
        one, at = by_id[series_id], int(rows.observed_at[place])
        last = max(at, looks.get(one.scope_id or 0, at))
        if one.vendor_product_id in own:
            last = max(last, int(own[one.vendor_product_id][-1]))
        found[series_id] = _Newest(Newest(int(rows.values[place, 0]), last, listed=True), last)
    rest = np.array([one for one in ids.tolist() if one not in found], np.int64)
    for series_id, history in load_histories(connection, dialect, rest).items():
        market = history.last_market()
        price = Newest(*market, listed=series_id in listed) if market else Newest()
        found[series_id] = _Newest(price, history.last_seen_at())
    return found


def _last_looks(connection: Connection, scope_ids: Iterable[int]) -> dict[int, int]:
    rows = connection.execute(
        select(observations.c.scope_id, func.max(observations.c.observed_at))
        .where(observations.c.scope_id.in_(sorted(scope_ids)), observations.c.complete)
        .group_by(observations.c.scope_id)
    )
    return {row[0]: to_epoch(row[1]) for row in rows}
