"""Intake of price files: page -> check -> record, one transaction a page."""

from collections.abc import Callable, Iterable
from datetime import datetime

import numpy as np
import structlog

from tcgtracker.database.engine import Database
from tcgtracker.database.tables.prices import RunState
from tcgtracker.domain.clock import Clock, iso, to_epoch
from tcgtracker.domain.errors import StateChanged, TrackerError
from tcgtracker.domain.quote import RowState
from tcgtracker.domain.source import REFRESH_INTERVAL
from tcgtracker.integrations.contract import NO_PRICE, PricePage
from tcgtracker.prices.products import save_texts, scope_id_of
from tcgtracker.prices.recorder import Recorded, Recorder, ScopePage
from tcgtracker.quotes.report import CollectReport
from tcgtracker.quotes.runs import finish_run, quarantine, save_progress, start_run

_log = structlog.get_logger()
_ATTEMPTS = 20


class Intake:
    """Takes pages into the history of one database."""

    def __init__(self, history: Database, clock: Clock) -> None:
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
        on_page: Callable[[PricePage, CollectReport], None] | None = None,
    ) -> CollectReport:
        """Record pages until they end; return the account of all of them.

        One run record is kept for each source. What was recorded before an error stays recorded;
        the run then says that it failed, and why.

        trust: judge no price (the operator's own files).
        forget_missing: parts of a scope that are missing now are gone for good.
        """
        total = CollectReport()
        runs: dict[str, tuple[int, CollectReport]] = {}
        try:
            for page in pages:
                if page.source not in runs:
                    with self._history.write() as connection:
                        run_id = start_run(
                            connection, page.source, input_name, now=self._clock.now()
                        )
                    runs[page.source] = (run_id, CollectReport())
                run_id, report = runs[page.source]
                done = self._record(page, run_id, report, trust=trust, forget=forget_missing)
                total.add(page, done)
                if on_page:
                    on_page(page, total)
        except BaseException as exc:
            self._finish(runs, RunState.FAILED, error=f"{type(exc).__name__}: {exc}")
            raise
        self._finish(runs, RunState.DONE)
        return total

    def _record(
        self, page: PricePage, run_id: int, report: CollectReport, *, trust: bool, forget: bool
    ) -> Recorded:
        for _ in range(_ATTEMPTS):
            try:
                return self._record_once(page, run_id, report, trust=trust, forget=forget)
            except StateChanged:
                _log.info("quotes.repeated", source=page.source.value, scope=page.scope)
        raise TrackerError(
            f"{page.source} {page.scope}: other processes record this scope all the time; try again"
        )

    def _record_once(
        self, page: PricePage, run_id: int, report: CollectReport, *, trust: bool, forget: bool
    ) -> Recorded:
        interval_s = int(REFRESH_INTERVAL[page.source].total_seconds())
        dialect = self._history.dialect
        with self._history.write() as connection:
            scope_id = scope_id_of(connection, dialect, page.source, page.scope, interval_s)
            scope_page = _with_unreadable(page, scope_id)
            scope_page.forget_missing = forget
            done, state = self._recorder.record(
                connection, scope_page, run_id=run_id, trust=trust, now=self._clock.now()
            )
            quarantine(
                connection,
                dialect,
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
            report.add(page, done)
            cursor = f"{page.scope} {iso(page.observed_at)}"
            save_progress(connection, run_id, cursor, report.as_dict())
        self._recorder.keep(state)
        _log.info(
            "quotes.collected",
            source=page.source.value,
            scope=page.scope,
            observed_at=iso(page.observed_at),
            read=page.rows_read,
            stored=done.stored,
            held=done.held,
            quarantined=len(page.rejected),
        )
        return done

    def _finish(
        self, runs: dict[str, tuple[int, CollectReport]], state: RunState, error: str = ""
    ) -> None:
        now: datetime = self._clock.now()
        for run_id, _ in runs.values():
            with self._history.write() as connection:
                finish_run(connection, run_id, state, now=now, error=error)


def _with_unreadable(page: PricePage, scope_id: int) -> ScopePage:
    """Return the page for the recorder; rejected rows are listed there without a price.

    Left out they would look like products that are gone.
    """
    listed = (
        set(zip(page.external_id.tolist(), page.facet.tolist(), strict=True))
        if page.rejected
        else set()
    )
    facets = list(page.facets)
    unreadable: dict[tuple[int, int], None] = {}
    for row in page.rejected:
        if row.facet is None or not row.external_id.isdecimal():
            continue
        if row.facet not in facets:
            facets.append(row.facet)
        key = (int(row.external_id), facets.index(row.facet))
        if key not in listed:
            unreadable[key] = None
    count = len(unreadable)
    extra = np.array(list(unreadable), np.int64).reshape(-1, 2)
    return ScopePage(
        source=page.source,
        scope_id=scope_id,
        at=to_epoch(page.observed_at),
        external_id=np.concatenate([page.external_id, extra[:, 0]]),
        facet=np.concatenate([page.facet, extra[:, 1]]),
        facets=tuple(facets),
        values=np.concatenate([page.values, np.full((count, 5), NO_PRICE, np.int64)]),
        state=np.concatenate(
            [
                np.full(len(page.external_id), int(RowState.PRICED)),
                np.full(count, int(RowState.UNREADABLE)),
            ]
        ),
        parts=page.parts,
        complete=not page.missing and not page.nameless,
    )
