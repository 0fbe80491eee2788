"""Money as integer minor units of one currency. No float enters or leaves here."""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from fractions import Fraction

from tcgtracker.domain.errors import InvalidInput

# ISO 4217:2015 list one, the currencies whose minor unit is not 1/100.
_EXPONENTS = {
    "BHD": 3, "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "IQD": 3, "ISK": 0, "JOD": 3, "JPY": 0,
    "KMF": 0, "KRW": 0, "KWD": 3, "LYD": 3, "OMR": 3, "PYG": 0, "RWF": 0, "TND": 3, "UGX": 0,
    "UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
}  # fmt: skip
_DEFAULT_EXPONENT = 2
_CODE = re.compile(r"[A-Z]{3}")
# `1,234.56`, `1234.56`, `1234`, `.5`; grouping must be in threes so that `12,34` is no amount.
_AMOUNT = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?")

MAX_MINOR = 2**31 - 1
"""The largest amount a price column holds, in minor units (the columns are int4)."""


def exponent_of(currency: str) -> int:
    """Return the number of decimal places of the currency's minor unit.

    Raises:
        InvalidInput: the code is not three capital letters.
    """
    if not _CODE.fullmatch(currency):
        raise InvalidInput(
            f"{currency!r} is not a currency code: use three capital letters, as USD"
        )
    return _EXPONENTS.get(currency, _DEFAULT_EXPONENT)


def minor_from_decimal(amount: Decimal, currency: str) -> int:
    """Return the amount in minor units, rounded half-even.

    Raises:
        InvalidInput: the amount is not finite.
    """
    if not amount.is_finite():
        raise InvalidInput(f"{amount} is not an amount")
    scaled = amount.scaleb(exponent_of(currency))
    return int(scaled.to_integral_value(rounding=ROUND_HALF_EVEN))


def exact_minor(amount: Decimal, currency: str) -> int:
    """Return the amount in minor units, which it must have exactly.

    Raises:
        InvalidInput: it has more decimal places than the currency.
    """
    minor = minor_from_decimal(amount, currency)
    if Decimal(minor).scaleb(-exponent_of(currency)) != amount:
        places = exponent_of(currency)
        raise InvalidInput(f"{amount} is no amount in {currency}, which has {places} decimals")
    return minor


def divide_half_even(number: int, divisor: int) -> int:
    """Return the integer nearest to a quotient, ties to the even one; the divisor is above 0.

    The one rounding of exact results.
    """
    whole, rest = divmod(number, divisor)
    up = 2 * rest > divisor or (2 * rest == divisor and whole % 2 == 1)
    return whole + up


def parse_minor(text: str, currency: str) -> int | None:
    """Return minor units of an amount as vendors print it, None when there is none.

    Accepts a leading dollar sign, thousands commas and surrounding blanks (`$1,234.50 `); empty
    text means no price. Nothing else is guessed: a euro sign or a decimal comma is an error.

    Raises:
        InvalidInput: the text is not an amount.
    """
    stripped = text.strip()
    if not stripped:
        return None
    digits = stripped.removeprefix("$").strip() if currency == "USD" else stripped
    if not _AMOUNT.fullmatch(digits) or not any(char.isdigit() for char in digits):
        raise InvalidInput(f"{text.strip()[:40]!r} is not an amount in {currency}")
    try:
        amount = Decimal(digits.replace(",", ""))
    except InvalidOperation as exc:  # the pattern above admits only what Decimal reads
        raise InvalidInput(f"{text.strip()[:40]!r} is not an amount in {currency}") from exc
    return minor_from_decimal(amount, currency)


def format_minor(minor: int, currency: str) -> str:
    """Return the decimal text of an amount: `1234` USD is `12.34`, JPY `1234`."""
    exponent = exponent_of(currency)
    if not exponent:
        return str(minor)
    sign = "-" if minor < 0 else ""
    whole, part = divmod(abs(minor), 10**exponent)
    return f"{sign}{whole}.{part:0{exponent}d}"


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount of one currency in its minor unit."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        exponent_of(self.currency)

    def _same(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise InvalidInput(f"cannot mix {self.currency} and {other.currency}")

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __mul__(self, quantity: int) -> "Money":
        return Money(self.minor * quantity, self.currency)

    def __truediv__(self, other: "Money") -> Fraction:
        """Return the ratio of two amounts, which is no money."""
        self._same(other)
        return Fraction(self.minor, other.minor)

    def __lt__(self, other: "Money") -> bool:
        self._same(other)
        return self.minor < other.minor

    def __str__(self) -> str:
        return format_minor(self.minor, self.currency)
