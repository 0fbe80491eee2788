"""SQL of checks: which cards are due, who has taken them, when they are looked at again."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, or_, select, update

from tcgtracker.catalog.link_rows import chunks
from tcgtracker.database.tables.catalog import card_quotes, cards, games, tcg_sets
from tcgtracker.domain.source import Source

LEAST_WAIT = timedelta(hours=6)
"""Between two checks of a card (DESIGN section 4)."""
LONGEST_WAIT = timedelta(days=7)
_AHEAD = LONGEST_WAIT + timedelta(days=1)
_PAGE = 5_000


@dataclass(frozen=True, slots=True)
class DueRow:
    """A card that is due; moments are aware UTC, None for never."""

    card_id: int
    game: str
    next_check_at: datetime | None
    last_price_update: datetime | None


@dataclass(frozen=True, slots=True)
class QuoteRow:
    """The newest price of a card at a source; minor units, aware UTC."""

    market_price: int
    observed_at: datetime | None
    listed: bool


def next_check(now: datetime, *, observed_at: datetime, refresh: timedelta) -> datetime:
    """Return when a card that was answered is due again.

    6 h from now, but not before the source has something newer than what it stated.
    """
    return max(now + LEAST_WAIT, min(observed_at, now) + refresh)


def wait_after(unanswered: int) -> timedelta:
    """Return the wait after so many checks in a row that nobody answered: 6 h, 12 h ... 7 days."""
    doublings = min(max(unanswered, 1) - 1, 10)
    return min(LEAST_WAIT * float(2**doublings), LONGEST_WAIT)


def iter_due(connection: Connection, now: datetime) -> Iterator[list[DueRow]]:
    """Yield cards that were never checked, then those whose time has come, the oldest first.

    Last those of a moment that no wait reaches: a clock that ran ahead wrote it.
    """
    statement = (
        select(cards.c.id, games.c.slug, cards.c.next_check_at, cards.c.last_price_update)
        .join(tcg_sets, tcg_sets.c.id == cards.c.set_id)
        .join(games, games.c.id == tcg_sets.c.game_id)
        .limit(_PAGE)
    )
    never = statement.where(cards.c.next_check_at.is_(None)).order_by(cards.c.id)
    after = 0
    while rows := connection.execute(never.where(cards.c.id > after)).all():
        yield [DueRow(*row) for row in rows]
        after = rows[-1][0]
    for due in (cards.c.next_check_at <= now, cards.c.next_check_at > now + _AHEAD):
        passed = statement.where(due).order_by(cards.c.next_check_at, cards.c.id)
        beyond: ColumnElement[bool] | None = None
        while rows := connection.execute(passed if beyond is None else passed.where(beyond)).all():
            yield [DueRow(*row) for row in rows]
            last_id, last_at = rows[-1][0], rows[-1][2]
            beyond = or_(
                cards.c.next_check_at > last_at,
                (cards.c.next_check_at == last_at) & (cards.c.id > last_id),
            )


def quotes_of(
    connection: Connection, card_ids: Collection[int]
) -> dict[int, dict[Source, QuoteRow]]:
    """Return the newest prices of cards by source; sources without a price are left out."""
    found: dict[int, dict[Source, QuoteRow]] = {}
    columns = (
        card_quotes.c.card_id,
        card_quotes.c.source,
        card_quotes.c.market_price,
        card_quotes.c.observed_at,
        card_quotes.c.listed,
    )
    for chunk in chunks(sorted(card_ids)):
        for row in connection.execute(
            select(*columns).where(
                card_quotes.c.card_id.in_(chunk), card_quotes.c.market_price.is_not(None)
            )
        ):
            found.setdefault(row[0], {})[Source(row[1])] = QuoteRow(row[2], row[3], row[4])
    return found


def claim_due(
    connection: Connection, card_ids: Collection[int], *, now: datetime, until: datetime
) -> set[int]:
    """Take the cards that are still due for ourselves until that moment; return which these are.

    Two that claim the same card never both get it: the other finds it locked, or due later.
    """
    claimed: set[int] = set()
    is_due = or_(
        cards.c.next_check_at.is_(None),
        cards.c.next_check_at <= now,
        cards.c.next_check_at > now + _AHEAD,
    )
    for chunk in chunks(sorted(card_ids)):
        free = connection.execute(
            select(cards.c.id)
            .where(cards.c.id.in_(chunk), is_due)
            .order_by(cards.c.id)
            .with_for_update(skip_locked=True)
        ).scalars()
        mine = list(free)
        connection.execute(update(cards).where(cards.c.id.in_(mine)).values(next_check_at=until))
        claimed.update(mine)
    return claimed


def existing(connection: Connection, card_ids: Collection[int]) -> set[int]:
    """Return which of the ids are cards."""
    return {
        row[0]
        for chunk in chunks(sorted(card_ids))
        for row in connection.execute(select(cards.c.id).where(cards.c.id.in_(chunk)))
    }


def save_checks(
    connection: Connection,
    *,
    answered: Mapping[int, datetime],
    missed: Collection[int],
    now: datetime,
) -> None:
    """Say when cards are due again.

    answered: cards that a source answered for, with that moment. missed: cards that every source
    was asked for and none knew; each such check doubles the wait.
    """
    due_again: defaultdict[tuple[datetime, int], list[int]] = defaultdict(list)
    for chunk in chunks(sorted({*answered, *missed})):
        rows = connection.execute(  # in one order for all, so that no two wait for each other
            select(cards.c.id, cards.c.unanswered)
            .where(cards.c.id.in_(chunk))
            .order_by(cards.c.id)
            .with_for_update()
        )
        for card_id, unanswered in rows:
            if card_id in answered:
                due_again[answered[card_id], 0].append(card_id)
            else:
                due_again[now + wait_after(unanswered + 1), unanswered + 1].append(card_id)
    for (moment, unanswered), ids in sorted(due_again.items()):
        for chunk in chunks(sorted(ids)):
            connection.execute(
                update(cards)
                .where(cards.c.id.in_(chunk))
                .values(next_check_at=moment, unanswered=unanswered)
            )
