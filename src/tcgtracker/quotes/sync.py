"""Synchronisation of sets and cards with the vendors: each vendor and game stands for itself."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from sqlalchemy import select

from tcgtracker.catalog.link_rows import claims_of_cards
from tcgtracker.catalog.own_sets import take_own_sets
from tcgtracker.catalog.records import CatalogIntake
from tcgtracker.catalog.statement_rows import cards_of_set, load_own_sets, load_stated_of_set
from tcgtracker.catalog.statements import StatedReport, take_stated
from tcgtracker.database.engine import Database
from tcgtracker.database.tables.catalog import games
from tcgtracker.database.unit_of_work import repeated, unit_of_work
from tcgtracker.domain.catalog import GAMES
from tcgtracker.domain.clock import Clock
from tcgtracker.domain.errors import Conflict, InvalidInput, NotFound, VendorError
from tcgtracker.domain.source import Source
from tcgtracker.integrations.contract import (
    Capability,
    CatalogPage,
    ItemPage,
    StatedProduct,
    VendorInfo,
)
from tcgtracker.quotes.card_quotes import refresh_cards
from tcgtracker.quotes.due_sets import (
    DueSet,
    SetPart,
    load_due_sets,
    load_sets,
    parts_of,
    save_stated_counts,
    save_taken_in,
)
from tcgtracker.quotes.following import follow
from tcgtracker.quotes.items_intake import ItemIntake, ItemRun
from tcgtracker.quotes.sync_report import SyncOutcome, SyncReport
from tcgtracker.quotes.vendors import Vendors
from tcgtracker.runtime.metrics import Metrics
from tcgtracker.runtime.ports import Cache

DEFAULT_GAMES = ("pokemon", "onepiece")
"""What is synchronised while the catalog is empty (DESIGN section 1)."""
STATED_BATCH = 2_000
"""Statements of one transaction: some tenths of a second of a SQLite writer."""
OnProgress = Callable[[str, int, int], None]
"""Is told what is done, how far it is, and of how many."""


def _go_on() -> None:
    """Check nothing: a command is nobody else's."""


@dataclass(frozen=True, slots=True)
class SyncParts:
    """What every synchronisation works with.

    check: called between pages; raises when the work is no longer this process's.
    """

    database: Database
    history: Database
    clock: Clock
    vendors: Vendors
    cache: Cache
    metrics: Metrics
    check: Callable[[], None] = _go_on

    def catalog(self) -> CatalogIntake:
        return CatalogIntake(self.database, self.history, self.clock)

    def take_stated(
        self, source: Source, stated: Sequence[StatedProduct], outcome: SyncOutcome
    ) -> None:
        """Take statements down in batches, those of one card side by side."""
        ordered = sorted(stated, key=lambda one: (one.set_name, one.number, one.name))
        report = StatedReport()

        def take(batch: Sequence[StatedProduct]) -> StatedReport:
            with unit_of_work(self.database, self.history) as uow:
                return take_stated(uow, self.database.dialect, source, batch, clock=self.clock)

        for start in range(0, len(ordered), STATED_BATCH):
            report.add(repeated(partial(take, ordered[start : start + STATED_BATCH])))
        outcome.count_stated(report)
        self.refresh(report.cards)

    def refresh(self, cards: set[int]) -> None:
        refresh_cards(self.database, self.history, cards)

    def known_games(self, game: str | None) -> list[str]:
        """Return the games to ask for: the named one, else those of the catalog and the defaults.

        Raises:
            InvalidInput: nobody knows this game.
        """
        with self.database.read() as connection:
            ours = list(connection.scalars(select(games.c.slug).order_by(games.c.id)))
        if game is None:
            return list(dict.fromkeys((*DEFAULT_GAMES, *ours)))
        vendors = [slug for entry in self.vendors.entries() for slug in entry.info.games]
        known = {*ours, *vendors, *(one.slug for one in GAMES)}
        if game not in known:
            raise InvalidInput(f"there is no game {game!r}; known: {', '.join(sorted(known))}")
        return [game]

    def source_of(self, vendor: str) -> Source:
        """Return the source under which a vendor's prices stand.

        Raises:
            InvalidInput: its prices are not kept.
        """
        for entry in self.vendors.entries():
            if entry.info.vendor == vendor and entry.info.source is not None:
                return entry.info.source
        raise InvalidInput(f"prices of {vendor} are not kept")

    def able(self, capability: Capability, vendor: str | None = None) -> list[VendorInfo]:
        return [
            info
            for info in self.vendors.able(capability)
            if vendor is None or info.vendor == vendor
        ]


