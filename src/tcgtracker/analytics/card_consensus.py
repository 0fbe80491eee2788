"""The consensus prices of a card, one for each printing, state and currency."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from tcgtracker.analytics.card_rows import CardHead, load_card
from tcgtracker.analytics.consensus import Consensus, consensus
from tcgtracker.analytics.ratios import UNGRADED, Usual
from tcgtracker.analytics.source_prices import SourceQuote, Thing, load_source_prices
from tcgtracker.analytics.usual_ratios import load_usuals
from tcgtracker.database.dialects.base import DatabaseDialect
from tcgtracker.domain.catalog import printing_rank
from tcgtracker.domain.clock import to_epoch
from tcgtracker.operations.flags import load_flags


@dataclass(frozen=True, slots=True)
class ThingConsensus:
    """The consensus on one thing."""

    thing: Thing
    consensus: Consensus


@dataclass(frozen=True, slots=True)
class CardConsensus:
    """A card with the consensus on each of its printings, those that a headline prefers first."""

    card: CardHead
    things: tuple[ThingConsensus, ...]


def card_consensus(
    connection: Connection,
    history: Connection,
    dialect: DatabaseDialect,
    card_id: int,
    *,
    now: datetime,
) -> CardConsensus:
    """Return what the sources say together; dialect: of the history.

    Raises:
        NotFound: there is no such card.
    """
    card, _ = load_card(connection, card_id)
    usuals = load_usuals(connection, card.game, now=now)
    order = load_flags(connection).order_of(card_id)
    prices = load_source_prices(connection, history, dialect, now=now, card_ids=[card_id])
    found = []
    for thing, quotes in prices.by_thing.items():
        group = (thing.state, thing.currency)

        def usual_of(
            one: SourceQuote, other: SourceQuote, group: tuple[str, str] = group
        ) -> Usual | None:
            learned = usuals.get((one.source, other.source), {}).get(group)
            return learned.of(one.market, other.market) if learned else None

        agreed = consensus(
            list(quotes.values()),
            thing.currency,
            order=order,
            usual_of=usual_of,
            now=to_epoch(now),
        )
        found.append(ThingConsensus(thing, agreed))
    found.sort(key=_place)
    return CardConsensus(card, tuple(found))


def _place(one: ThingConsensus) -> tuple[bool, int, str, str, str]:
    thing = one.thing
    return (
        thing.state != UNGRADED,
        printing_rank(thing.printing),
        thing.printing,
        thing.state,
        thing.currency,
    )
