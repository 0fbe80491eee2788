"""From the databases to a plan: which cards are due, what the vendors can do, what to fetch."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

from sqlalchemy import Connection, select

from tcgtracker.database.engine import Database
from tcgtracker.database.tables.operations import jobs
from tcgtracker.domain.clock import Clock
from tcgtracker.domain.source import REFRESH_INTERVAL, Source
from tcgtracker.integrations.contract import VendorInfo
from tcgtracker.operations.flags import SourceFlags
from tcgtracker.operations.rows import IS_OPEN
from tcgtracker.quotes.asking import Asking, load_asking
from tcgtracker.quotes.due_cards import DueRow, QuoteRow, iter_due, quotes_of
from tcgtracker.quotes.offers import ReadFlags, default_flags, load_offers
from tcgtracker.quotes.plan import DueCard, Offer, Plan, compute_plan, unread_scopes
from tcgtracker.quotes.vendors import Vendors

UPDATE_CARD = "update_card_price"
UPDATE_CARDS = "update_prices"
LONGEST_STALENESS = timedelta(days=30)
"""A card without any price counts as this stale."""
DEFAULT_LIMIT = 100
MOST_CARDS = 50_000
"""Cards that one plan weighs because somebody can be asked for them: far more than the budgets of a
run pay for."""

Need: TypeAlias = Callable[[Collection[int]], Mapping[int, float]]
"""Tells how much more a card is wanted than others: holdings and alerts; 0 where it is silent."""


def no_need(_card_ids: Collection[int]) -> Mapping[int, float]:
    """Return that no card is wanted more than another."""
    return {}


@dataclass(slots=True)
class DuePlan:
    """A plan, and the due cards that it leaves out before any source comes into question.

    fresh: cards that a bulk file has brought as far as the source is, with when that changes.
    without: how many no source can be asked for, by reason: without a product, or closed.
    """

    plan: Plan
    due: int = 0
    fresh: dict[int, datetime] = field(default_factory=dict)
    without: Counter[str] = field(default_factory=Counter)

    def left_out(self) -> dict[str, int]:
        """Return how many due cards are not asked for, by reason."""
        return dict(
            Counter({why: len(ids) for why, ids in self.plan.left_out.items()}) + self.without
        )


class Planner:
    """Plans for one tracker. Reads only: nothing is called and nothing is taken.

    bulk: vendors whose bulk files may be planned. most_cards: see `MOST_CARDS`.
    """

    def __init__(
        self,
        database: Database,
        history: Database,
        vendors: Vendors,
        clock: Clock,
        *,
        flags: ReadFlags = default_flags,
        need: Need = no_need,
        bulk: Collection[str] = (),
        most_cards: int = MOST_CARDS,
    ) -> None:
        self._database = database
        self._history = history
        self._vendors = vendors
        self._clock = clock
        self._flags = flags
        self._need = need
        self._bulk = bulk
        self._most_cards = most_cards

    def plan(self, *, limit: int = DEFAULT_LIMIT, bulk: bool = True) -> DuePlan:
        """Return what to fetch now; cards of open jobs are not due a second time.

        limit: see `compute_plan`. bulk: whether bulk files may be planned at all.
        """
        now = self._clock.now()
        made = DuePlan(Plan())
        cards: list[DueCard] = []
        with self._database.read() as connection, self._history.read() as history:
            flags = self._flags(connection)
            files = self._bulk if bulk else ()
            offers = load_offers(connection, self._vendors, flags.order, now=now, bulk=files)
            taken = cards_of_open_jobs(connection)
            for page in iter_due(connection, now):
                rows = [row for row in page if row.card_id not in taken]
                made.due += len(rows)
                cards += self._weigh(connection, history, rows, flags, offers, made)
                if len(cards) >= self._most_cards:
                    break
        made.plan = compute_plan(cards, offers, limit=limit)
        return made

    def _weigh(
        self,
        connection: Connection,
        history: Connection,
        rows: Sequence[DueRow],
        flags: SourceFlags,
        offers: Sequence[Offer],
        made: DuePlan,
    ) -> list[DueCard]:
        """Return the cards that a source can be asked for; count the others in `made`."""
        now = self._clock.now()
        ids = [row.card_id for row in rows]
        asked = {
            info.source: load_asking(connection, history, info, ids)
            for offer in offers
            if (info := self._info(offer.source)) is not None
        }
        quotes, need = quotes_of(connection, ids), self._need(ids)
        open_sources = {offer.source for offer in offers if not offer.closed}
        unread = {(offer.source, scope.game) for offer in offers for scope in unread_scopes(offer)}
        new = self._info(flags.moved[0])
        first = "" if new is None else new.vendor
        cards = []
        for row in rows:
            card_id = row.card_id
            order, known = flags.order_of(card_id), quotes.get(card_id, {})
            refs = {
                source: asking.refs[card_id]
                for source, asking in asked.items()
                if source is not None and card_id in asking.refs
            }
            askable = (refs.keys() & open_sources) | {
                source for source, game in unread if game == row.game
            }
            fresh = self._fresh_until(order, known, askable)
            if fresh is not None and fresh > now:
                made.fresh[card_id] = fresh
            elif not refs:
                made.without[_why_without(asked, card_id)] += 1
            elif not askable:  # not kept, or a closed source would keep the others from their turn
                closed = [offer for offer in offers if offer.source in refs]
                made.without[f"{closed[-1].vendor}: {closed[-1].closed}"] += 1
            else:
                values = [known[source].market_price for source in order if source in known]
                cards.append(
                    DueCard(
                        card_id=card_id,
                        game=row.game,
                        waiting_since=row.next_check_at,
                        staleness_s=_staleness_s(row, now),
                        value_minor=values[0] if values else 0,
                        need=need.get(card_id, 0.0),
                        refs={
                            offer.vendor: refs[offer.source]
                            for offer in offers
                            if offer.source in refs
                        },
                        first=first if flags.is_moved(card_id) else "",
                    )
                )
        return cards

    def _fresh_until(
        self,
        order: Sequence[Source],
        known: Mapping[Source, QuoteRow],
        askable: Collection[Source],
    ) -> datetime | None:
        """Return until when the price of the first source is as new as that source has it."""
        for source in order:
            quote = known.get(source)
            if quote is not None and quote.listed and quote.observed_at is not None:
                until = quote.observed_at + REFRESH_INTERVAL[source]
                if until > self._clock.now():
                    return until
            if source in askable:
                return None
        return None

    def _info(self, source: Source) -> VendorInfo | None:
        entry = self._vendors.of_source(source)
        return None if entry is None else entry.info

    def batch_of(self, source: Source) -> int:
        """Return how many products one call to the source's vendor asks for."""
        info = self._info(source)
        return info.batch if info else 1


def cards_of_open_jobs(connection: Connection) -> set[int]:
    """Return the cards that a job will still ask for."""
    found: set[int] = set()
    rows = connection.execute(
        select(jobs.c.args).where(IS_OPEN, jobs.c.name.in_([UPDATE_CARD, UPDATE_CARDS]))
    )
    for (args,) in rows:
        ids = args.get("card_ids", [args.get("card_id")])
        # What is no id ends the job that has it, not the plan.
        found.update(one for one in (ids if isinstance(ids, list) else ()) if isinstance(one, int))
    return found


def _staleness_s(row: DueRow, now: datetime) -> int:
    if row.last_price_update is None:
        return int(LONGEST_STALENESS.total_seconds())
    return max(1, int(min(now - row.last_price_update, LONGEST_STALENESS).total_seconds()))


def _why_without(asked: Mapping[Source | None, Asking], card_id: int) -> str:
    said = {source: asking.without.get(card_id) for source, asking in asked.items()}
    return "; ".join(f"{source}: {reason}" for source, reason in said.items() if reason) or (
        "no source is asked for single cards"
    )
