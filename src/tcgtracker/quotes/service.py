"""Intake of price files: page -> check -> record, one transaction a page.

Scopes with few rows share a transaction: a commit costs as much as thousands of rows.
"""

from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
import structlog
from sqlalchemy import Connection

from tcgtracker.database.engine import Database
from tcgtracker.database.tables.prices import RunState
from tcgtracker.domain.clock import Clock, iso, to_epoch
from tcgtracker.domain.errors import Deadlock, InvalidInput, StateChanged, TrackerError
from tcgtracker.domain.quote import RowState
from tcgtracker.domain.source import REFRESH_INTERVAL, Source
from tcgtracker.integrations.contract import NO_PRICE, PricePage
from tcgtracker.prices.products import save_texts, scope_ids_of
from tcgtracker.prices.recorder import Recorder
from tcgtracker.prices.scope_page import Recorded, ScopePage
from tcgtracker.prices.state import ScopeState
from tcgtracker.quotes.report import CollectReport
from tcgtracker.quotes.runs import count_rows, finish_run, quarantine, save_progress, start_run
from tcgtracker.runtime.metrics import Metrics

_log = structlog.get_logger()
_ATTEMPTS = 20
# DESIGN section 5 asks for 20,000 at least and 2 s of SQLite at most; this is well under 1 s.
_ROWS_OF_A_TRANSACTION = 60_000

_FIRST_YEAR = 1990
"""Before that nobody listed prices of such cards; a database may not even keep the moment."""
MOST_AHEAD = timedelta(days=2)
"""A day's file is named by its day, wherever that has begun; what is later is a wrong date."""

OnPage = Callable[[PricePage, CollectReport], None]


@dataclass(slots=True)
class _Run:
    id: int
    report: CollectReport = field(default_factory=CollectReport)


@dataclass(slots=True)
class _Outcome:
    """What a transaction did, once it is committed."""

    report: CollectReport
    done: list[Recorded] = field(default_factory=list)
    states: list[ScopeState] = field(default_factory=list)


class Intake:
    """Takes pages into the history of one database."""

    def __init__(self, history: Database, clock: Clock, metrics: Metrics | None = None) -> None:
        self.metrics = metrics or Metrics()
        self._history = history
        self._clock = clock
        self._recorder = Recorder(history.dialect)

    def collect(
        self,
        pages: Iterable[PricePage],
        *,
        input_name: str,
        trust: bool = False,
        forget_missing: bool = False,
        on_page: OnPage | None = None,
    ) -> CollectReport:
        """Record pages until they end; return the account of all of them.

        One run record is kept for each source. What was read before an error is recorded; the run
        then says that it failed, and why.

        trust: judge no price (the operator's own files).
        forget_missing: parts of a scope that are missing now are gone for good.

        Raises:
            InvalidInput: a page is dated in the future, or before there were such prices.
        """
        collecting = _Collecting(self, input_name, trust=trust, forget=forget_missing)
        try:
            for page in pages:
                collecting.add(page, on_page)
            collecting.flush(on_page)
        except Exception as exc:
            collecting.flush(on_page)
            collecting.finish(RunState.FAILED, error=f"{type(exc).__name__}: {exc}")
            raise
        except BaseException as exc:  # Ctrl-C: end at once
            collecting.finish(RunState.FAILED, error=type(exc).__name__)
            raise
        collecting.finish(RunState.DONE)
        return collecting.total

    def require_seen(self, page: PricePage) -> None:
        """Refuse what nobody can have seen: dated ahead, it would pass for the newest for years.

        Raises:
            InvalidInput: the page is dated in the future, or before any price was listed.
        """
        if page.observed_at.year < _FIRST_YEAR:
            raise InvalidInput(
                f"{page.source} {page.scope} is dated {iso(page.observed_at)}, before there were"
                " such prices: correct the date of the file"
            )
        if page.observed_at > self._clock.now() + MOST_AHEAD:
            raise InvalidInput(
                f"{page.source} {page.scope} is dated {iso(page.observed_at)}, in the future:"
                " correct the date of the file, or the clock of this machine"
            )

    def start(self, source: Source, input_name: str) -> _Run:
        with self._history.write() as connection:
            return _Run(start_run(connection, source, input_name, now=self._clock.now()))

    def finish(self, run: _Run, state: RunState, error: str) -> None:
        with self._history.write() as connection:
            finish_run(connection, run.id, state, now=self._clock.now(), error=error)

    def record(
        self, pages: list[PricePage], run: _Run, *, trust: bool, forget: bool
    ) -> list[Recorded]:
        """Write pages of one source in one transaction, again while others write their scopes."""
        for _ in range(_ATTEMPTS):
            try:
                outcome = self._record_once(pages, run, trust=trust, forget=forget)
            except (StateChanged, Deadlock) as exc:
                _log.info("quotes.repeated", source=pages[0].source.value, reason=str(exc))
                continue
            run.report = outcome.report
            self._recorder.keep(outcome.states)
            return outcome.done
        raise TrackerError(
            f"{pages[0].source} {pages[0].scope}: other processes record it all the time; try again"
        )

    def _record_once(
        self, pages: list[PricePage], run: _Run, *, trust: bool, forget: bool
    ) -> _Outcome:
        outcome = _Outcome(deepcopy(run.report))
        with self._history.write() as connection:
            scope_of = scope_ids_of(
                connection,
                self._history.dialect,
                pages[0].source,
                [page.scope for page in pages],
                int(REFRESH_INTERVAL[pages[0].source].total_seconds()),
            )
            scope_pages = [_with_unreadable(page, scope_of[page.scope], forget) for page in pages]
            outcome.done, outcome.states = self._recorder.record(
                connection, scope_pages, run_id=run.id, trust=trust, now=self._clock.now()
            )
            for page, done in zip(pages, outcome.done, strict=True):
                self._keep_beside(connection, page, done, run.id)
                outcome.report.add(page, done)
            cursor = f"{pages[-1].scope} {iso(pages[-1].observed_at)}"
            save_progress(connection, run.id, cursor, outcome.report.as_dict())
        return outcome

    def _keep_beside(
        self, connection: Connection, page: PricePage, done: Recorded, run_id: int
    ) -> None:
        """Keep what of a page is no price: rejected rows, and how the vendor names things."""
        if page.rejected:
            quarantine(
                connection,
                self._history.dialect,
                run_id=run_id,
                source=page.source,
                observed_at=page.observed_at,
                rows=page.rejected,
            )
        if page.texts and not done.seen_before:
            save_texts(
                connection,
                page.source,
                {
                    str(external_id): (one.name, one.set_name, one.number, one.rarity, one.url)
                    for external_id, one in page.texts.items()
                },
            )


