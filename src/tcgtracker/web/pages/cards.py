"""The page of a card: its price with its provenance, its history, its sources, its links."""

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from tcgtracker.analytics.card_consensus import card_consensus
from tcgtracker.analytics.card_history import CardHistory, card_history
from tcgtracker.analytics.comparison import compare_sources
from tcgtracker.analytics.windows import MAX_DAYS
from tcgtracker.catalog import repository
from tcgtracker.domain.errors import NotFound
from tcgtracker.domain.ids import CardId as CardIdentity
from tcgtracker.domain.money import format_minor
from tcgtracker.domain.quote import VALUE_NAMES
from tcgtracker.domain.source import Source
from tcgtracker.domain.spreadsheet import cell_text
from tcgtracker.quotes.update_jobs import enqueue_card
from tcgtracker.tracker import Tracker
from tcgtracker.web import card_view, filters
from tcgtracker.web.parameters import MAX_ID, CardId, ShortText
from tcgtracker.web.render import Renderer
from tcgtracker.web.visitor import Person

_MOST_BESIDE = 4
Beside = Annotated[list[int] | None, Query(alias="with", max_length=_MOST_BESIDE)]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which series of a card in which window; '' and None do not choose."""

    days: Annotated[int, Query(ge=1, le=MAX_DAYS)] = card_view.DEFAULT_DAYS
    source: Source | None = None
    printing: ShortText = ""
    condition: ShortText = ""
    grade: ShortText = ""


Wish = Annotated[Wanted, Depends()]


def router(tracker: Tracker, renderer: Renderer) -> APIRouter:
    """Return the routes."""
    routes = APIRouter()

    def load(
        connection: Connection, history: Connection, card_id: int, wanted: Wanted, now: datetime
    ) -> CardHistory:
        return card_history(
            connection,
            history,
            tracker.history.dialect,
            card_id,
            days=wanted.days,
            source=wanted.source,
            printing=wanted.printing or None,
            condition=wanted.condition or None,
            grade=wanted.grade or None,
            now=now,
            looks=tracker.looks,
        )

    @routes.get("/cards/{card_id}")
    def card(
        request: Request, card_id: CardId, _account: Person, wanted: Wish, beside: Beside = None
    ) -> Response:
        now = tracker.clock.now()
        with tracker.reading() as (connection, history):
            found = load(connection, history, card_id, wanted, now)
            detail = repository.card_detail(connection, history, CardIdentity(card_id))
            compared = compare_sources(connection, history, card_id, now=now)
            lines = card_view.series_lines(found, now)
            drawn = card_view.drawn_lines(card_id, "", lines)
            beside_it: list[card_view.Drawn] = []
            others = [one for one in beside or () if one != card_id and 1 <= one <= MAX_ID]
            for other in others:
                history_of = load(connection, history, other, Wanted(days=wanted.days), now)
                name = f"{history_of.card.name} {history_of.card.collector_number}".strip()
                own = card_view.series_lines(history_of, now)[:1]
                beside_it.extend(card_view.drawn_lines(other, name, own))
        values = {
            "card": detail.card,
            "detail": detail,
            "found": found,
            "window": found.window,
            "chosen": lines[0] if found.found is not None else None,
            "lines": lines,
            "ladder": card_view.grade_ladder(lines),
            "compared": compared.prices,
            "rows": card_view.history_lines(found.window) if found.window else [],
            "value_names": VALUE_NAMES,
            "drawn": [*drawn[: card_view.FIRST_LINES], *beside_it],
            "drawn_later": drawn[card_view.FIRST_LINES :],
            "ranges": card_view.RANGES,
            "days": wanted.days,
            "beside": others,
            "query": _query(wanted),
        }
        return renderer.page(request, "card", values, block="figures")

    @routes.get("/cards/{card_id}/history.csv")
    def as_csv(card_id: CardId, _account: Person, wanted: Wish) -> Response:
        """The changes of the window, oldest first; amounts are plain decimals."""
        now = tracker.clock.now()
        with tracker.reading() as (connection, history):
            found = load(connection, history, card_id, wanted, now)
        if found.window is None:
            raise NotFound("there is no price history of this card yet")
        name = re.sub(r"[^a-z0-9]+", "-", found.card.name.lower()).strip("-")[:60] or "card"
        return Response(
            _csv(found),
            media_type="text/csv; charset=utf-8",
            headers={
                "Content-Disposition": f'attachment; filename="{name}-{card_id}.csv"',
                "Cache-Control": "no-store",
            },
        )

    @routes.get("/cards/{card_id}/compare")
    def compare(request: Request, card_id: CardId, _account: Person) -> Response:
        now = tracker.clock.now()
        with tracker.reading() as (connection, history):
            card = repository.get_card(connection, CardIdentity(card_id))
            compared = compare_sources(connection, history, card_id, now=now)
            agreed = card_consensus(connection, history, tracker.history.dialect, card_id, now=now)
        shared = [one for one in agreed.things if len(one.consensus.voices) > 1]
        values = {"card": card, "compared": compared.prices, "agreed": shared}
        return renderer.page(request, "compare", values)

    @routes.post("/cards/{card_id}/update")
    def update(card_id: CardId, _account: Person) -> Response:
        """Ask for the newest price; the answer is the page of the job."""
        with tracker.unit_of_work() as uow:
            repository.get_card(uow.connection, CardIdentity(card_id))
            job_id = enqueue_card(tracker.queue, uow, card_id)
        return RedirectResponse(f"/jobs/{job_id}", status_code=303)

    return routes


def _query(wanted: Wanted) -> dict[str, str]:
    """Return what chooses the series, without the window."""
    given = {
        "source": wanted.source.value if wanted.source else "",
        "printing": wanted.printing,
        "condition": wanted.condition,
        "grade": wanted.grade,
    }
    return {name: value for name, value in given.items() if value}


def _csv(found: CardHistory) -> str:
    """Return RFC 4180 lines; a text that a spreadsheet would compute is marked as text."""
    window = found.window
    assert window is not None  # noqa: S101 - asked by the caller
    facet, printing = window.series.facet, found.found.printing if found.found else ""
    said = [
        found.card.name,
        found.card.collector_number,
        found.card.set_name,
        window.series.source.value,
        facet.kind.value,
        printing or facet.sub_key,
        facet.variant,
        facet.currency,
    ]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        ["name", "number", "set", "source", "kind", "printing", "variant", "currency",
         "observed_at", "state", *VALUE_NAMES]
    )  # fmt: skip
    texts = [cell_text(text) for text in said]
    for line in reversed(card_view.history_lines(window, most=len(window.rows))):
        amounts: Iterable[str] = (
            "" if value is None else format_minor(value, facet.currency) for value in line.values
        )
        writer.writerow([*texts, filters.machine_time(line.observed_at), line.state, *amounts])
    return out.getvalue()
