"""What a process counts and measures, in the names that Prometheus reads.

Each tracker has a registry of its own: there is no global one, so two can live in one process.

Several processes on one host are read as one when `METRICS_FOLDER` names a folder for their
numbers: each keeps its own in files there, also the children that Celery forks, and whoever is
asked adds them up and folds those of ended processes into one. The folder must be empty when the
host starts: its files are of one boot.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tcgtracker.domain.errors import InvalidInput
from tcgtracker.runtime.metric_files import settled

if TYPE_CHECKING:  # imported late: whether it counts in files is decided at its import
    from prometheus_client.metrics_core import Metric

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_VENDOR_S = (0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30)
_JOB_S = (0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800)
_HTTP_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10)


@dataclass(frozen=True, slots=True)
class Sample:
    """A number that is looked up when somebody asks, the same whoever is asked."""

    name: str
    labels: dict[str, str]
    value: float


SAMPLED = {
    "tcgtracker_vendor_quota_remaining": "Calls left of a vendor's quota in the window.",
    "tcgtracker_breaker_state": "0 closed, 1 half-open, 2 open.",
    "tcgtracker_job_queue_depth": "Jobs that are due and wait for a worker.",
    "tcgtracker_dead_jobs": "Jobs that were given up and wait for somebody.",
}
"""The metrics that are read from the database when they are asked for."""

Look = Callable[[], Iterable[Sample]]


class Metrics:
    """The counters of one tracker. Safe to use from many threads.

    folder: see above; '' counts in memory alone.

    Raises:
        InvalidInput: the folder cannot be used, or was named too late.
    """

    def __init__(self, folder: str = "") -> None:
        if folder:
            _count_in_files(folder)
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        self.registry: CollectorRegistry = CollectorRegistry()
        self._folder = folder

        def counter(name: str, about: str, *labels: str) -> Counter:
            return Counter(f"tcgtracker_{name}", about, labels, registry=self.registry)

        def histogram(name: str, about: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(
                f"tcgtracker_{name}", about, labels, registry=self.registry, buckets=buckets
            )

        self.price_updates = counter(
            "price_updates", "Cards asked for at a source, by how it ended.", "source", "outcome"
        )
        self.vendor_seconds = histogram(
            "vendor_request_seconds", "Time of a call.", _VENDOR_S, "source", "operation"
        )
        self.vendor_requests = counter(
            "vendor_requests", "Calls by status, or by why there is none.", "source", "status"
        )
        self.breaker_transitions = counter(
            "breaker_transitions", "How often a breaker opened and closed.", "source", "to"
        )
        self.pool_in_use = Gauge(
            "tcgtracker_db_pool_in_use",
            "Database connections in use.",
            ("database",),
            registry=self.registry,
            multiprocess_mode="livesum",
        )
        self.pool_size = Gauge(
            "tcgtracker_db_pool_size",
            "Database connections that there may be.",
            ("database",),
            registry=self.registry,
            multiprocess_mode="livesum",
        )
        self.cache_requests = counter("cache_requests", "Looks into the cache.", "result")
        self.jobs = counter("jobs", "Attempts at jobs, by how they ended.", "name", "state")
        self.job_seconds = histogram("job_seconds", "Time of an attempt.", _JOB_S, "name")
        self.price_points = counter("price_points", "Prices recorded as new or changed.", "source")
        self.quarantined = counter(
            "quarantined", "Rows of vendors that could not be used.", "source", "reason"
        )
        self.http_seconds = histogram(
            "http_request_seconds", "Time of an answer.", _HTTP_S, "route", "status"
        )

    def names(self) -> frozenset[str]:
        """Return the names of all series, as a query writes them."""
        found = set(SAMPLED)
        for metric in self.registry.collect():
            suffixes = {
                "counter": ("_total",),
                "histogram": ("_bucket", "_sum", "_count"),
            }.get(metric.type, ("",))
            found |= {f"{metric.name}{suffix}" for suffix in suffixes}
        return frozenset(found)

    def render(self, look: Look = tuple) -> bytes:
        """Return everything in Prometheus' text format; `look` gives what is looked up now."""
        from prometheus_client import CollectorRegistry, generate_latest

        shown = CollectorRegistry()
        if self._folder:
            from prometheus_client.multiprocess import MultiProcessCollector

            shown.register(_Looked(look))
            looked_up = generate_latest(shown)
            counted = CollectorRegistry()
            MultiProcessCollector(counted, self._folder)  # type: ignore[no-untyped-call]
            with settled(Path(self._folder)):
                return generate_latest(counted) + looked_up
        shown.register(self.registry)
        shown.register(_Looked(look))
        return generate_latest(shown)

    def value(self, name: str, /, **labels: str) -> float:
        """Return a number of this process, 0 when nothing was counted."""
        return self.registry.get_sample_value(name, labels) or 0.0


class _Looked:
    def __init__(self, look: Look) -> None:
        self._look = look

    def collect(self) -> "Iterator[Metric]":
        from prometheus_client.core import GaugeMetricFamily

        families: dict[str, GaugeMetricFamily] = {}
        for sample in self._look():
            family = families.setdefault(
                sample.name,
                GaugeMetricFamily(sample.name, SAMPLED[sample.name], labels=list(sample.labels)),
            )
            family.add_metric(list(sample.labels.values()), sample.value)
        yield from families.values()


def _count_in_files(folder: str) -> None:
    import sys

    path = Path(folder)
    if "prometheus_client" in sys.modules and os.environ.get(_FOLDER) != folder:
        raise InvalidInput("METRICS_FOLDER: this process counts elsewhere already")
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as exc:
        raise InvalidInput(f"METRICS_FOLDER={folder}: {exc.strerror}") from exc
    os.environ[_FOLDER] = folder
