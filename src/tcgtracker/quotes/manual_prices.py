"""What users say that cards cost: each the user's own, seen by nobody else and by no statistic.

In: a user's id and wish. Out: frozen values. Another user's price is as one that does not exist.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, func, insert, select
from uuid_utils.compat import uuid7

from tcgtracker.database.engine import dialect_of
from tcgtracker.database.tables.catalog import cards, manual_prices, printings
from tcgtracker.domain.catalog import printing_rank
from tcgtracker.domain.errors import Conflict, InvalidInput, NotFound
from tcgtracker.domain.money import MAX_MINOR, Money

MOST_OF_A_CARD = 1_000
"""Prices of one user for one card."""
MOST_OF_A_USER = 100_000
_ANY_OF_CARD = "SELECT 1 FROM manual_prices WHERE user_id = :user_id AND card_id = :card_id LIMIT 1"
AHEAD = timedelta(minutes=5)
"""A price may be from this far in the future: clocks differ."""


@dataclass(frozen=True, slots=True)
class ManualPrice:
    """A price of a user's own; `printing` is '' when the user names none. Moments are aware UTC."""

    id: UUID
    card_id: int
    printing: str
    variant: str
    money: Money
    observed_at: datetime
    note: str


@dataclass(frozen=True, slots=True)
class ManualPricePage:
    """Prices, newest first, and the cursor of the next page ('' on the last)."""

    prices: tuple[ManualPrice, ...]
    next_cursor: str


def add(
    connection: Connection,
    user_id: UUID,
    *,
    card_id: int,
    printing: str,
    variant: str,
    money: Money,
    observed_at: datetime,
    note: str,
    now: datetime,
) -> ManualPrice:
    """Keep a price.

    Raises:
        NotFound: there is no such card, or the card has no such printing.
        InvalidInput: the amount or the moment cannot be.
        Conflict: the user keeps as many as are kept already.
    """
    if not 0 < money.minor <= MAX_MINOR:
        raise InvalidInput(f"{money} {money.currency} is no price: more than nothing is")
    if observed_at > now + AHEAD:
        raise InvalidInput("a price is of now or of the past")
    # Held, so that no merge of cards takes it away before the price is there.
    held = select(cards.c.id).where(cards.c.id == card_id).with_for_update(read=True)
    if connection.scalar(held) is None:
        raise NotFound(f"there is no card {card_id}")
    printing = _printing(connection, card_id, printing) if printing else ""
    _check_room(connection, user_id, card_id)
    price = ManualPrice(uuid7(), card_id, printing, variant, money, observed_at, note)
    connection.execute(
        insert(manual_prices).values(
            id=price.id,
            user_id=user_id,
            card_id=card_id,
            printing=printing,
            variant=variant,
            currency=money.currency,
            amount=money.minor,
            observed_at=observed_at,
            note=note,
            created_at=now,
        )
    )
    return price


def load(
    connection: Connection,
    user_id: UUID,
    *,
    card_id: int | None = None,
    limit: int = 100,
    cursor: str = "",
) -> ManualPricePage:
    """Return a user's own prices, those kept last first.

    Raises:
        InvalidInput: the cursor is not one that a list gave.
    """
    statement = _PRICES.where(manual_prices.c.user_id == user_id)
    if card_id is not None:
        statement = statement.where(manual_prices.c.card_id == card_id)
    if cursor:
        try:
            statement = statement.where(manual_prices.c.id < UUID(cursor))
        except ValueError as exc:
            raise InvalidInput("the cursor is not one that a list gave: begin without it") from exc
    rows = connection.execute(statement.order_by(manual_prices.c.id.desc()).limit(limit + 1)).all()
    found = tuple(_price(row) for row in rows[:limit])
    return ManualPricePage(found, str(found[-1].id) if len(rows) > limit else "")


def load_of_card(
    connection: Connection, user_id: UUID, card_id: int, *, since: datetime | None = None
) -> list[ManualPrice]:
    """Return a user's own prices of a card by their moments, the newest first."""
    asked = {"user_id": user_id.hex, "card_id": card_id}
    if not dialect_of(connection).read_history(connection, _ANY_OF_CARD, asked):
        return []  # as for nearly every card, and much quicker than reading none
    statement = _PRICES.where(
        manual_prices.c.user_id == user_id, manual_prices.c.card_id == card_id
    )
    if since is not None:
        statement = statement.where(manual_prices.c.observed_at >= since)
    rows = connection.execute(
        statement.order_by(manual_prices.c.observed_at.desc(), manual_prices.c.id.desc())
    )
    return [_price(row) for row in rows]


def keeps_any(connection: Connection, user_id: UUID) -> bool:
    """Tell whether the user has prices of their own."""
    mine = select(manual_prices.c.id).where(manual_prices.c.user_id == user_id)
    return connection.execute(mine.limit(1)).first() is not None


def remove(connection: Connection, user_id: UUID, price_id: UUID) -> None:
    """Forget a price of the user's own.

    Raises:
        NotFound: the user has no such price.
    """
    gone = connection.execute(
        delete(manual_prices).where(
            manual_prices.c.id == price_id, manual_prices.c.user_id == user_id
        )
    ).rowcount
    if not gone:
        raise NotFound(f"you have no price {price_id}")


def _printing(connection: Connection, card_id: int, wanted: str) -> str:
    """Return our name of a printing of the card, named in any case.

    Raises:
        NotFound: the card has none of that name.
    """
    known = sorted(
        connection.scalars(select(printings.c.name).where(printings.c.card_id == card_id)),
        key=lambda name: (printing_rank(name), name),
    )
    for name in known:
        if name.casefold() == wanted.strip().casefold():
            return str(name)
    listed = ", ".join(known) or "none"
    raise NotFound(f"card {card_id} has no printing of that name; it has: {listed}")


def _check_room(connection: Connection, user_id: UUID, card_id: int) -> None:
    mine = manual_prices.c.user_id == user_id
    counted = select(func.count()).select_from(manual_prices)
    of_card = connection.scalar(counted.where(mine, manual_prices.c.card_id == card_id)) or 0
    if of_card >= MOST_OF_A_CARD:
        raise Conflict(f"you have {MOST_OF_A_CARD} prices of this card: delete some first")
    if (connection.scalar(counted.where(mine)) or 0) >= MOST_OF_A_USER:
        raise Conflict(f"you have {MOST_OF_A_USER} prices of your own: delete some first")


_PRICES = select(
    manual_prices.c.id,
    manual_prices.c.card_id,
    manual_prices.c.printing,
    manual_prices.c.variant,
    manual_prices.c.amount,
    manual_prices.c.currency,
    manual_prices.c.observed_at,
    manual_prices.c.note,
)


def _price(row: Sequence[Any]) -> ManualPrice:
    return ManualPrice(
        id=row[0],
        card_id=row[1],
        printing=row[2],
        variant=row[3],
        money=Money(row[4], row[5]),
        observed_at=row[6],
        note=row[7],
    )
