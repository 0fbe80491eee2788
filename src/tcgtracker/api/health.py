"""`/livez`: the process runs. `/readyz`: it can do its work, or which check says that it cannot.

`/health`: the same with the detail, for people and dashboards; it names no secret and no address.
"""

from typing import Any, Literal

import structlog
from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import Response

from tcgtracker.api.checking import SharedCheck
from tcgtracker.api.database_checks import Failure, check_databases
from tcgtracker.api.errors import RESPONSES, request_id_of
from tcgtracker.api.health_report import HealthReport, HealthStatus, Report
from tcgtracker.api.problem import FieldProblem, Problem, problem_response, problem_type
from tcgtracker.tracker import Tracker

log = structlog.get_logger()

DEADLINE_S = 4.0
"""Readiness is told within 5 s, the way there and back included."""
_NOT_NOW: dict[int | str, dict[str, Any]] = {503: RESPONSES[503]}
_RETRY_AFTER = {"Retry-After": "5"}


class Health(BaseModel):
    """All is well."""

    status: Literal["ok"] = "ok"


class Readiness:
    """Says whether the process can do its work, in time even when a database hangs."""

    def __init__(self, tracker: Tracker, deadline_s: float = DEADLINE_S) -> None:
        self._deadline_s = deadline_s
        self._check = SharedCheck(
            lambda: check_databases(tracker), name="readiness", deadline_s=deadline_s
        )

    async def failures(self) -> list[Failure]:
        """Return the failed checks, none when the process is ready."""
        try:
            return await self._check.result()
        except TimeoutError:
            return [Failure("database", f"does not answer within {self._deadline_s:g} s")]


def router(tracker: Tracker) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["health"])
    readiness, report = Readiness(tracker), Report(tracker)

    @routes.get("/livez", summary="Does the process run?")
    async def livez() -> Health:
        return Health()

    @routes.get("/readyz", summary="Can it do its work?", response_model=Health, responses=_NOT_NOW)
    async def readyz(request: Request) -> Health | Response:
        failures = await readiness.failures()
        if not failures:
            return Health()
        problem = Problem(
            type=problem_type("not-ready"),
            title="Not ready",
            status=503,
            detail="; ".join(f"{failure.check}: {failure.message}" for failure in failures),
            request_id=request_id_of(request),
            errors=[FieldProblem(where=item.check, message=item.message) for item in failures],
        )
        return problem_response(problem, dict(_RETRY_AFTER))

    @routes.get(
        "/health",
        summary="How is each part?",
        response_model=HealthReport,
        responses={503: {"model": HealthReport, "description": "A database cannot be used."}},
    )
    async def health(response: Response) -> HealthReport:
        """Answer 200 while the databases work: without the cache all is slower, not wrong."""
        found = await report.load()
        response.headers["Cache-Control"] = "no-store"
        if found.status == HealthStatus.FAILED:
            response.status_code = 503
            response.headers.update(_RETRY_AFTER)
        return found

    return routes
