"""Where to read on in a paged listing, and whether all of it was read. No I/O."""

from collections.abc import Mapping, Sequence

LIMIT = 100
"""Rows a call at most (vendors/tcgplayer.md section 3)."""

MAX_PAGES = 1_000


class Walk:
    """One way through a listing by offset; trusts neither the total nor that the pages advance.

    offset: where the next call starts. incomplete: why not everything was read, once `take` ended.
    """

    def __init__(self, id_field: str) -> None:
        self._id_field = id_field
        self._ids: set[object] = set()
        self._nameless = 0
        self._pages = 0
        self.offset = 0
        self.incomplete = ""

    def take(self, rows: Sequence[object], total: int | None) -> bool:
        """Return whether there is more to ask for after this page."""
        before = len(self._ids)
        for row in rows:
            identifier = row.get(self._id_field) if isinstance(row, Mapping) else None
            if isinstance(identifier, int):
                self._ids.add(identifier)
            else:
                self._nameless += 1
        self._pages += 1
        self.offset += len(rows)
        if rows and len(self._ids) == before:
            self.incomplete = f"the pages repeat themselves after {before} rows"
            return False
        at_end = not rows or self.offset >= total if total is not None else len(rows) < LIMIT
        if at_end:
            self.incomplete = self._lack(total)
        elif self._pages >= MAX_PAGES:
            self.incomplete = f"more than {MAX_PAGES} pages"
            return False
        return not at_end

    def _lack(self, total: int | None) -> str:
        found = len(self._ids) + self._nameless
        if total is None:
            return "" if not found else "the vendor does not say how many there are"
        return f"the vendor counts {total} and gave {found} different ones" if found < total else ""
