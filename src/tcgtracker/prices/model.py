"""The definition of the price history, as a small pure model: slow, obvious, and right.

It keeps every observation as it was handed in and answers from them what any moment reads. The
databases and the sealed form are tested against it. ADR 0001 holds the same definitions in words.
"""

from bisect import bisect_right
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tcgtracker.prices.reading import Answer, Reading

Values = tuple[int | None, ...]
NO_VALUES: Values = (None, None, None, None, None)


@dataclass(frozen=True, slots=True)
class Listing:
    """What an observation says of one listed series; unreadable values are None and no price."""

    values: Values = NO_VALUES
    readable: bool = True


@dataclass(slots=True)
class HistoryModel:
    """One product family: series that share a bulk scope, each also in an item scope of its own.

    `interval_s` is the source's refresh interval in seconds; moments are epoch seconds.
    """

    interval_s: int
    bulk: list[tuple[int, bool, dict[Hashable, Listing]]] = field(default_factory=list)
    items: list[tuple[int, Hashable, Listing]] = field(default_factory=list)

    def observe_bulk(
        self, at: int, listed: Mapping[Any, Listing], *, complete: bool = True
    ) -> None:
        """Take in one look at the whole scope, or at the part of it that could be read."""
        self.bulk.append((at, complete, dict(listed)))

    def observe_item(self, at: int, series: Hashable, listing: Listing) -> None:
        """Take in one look at one series."""
        self.items.append((at, series, listing))

    def statements(self, series: Hashable) -> dict[int, Listing | None]:
        """Return what is said of a series at each moment when it was looked at; None = absent.

        For one moment the statement that came in last counts. A product belongs to the scope once
        that has listed it; looks at the scope say nothing of products that it never listed.
        """
        said: dict[int, Listing | None] = {}
        belongs = any(series in listed for _, _, listed in self.bulk)
        for at, complete, listed in self.bulk:
            if series in listed:
                said[at] = listed[series]
            elif complete and belongs:
                said[at] = None
        said.update({at: listing for at, which, listing in self.items if which == series})
        return dict(sorted(said.items()))

    def reading(self, series: Hashable, moment: int) -> Reading:
        """Return what a moment reads."""
        said = self.statements(series)
        looks = list(said)
        place = bisect_right(looks, moment) - 1
        if place < 0:
            return Reading(Answer.NOT_OBSERVED)
        look = looks[place]
        if look != moment:
            within_span = (
                place + 1 < len(looks) and 2 * (looks[place + 1] - look) <= 3 * self.interval_s
            )
            if not within_span:
                return Reading(Answer.NOT_OBSERVED)
        listing = said[look]
        if listing is None:
            return Reading(Answer.GAP)
        if not listing.readable:
            return Reading(Answer.UNREADABLE)
        return Reading(Answer.PRICED, listing.values)
