"""Updates of prices: one card while the caller waits, many as a job."""

import asyncio
import time
from typing import Annotated, Any

import numpy as np
from anyio import to_thread
from fastapi import APIRouter, Query, Response

from tcgtracker.api import parameters
from tcgtracker.api import update_schemas as schemas
from tcgtracker.api.authentication import Asking
from tcgtracker.api.errors import RESPONSES
from tcgtracker.database.tables.operations import JobState
from tcgtracker.domain.errors import Conflict, NotFound, RetryableVendorError
from tcgtracker.domain.ids import JobId
from tcgtracker.domain.money import format_minor
from tcgtracker.domain.source import Source
from tcgtracker.domain.variant import PriceKind, is_graded
from tcgtracker.operations import repository as jobs
from tcgtracker.operations.errors import Postpone
from tcgtracker.operations.values import JobRecord
from tcgtracker.prices.plan import NO_PRICE
from tcgtracker.prices.rows import FAR_FUTURE, rows_in_force
from tcgtracker.quotes.due_cards import existing
from tcgtracker.quotes.live_updates import LiveUpdates
from tcgtracker.quotes.outcomes import CardOutcome, Outcome, ShownPrice
from tcgtracker.quotes.update_jobs import enqueue_cards
from tcgtracker.tracker import Tracker

_ONE: dict[int | str, dict[str, Any]] = {
    status: RESPONSES[status] for status in (401, 403, 404, 409, 422, 429, 503)
}
_MANY: dict[int | str, dict[str, Any]] = {
    status: RESPONSES[status] for status in (401, 403, 404, 422, 503)
}
_ENDED = frozenset({JobState.DONE, JobState.DEAD, JobState.CANCELLED})
_LOOK_S = 0.1

AskedSource = Annotated[
    schemas.AskedSource | None,
    Query(description="asked first; the configured order when left out"),
]
WaitS = Annotated[int, Query(description="seconds to wait for the result", ge=0, le=60)]


def router(tracker: Tracker, live: LiveUpdates) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["updates"])

    @routes.post("/prices/update/bulk", status_code=202, summary="Update many", responses=_MANY)
    async def bulk(
        wish: schemas.BulkUpdate, response: Response, _account: Asking, wait: WaitS = 0
    ) -> schemas.BulkAccepted:
        """Update cards in the background; the job says what became of each.

        With `wait`, the answer is 200 and holds the results when the job ends in time.
        """
        rejected, job = await to_thread.run_sync(_enqueue, tracker, wish)
        if job is None:
            raise NotFound("none of these cards is known")
        until = time.monotonic() + wait
        while job.state not in _ENDED and time.monotonic() < until:
            await asyncio.sleep(_LOOK_S)
            job = await to_thread.run_sync(_show, tracker, job.id)
        if job.state in _ENDED:
            response.status_code = 200
        return schemas.BulkAccepted(
            job_id=job.id,
            status_url=f"/api/v1/jobs/{job.id}",
            accepted=len(set(wish.card_ids)) - len(rejected),
            rejected=rejected,
            state=job.state.value,
            result=job.result if job.state is JobState.DONE else None,
        )

    @routes.post("/prices/update/{card_id}", summary="Update a card now", responses=_ONE)
    async def update(
        card_id: parameters.CardIdPath, _account: Asking, source: AskedSource = None
    ) -> schemas.PriceResponse:
        """Ask the sources in their order until one answers.

        When none does, the last known price comes back, marked stale; 503 when there is none.
        """
        wanted = None if source is None else Source(source.value)
        outcome = await live.update(card_id, wanted)
        return await to_thread.run_sync(_answer, tracker, outcome)

    return routes


def _enqueue(
    tracker: Tracker, wish: schemas.BulkUpdate
) -> tuple[list[schemas.Rejected], JobRecord | None]:
    wanted = list(dict.fromkeys(wish.card_ids))
    source = None if wish.source is None else Source(wish.source.value)
    with tracker.unit_of_work() as uow:
        known = existing(uow.connection, wanted)
        rejected = [
            schemas.Rejected(card_id=card_id, reason="there is no such card")
            for card_id in wanted
            if card_id not in known
        ]
        if not known:
            return rejected, None
        accepted = [card_id for card_id in wanted if card_id in known]
        job_id = enqueue_cards(tracker.queue, uow, accepted, source=source)
        job = jobs.show(uow.connection, job_id)
    return rejected, job


def _show(tracker: Tracker, job_id: JobId) -> JobRecord:
    with tracker.database.read() as connection:
        return jobs.show(connection, job_id)


def _answer(tracker: Tracker, outcome: CardOutcome) -> schemas.PriceResponse:
    """Return the answer for an outcome.

    Raises:
        NotFound: no such card.
        Conflict: no trusted link leads to a price.
        VendorError: no source answers, and no price is known.
    """
    card = f"card {outcome.card_id}"
    if outcome.outcome is Outcome.UNKNOWN:
        raise NotFound(f"there is no {card}")
    if outcome.outcome is Outcome.NO_TRUSTED_LINK:
        raise Conflict(f"no-trusted-link: {card}: {outcome.fallback_reason}")
    price = outcome.price
    if price is None:
        error = outcome.error()
        if error is None or isinstance(error, Postpone):
            error = RetryableVendorError("update", card, outcome.fallback_reason)
        raise error
    graded = is_graded(price.variant)
    low, high, average = _beside(tracker, price)
    return schemas.PriceResponse(
        card_id=outcome.card_id,
        source=price.source,
        market_price=_amount(price.market_price, price),
        price_low=_amount(low, price),
        price_high=_amount(high, price),
        price_avg=_amount(average, price),
        currency=price.currency,
        kind=PriceKind(price.kind),
        condition=None if graded else price.variant,
        grade=price.variant if graded else None,
        printing=price.printing or None,
        timestamp=price.observed_at,
        fetched_at=tracker.clock.now(),
        age_s=None if outcome.age is None else int(outcome.age.total_seconds()),
        stale=outcome.stale,
        held=outcome.outcome is Outcome.HELD,
        fallback_reason=outcome.fallback_reason or None,
    )


def _beside(tracker: Tracker, price: ShownPrice) -> tuple[int | None, int | None, int | None]:
    """Return low, high and average of the row whose market price is shown, None each otherwise."""
    with tracker.reading() as (_, history):
        rows = rows_in_force(
            history, tracker.history.dialect, np.array([price.series_id], np.int64), FAR_FUTURE
        )
    if not len(rows) or int(rows.values[0, 0]) != price.market_price:
        return None, None, None
    low, high, average = (
        None if value == NO_PRICE else value for value in rows.values[0, 1:4].tolist()
    )
    return low, high, average


def _amount(minor: int | None, price: ShownPrice) -> str | None:
    return None if minor is None else format_minor(minor, price.currency)
