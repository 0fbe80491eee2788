"""Synchronisation of files that hold a whole game: PriceCharting's guide, TCGCSV's day."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import numpy as np
import orjson

from tcgtracker.domain.clock import iso
from tcgtracker.domain.errors import InvalidInput, VendorError
from tcgtracker.domain.source import Source
from tcgtracker.integrations.contract import Capability, PricePage, StatedProduct
from tcgtracker.quotes.bulk_checks import settle_checks
from tcgtracker.quotes.following import follow
from tcgtracker.quotes.service import Intake
from tcgtracker.quotes.sync import CatalogSync, SyncParts
from tcgtracker.quotes.sync_marks import FAILED, TAKEN, SyncMark, load_mark, save_mark
from tcgtracker.quotes.sync_report import SyncOutcome, SyncReport

PRICECHARTING = "pricecharting"
TCGCSV = "tcgcsv"
GUIDE_FRESH = timedelta(hours=24)
"""vendors/pricecharting.md section 2.3: a guide is made once in 24 hours."""


class BulkSync:
    """Takes in bulk files with what they say of the catalog."""

    def __init__(self, parts: SyncParts, intake: Intake) -> None:
        self._parts = parts
        self._intake = intake
        self._catalog = CatalogSync(parts)

    def checking(self, check: Callable[[], None]) -> "BulkSync":
        """Return the same that calls `check` between pages."""
        return BulkSync(replace(self._parts, check=check), self._intake)

    def read(self, vendor: str, game: str) -> SyncReport:
        """Take in a vendor's newest file of a game.

        Raises:
            InvalidInput: the vendor publishes none.
        """
        return self.tcgcsv(game) if vendor == TCGCSV else self.pricecharting(game)

    def pricecharting(self, game: str | None = None, *, force: bool = False) -> SyncReport:
        """Take in the guide of each game that was not fetched within 24 hours.

        force: fetch it all the same.

        Raises:
            InvalidInput: nobody knows this game, or the vendor has no guide of it.
            StorageError: the database cannot be used.
        """
        report = SyncReport(PRICECHARTING)
        for slug in self._games(PRICECHARTING, game, report):
            outcome = SyncOutcome(PRICECHARTING, slug)
            report.outcomes.append(outcome)
            now = self._parts.clock.now()
            seen = self._mark(PRICECHARTING, slug)
            if seen and now - seen.marked_at < GUIDE_FRESH and not force:
                outcome.unchanged = True
                continue
            self._collect(outcome, mark=iso(now))
        return report

    def tcgcsv(self, game: str | None = None) -> SyncReport:
        """Take in the newest day of each game; one call when there is nothing new.

        Raises:
            InvalidInput: nobody knows this game, or the vendor does not have it.
            StorageError: the database cannot be used.
        """
        report = SyncReport(TCGCSV)
        wanted = self._games(TCGCSV, game, report)
        if not wanted:
            return report
        try:
            version = self._parts.vendors.version(TCGCSV)
        except VendorError as exc:
            report.outcomes = [SyncOutcome(TCGCSV, slug, error=exc) for slug in wanted]
            return report
        for slug in wanted:
            outcome = SyncOutcome(TCGCSV, slug)
            report.outcomes.append(outcome)
            seen = self._mark(TCGCSV, slug)
            if seen and version and seen.mark == version:
                outcome.unchanged = True
                continue
            self._collect(outcome, mark=version)
        return report

    def _games(self, vendor: str, game: str | None, report: SyncReport) -> list[str]:
        wanted = self._parts.known_games(game)
        able = self._parts.able(Capability.BULK, vendor)
        if not able:
            entries = {entry.info.vendor: entry for entry in self._parts.vendors.entries()}
            disabled = entries[vendor].disabled if vendor in entries else "it is not configured"
            report.idle = f"{vendor} is not asked: {disabled}"
            return []
        has = able[0].games
        if game is not None and game not in has:
            raise InvalidInput(f"{vendor} has no {game}; it has {', '.join(has)}")
        return [slug for slug in wanted if slug in has]

    def _mark(self, vendor: str, game: str) -> SyncMark | None:
        with self._parts.database.read() as connection:
            return load_mark(connection, vendor, f"{TAKEN}:{game}")

    def _collect(self, outcome: SyncOutcome, *, mark: str) -> None:
        """Fetch and record a game's files; the mark is set only when nothing is missing."""
        parts = self._parts
        stated: list[StatedProduct] = []
        read: set[str] = set()
        try:
            done = self._intake.collect(
                self._pages(outcome, stated, read), input_name=f"{outcome.vendor} {outcome.game}"
            )
        except VendorError as exc:
            outcome.error = exc
        else:
            outcome.counts["prices_stored"] += done.stored
            outcome.counts["prices_held"] += done.held
            outcome.counts["looks"] += done.looks
            outcome.bad.update(done.quarantined)
            outcome.incomplete += [one for one in done.incomplete if one not in outcome.incomplete]
        names = {one.set_name for one in stated if one.set_name}
        if names and outcome.vendor == PRICECHARTING:  # TCGCSV's sets are TCGplayer's own
            self._catalog.own_sets(Source.PRICECHARTING, outcome.game, names, outcome)
        followed = follow(parts.database, parts.history, clock=parts.clock)
        outcome.count_links(followed.links)
        if not outcome.failed:
            for info in parts.able(Capability.BULK, outcome.vendor):
                settle_checks(parts.database, parts.history, info, read, clock=parts.clock)
            if outcome.vendor == PRICECHARTING:
                self._keep_products(outcome.game, stated)
        subject = FAILED if outcome.failed else TAKEN
        with parts.database.write() as connection:
            save_mark(
                connection,
                parts.database.dialect,
                outcome.vendor,
                f"{subject}:{outcome.game}",
                mark,
                now=parts.clock.now(),
            )

    def _pages(
        self, outcome: SyncOutcome, stated: list[StatedProduct], read: set[str]
    ) -> Iterator[PricePage]:
        """Yield the prices of each page after what the same file states of the products.

        The doubt about a product is committed before its new price is. read: gets the ids of all
        products of the pages, with or without a price.
        """
        parts = self._parts
        source = parts.source_of(outcome.vendor)
        for page in parts.vendors.bulk(outcome.vendor, outcome.game):
            parts.check()
            read.update(map(str, np.unique(page.prices.external_id).tolist()))
            if page.catalog is not None:
                outcome.bad.update(page.catalog.bad)
                if page.catalog.incomplete:
                    outcome.incomplete.append(page.catalog.incomplete)
                stated += page.catalog.stated
                read.update(one.external_id for one in page.catalog.stated)
                parts.take_stated(source, page.catalog.stated, outcome)
            yield page.prices

    def _keep_products(self, game: str, stated: list[StatedProduct]) -> None:
        """Keep the products for a day, so that a search for them costs no call."""
        products = [
            {
                "id": one.external_id,
                "name": one.name,
                "console": one.set_name,
                "number": one.number,
                "tcg-id": one.tcgplayer_id,
            }
            for one in stated
        ]
        key = f"{PRICECHARTING}:{game}:products"
        self._parts.cache.set(key, orjson.dumps(products), ttl_s=int(GUIDE_FRESH.total_seconds()))
