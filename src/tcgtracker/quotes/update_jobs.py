"""Background work that asks the sources for prices: one card, a chunk, all that are due."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select

from tcgtracker.database.engine import Database
from tcgtracker.database.tables.operations import jobs as jobs_table
from tcgtracker.database.unit_of_work import UnitOfWork, unit_of_work
from tcgtracker.domain.clock import Clock
from tcgtracker.domain.errors import (
    Conflict,
    InvalidInput,
    NotFound,
    VendorError,
)
from tcgtracker.domain.ids import JobId
from tcgtracker.domain.source import Source
from tcgtracker.integrations.contract import PAGE_CALL
from tcgtracker.operations.context import JobContext
from tcgtracker.operations.flags import load_flags
from tcgtracker.operations.queue import JobQueue
from tcgtracker.operations.registry import Job
from tcgtracker.operations.values import JsonValue
from tcgtracker.quotes.due_cards import claim_due, save_checks
from tcgtracker.quotes.outcomes import CardOutcome, Outcome, Verdict, raise_for_all
from tcgtracker.quotes.parts import parts_of, result_of
from tcgtracker.quotes.plan import Operation, Step
from tcgtracker.quotes.planning import DEFAULT_LIMIT, UPDATE_CARD, UPDATE_CARDS, Planner
from tcgtracker.quotes.update import CardUpdater, OnProgress

log = structlog.get_logger()

UPDATE_ALL = "update_all_card_prices"
FETCH_SHADOW = "fetch_shadow_prices"
CLAIM = timedelta(hours=1)
"""A chosen card is not due for so long; while its job is open it is not chosen either way."""
MOST_CARDS = 10_000
"""Cards of one chunk job."""
_CHUNK = 200
"""Cards of a scheduled chunk, about: the cost of a job is then far below that of its calls."""
_SHORT_CHUNK = 10
"""The same where somebody watches."""
_ATTEMPTS = 4
_RETRY_DELAY = timedelta(seconds=60)

QueueOf = Callable[[], JobQueue]
"""Gives the queue, which is made after the registry that these jobs are in."""


def jobs(
    database: Database,
    history: Database,
    clock: Clock,
    *,
    updater: CardUpdater,
    planner: Planner,
    queue: QueueOf,
    bulk_jobs: Mapping[str, str] | None = None,
) -> list[Job]:
    """Return the jobs that update prices.

    bulk_jobs: by vendor, the job that takes in its bulk files; its argument is `game`.
    """
    work = _UpdateJobs(database, history, clock, updater, planner, queue, dict(bulk_jobs or {}))
    return [
        Job(
            name=UPDATE_CARD,
            handler=work.update_card_price,
            max_attempts=_ATTEMPTS,
            retry_delay=_RETRY_DELAY,
        ),
        Job(
            name=UPDATE_CARDS,
            handler=work.update_prices,
            max_attempts=_ATTEMPTS,
            retry_delay=_RETRY_DELAY,
        ),
        Job(name=FETCH_SHADOW, handler=work.fetch_shadow_prices),
        Job(
            name=UPDATE_ALL,
            handler=work.update_all_card_prices,
            every=timedelta(hours=6),
        ),
    ]


def enqueue_card(
    queue: JobQueue, uow: UnitOfWork, card_id: int, *, source: Source | None = None
) -> JobId:
    """Ask for one card's price in the background; the open job for the same is returned."""
    key = f"{UPDATE_CARD}:{card_id}:{source or ''}"
    return queue.enqueue(uow, UPDATE_CARD, _args(source, card_id=card_id), dedupe_key=key)


def enqueue_cards(
    queue: JobQueue,
    uow: UnitOfWork,
    card_ids: Sequence[int],
    *,
    source: Source | None = None,
    parent_id: JobId | None = None,
) -> JobId:
    """Ask for the prices of some cards in the background, in one job.

    Raises:
        InvalidInput: none, or more than 10,000.
    """
    if not 1 <= len(card_ids) <= MOST_CARDS:
        raise InvalidInput(f"give 1 to {MOST_CARDS} cards, not {len(card_ids)}")
    args = _args(source, card_ids=list(card_ids))
    return queue.enqueue(uow, UPDATE_CARDS, args, parent_id=parent_id)


def enqueue_shadow(
    queue: JobQueue,
    uow: UnitOfWork,
    card_ids: Sequence[int],
    shadow: Source,
    *,
    parent_id: JobId | None = None,
) -> None:
    """Let the shadow source be asked for cards that were updated; nobody waits for that.

    Several updates of one card ask it once, while it waits.
    """
    queue.enqueue(
        uow,
        FETCH_SHADOW,
        _args(shadow, card_ids=list(card_ids)),
        dedupe_key=f"{FETCH_SHADOW}:{parent_id or card_ids[0]}",
        parent_id=parent_id,
        asked=False,
    )


