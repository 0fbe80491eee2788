"""The prices of one product -> the rows of its series, for the CSV and the API alike.

Both name the prices by the same keys; the CSV prints dollars, the API counts pennies.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import TypeVar

from tcgtracker.domain.errors import InvalidInput
from tcgtracker.domain.money import MAX_MINOR, divide_half_even, parse_minor
from tcgtracker.domain.quote import VALUE_NAMES, Facet, PriceValues
from tcgtracker.integrations.contract import NO_PRICE
from tcgtracker.integrations.pricecharting.columns import (
    BOXED_CARD_FACET,
    BOXED_FACET,
    CARD_FACETS,
    COMPLETE,
    LADDER,
    LOOSE,
    NEW,
    Product,
)
from tcgtracker.integrations.raw_text import RAW_LENGTH, raw_text

Cell = TypeVar("Cell")

_NO_VALUES = (NO_PRICE,) * len(VALUE_NAMES)
_BOXED_COLUMNS = (COMPLETE, LOOSE, NEW)


class BadPrice(Exception):
    """A price that cannot be right; the text is the reason under which it is refused."""


@dataclass(slots=True)
class Figures:
    """What one product's prices say: minor units by facet in the order of `VALUE_NAMES`.

    refused: facet, reason and the text of each price that cannot be right.
    falling: a grade is cheaper than the one below it.
    """

    rows: dict[Facet, tuple[int, ...]] = field(default_factory=dict)
    refused: list[tuple[Facet, str, str]] = field(default_factory=list)
    falling: bool = False

    def quotes(self) -> dict[Facet, PriceValues]:
        return {
            facet: PriceValues(*(None if minor == NO_PRICE else minor for minor in row))
            for facet, row in self.rows.items()
        }


def read_figures(
    row: Mapping[str, Cell], cents: Callable[[Cell | None], int], kind: Product, *, boxed: bool
) -> Figures:
    """Return the series of a product.

    cents: reads one price, `NO_PRICE` for none, raising `BadPrice`. boxed: read cards too as
    loose, complete and new, instead of as a ladder of grades.
    """
    if kind.is_card and not boxed:
        return _ladder(row, cents)
    return _boxed(row, cents, BOXED_CARD_FACET if kind.is_card else BOXED_FACET)


def _ladder(row: Mapping[str, Cell], cents: Callable[[Cell | None], int]) -> Figures:
    found = Figures()
    prices: dict[str, int] = {}
    for column, facet in CARD_FACETS.items():
        try:
            price = cents(row.get(column))
        except BadPrice as exc:
            raw = f"{column}: {_shown(row.get(column))}"[:RAW_LENGTH]
            found.refused.append((facet, str(exc), raw))
            continue
        # the ungraded row is there even without a price: it says that the card is listed
        if price != NO_PRICE or column == LOOSE:
            found.rows[facet] = (price, *_NO_VALUES[1:])
        if price != NO_PRICE:
            prices[column] = price
    steps = [prices[column] for column in LADDER if column in prices]
    found.falling = any(upper < lower for lower, upper in pairwise(steps))
    return found


def _boxed(row: Mapping[str, Cell], cents: Callable[[Cell | None], int], facet: Facet) -> Figures:
    found = Figures()
    try:
        complete, loose, new = (cents(row.get(column)) for column in _BOXED_COLUMNS)
    except BadPrice as exc:
        raw = "; ".join(f"{column}: {_shown(row.get(column, ''))}" for column in _BOXED_COLUMNS)
        found.refused.append((facet, str(exc), raw[:RAW_LENGTH]))
        return found
    present = NO_PRICE not in (complete, loose, new)
    mean = divide_half_even(complete + loose + new, 3) if present else NO_PRICE
    found.rows[facet] = (complete, loose, new, mean, NO_PRICE)
    return found


def _shown(value: object) -> str:
    """Return a cell for the quarantine, where no control character may go."""
    return value if isinstance(value, str) and value.isprintable() else raw_text(value)


def cents_of_text(text: str | None) -> int:
    """Return the cents of a CSV cell (`$1,234.50`); empty and zero are no price.

    Raises:
        BadPrice: it is no amount, or one that no price has.
    """
    if not text:
        return NO_PRICE
    try:
        minor = parse_minor(text[:RAW_LENGTH], "USD")
    except InvalidInput as exc:
        raise BadPrice("not-an-amount") from exc
    return _plausible(minor or 0)


def cents_of_pennies(value: object) -> int:
    """Return the cents of an API field, which counts pennies; 0, empty and absent are no price.

    A number with a point is refused, `17.0` too: it looks as if the unit had become dollars.

    Raises:
        BadPrice: it is no whole number, or one that no price has.
    """
    if value is None or value == "":
        return NO_PRICE
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadPrice("not-whole-pennies" if isinstance(value, Decimal) else "not-an-amount")
    return _plausible(value)


def _plausible(minor: int) -> int:
    if minor == 0:
        return NO_PRICE
    if minor < 0:
        raise BadPrice("negative-price")
    if minor > MAX_MINOR:
        raise BadPrice("too-large")
    return minor
