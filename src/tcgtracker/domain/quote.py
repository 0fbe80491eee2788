"""One observation as a vendor states it, and the key under which it is kept."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from tcgtracker.domain.variant import UNKNOWN_LANGUAGE, PriceKind

VALUE_NAMES = ("market_price", "price_low", "price_high", "price_avg", "direct_low")
"""The five figures of a quote, in the order in which every array and tuple holds them."""


class RowState(IntEnum):
    """What a history row says of its moment. Stored as this number: the table is the largest."""

    PRICED = 0
    """The vendor listed the product with these values (each may be empty)."""
    GAP = 1
    """A complete look did not find the product."""
    UNREADABLE = 2
    """The vendor listed it with values that cannot be right; they are in quarantine."""


class HoldState(StrEnum):
    """What became of a held quote."""

    HELD = "held"
    RELEASED = "released"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class PriceValues:
    """The five figures of one quote in minor units; None where the vendor states none."""

    market_price: int | None = None
    price_low: int | None = None
    price_high: int | None = None
    price_avg: int | None = None
    direct_low: int | None = None

    def as_tuple(self) -> tuple[int | None, ...]:
        return (
            self.market_price,
            self.price_low,
            self.price_high,
            self.price_avg,
            self.direct_low,
        )


@dataclass(frozen=True, slots=True)
class Facet:
    """What tells the series of one vendor's product apart, beside its id.

    `sub_key` is the printing as the vendor names it, empty when it names none.
    """

    sub_key: str = ""
    kind: PriceKind = PriceKind.MARKET
    variant: str = "raw"
    language: str = UNKNOWN_LANGUAGE
    currency: str = "USD"