class CatalogSync:
    """Brings sets and cards up to what the vendors have."""

    def __init__(self, parts: SyncParts) -> None:
        self._parts = parts

    def checking(self, check: Callable[[], None]) -> "CatalogSync":
        """Return the same that calls `check` between pages."""
        return CatalogSync(replace(self._parts, check=check))

    def sets(self, game: str | None = None, *, vendor: str | None = None) -> SyncReport:
        """Take the sets of each enabled vendor and game; one that fails does not stop the others.

        Raises:
            InvalidInput: nobody knows this game.
            StorageError: the database cannot be used.
        """
        parts, report = self._parts, SyncReport("sets")
        wanted = parts.known_games(game)
        pairs = [
            (info, slug)
            for info in parts.able(Capability.SETS, vendor)
            for slug in wanted
            if slug in info.games
        ]
        if not pairs:
            report.idle = "no enabled vendor names sets of " + ", ".join(wanted)
        intake = parts.catalog()
        for info, slug in pairs:
            outcome = SyncOutcome(info.vendor, slug)
            report.outcomes.append(outcome)
            try:
                for page in self._pages(parts.vendors.sets(info.vendor, slug), outcome):
                    intake.take_sets(page.sets)
                    with parts.database.write() as connection:
                        save_stated_counts(
                            connection,
                            parts.database.dialect,
                            info.vendor,
                            page.sets,
                            now=parts.clock.now(),
                        )
            except (VendorError, Conflict) as exc:
                outcome.error = exc
            outcome.count_catalog(intake.take_counts())
            parts.cache.delete_prefix(f"sets:{slug}:")
        return report

    def due_sets(self, game: str | None = None) -> list[DueSet]:
        """Return the sets whose cards are to be taken in, the newest release first.

        Raises:
            InvalidInput: nobody knows this game.
        """
        parts = self._parts
        if game is not None:
            parts.known_games(game)
        with parts.database.read() as connection:
            return load_due_sets(
                connection, parts.able(Capability.CARDS), now=parts.clock.now(), game=game
            )

    def due_cards(
        self, game: str | None = None, *, on_progress: OnProgress | None = None
    ) -> SyncReport:
        """Take in the cards of all sets that are due; one outcome a vendor and game.

        Raises:
            InvalidInput: nobody knows this game.
            StorageError: the database cannot be used.
        """
        report = SyncReport("cards")
        due = self.due_sets(game)
        if not self._parts.able(Capability.CARDS):
            report.idle = "no enabled vendor has cards of sets"
        for place, one in enumerate(due):
            if on_progress:
                on_progress("sets", place, len(due))
            report.add(self.cards(one.known.set_id, due=True))
        if on_progress and due:
            on_progress("sets", len(due), len(due))
        return report

    def cards(self, set_id: int, *, due: bool = False) -> SyncReport:
        """Take the cards of one set, their links and prices, from each vendor that knows the set.

        PriceCharting's are made of what its guide said last, without a call. due: only from the
        vendors where they are due; what one of them has said is not asked again.

        Raises:
            NotFound: there is no such set.
            StorageError: the database cannot be used.
        """
        parts, report = self._parts, SyncReport("cards")
        infos = parts.able(Capability.CARDS)
        now = parts.clock.now()
        with parts.database.read() as connection:
            found = load_sets(connection, set_id=set_id)
            if not found:
                raise NotFound(f"there is no set {set_id}")
            known = found[0]
            wanted: Sequence[SetPart] = parts_of(known, infos)
            if due:
                those = load_due_sets(connection, infos, now=now, set_id=set_id)
                wanted = those[0].parts if those else ()
        game, codes = known.game, known.codes
        prices = ItemIntake(parts.database, parts.history, parts.clock, parts.metrics)
        done_codes: set[str] = set()
        for part in wanted:
            if due and part.code in done_codes:
                continue
            outcome = SyncOutcome(part.info.vendor, game)
            report.outcomes.append(outcome)
            self._vendor_cards(part.info, game, part.code, prices, outcome)
            if not outcome.failed:
                done_codes.add(part.code)
                with parts.database.write() as connection:
                    save_taken_in(connection, parts.database.dialect, game, part, now=now)
        stated = self._own_sets(set_id, game, codes)
        if stated:
            outcome = SyncOutcome(Source.PRICECHARTING, game)
            report.outcomes.append(outcome)
            for products in stated.values():
                parts.take_stated(Source.PRICECHARTING, products, outcome)
            self.own_sets(Source.PRICECHARTING, game, set(stated), outcome)
        if not report.outcomes:
            report.idle = f"no enabled vendor knows the set {set_id} ({', '.join(codes)})"
            if due:
                report.idle = f"the cards of set {set_id} are not due"
        done = follow(parts.database, parts.history, clock=parts.clock)
        for outcome in report.outcomes[:1]:
            outcome.count_links(done.links)
        return report

    def find_set(self, name: str, game: str | None = None) -> int:
        """Return the set with this number, code, alias, or exact name in any case.

        Raises:
            NotFound: there is none.
            InvalidInput: several have it; the message names them.
        """
        if name.isascii() and name.isdigit():
            return int(name)
        with self._parts.database.read() as connection:
            known = load_sets(connection, game=game)
        found = [one for one in known if name in one.codes] or [
            one for one in known if one.name.casefold() == name.casefold()
        ]
        if not found:
            raise NotFound(f"there is no set {name!r}: 'tcgtracker sync sets' takes sets in")
        if len(found) > 1:
            those = ", ".join(f"{one.set_id} ({one.game} {one.codes[0]})" for one in found)
            raise InvalidInput(f"{name!r} is the name of several sets, give a number: {those}")
        return found[0].set_id

    def own_sets(self, source: Source, game: str, names: set[str], outcome: SyncOutcome) -> None:
        """Join a vendor's own sets to ours, and make cards of what no catalog has."""
        parts = self._parts
        intake = parts.catalog()
        try:
            report = take_own_sets(
                intake,
                parts.database,
                parts.history,
                source=source,
                game=game,
                names=names,
                clock=parts.clock,
            )
        except Conflict as exc:
            outcome.error = exc
        else:
            outcome.count_own_sets(report)
            parts.refresh(report.stated.cards)
        outcome.count_catalog(intake.take_counts())

    def _vendor_cards(
        self, info: VendorInfo, game: str, code: str, prices: ItemIntake, outcome: SyncOutcome
    ) -> None:
        parts, intake = self._parts, self._parts.catalog()
        try:
            pages = self._pages(parts.vendors.cards(info.vendor, game, code), outcome)
            if info.source is None:
                for page in pages:
                    intake.take_cards(page.cards)
            else:
                with prices.run(info.source, f"cards of {code}") as run:
                    for page in pages:
                        intake.take_cards(page.cards)
                        self._take_prices(info.source, page, prices, run, outcome)
            links = intake.link()
            outcome.count_links(links)
            parts.refresh(links.cards)
        except (VendorError, Conflict, InvalidInput) as exc:
            outcome.error = exc
        outcome.count_catalog(intake.take_counts())

    def _take_prices(
        self,
        source: Source,
        page: CatalogPage,
        prices: ItemIntake,
        run: ItemRun,
        outcome: SyncOutcome,
    ) -> None:
        """Record what came along; what the vendor states stands in the same transaction."""
        items = page.prices or ItemPage(source)
        if not items.stated:
            items.stated = page.stated
        done = prices.take(items, run)
        outcome.count_stated(done.stated)
        outcome.counts["prices_stored"] += done.stored
        outcome.counts["prices_held"] += done.held
        outcome.bad.update(done.quarantined)

    def _own_sets(
        self, set_id: int, game: str, codes: Sequence[str]
    ) -> dict[str, list[StatedProduct]]:
        """Return PriceCharting's sets that are this one or name its cards, with their products."""
        source = Source.PRICECHARTING
        prefix = f"{source}:"
        with self._parts.database.read() as connection:
            claims = claims_of_cards(
                connection, Source.TCGCSV, set(cards_of_set(connection, set_id))
            )
            names = load_own_sets(connection, source, {claim.external_id for claim in claims})
            names |= {code.removeprefix(prefix) for code in codes if code.startswith(prefix)}
            found = {
                name: load_stated_of_set(connection, source, game, name) for name in sorted(names)
            }
        return {name: stated for name, stated in found.items() if stated}

    def _pages(self, pages: Iterator[CatalogPage], outcome: SyncOutcome) -> Iterator[CatalogPage]:
        """Yield pages, counting their bad rows and noting what they lack."""
        for page in pages:
            self._parts.check()
            outcome.bad.update(page.bad)
            if page.incomplete:
                outcome.incomplete.append(page.incomplete)
            yield page
