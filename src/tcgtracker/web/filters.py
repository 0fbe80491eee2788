"""Money, moments, changes as people read them: the only formatting of the pages."""

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

from tcgtracker.analytics.ratios import UNGRADED
from tcgtracker.domain.clock import from_epoch, iso
from tcgtracker.domain.money import format_minor
from tcgtracker.domain.variant import RAW as POOLED
from tcgtracker.domain.variant import SEALED, Condition, PriceKind

NOTHING = "–"
_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_VARIANTS = {
    POOLED: "Ungraded",
    UNGRADED: "Ungraded",
    SEALED: "Sealed",
    Condition.NEAR_MINT.value: "Near Mint",
    Condition.LIGHTLY_PLAYED.value: "Lightly Played",
    Condition.MODERATELY_PLAYED.value: "Moderately Played",
    Condition.HEAVILY_PLAYED.value: "Heavily Played",
    Condition.DAMAGED.value: "Damaged",
}
_SOURCES = {
    "pricecharting": "PriceCharting",
    "justtcg": "JustTCG",
    "tcgplayer": "TCGplayer",
    "tcgcsv": "TCGCSV",
    "ebay": "eBay",
    "manual": "Manual",
}
_KINDS = {
    PriceKind.MARKET: "market price",
    PriceKind.GUIDE: "guide price",
    PriceKind.ASK: "asking price",
    PriceKind.BOXED: "boxed price",
    PriceKind.MANUAL: "manual price",
}
_GAMES = {
    "pokemon": "Pokémon",
    "onepiece": "One Piece",
    "magic": "Magic",
    "yugioh": "Yu-Gi-Oh!",
    "lorcana": "Lorcana",
}
Moment = datetime | int | None


def money(minor: int | None, currency: str) -> str:
    """Return an amount of minor units as `$1,234.50`."""
    if minor is None:
        return NOTHING
    whole, point, part = format_minor(abs(minor), currency).partition(".")
    shown = f"{int(whole):,}{point}{part}"
    sign = "−" if minor < 0 else ""
    if currency in _SIGNS:
        return f"{sign}{_SIGNS[currency]}{shown}"
    return f"{sign}{shown} {currency}"


def signed_money(minor: int | None, currency: str) -> str:
    """Return a change of an amount with its sign."""
    return f"+{money(minor, currency)}" if minor and minor > 0 else money(minor, currency)


def percent(change: Fraction | str | None) -> str:
    """Return a change as `+12.3 %`; a fraction is a part of one, a text is per cent already."""
    if change is None:
        return NOTHING
    if isinstance(change, Fraction):
        change_pct = Decimal(change.numerator * 100) / Decimal(change.denominator)
    else:
        change_pct = Decimal(change)
    shown = f"{abs(change_pct):,.1f} %"
    if not change_pct:
        return shown
    return ("+" if change_pct > 0 else "−") + shown


def direction(change: Fraction | str | int | None) -> str:
    """Return the class of a change: `up`, `down` or `flat`."""
    value = Decimal(change) if isinstance(change, str) else change
    if not value:
        return "flat"
    return "up" if value > 0 else "down"


def ratio(value: Fraction | None) -> str:
    """Return a ratio of two prices as `1.25×`."""
    if value is None:
        return NOTHING
    return f"{Decimal(value.numerator) / Decimal(value.denominator):.2f}×"


def share(part: float) -> str:
    """Return a part of one as `85 %`."""
    return f"{part * 100:.0f} %"


def count(number: int | None) -> str:
    return NOTHING if number is None else f"{number:,}"


def plural(number: int, one: str, many: str = "") -> str:
    """Return `1 card`, `2 cards`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def machine_time(moment: Moment) -> str:
    """Return a moment for machines: `2026-11-22T18:00:00Z`."""
    found = _moment(moment)
    return "" if found is None else iso(found.replace(microsecond=0))


def full_time(moment: Moment) -> str:
    """Return a moment as `22 Nov 2026, 18:00 UTC`."""
    found = _moment(moment)
    return "never" if found is None else f"{day(found)}, {found:%H:%M} UTC"


def day(moment: Moment | date) -> str:
    """Return a day as `22 Nov 2026`."""
    if moment is None:
        return NOTHING
    found = from_epoch(moment) if isinstance(moment, int) else moment
    return f"{found.day} {found:%b %Y}"


def ago(moment: Moment, now: datetime) -> str:
    """Return how long ago a moment was, or how far ahead it is."""
    found = _moment(moment)
    if found is None:
        return "never"
    seconds = int((now - found).total_seconds())
    shown = duration(abs(seconds))
    if shown == "0 s":
        return "just now"
    return f"{shown} ago" if seconds > 0 else f"in {shown}"


def duration(seconds: int) -> str:
    """Return a length of time in its largest unit."""
    if seconds >= 2 * _DAY:
        return f"{seconds // _DAY} d"
    if seconds >= 2 * _HOUR:
        return f"{seconds // _HOUR} h"
    if seconds >= 2 * _MINUTE:
        return f"{seconds // _MINUTE} min"
    return f"{seconds} s"


def variant(text: str) -> str:
    """Return a state of a card in words: `raw` is Ungraded, `psa-10` is PSA 10."""
    if text in _VARIANTS:
        return _VARIANTS[text]
    grader, _, rest = text.partition("-")
    number, _, label = rest.partition("-")
    name = "Grade" if grader == "any" else grader.upper()
    return " ".join(part for part in (name, number, label.capitalize()) if part)


def source(name: str) -> str:
    """Return a source as it writes itself."""
    return _SOURCES.get(name, name)


def kind(name: str) -> str:
    """Return what sort of figure it is, in words."""
    return _KINDS[PriceKind(name)]


def game(slug: str) -> str:
    """Return the short name of a game."""
    return _GAMES.get(slug, slug)


def words(name: str) -> str:
    """Return a name of the program as words: `update_all_card_prices`, `not-found`."""
    return name.replace("_", " ").replace("-", " ").capitalize()


def _moment(moment: Moment) -> datetime | None:
    if isinstance(moment, int):
        return from_epoch(moment)
    return None if moment is None else moment.astimezone(UTC)


FILTERS = {
    one.__name__: one
    for one in (
        money,
        signed_money,
        percent,
        direction,
        ratio,
        share,
        count,
        plural,
        machine_time,
        full_time,
        day,
        ago,
        duration,
        variant,
        source,
        kind,
        game,
        words,
    )
}
