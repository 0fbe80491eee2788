"""`/livez`: the process runs. `/readyz`: it can do its work, or which check says that it cannot."""

import asyncio
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Literal

import structlog
from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import Response

from tcgtracker.api.errors import RESPONSES, request_id_of
from tcgtracker.api.problem import FieldProblem, Problem, problem_response, problem_type
from tcgtracker.database.engine import Database
from tcgtracker.database.migrate import require_current
from tcgtracker.domain.errors import StorageError
from tcgtracker.tracker import Tracker

log = structlog.get_logger()

DEADLINE_S = 5.0
_NOT_NOW: dict[int | str, dict[str, Any]] = {503: RESPONSES[503]}
_RETRY_AFTER = {"Retry-After": "5"}


class Health(BaseModel):
    """All is well."""

    status: Literal["ok"] = "ok"


@dataclass(frozen=True, slots=True)
class Failure:
    """A check that failed, and what the operator may know of it without reading the log."""

    check: str
    message: str


class Readiness:
    """Runs the checks in a thread of their own, one run at a time however many ask.

    A database that hangs holds one thread, not the server's pool, and nobody waits longer than
    the deadline.
    """

    def __init__(self, tracker: Tracker, deadline_s: float = DEADLINE_S) -> None:
        self._tracker = tracker
        self._deadline_s = deadline_s
        self._lock = threading.Lock()
        self._running: Future[list[Failure]] | None = None

    async def failures(self) -> list[Failure]:
        """Return the failed checks, none when the process is ready."""
        running = asyncio.wrap_future(self._start())
        try:
            return await asyncio.wait_for(asyncio.shield(running), self._deadline_s)
        except TimeoutError:
            return [Failure("database", f"does not answer within {self._deadline_s:g} s")]

    def _start(self) -> "Future[list[Failure]]":
        with self._lock:
            if self._running is None or self._running.done():
                self._running = Future()
                # A daemon: a hung check must not hold up the end of the process.
                threading.Thread(
                    target=self._run, args=(self._running,), name="readiness", daemon=True
                ).start()
            return self._running

    def _run(self, future: "Future[list[Failure]]") -> None:
        try:
            databases = {"database": self._tracker.database}
            if self._tracker.history is not self._tracker.database:
                databases["history"] = self._tracker.history
            found = [item for name, one in databases.items() for item in check_database(name, one)]
        except Exception as exc:  # noqa: BLE001 - handed to those who wait for it
            future.set_exception(exc)
        else:
            future.set_result(found)


def check_database(name: str, database: Database) -> list[Failure]:
    """Return what keeps a database from being used: no answer, another schema, weak durability."""
    if database.path is not None and not database.path.exists():
        return [Failure(name, "there is no database: run 'tcgtracker db upgrade'")]
    try:
        with database.read() as connection:
            problems = database.dialect.durability_problems(connection)
    except StorageError as exc:
        log.warning("readiness.database_failed", database=name, error=str(exc))
        return [Failure(name, "does not answer; the log says why")]
    failures = [Failure(f"{name} durability", problem) for problem in problems]
    try:
        require_current(database)
    except StorageError as exc:
        failures.append(Failure(f"{name} schema", str(exc)))
    return failures


def router(tracker: Tracker) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["health"])
    readiness = Readiness(tracker)

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

    return routes
