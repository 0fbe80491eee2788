"""Deleting what was stored of a source, as vendors' terms demand (docs/adr/0014).

In bounded batches, each a transaction: killed at any moment it is run again, and goes on where it
was. The caller has switched the source off, so that no call brings anything back meanwhile.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Table, Text, cast, delete, select, update

from tcgtracker.catalog.links import OWN_SOURCES
from tcgtracker.database.engine import Database
from tcgtracker.database.tables.catalog import (
    card_products,
    card_quotes,
    product_links,
    stated_products,
)
from tcgtracker.database.tables.links import (
    link_decisions,
    link_values,
    rejected_links,
    source_ratios,
)
from tcgtracker.database.tables.operations import jobs
from tcgtracker.database.tables.prices import quarantined_rows
from tcgtracker.database.tables.sources import source_state, sync_marks
from tcgtracker.domain.source import Source
from tcgtracker.prices.purge import clear_scopes, count_products, purge_products
from tcgtracker.runtime.ports import Cache

BATCH = 5_000
"""Rows of one transaction of the main database."""
PRODUCTS = 500
"""Products of one transaction of the history, with all that was ever recorded of them."""

RESULTS = 50
"""Jobs of one transaction: the result of one names up to some thousand cards."""

OnProgress = Callable[[int, int], None]
"""Is told how many of how many products are gone."""

_PRICE = "market_price"
"""As `CardOutcome.as_dict` names it."""


def _go_on() -> None:
    """Check nothing: a command is nobody else's."""


@dataclass(slots=True)
class PurgeReport:
    """What was deleted; prices are rows of the history, blocks those of sealed years.

    told: prices in the results of jobs.
    """

    products: int = 0
    series: int = 0
    prices: int = 0
    blocks: int = 0
    holds: int = 0
    links: int = 0
    quotes: int = 0
    statements: int = 0
    quarantined: int = 0
    told: int = 0

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


