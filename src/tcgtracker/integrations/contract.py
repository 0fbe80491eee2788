"""What every vendor's parser hands over."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from tcgtracker.domain.quote import Facet
from tcgtracker.domain.source import Source

IntArray = NDArray[np.int64]

MAX_EXTERNAL_ID = 2**50 - 1
"""The largest product id of a bulk source (the recorder keeps id and facet in one integer)."""

NO_PRICE = -1
"""Stands for an absent price in arrays of minor units (a price is never negative)."""


@dataclass(frozen=True, slots=True)
class ProductText:
    """How the vendor describes a product; text only, never trusted as markup."""

    name: str = ""
    set_name: str = ""
    number: str = ""
    rarity: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A vendor row whose content cannot be right. It goes to quarantine with its reason.

    `facet` is None when the row does not even say which series it is of.
    """

    external_id: str
    facet: Facet | None
    reason: str
    raw: str


@dataclass(slots=True)
class PricePage:
    """Rows of one bulk scope at one moment, as columns of equal length.

    external_id: positive integers, the vendor's product ids.
    facet: index into `facets` for each row.
    values: (n, 5) minor units in the order of `domain.quote.VALUE_NAMES`, `NO_PRICE` for none.
    observed_at: when the vendor says it was true (aware UTC, whole seconds).
    parts: the units of the scope that were read (groups, consoles); a scope that lacks a part it
        had before is incomplete.
    missing: why the scope is incomplete, empty when everything of it was read.
    skipped: rows that are no prices, counted by reason.
    texts: the vendor's description by external id, where the file carries it.
    """

    source: Source
    scope: str
    observed_at: datetime
    external_id: IntArray
    facet: IntArray
    facets: tuple[Facet, ...]
    values: IntArray
    parts: frozenset[str] = frozenset()
    missing: tuple[str, ...] = ()
    rejected: list[RejectedRow] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    texts: dict[int, ProductText] = field(default_factory=dict)
    flags: Counter[str] = field(default_factory=Counter)

    @property
    def nameless(self) -> int:
        """How many rows do not say which series they are of: any of the missing may be one."""
        return sum(row.facet is None for row in self.rejected)

    @property
    def rows_read(self) -> int:
        return len(self.external_id) + len(self.rejected) + self.skipped.total()
