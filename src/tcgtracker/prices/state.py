"""What the recorder keeps of a bulk scope, so that a page needs no look-up in the history.

Rebuildable from history; replaced under its version by one recorder at a time. Arrays are parallel
and sorted by `keys`.
"""

from dataclasses import dataclass, field, replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from tcgtracker.database.dialects.base import HistoryRows, IntArray
from tcgtracker.domain.errors import InvalidInput, StorageError
from tcgtracker.domain.quote import Facet, RowState

NEVER = 3
"""State of a series that has no row yet."""
NO_PRICE = -1
_FACET_BITS = 12
_MAX_FACETS = 1 << _FACET_BITS
_MAX_EXTERNAL_ID = 1 << (62 - _FACET_BITS)
_LAYOUT = 1


@dataclass(slots=True)
class ScopeState:
    """The newest row of every series of a scope, and what of an unfinished look was seen.

    keys: external id and facet number in one integer.
    latest: (n, 5) minor units of the newest row; state: its RowState, or NEVER.
    low, high: bounds of every market price the series ever had (NO_PRICE for none).
    seen: listed in the look at `open_at` that is not finished yet.
    parts: the parts of the scope with the epoch second at which each was first seen.
    """

    scope_id: int
    version: int = 0
    last_at: int | None = None
    open_at: int | None = None
    parts: dict[str, int] = field(default_factory=dict)
    facets: list[Facet] = field(default_factory=list)
    keys: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    series: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    latest: IntArray = field(default_factory=lambda: np.empty((0, 5), np.int64))
    state: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    low: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    high: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    seen: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, bool))
    keys_changed: bool = False

    def __len__(self) -> int:
        return len(self.keys)

    def copy(self) -> "ScopeState":
        """Return a copy whose changes leave this one alone (for a page that may be rolled back)."""
        return replace(
            self,
            parts=dict(self.parts),
            facets=list(self.facets),
            latest=self.latest.copy(),
            state=self.state.copy(),
            low=self.low.copy(),
            high=self.high.copy(),
            seen=self.seen.copy(),
            keys_changed=False,
        )

    def page_keys(
        self, external_id: IntArray, facet: IntArray, facets: tuple[Facet, ...]
    ) -> IntArray:
        """Return the keys of a page's rows, learning the facets that are new.

        Raises:
            InvalidInput: an id is no positive integer of this size, or there are too many facets.
        """
        if len(external_id) and (external_id.min() < 1 or external_id.max() >= _MAX_EXTERNAL_ID):
            raise InvalidInput("a product id of a bulk source must be a positive integer")
        numbers = {known: number for number, known in enumerate(self.facets)}
        for one in facets:
            if one not in numbers:
                numbers[one] = len(self.facets)
                self.facets.append(one)
                self.keys_changed = True
        if len(self.facets) > _MAX_FACETS:
            raise InvalidInput(f"more than {_MAX_FACETS} kinds of prices in one scope")
        number_of = np.array([numbers[one] for one in facets] or [0], np.int64)
        return (external_id << _FACET_BITS) | number_of[facet]

    def find(self, keys: IntArray) -> tuple[IntArray, NDArray[np.bool_]]:
        """Return the place of each key, and whether it is known."""
        if not len(self.keys):
            return np.zeros(len(keys), np.int64), np.zeros(len(keys), bool)
        if len(keys) == len(self.keys) and np.array_equal(keys, self.keys):
            return np.arange(len(keys)), np.ones(len(keys), bool)
        place = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return place, self.keys[place] == keys

    def places_of(self, series: IntArray) -> IntArray:
        """Return the places of series that the state knows."""
        order = np.argsort(self.series)
        places: IntArray = order[np.searchsorted(self.series, series, sorter=order)]
        return places

    def add(self, keys: IntArray, series: IntArray) -> None:
        """Take in new keys (not yet known) with their series ids."""
        order = np.argsort(np.concatenate([self.keys, keys]), kind="stable")
        count = len(keys)
        none = np.full(count, NO_PRICE, np.int64)
        self.keys = np.concatenate([self.keys, keys])[order]
        self.series = np.concatenate([self.series, series])[order]
        self.latest = np.concatenate([self.latest, np.full((count, 5), NO_PRICE, np.int64)])[order]
        self.state = np.concatenate([self.state, np.full(count, NEVER, np.int64)])[order]
        self.low = np.concatenate([self.low, none])[order]
        self.high = np.concatenate([self.high, none])[order]
        self.seen = np.concatenate([self.seen, np.zeros(count, bool)])[order]
        self.keys_changed = True

    def missing_parts(self, parts: frozenset[str], at: int, *, forget: bool) -> tuple[str, ...]:
        """Return the parts that were there before a moment and are not among `parts`.

        forget: they are gone for good; none is missing then.
        """
        missing = [part for part, first in self.parts.items() if first < at and part not in parts]
        if forget:
            for part in missing:
                del self.parts[part]
            return ()
        return tuple(sorted(missing))

    def widen(self, place: IntArray, market: IntArray) -> None:
        """Let the bounds of the series at `place` take in their market prices."""
        priced = market >= 0
        place, market = place[priced], market[priced]
        low = self.low[place]
        self.low[place] = np.where(low < 0, market, np.minimum(low, market))
        self.high[place] = np.maximum(self.high[place], market)

    def widen_by_rows(self, rows: HistoryRows) -> None:
        """Let the bounds of the series of these rows take in every market price among them."""
        rows = rows.select((rows.state == RowState.PRICED) & (rows.values[:, 0] >= 0))
        if not len(rows):
            return
        place, market = self.places_of(rows.series_id), rows.values[:, 0]
        self.low[place] = np.where(self.low[place] < 0, market, self.low[place])
        np.minimum.at(self.low, place, market)
        np.maximum.at(self.high, place, market)

    def encode_keys(self) -> bytes:
        head = msgspec.json.encode(self.facets)
        return b"".join(
            [
                np.array([_LAYOUT, len(self.keys), len(head)], "<i8").tobytes(),
                head,
                self.keys.astype("<i8").tobytes(),
                self.series.astype("<i4").tobytes(),
            ]
        )

    def encode_values(self) -> bytes:
        return b"".join(
            [
                self.latest.astype("<i4").tobytes(),
                self.low.astype("<i4").tobytes(),
                self.high.astype("<i4").tobytes(),
                self.state.astype("u1").tobytes(),
                np.packbits(self.seen).tobytes(),
            ]
        )

    def decode(self, keys: bytes, values: bytes) -> None:
        """Fill the arrays from their stored form.

        Raises:
            StorageError: the stored form is not one that this program writes.
        """
        layout, count, head = np.frombuffer(keys, "<i8", 3).tolist()
        expected = 24 + head + 12 * count, 29 * count + (count + 7) // 8
        if layout != _LAYOUT or (len(keys), len(values)) != expected:
            raise StorageError(
                f"the state of scope {self.scope_id} cannot be read:"
                " run 'tcgtracker db rebuild-state'"
            )
        self.facets = msgspec.json.decode(keys[24 : 24 + head], type=list[Facet])
        self.keys = np.frombuffer(keys, "<i8", count, 24 + head).astype(np.int64)
        self.series = np.frombuffer(keys, "<i4", count, 24 + head + 8 * count).astype(np.int64)
        self.latest = np.frombuffer(values, "<i4", 5 * count).astype(np.int64).reshape(count, 5)
        self.low = np.frombuffer(values, "<i4", count, 20 * count).astype(np.int64)
        self.high = np.frombuffer(values, "<i4", count, 24 * count).astype(np.int64)
        self.state = np.frombuffer(values, "u1", count, 28 * count).astype(np.int64)
        self.seen = np.unpackbits(np.frombuffer(values, "u1", -1, 29 * count), count=count).astype(
            bool
        )

    @property
    def listed(self) -> NDArray[np.bool_]:
        """Which series stand as listed in their newest row."""
        listed: NDArray[np.bool_] = (self.state == RowState.PRICED) | (
            self.state == RowState.UNREADABLE
        )
        return listed