class SourcePurge:
    """Purges sources of one tracker."""

    def __init__(self, database: Database, history: Database, cache: Cache) -> None:
        self._database = database
        self._history = history
        self._cache = cache

    def purge(
        self,
        vendor: str,
        source: Source | None,
        *,
        check: Callable[[], None] = _go_on,
        on_progress: OnProgress | None = None,
    ) -> PurgeReport:
        """Delete the prices, products, links, quotes, statements and kept answers of a vendor.

        Cards and sets stay, with the ids under which catalogs know them: what users own hangs on
        them. source: under which its prices stand, None when they are never stored. check: called
        between batches; raises when the work is no longer this process's.
        """
        report = PurgeReport()
        if source is not None:
            self._purge_cards(source, report, check)
            self._purge_history(source, report, check, on_progress)
            self._purge_cards(source, report, check)  # what was linked in between
            self._purge_results(source, report, check)
        with self._database.write() as connection:
            if source is not None:
                forget_words(connection, source)
            connection.execute(delete(sync_marks).where(sync_marks.c.service == vendor))
            connection.execute(
                update(source_state)
                .where(source_state.c.service == vendor)
                .values(last_error="", last_error_at=None)
            )
        for prefix in (f"search:{vendor}:", f"{vendor}:", "card:price:", "trends:", "compare:"):
            self._cache.delete_prefix(prefix)
        return report

    def _purge_cards(self, source: Source, report: PurgeReport, check: Callable[[], None]) -> None:
        report.quotes += self._delete(
            card_quotes, card_quotes.c.card_id, card_quotes.c.source == source, check
        )
        linked = select(product_links.c.vendor_product_id).where(product_links.c.source == source)
        values = link_values.c.vendor_product_id
        self._delete(link_values, values, values.in_(linked), check)
        report.links += self._delete(
            product_links, product_links.c.id, product_links.c.source == source, check
        )
        report.statements += self._delete(
            stated_products, stated_products.c.id, stated_products.c.source == source, check
        )
        if source in OWN_SOURCES:  # the ids of the others are the catalogs' own words
            self._delete(card_products, card_products.c.id, card_products.c.source == source, check)

    def _purge_results(
        self, source: Source, report: PurgeReport, check: Callable[[], None]
    ) -> None:
        """Take the prices of a source out of what jobs told of cards."""
        after = UUID(int=0)
        says_so = cast(jobs.c.result, Text).contains(f'"{source}"', autoescape=True)
        while True:
            check()
            with self._database.write() as connection:
                rows = connection.execute(
                    select(jobs.c.id, jobs.c.result)
                    .where(jobs.c.result.is_not(None), says_so, jobs.c.id > after)
                    .order_by(jobs.c.id)
                    .limit(RESULTS)
                ).all()
                for job_id, result in rows:
                    clean, gone = _without_prices(result, source)
                    report.told += gone
                    if gone:
                        connection.execute(
                            update(jobs).where(jobs.c.id == job_id).values(result=clean)
                        )
            if not rows:
                return
            after = rows[-1].id

    def _delete(
        self,
        table: Table,
        key: ColumnElement[int],
        condition: ColumnElement[bool],
        check: Callable[[], None],
    ) -> int:
        gone = 0
        while True:
            check()
            with self._database.write() as connection:
                some = delete_some(connection, table, key, condition)
            gone += some
            if some < BATCH:
                return gone

    def _purge_history(
        self,
        source: Source,
        report: PurgeReport,
        check: Callable[[], None],
        on_progress: OnProgress | None,
    ) -> None:
        with self._history.read() as connection:
            total = count_products(connection, source)
        while True:
            check()
            with self._history.write() as connection:
                done = purge_products(connection, self._history.dialect, source, limit=PRODUCTS)
            report.products += done.products
            report.series += done.series
            report.prices += done.prices
            report.blocks += done.blocks
            report.holds += done.holds
            if on_progress:
                on_progress(min(report.products, total), total)
            if not done.products:
                break
        with self._history.write() as connection:
            clear_scopes(connection, self._history.dialect, source)
        of_source = quarantined_rows.c.source == source
        while True:
            check()
            with self._history.write() as connection:
                some = delete_some(connection, quarantined_rows, quarantined_rows.c.id, of_source)
            report.quarantined += some
            if some < BATCH:
                return


def forget_words(connection: Connection, source: Source) -> None:
    """Forget what was learned of a source's prices, and its words beside people's decisions.

    That somebody refused a pair stays: it is the person's word, under the bare ids.
    """
    learned = (source_ratios.c.left_source == source) | (source_ratios.c.right_source == source)
    connection.execute(delete(source_ratios).where(learned))
    connection.execute(
        update(link_decisions)
        .where(link_decisions.c.source == source)
        .values(stated="", old_evidence="")
    )
    connection.execute(
        update(rejected_links).where(rejected_links.c.source == source).values(claim_evidence="")
    )


def delete_some(
    connection: Connection,
    table: Table,
    key: ColumnElement[int],
    condition: ColumnElement[bool],
) -> int:
    """Delete at most `BATCH` rows that fit; return how many."""
    some = select(key).where(condition).limit(BATCH)
    return connection.execute(delete(table).where(condition, key.in_(some))).rowcount


def _without_prices(value: object, source: Source) -> tuple[object, int]:
    """Return JSON without the prices that it tells of a source, and how many there were."""
    if isinstance(value, list):
        parts = [_without_prices(one, source) for one in value]
        return [one for one, _ in parts], sum(gone for _, gone in parts)
    if not isinstance(value, dict):
        return value, 0
    if value.get("source") == source and value.get(_PRICE) is not None:
        return {**value, _PRICE: None}, 1
    items = {name: _without_prices(one, source) for name, one in value.items()}
    return {name: one for name, (one, _) in items.items()}, sum(gone for _, gone in items.values())
