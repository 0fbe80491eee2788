"""How each part of the program is: databases, cache, queue, sources. No secret, no address."""

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, Field

from tcgtracker import __version__
from tcgtracker.api.catalog_schemas import Moment
from tcgtracker.api.checking import SharedCheck
from tcgtracker.api.database_checks import Failure, check_databases
from tcgtracker.operations.queue_depth import load_depth
from tcgtracker.operations.source_status import SourceStatus, load_statuses
from tcgtracker.quotes.vendors import VendorEntry
from tcgtracker.runtime.ports import Cache
from tcgtracker.tracker import Tracker

DEADLINE_S = 4.0
_PROBE_TTL_S = 10


class HealthStatus(StrEnum):
    """Of the whole: `degraded` works, slower or with fewer sources."""

    OK = "ok"
    DEGRADED = "degraded"
    FAILED = "failed"


class SourceHealth(StrEnum):
    """Whether a source is called."""

    READY = "ready"
    PAUSED = "paused"
    STOPPED = "stopped"
    NOT_CONFIGURED = "not-configured"


class Fault(BaseModel):
    """A check that failed."""

    check: str
    message: str


class Databases(BaseModel):
    """The main and the history database."""

    ok: bool
    faults: list[Fault]


class CacheReport(BaseModel):
    """Where answers are kept for a while."""

    kind: Annotated[str, Field(examples=["memory", "redis"])]
    ok: bool


class QueueReport(BaseModel):
    """Background jobs."""

    waiting: int
    due: Annotated[int, Field(description="of those waiting: due already")]
    running: int
    dead: int
    oldest_due_age_s: Annotated[int | None, Field(description="how long the oldest is due")]


class QuotaReport(BaseModel):
    """Calls of a period."""

    period: str
    used: int
    allowed: int
    resets_at: Moment


class SourceReport(BaseModel):
    """One source as a service."""

    source: str
    state: SourceHealth
    breaker: Annotated[str, Field(examples=["closed", "open", "half-open"])]
    paused_until: Moment | None
    quota: list[QuotaReport]
    last_ok_at: Moment | None
    last_error_at: Moment | None


class HealthReport(BaseModel):
    """How each part is. Of a database that fails, queue and sources are not known."""

    status: HealthStatus
    version: str
    databases: Databases
    cache: CacheReport
    jobs: QueueReport | None
    sources: list[SourceReport]


class Report:
    """Makes the report, one at a time, within the deadline."""

    def __init__(self, tracker: Tracker, deadline_s: float = DEADLINE_S) -> None:
        self._tracker = tracker
        self._deadline_s = deadline_s
        self._check = SharedCheck(self._make, name="health", deadline_s=deadline_s)

    async def load(self) -> HealthReport:
        """Return the report; a database that hangs has failed."""
        try:
            return await self._check.result()
        except TimeoutError:
            late = Failure("database", f"does not answer within {self._deadline_s:g} s")
            return self._failed([late], cache_ok=True)

    def _make(self) -> HealthReport:
        cache_ok = _answers(self._tracker.cache)
        failures = check_databases(self._tracker)
        if failures:
            return self._failed(failures, cache_ok=cache_ok)
        now = self._tracker.clock.now()
        with self._tracker.database.read() as connection:
            depth = load_depth(connection, now)
            statuses = load_statuses(connection, self._tracker.plans, now)
        entries = {entry.info.vendor: entry for entry in self._tracker.vendors.entries()}
        sources = [
            _source(one, entries[one.service], now) for one in statuses if one.service in entries
        ]
        lame = any(one.state in (SourceHealth.PAUSED, SourceHealth.STOPPED) for one in sources)
        well = cache_ok and not lame and not depth.dead
        return HealthReport(
            status=HealthStatus.OK if well else HealthStatus.DEGRADED,
            version=__version__,
            databases=Databases(ok=True, faults=[]),
            cache=self._cache(ok=cache_ok),
            jobs=QueueReport(
                waiting=depth.waiting,
                due=depth.due,
                running=depth.running,
                dead=depth.dead,
                oldest_due_age_s=None
                if depth.oldest_due_at is None
                else max(0, int((now - depth.oldest_due_at).total_seconds())),
            ),
            sources=sources,
        )

    def _failed(self, failures: list[Failure], *, cache_ok: bool) -> HealthReport:
        faults = [Fault(check=one.check, message=one.message) for one in failures]
        return HealthReport(
            status=HealthStatus.FAILED,
            version=__version__,
            databases=Databases(ok=False, faults=faults),
            cache=self._cache(ok=cache_ok),
            jobs=None,
            sources=[],
        )

    def _cache(self, *, ok: bool) -> CacheReport:
        return CacheReport(kind="redis" if self._tracker.settings.redis.url else "memory", ok=ok)


def _answers(cache: Cache) -> bool:
    """Tell whether the cache gives back what it is given: down, it only ever misses."""
    value = uuid.uuid4().bytes
    key = f"health:probe:{value.hex()}"  # of this check alone
    cache.set(key, value, ttl_s=_PROBE_TTL_S)
    kept = cache.get(key) == value
    cache.delete(key)
    return kept


def health_of(status: SourceStatus, entry: VendorEntry, now: datetime) -> SourceHealth:
    """Return whether a source is called, in a word."""
    if entry.disabled:
        return SourceHealth.NOT_CONFIGURED
    if status.disabled:
        return SourceHealth.STOPPED
    if status.paused_until is not None and status.paused_until > now:
        return SourceHealth.PAUSED
    return SourceHealth.READY


def _source(status: SourceStatus, entry: VendorEntry, now: datetime) -> SourceReport:
    return SourceReport(
        source=status.service,
        state=health_of(status, entry, now),
        breaker=status.breaker,
        paused_until=status.paused_until,
        quota=[
            QuotaReport(
                period=one.period,
                used=one.used,
                allowed=one.allowed,
                resets_at=one.resets_at,
            )
            for one in status.budgets
        ],
        last_ok_at=status.last_ok_at,
        last_error_at=status.last_error_at,
    )
