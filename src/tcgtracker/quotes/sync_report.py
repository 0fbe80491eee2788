"""The account of a synchronisation: each vendor and game on its own, failures with their reason."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tcgtracker.catalog.importer import ImportCounts
from tcgtracker.catalog.links import LinkReport
from tcgtracker.catalog.own_sets import OwnSetsReport
from tcgtracker.catalog.statements import StatedReport
from tcgtracker.domain.clock import iso
from tcgtracker.domain.errors import (
    Conflict,
    RetryableVendorError,
    SourcePaused,
    TrackerError,
    Unavailable,
)

_NOTES = 20


@dataclass(slots=True)
class SyncOutcome:
    """What one vendor gave of one game (or set).

    unchanged: the vendor has nothing new, so nothing was fetched. counts: what was done, by name.
    bad: rows that could not be used, by reason. incomplete: why not everything was read.
    """

    vendor: str
    game: str
    unchanged: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    bad: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    incomplete: list[str] = field(default_factory=list)
    error: TrackerError | None = None

    @property
    def failed(self) -> bool:
        return self.error is not None or bool(self.incomplete)

    @property
    def reason(self) -> str:
        return str(self.error) if self.error else "; ".join(self.incomplete)

    @property
    def worth_repeating(self) -> bool:
        """Whether the same again may succeed."""
        if self.error is None:
            return bool(self.incomplete)
        return isinstance(self.error, RetryableVendorError | SourcePaused | Conflict)

    @property
    def not_before(self) -> datetime | None:
        """When the vendor may be asked again, where that is known (aware UTC)."""
        return self.error.until if isinstance(self.error, SourcePaused) else None

    def exception(self) -> TrackerError:
        """Return what to raise for a failed outcome."""
        return self.error or Unavailable(self.vendor, "sync", self.reason)

    def add(self, other: "SyncOutcome") -> None:
        """Take over what the same vendor gave of another set; the first failure stands."""
        self.unchanged = self.unchanged and other.unchanged
        self.counts += other.counts
        self.bad += other.bad
        self.notes = (self.notes + other.notes)[:_NOTES]
        self.incomplete += [one for one in other.incomplete if one not in self.incomplete]
        if other.failed:
            self.counts["sets_failed"] += 1
        self.error = self.error or other.error

    def count_catalog(self, counts: ImportCounts) -> None:
        """Take over what was created and joined; joints that were refused are notes."""
        for name in (
            "sets_created",
            "sets_joined",
            "cards_created",
            "cards_joined",
            "cards_merged",
            "cards_known",
            "printings_created",
        ):
            self.counts[name] += getattr(counts, name)
        self.bad.update(counts.doubts)

    def count_stated(self, report: StatedReport) -> None:
        self.counts["products_claimed"] += report.claimed
        self.counts["products_refused"] += report.refused
        self.counts["products_renamed"] += report.renamed
        self.counts["links_suspended"] += report.suspended
        self.counts["links_restored"] += report.restored
        self.notes += report.notes
        self.count_links(report.links)

    def count_links(self, report: LinkReport) -> None:
        self.counts["links_written"] += report.written

    def count_own_sets(self, report: OwnSetsReport) -> None:
        self.counts["own_sets_joined"] += report.sets_joined
        self.counts["products_claimed"] += report.claimed
        self.counts["products_waiting"] += report.waiting
        self.counts["own_cards_dropped"] += report.dropped
        self.count_stated(report.stated)

    def as_dict(self) -> dict[str, Any]:
        """Return the outcome as JSON values."""
        return {
            "vendor": self.vendor,
            "game": self.game,
            "state": "failed" if self.failed else "unchanged" if self.unchanged else "done",
            "counts": {name: count for name, count in self.counts.items() if count},
            "bad": dict(sorted(self.bad.items())),
            "notes": self.notes,
            "error": self.reason,
            "error_type": type(self.error).__name__ if self.error else "",
            "retry": self.failed and self.worth_repeating,
            "not_before": iso(self.not_before) if self.not_before else None,
        }


@dataclass(slots=True)
class SyncReport:
    """All outcomes of one synchronisation. `idle` says why nothing was asked, '' when it was."""

    subject: str
    outcomes: list[SyncOutcome] = field(default_factory=list)
    idle: str = ""

    def add(self, other: "SyncReport") -> None:
        """Take over the report of another set, vendors and games each in one outcome."""
        for outcome in other.outcomes:
            same = (one for one in self.outcomes if _key(one) == _key(outcome))
            mine = next(same, None)
            if mine is None:
                mine = SyncOutcome(outcome.vendor, outcome.game, unchanged=outcome.unchanged)
                self.outcomes.append(mine)
            mine.add(outcome)

    @property
    def failures(self) -> list[SyncOutcome]:
        return [one for one in self.outcomes if one.failed]

    @property
    def nothing_worked(self) -> bool:
        return bool(self.outcomes) and len(self.failures) == len(self.outcomes)

    def raise_failure(self) -> None:
        """Raise the failure that is worth another try, else the first; nothing without one."""
        failures = sorted(self.failures, key=lambda one: not one.worth_repeating)
        if failures:
            raise failures[0].exception()

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            "sync": self.subject,
            "idle": self.idle,
            "outcomes": [one.as_dict() for one in self.outcomes],
        }


def _key(outcome: SyncOutcome) -> tuple[str, str]:
    return outcome.vendor, outcome.game
