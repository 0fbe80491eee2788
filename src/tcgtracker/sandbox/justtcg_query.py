"""What a call of JustTCG asks for, checked."""

from collections.abc import Mapping
from dataclasses import dataclass

IDENTIFIERS = (
    "variantId",
    "tcgplayerSkuId",
    "tcgplayerId",
    "mtgjsonId",
    "scryfallId",
    "cardId",
)
"""In their order of precedence (vendors/justtcg.md section 3.3)."""
_CONDITIONS = {
    "s": "Sealed",
    "nm": "Near Mint",
    "lp": "Lightly Played",
    "mp": "Moderately Played",
    "hp": "Heavily Played",
    "dmg": "Damaged",
}
_DURATIONS = {"7d": 7, "30d": 30, "90d": 90, "180d": 180, "1y": 365}
_PERIODS = ("7d", "30d", "90d", "1y", "allTime")
_FLAGS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which variants, and what of them. history_days 0: no history. conditions empty: all."""

    kind: str
    id: str
    conditions: frozenset[str]
    printings: frozenset[str]
    history_days: int
    periods: frozenset[str]
    null_prices: bool
    min_price: float
    updated_after: int


def wanted(given: Mapping[str, str]) -> Wanted:
    """Read the parameters of a lookup or of one item of a batch.

    Raises:
        ValueError: a value that the vendor does not take.
    """
    kind = next((name for name in IDENTIFIERS if given.get(name)), "")
    duration = given.get("priceHistoryDuration", "7d")
    if duration not in _DURATIONS:
        raise ValueError(f'Invalid "priceHistoryDuration": one of {", ".join(_DURATIONS)}')
    periods = frozenset(_listed(given, "include_statistics") or _PERIODS)
    if not periods <= set(_PERIODS):
        raise ValueError(f'Invalid "include_statistics": of {", ".join(_PERIODS)}')
    names = {name.casefold() for name in _listed(given, "condition")}
    conditions = frozenset(_CONDITIONS.get(name, name.title()) for name in names)
    if not conditions <= set(_CONDITIONS.values()):
        raise ValueError('Invalid "condition"')
    return Wanted(
        kind,
        given.get(kind, ""),
        conditions,
        frozenset(name.casefold() for name in _listed(given, "printing")),
        _DURATIONS[duration] if _flag(given, "include_price_history", default=True) else 0,
        periods,
        _flag(given, "include_null_prices", default=False),
        _number(given, "min_price"),
        int(_number(given, "updated_after")),
    )


def whole(given: Mapping[str, str], name: str, default: int) -> int:
    """Return a count.

    Raises:
        ValueError: not a plain number.
    """
    text = given.get(name, "") or str(default)
    if not (text.isascii() and text.isdigit() and len(text) <= len("999999999")):
        raise ValueError(f'Invalid "{name}"')
    return int(text)


def one_of(given: Mapping[str, str], name: str, *values: str) -> str:
    """Return one of the values, the first one when nothing is given.

    Raises:
        ValueError: another value.
    """
    value = given.get(name) or values[0]
    if value not in values:
        raise ValueError(f'Invalid "{name}": one of {", ".join(values)}')
    return value


def _listed(given: Mapping[str, str], name: str) -> list[str]:
    return [part.strip() for part in given.get(name, "").split(",") if part.strip()]


def _flag(given: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = given.get(name, "").lower()
    if text and text not in _FLAGS:
        raise ValueError(f'Invalid "{name}": true or false')
    return _FLAGS.get(text, default)


def _number(given: Mapping[str, str], name: str) -> float:
    text = given.get(name, "") or "0"
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f'Invalid "{name}"') from None
    if not 0 <= value < 1e12:  # noqa: PLR2004 - neither NaN nor infinite
        raise ValueError(f'Invalid "{name}"')
    return value
