"""What each vendor can do now: budgets, breaker and switches, as the plan needs them."""

from calendar import monthrange
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import TypeAlias

from sqlalchemy import Connection, func, select

from tcgtracker.database.tables.catalog import games, set_aliases
from tcgtracker.database.tables.sources import (
    QuotaPeriod,
    source_state,
    sync_marks,
    vendor_quota,
)
from tcgtracker.domain.clock import iso
from tcgtracker.domain.source import SOURCE_ORDER, Source
from tcgtracker.integrations.contract import Capability, VendorInfo
from tcgtracker.quotes.plan import BulkScope, Offer
from tcgtracker.quotes.vendors import Vendors

PROBE_AFTER = timedelta(seconds=60)
"""After so long one call may test an open breaker (DESIGN section 8)."""

SourceOrder: TypeAlias = Callable[[Connection], Sequence[Source]]
"""Reads in which order sources are asked."""


def default_order(_connection: Connection) -> Sequence[Source]:
    """Return the order while no flag says otherwise."""
    return SOURCE_ORDER


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
    offers = []
    for source in order:
        entry = vendors.of_source(source)
        if entry is None:
            continue
        info = entry.info
        answers = Capability.ITEMS in info.capabilities
        files = info.vendor in bulk and Capability.BULK in info.capabilities
        if not answers and not files:
            continue
        offers.append(
            Offer(
                vendor=info.vendor,
                source=source,
                batch=info.batch if answers else 0,
                left=calls_left(connection, info, now),
                closed=entry.disabled or closed_reason(connection, info.vendor, now),
                scopes=_scopes(connection, info, now) if files else (),
            )
        )
    return offers


def calls_left(connection: Connection, info: VendorInfo, now: datetime) -> dict[str, int]:
    """Return the calls left by window.

    The month is spent evenly: a day has at most what is left of the month by the days left in it,
    so what a day leaves unspent is shared by the later ones.
    """
    allowed = {
        QuotaPeriod.DAY: info.limits.per_day,
        QuotaPeriod.MONTH: info.limits.per_month,
    }
    used = dict.fromkeys(allowed, 0)
    rows = connection.execute(
        select(vendor_quota.c.period, vendor_quota.c.allowed, vendor_quota.c.used).where(
            vendor_quota.c.service == info.vendor,
            vendor_quota.c.starts_at <= now,
            vendor_quota.c.resets_at > now,
        )
    )
    for period, limit, count in rows:
        allowed[QuotaPeriod(period)] = limit
        used[QuotaPeriod(period)] = count
    left = {
        period.value: max(0, limit - used[period])
        for period, limit in allowed.items()
        if limit is not None
    }
    if QuotaPeriod.MONTH.value in left:
        used_today = used[QuotaPeriod.DAY]
        days = monthrange(now.year, now.month)[1] - now.day + 1
        share = ceil((left[QuotaPeriod.MONTH.value] + used_today) / days) - used_today
        today = left.get(QuotaPeriod.DAY.value, share)
        left[QuotaPeriod.DAY.value] = max(0, min(today, share))
    return left


def closed_reason(connection: Connection, service: str, now: datetime) -> str:
    """Return why the vendor is not called now, '' when it is."""
    row = connection.execute(
        select(
            source_state.c.enabled,
            source_state.c.stopped,
            source_state.c.opened_at,
            source_state.c.not_before,
        ).where(source_state.c.service == service)
    ).first()
    if row is None:
        return ""
    if not row.enabled:
        return "switched off"
    if row.stopped:
        return f"stopped: {row.stopped}"
    if row.not_before is not None and row.not_before > now:
        return f"paused until {iso(row.not_before)}"
    if row.opened_at is not None and now < row.opened_at + PROBE_AFTER:
        return f"paused until {iso(row.opened_at + PROBE_AFTER)}, its calls failed"
    return ""


def _scopes(connection: Connection, info: VendorInfo, now: datetime) -> tuple[BulkScope, ...]:
    """Return the games of the vendor's bulk files: one call for each of its own ids of a game.

    A vendor with a file for each set costs those and its list of sets beside.
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
            calls += _sets_of(connection, game)
        marked = fetched.get(game)
        closed = ""
        if marked is not None and now < marked + info.refresh:
            closed = f"fetched at {iso(marked)}"
        scopes.append(BulkScope(game, calls, closed))
    return tuple(scopes)


def _sets_of(connection: Connection, game: str) -> int:
    statement = (
        select(func.count())
        .select_from(set_aliases)
        .join(games, games.c.id == set_aliases.c.game_id)
        .where(games.c.slug == game, set_aliases.c.alias.like("tcgplayer:%"))
    )
    return int(connection.execute(statement).scalar_one())