class _Collecting:
    """One call of `Intake.collect`: pages that wait for a transaction, and what was done."""

    def __init__(self, intake: Intake, input_name: str, *, trust: bool, forget: bool) -> None:
        self.total = CollectReport()
        self._intake = intake
        self._input_name = input_name
        self._trust = trust
        self._forget = forget
        self._runs: dict[Source, _Run] = {}
        self._waiting: list[PricePage] = []
        self._rows = 0

    def add(self, page: PricePage, on_page: OnPage | None) -> None:
        """Take a page in; record what waits when it is enough for a transaction.

        A transaction holds one source, and of a scope one look.
        """
        self._intake.require_seen(page)
        waiting = self._waiting
        if waiting and (
            waiting[0].source is not page.source or any(one.scope == page.scope for one in waiting)
        ):
            self.flush(on_page)
        self._waiting.append(page)
        self._rows += len(page.external_id)
        if self._rows >= _ROWS_OF_A_TRANSACTION:
            self.flush(on_page)

    def flush(self, on_page: OnPage | None) -> None:
        """Record the pages that wait."""
        pages, self._waiting, self._rows = self._waiting, [], 0
        if not pages:
            return
        source = pages[0].source
        if source not in self._runs:
            self._runs[source] = self._intake.start(source, self._input_name)
        run = self._runs[source]
        recorded = self._intake.record(pages, run, trust=self._trust, forget=self._forget)
        for page, done in zip(pages, recorded, strict=True):
            self.total.add(page, done)
            count_rows(self._intake.metrics, source, done.stored, page.rejected)
            _log.info(
                "quotes.collected",
                source=source.value,
                scope=page.scope,
                observed_at=iso(page.observed_at),
                run_id=run.id,
                read=page.rows_read,
                stored=done.stored,
                held=done.held,
                quarantined=len(page.rejected),
            )
            if on_page:
                on_page(page, self.total)

    def finish(self, state: RunState, error: str = "") -> None:
        for run in self._runs.values():
            self._intake.finish(run, state, error)


def _with_unreadable(page: PricePage, scope_id: int, forget: bool) -> ScopePage:  # noqa: FBT001
    """Return the page for the recorder; rejected rows are listed there without a price.

    Left out they would look like products that are gone.
    """
    facets = list(page.facets)
    extra: dict[tuple[int, int], None] = {}
    if page.rejected:
        listed = set(zip(page.external_id.tolist(), page.facet.tolist(), strict=True))
        for row in page.rejected:
            if row.facet is None or not row.external_id.isdecimal():
                continue
            if row.facet not in facets:
                facets.append(row.facet)
            key = (int(row.external_id), facets.index(row.facet))
            if key not in listed:
                extra[key] = None
    keys = np.array(list(extra), np.int64).reshape(-1, 2)
    return ScopePage(
        source=page.source,
        scope_id=scope_id,
        at=to_epoch(page.observed_at),
        external_id=np.concatenate([page.external_id, keys[:, 0]]),
        facet=np.concatenate([page.facet, keys[:, 1]]),
        facets=tuple(facets),
        values=np.concatenate([page.values, np.full((len(keys), 5), NO_PRICE, np.int64)]),
        state=np.concatenate(
            [
                np.full(len(page.external_id), int(RowState.PRICED)),
                np.full(len(keys), int(RowState.UNREADABLE)),
            ]
        ),
        parts=page.parts,
        complete=not page.missing and not page.nameless,
        forget_missing=forget,
    )
