"""When a list of pages ends, and what to believe of a vendor's own word about that."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tcgtracker.integrations.justtcg.payloads import PagePayload

MOST_PAGES = 500
"""Of one list. The largest real one (Magic's sets, 20 a page) has 22."""


@dataclass(slots=True)
class Paging:
    """The state of one list. `incomplete` says why it ended early, '' when it did not."""

    offset: int = 0
    more: bool = True
    incomplete: str = ""
    _pages: int = 0
    _seen: set[str] = field(default_factory=set)

    def take(self, ids: Sequence[str], meta: PagePayload | None, *, asked: int | None) -> None:
        """Note a page: the ids of its rows, what the vendor says of it, how many were asked for.

        A page with nothing new would come again and again; a page that starts elsewhere than
        asked, a total that is not reached, or too many pages end the list as incomplete.
        """
        meta = meta or PagePayload()
        fresh = set(ids) - self._seen
        self._seen |= fresh
        self._pages += 1
        if meta.offset is not None and meta.offset != self.offset:
            self._stop(f"asked for the rows from {self.offset}, got those from {meta.offset}")
            return
        self.offset += len(ids)
        more = self._more(len(ids), meta, asked)
        short = meta.total is not None and len(self._seen) < meta.total
        if more and not fresh:
            self._stop(f"a page without anything new after {len(self._seen)} rows")
        elif not more and short:
            self._stop(f"ends after {len(self._seen)} of {meta.total} rows")
        elif more and self._pages >= MOST_PAGES:
            self._stop(f"more than {MOST_PAGES} pages")
        else:
            self.more = more

    def _more(self, rows: int, meta: PagePayload, asked: int | None) -> bool:
        if meta.has_more is not None:
            return meta.has_more
        if meta.total is not None:
            return self.offset < meta.total
        # nothing said: a full page may have a successor, an unlimited answer is the whole
        return asked is not None and rows >= asked

    def _stop(self, reason: str) -> None:
        self.more = False
        self.incomplete = reason
