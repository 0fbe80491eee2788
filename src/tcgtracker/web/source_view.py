"""What the pages show of a source: how it is, what is left, what its prices may be used for."""

from dataclasses import dataclass

from tcgtracker.integrations.contract import VendorInfo
from tcgtracker.operations.source_status import BreakerState, SourceStatus
from tcgtracker.quotes.runs import LastRun
from tcgtracker.tracker import Tracker


@dataclass(frozen=True, slots=True)
class SourceView:
    """One source; `unset` names the settings it lacks, '' when it is configured."""

    info: VendorInfo
    unset: str
    status: SourceStatus
    last_run: LastRun | None

    @property
    def state(self) -> str:
        """Return the state in one word, which is also its class in the style sheet."""
        if self.unset:
            return "off"
        if self.status.disabled:
            return "stopped"
        if self.status.paused_until is not None:
            return "paused"
        return "ready" if self.status.breaker is BreakerState.CLOSED else "testing"


def load_sources(tracker: Tracker) -> list[SourceView]:
    """Return all sources in the order in which they are shown."""
    return [
        SourceView(one.entry.info, one.entry.disabled, one.status, one.last_run)
        for one in tracker.administration.sources()
    ]