def update_due(
    database: Database,
    clock: Clock,
    *,
    planner: Planner,
    updater: CardUpdater,
    read_file: Callable[[str, str], None],
    limit: int = DEFAULT_LIMIT,
    on_progress: OnProgress | None = None,
) -> list[CardOutcome]:
    """Update the cards that are due in this thread; return what became of each.

    Bulk files come first; what they have no price for is planned again. Cards are claimed a chunk
    at a time, so that a worker beside this takes none of them.

    read_file: takes in a vendor's file of a game; a file that fails leaves its cards to others.
    """
    outcomes: list[CardOutcome] = []
    made = planner.plan(limit=limit)
    files = [step for step in made.plan.steps if step.operation is Operation.BULK]
    for step in files:
        read_file(step.vendor, step.game)
        outcomes += updater.shown(step.card_ids, step.source)
    if files:
        made = planner.plan(limit=limit, bulk=False)
    with database.write() as connection:
        save_checks(connection, answered=made.fresh, missed=(), now=clock.now())
    total = len(outcomes) + sum(len(step.card_ids) for step in made.plan.steps)
    for step in made.plan.steps:
        for card_ids in _chunks(step, planner.batch_of(step.source), _SHORT_CHUNK):
            now = clock.now()
            with database.write() as connection:
                mine = claim_due(connection, card_ids, now=now, until=now + CLAIM)
            chosen = [card_id for card_id in card_ids if card_id in mine]
            if chosen:
                outcomes += updater.update(chosen, policy=PAGE_CALL)
            if on_progress:
                on_progress(len(outcomes), total)
    return outcomes


