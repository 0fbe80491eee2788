"""The account of an intake: every row that was read is counted once."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tcgtracker.integrations.contract import PricePage
from tcgtracker.prices.scope_page import Recorded


@dataclass(slots=True)
class CollectReport:
    """Rows by what became of them, and what the intake did beside.

    rows_read = stored + unchanged + held + skipped + quarantined. `history_rows` counts the rows
    that the history gained: changes, gaps, and values written out for neighbouring looks.
    """

    rows_read: int = 0
    stored: int = 0
    unchanged: int = 0
    held: int = 0
    released: int = 0
    revised: int = 0
    gaps: int = 0
    history_rows: int = 0
    rows_removed: int = 0
    new_series: int = 0
    looks: int = 0
    looks_known: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    quarantined: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    incomplete: list[str] = field(default_factory=list)

    def add(self, page: PricePage, done: Recorded) -> None:
        """Count one recorded page."""
        self.rows_read += page.rows_read
        self.stored += done.stored
        self.unchanged += done.unchanged
        self.held += done.held
        self.released += done.released
        self.revised += done.revised
        self.gaps += done.gaps
        self.history_rows += done.rows_written
        self.rows_removed += done.rows_removed
        self.new_series += done.new_series
        self.looks += 1
        self.looks_known += done.seen_before
        self.skipped.update(page.skipped)
        if done.foreign:
            self.skipped["listed-in-another-scope"] += done.foreign
        self.quarantined.update(row.reason for row in page.rejected)
        self.flags.update(page.flags)
        where = f"{page.source} {page.scope} at {page.observed_at:%Y-%m-%d %H:%M}"
        self.incomplete.extend(f"{where}: {reason}" for reason in page.missing)
        if page.nameless:
            self.incomplete.append(f"{where}: {page.nameless} rows do not say what they price")
        self.incomplete.extend(
            f"{where}: part {part}, which was there before, is missing"
            for part in done.missing_parts
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            "rows_read": self.rows_read,
            "stored": self.stored,
            "unchanged": self.unchanged,
            "held": self.held,
            "skipped": dict(sorted(self.skipped.items())),
            "quarantined": dict(sorted(self.quarantined.items())),
            "released": self.released,
            "revised": self.revised,
            "gaps": self.gaps,
            "history_rows": self.history_rows,
            "rows_removed": self.rows_removed,
            "new_series": self.new_series,
            "looks": self.looks,
            "looks_known": self.looks_known,
            "flags": dict(sorted(self.flags.items())),
            "incomplete": self.incomplete,
        }
