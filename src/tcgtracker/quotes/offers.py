"""What each vendor can do now: budgets, breaker and switches, as the plan needs them."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import Connection, func, select

from tcgtracker.database.tables.catalog import games, set_aliases
from tcgtracker.database.tables.sources import sync_marks
from tcgtracker.domain.clock import iso
from tcgtracker.domain.source import Source
from tcgtracker.integrations.contract import Capability, VendorInfo
from tcgtracker.operations.flags import DEFAULT_FLAGS, SourceFlags
from tcgtracker.operations.quota import Plan as Budgeted
from tcgtracker.operations.source_status import SourceStatus, load_statuses
from tcgtracker.quotes.due_cards import LEAST_WAIT
from tcgtracker.quotes.plan import BulkScope, Offer
from tcgtracker.quotes.sync_marks import FAILED, TAKEN
from tcgtracker.quotes.vendors import VendorEntry, Vendors

ReadFlags: TypeAlias = Callable[[Connection], SourceFlags]
"""Reads in which order sources are asked."""


def default_flags(_connection: Connection) -> SourceFlags:
    """Return what holds while no flag says otherwise."""
    return DEFAULT_FLAGS


def load_offers(
    connection: Connection,
    vendors: Vendors,
    order: Sequence[Source],
    *,
    now: datetime,
    bulk: Collection[str] = (),
) -> list[Offer]:
    """Return what the vendors of these sources can do now, in that order.

    bulk: vendors whose bulk files may be planned.
    """
    entries = [entry for source in order if (entry := vendors.of_source(source)) is not None]
    plans = {
        entry.info.vendor: Budgeted(entry.info.limits.per_day, entry.info.limits.per_month)
        for entry in entries
    }
    statuses = {one.service: one for one in load_statuses(connection, plans, now)}
    offers = []
    for entry in entries:
        info = entry.info
        if info.source is None:
            continue
        answers = Capability.ITEMS in info.capabilities
        files = info.vendor in bulk and Capability.BULK in info.capabilities
        if not answers and not files:
            continue
        offers.append(
            Offer(
                vendor=info.vendor,
                source=info.source,
                batch=info.batch if answers else 0,
                left={budget.period.value: budget.left for budget in statuses[info.vendor].budgets},
                closed=_closed(entry, statuses[info.vendor]),
                scopes=_scopes(connection, info, now) if files else (),
            )
        )
    return offers


def _closed(entry: VendorEntry, status: SourceStatus) -> str:
    """Return why the vendor is not called now, '' when it is.

    A spent budget is no reason here: the plan says so itself, with what it would have taken.
    """
    if entry.disabled or status.disabled:
        return entry.disabled or status.disabled
    spent = any(not budget.left for budget in status.budgets)
    if status.paused_until is None or spent:
        return ""
    why = f": {status.last_error}" if status.last_error else ""
    return f"paused until {iso(status.paused_until)}{why}"


def _scopes(connection: Connection, info: VendorInfo, now: datetime) -> tuple[BulkScope, ...]:
    """Return the games of the vendor's bulk files: one call for each of its own ids of a game.

    A vendor with a file for each set costs those beside its lists of sets, and a look at whether
    there is anything new.
    """
    fetched = {
        row.subject: row.marked_at
        for row in connection.execute(
            select(sync_marks.c.subject, sync_marks.c.marked_at).where(
                sync_marks.c.service == info.vendor
            )
        )
    }
    scopes = []
    for game, own_ids in sorted(info.games.items()):
        calls = len(own_ids)
        if info.bulk_by_set:
            calls += 1 + _sets_of(connection, game)
        marked, failed = fetched.get(f"{TAKEN}:{game}"), fetched.get(f"{FAILED}:{game}")
        closed = ""
        if marked is not None and now < marked + info.refresh:
            closed = f"fetched at {iso(marked)}"
        elif failed is not None and now < failed + LEAST_WAIT:
            closed = f"failed at {iso(failed)}"  # the sources behind it have their turn
        scopes.append(BulkScope(game, calls, closed, unread=marked is None))
    return tuple(scopes)


def _sets_of(connection: Connection, game: str) -> int:
    statement = (
        select(func.count())
        .select_from(set_aliases)
        .join(games, games.c.id == set_aliases.c.game_id)
        .where(games.c.slug == game, set_aliases.c.alias.like("tcgplayer:%"))
    )
    return int(connection.execute(statement).scalar_one())