class _UpdateJobs:
    def __init__(
        self,
        database: Database,
        history: Database,
        clock: Clock,
        updater: CardUpdater,
        planner: Planner,
        queue: QueueOf,
        bulk_jobs: dict[str, str],
    ) -> None:
        self._database = database
        self._history = history
        self._clock = clock
        self._updater = updater
        self._planner = planner
        self._queue = queue
        self._bulk_jobs = bulk_jobs

    def update_card_price(self, job: JobContext) -> JsonValue:
        """Update one card.

        Raises:
            NotFound: there is no such card, or no source knows it.
            Conflict: no source has a trusted product for it.
            RetryableVendorError: worth another attempt.
            Postpone: every source is paused.
            FatalVendorError: no source can be asked before somebody mends it.
        """
        card_id = _card_id(job.args.get("card_id"))
        outcome = self._updater.update([card_id], source=_source(job), guard=job.hold)[0]
        if (error := outcome.error()) is not None:
            raise error
        if outcome.outcome is Outcome.UNKNOWN:
            raise NotFound(f"there is no card {card_id}")
        if outcome.outcome is Outcome.NO_TRUSTED_LINK:
            raise Conflict(f"card {card_id}: no trusted link: {outcome.fallback_reason}")
        if outcome.outcome is Outcome.FAILED:
            raise NotFound(f"card {card_id} has no price: {outcome.fallback_reason}")
        self._shadow(job, [card_id])
        return outcome.as_dict()

    def update_prices(self, job: JobContext) -> JsonValue:
        """Update a chunk of cards; what failed in passing is left to a job of its own.

        More than a chunk is shared out: jobs of a chunk each do it, and this one waits for them.

        Raises:
            RetryableVendorError, Postpone, FatalVendorError: as for one card, when all are so.
        """
        wanted = job.args.get("card_ids")
        if not isinstance(wanted, Sequence) or isinstance(wanted, str) or not wanted:
            raise InvalidInput(f"card_ids must be a list of ids, not {wanted!r}")
        card_ids = [_card_id(one) for one in wanted]
        if len(card_ids) > _CHUNK:
            return self._shared_out(job, card_ids)
        outcomes = self._updater.update(
            card_ids,
            source=_source(job),
            guard=job.hold,
            on_progress=job.progress,
        )
        left = [one for one in outcomes if one.verdict in (Verdict.REPEAT, Verdict.WAIT)]
        if len(left) == len(outcomes):
            raise_for_all(left)
        if all(one.verdict is Verdict.FATAL for one in outcomes):
            raise_for_all(outcomes)
        rest = self._repeat(job, left) if left else None
        settled = [one.card_id for one in outcomes if one.verdict is Verdict.SETTLED]
        self._shadow(job, settled)
        return {
            "updated": sum(one.verdict is Verdict.SETTLED for one in outcomes),
            "repeated_by": [] if rest is None else [str(rest)],
            "cards": [one.as_dict() for one in outcomes],
        }

    def _shared_out(self, job: JobContext, card_ids: Sequence[int]) -> JsonValue:
        """Enqueue the parts once, then look at them until all have ended."""
        source = _source(job)
        with unit_of_work(self._database, self._history) as uow:
            job.hold(uow.connection)
            if not parts_of(uow.connection, job.job_id, UPDATE_CARDS):
                for start in range(0, len(card_ids), _CHUNK):
                    some = card_ids[start : start + _CHUNK]
                    enqueue_cards(self._queue(), uow, some, source=source, parent_id=job.job_id)
            parts = parts_of(uow.connection, job.job_id, UPDATE_CARDS)
        return result_of(job, parts, self._clock.now())

    def fetch_shadow_prices(self, job: JobContext) -> JsonValue:
        """Ask the shadow source for cards, so that it can be compared with those that speak.

        A failure is told in the result and costs nobody anything: the next update asks again.
        """
        source, card_ids = _source(job), job.args.get("card_ids")
        if source is None or not isinstance(card_ids, Sequence) or isinstance(card_ids, str):
            raise InvalidInput("a source and card_ids are needed")
        with self._database.read() as connection:
            if load_flags(connection).shadow is not source:
                return {"skipped": f"{source} is no shadow any more"}
        try:
            return self._updater.take_shadow([_card_id(one) for one in card_ids], source)
        except VendorError as exc:
            log.warning("quotes.shadow_failed", source=source.value, error=str(exc))
            return {"failed": str(exc)}

    def _shadow(self, job: JobContext, card_ids: Sequence[int]) -> None:
        """Let the shadow source be asked for settled cards, in a job of its own."""
        shadow = self._updater.shadow() if card_ids else None
        if shadow is None:
            return
        with unit_of_work(self._database, self._history) as uow:
            job.hold(uow.connection)
            enqueue_shadow(self._queue(), uow, card_ids, shadow, parent_id=job.job_id)

    def update_all_card_prices(self, job: JobContext) -> JsonValue:
        """Plan, and enqueue a job for each part of the plan.

        Each chunk is chosen and enqueued in one transaction, so that a run that is killed leaves
        no card that is taken and not asked for, and two runs never take the same card.
        """
        limit = job.args.get("limit", DEFAULT_LIMIT)
        if not isinstance(limit, int) or limit < 1:
            raise InvalidInput(f"limit must be a number of cards, not {limit!r}")
        made = self._planner.plan(limit=limit)
        with self._database.write() as connection:
            job.hold(connection)
            save_checks(connection, answered=made.fresh, missed=(), now=self._clock.now())
        taken = 0
        for step in made.plan.steps:
            if step.operation is Operation.BULK:
                taken += self._take(job, step, step.card_ids)
                continue
            for card_ids in _chunks(step, self._planner.batch_of(step.source)):
                taken += self._take(job, step, card_ids)
        return {
            "due": made.due,
            "cards": taken,
            "calls": made.plan.calls,
            "job_ids": [str(job_id) for job_id in self._children(job)],
            "left_out": dict(made.left_out()),
        }

    def _take(self, job: JobContext, step: Step, card_ids: Sequence[int]) -> int:
        """Claim cards and enqueue their job; return how many were still free."""
        now = self._clock.now()
        with unit_of_work(self._database, self._history) as uow:
            job.hold(uow.connection)
            mine = claim_due(uow.connection, card_ids, now=now, until=now + CLAIM)
            chosen = [card_id for card_id in card_ids if card_id in mine]
            if not chosen:
                return 0
            if step.operation is Operation.BULK:
                self._queue().enqueue(
                    uow,
                    self._bulk_jobs[step.vendor],
                    {"game": step.game},
                    dedupe_key=f"bulk:{step.vendor}:{step.game}",
                    parent_id=job.job_id,
                )
            else:
                enqueue_cards(self._queue(), uow, chosen, parent_id=job.job_id)
        return len(chosen)

    def _children(self, job: JobContext) -> list[JobId]:
        with self._database.read() as connection:
            rows = connection.execute(
                select(jobs_table.c.id)
                .where(jobs_table.c.parent_id == job.job_id)
                .order_by(jobs_table.c.id)
            )
            return [JobId(row[0]) for row in rows]

    def _repeat(self, job: JobContext, left: Sequence[CardOutcome]) -> JobId:
        """Enqueue what is left of a chunk, with the attempts that are left.

        The last attempt's part has one more, so that what it ends as is a job to be seen.
        """
        repeat = any(one.verdict is Verdict.REPEAT for one in left)
        moments = [one.paused_until for one in left if one.paused_until is not None]
        run_at: datetime = self._clock.now() + _RETRY_DELAY
        if not repeat and moments:
            run_at = max(run_at, min(moments))
        with unit_of_work(self._database, self._history) as uow:
            job.hold(uow.connection)
            return self._queue().enqueue(
                uow,
                UPDATE_CARDS,
                _args(_source(job), card_ids=[one.card_id for one in left]),
                run_at=run_at,
                dedupe_key=f"{UPDATE_CARDS}:rest:{job.job_id}",
                parent_id=job.job_id,
                max_attempts=max(1, _ATTEMPTS - job.attempt) if repeat else _ATTEMPTS,
            )


def _chunks(step: Step, batch: int, about: int = _CHUNK) -> Iterator[Sequence[int]]:
    """Yield the cards in parts of whole calls and about so many cards."""
    size = max(batch, about - about % batch)
    for start in range(0, len(step.card_ids), size):
        yield step.card_ids[start : start + size]


def _args(source: Source | None, **args: JsonValue) -> dict[str, JsonValue]:
    return args if source is None else {**args, "source": source.value}


def _source(job: JobContext) -> Source | None:
    named = job.args.get("source")
    if named is None:
        return None
    if not isinstance(named, str) or named not in set(Source):
        raise InvalidInput(f"{named!r} is no source: {', '.join(Source)}")
    return Source(named)


def _card_id(value: JsonValue) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InvalidInput(f"{value!r} is no card id")
    return value
