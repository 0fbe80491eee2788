"""What is handed to the recorder, and what it says became of it."""

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from tcgtracker.database.dialects.base import IntArray
from tcgtracker.domain.quote import Facet
from tcgtracker.domain.source import Source

_DIGEST_SIZE = 8


@dataclass(slots=True)
class ScopePage:
    """Checked rows of one bulk scope at one moment.

    at: epoch seconds. Keys (external_id, facet) are unique; state is RowState PRICED or UNREADABLE.
    parts: the parts of the scope that were read in this look.
    opens, closes: the first and the last page of the look.
    complete: nothing of the scope is missing, so that what was not listed in the look is gone.
    forget_missing: parts known before that are missing now are gone for good (an operator's word),
    so the look counts as complete all the same.
    """

    source: Source
    scope_id: int
    at: int
    external_id: IntArray
    facet: IntArray
    facets: tuple[Facet, ...]
    values: IntArray
    state: IntArray
    parts: frozenset[str] = frozenset()
    opens: bool = True
    closes: bool = True
    complete: bool = True
    forget_missing: bool = False

    def series_at(self, rows: IntArray) -> list[tuple[str, Facet]]:
        """Return external id and facet of some rows."""
        return [
            (str(external_id), self.facets[facet])
            for external_id, facet in zip(
                self.external_id[rows].tolist(), self.facet[rows].tolist(), strict=True
            )
        ]

    def digest(self, *, complete: bool, trust: bool) -> bytes:
        """Return a digest of what the page holds, so that the same page is known again."""
        # The last page of a look in parts is not the same as a whole look that lists as much.
        salt = repr((self.facets, self.opens, self.closes, complete, trust)).encode()
        digest = blake2b(salt, digest_size=_DIGEST_SIZE)
        for array in (self.external_id, self.facet, self.values, self.state):
            digest.update(np.ascontiguousarray(array).data)
        return digest.digest()


@dataclass(slots=True)
class Recorded:
    """What became of a page: `stored + unchanged + held + foreign` are its rows with prices."""

    stored: int = 0
    unchanged: int = 0
    held: int = 0
    foreign: int = 0
    revised: int = 0
    gaps: int = 0
    released: int = 0
    rows_written: int = 0
    rows_removed: int = 0
    new_series: int = 0
    complete: bool = True
    missing_parts: tuple[str, ...] = ()
    seen_before: bool = False
