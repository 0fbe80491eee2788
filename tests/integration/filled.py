"""A tracker with something of everything in it: what the routes of `tests/route_table.py` name."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, insert, select, update

from tcgtracker.database.tables.catalog import card_quotes, cards, product_links
from tcgtracker.database.tables.operations import JobState, jobs
from tcgtracker.database.tables.prices import price_holds
from tcgtracker.domain.catalog import LinkState
from tcgtracker.domain.ids import JobId
from tcgtracker.domain.money import Money
from tcgtracker.domain.quote import VALUE_NAMES, HoldState
from tcgtracker.domain.source import Source
from tcgtracker.integrations.contract import RejectedRow
from tcgtracker.quotes import manual_prices
from tcgtracker.quotes.outcomes import Outcome
from tcgtracker.quotes.planning import UPDATE_CARD
from tcgtracker.quotes.runs import quarantine
from tcgtracker.sandbox.serving import Sandbox
from tcgtracker.tracker import Tracker
from tests.integration.sandboxed import (
    a_sandbox,
    a_tracker,
    base_cards,
    import_cards,
    prove_pricecharting,
    world_of,
)
from tests.people import People
from tests.route_table import Ids
from tests.unit.quotes.kit import link

NOTICES = {
    "API_EBAY_VERIFICATION_TOKEN": "t" * 40,
    "API_EBAY_ENDPOINT": "https://cards.example/webhooks/ebay/account-deletion",
}


class Filled:
    """A tracker whose vendors are the sandbox: cards with prices, jobs, holds, refused rows.

    `owner` is a user with a price and a key of their own. `pages` are PriceCharting's ids of the
    cards, by name; the last card of `names` has no link to its page.
    """

    def __init__(self, tracker: Tracker, sandbox: Sandbox, folder: Path) -> None:
        self.tracker = tracker
        self.sandbox = sandbox
        self.people = People(tracker)
        self.owner = self.people.add()
        wanted = base_cards(world_of(sandbox), 4)
        self.cards = import_cards(tracker.database, folder / "catalog", world_of(sandbox), wanted)
        self.names = [card.name for card in wanted]
        self.pages = {card.name: card.pricecharting_ids[""] for card in wanted}
        known = self.names[:-1]
        prove_pricecharting(
            tracker.database, {self.cards[name]: self.pages[name] for name in known}
        )
        outcomes = tracker.updater.update([self.cards[name] for name in known])
        assert {one.outcome for one in outcomes} == {Outcome.STORED}
        self.card = self.cards[known[0]]

    def ids(self) -> Ids:
        """Return what the routes name; what can be used once is made anew."""
        with self.tracker.database.read() as connection:
            set_id = connection.scalar(select(cards.c.set_id).where(cards.c.id == self.card))
        return Ids(
            card=self.card,
            set=set_id or 0,
            job=str(self.job(JobState.DONE)),
            dead_job=str(self.job(JobState.DEAD)),
            dead_letter=str(self.job(JobState.DEAD)),
            own_price=str(self.own_price(self.owner)),
            key=self.key_id(self.owner),
            hold=self.hold(),
            rejected_hold=self.hold(),
            link=self.link(),
            found=self.pages[self.names[-1]],
        )

    def job(self, state: JobState) -> JobId:
        """Return a new job in that state."""
        with self.tracker.unit_of_work() as uow:
            job_id = self.tracker.queue.enqueue(uow, UPDATE_CARD, {"card_id": self.card})
            uow.connection.execute(update(jobs).where(jobs.c.id == job_id).values(state=state))
        return job_id

    def own_price(self, user_id: UUID) -> UUID:
        now = self.tracker.clock.now()
        with self.tracker.database.write() as connection:
            kept = manual_prices.add(
                connection,
                user_id,
                card_id=self.card,
                printing="",
                variant="psa-10",
                money=Money(123_45, "USD"),
                observed_at=now,
                note="at the fair",
                now=now,
            )
        return kept.id

    def key_id(self, user_id: UUID) -> str:
        account = self.tracker.door.account(token=self.people.token(user_id))
        for known in self.tracker.api_keys.list(account):
            self.tracker.api_keys.revoke(account, known.id)
        made, _ = self.tracker.api_keys.make(account, str(self.job(JobState.DONE)), account.scope)
        return str(made.id)

    def hold(self) -> int:
        """Return a new held price of the card."""
        with self.tracker.database.write() as connection:
            series, at = connection.execute(
                select(card_quotes.c.series_id, card_quotes.c.observed_at).where(
                    card_quotes.c.card_id == self.card,
                    card_quotes.c.source == Source.PRICECHARTING,
                )
            ).one()
            count = len(connection.execute(select(price_holds.c.id)).all())
            return int(
                connection.execute(
                    insert(price_holds)
                    .values(
                        series_id=series,
                        observed_at=at + timedelta(seconds=count + 1),
                        **dict.fromkeys(VALUE_NAMES, 999_999),
                        reason="999 times the median",
                        state=HoldState.HELD,
                        confirmed_days=[],
                        run_id=1,
                    )
                    .returning(price_holds.c.id)
                ).scalar_one()
            )

    def link(self) -> int:
        """Return a new link of another card that nobody has decided yet."""
        database, card = self.tracker.database, self.cards[self.names[-1]]
        with database.read() as connection:
            newest = connection.scalar(select(func.max(product_links.c.id))) or 0
        product = {card: f"{900_000 + newest}"}
        link(database, Source.TCGPLAYER, product, state=LinkState.UNKNOWN, decided_by="")
        with database.read() as connection:
            return connection.scalar(select(func.max(product_links.c.id))) or 0

    def refuse(self, reason: str, raw: str = "{}") -> None:
        """Let an intake refuse a row."""
        with self.tracker.history.write() as connection:
            quarantine(
                connection,
                self.tracker.history.dialect,
                run_id=1,
                source=Source.JUSTTCG,
                observed_at=self.tracker.clock.now(),
                rows=[RejectedRow("17", None, reason, raw)],
            )


@contextmanager
def a_filled_tracker(url: str, folder: Path) -> Iterator[Filled]:
    """Give a filled tracker on a new database."""
    with pytest.MonkeyPatch.context() as patch, a_sandbox() as sandbox:
        patch.setenv("SECURITY_SECRET_KEY", "no secret, only long enough to be one")
        tracker = a_tracker(sandbox, folder, url, patch, **NOTICES)
        try:
            yield Filled(tracker, sandbox, folder)
        finally:
            tracker.close()
