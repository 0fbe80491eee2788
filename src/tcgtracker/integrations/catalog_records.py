"""What every catalog file hands over: sets, cards and the vendors' product ids they name."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date

from tcgtracker.domain.catalog import Game, ProductType

MAX_NAME = 500
"""Longest name or number kept: an index row of PostgreSQL holds about 2,700 bytes."""
MAX_URL = 2_000
_EXAMPLES = 5
_SHOWN = 120


class BadRow(Exception):
    """A row of a catalog file that cannot be used; counted and reported with its reason."""


@dataclass(frozen=True, slots=True)
class SetRecord:
    """A set as a catalog names it.

    code: with where it comes from (`tcgdex:intl:base3`), unique in a game.
    name: the vendor's id of the set when the file does not name it (`placeholder`).
    aliases: the same set at other vendors (`tcgplayer:605`), as this catalog says.
    other_names, printed_codes: its names in other languages, and codes such as `OBF`.
    """

    game: Game
    code: str
    region: str
    name: str
    placeholder: bool = False
    series: str = ""
    release_date: date | None = None
    total_cards: int | None = None
    aliases: tuple[str, ...] = ()
    other_names: tuple[str, ...] = ()
    printed_codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProductIdRecord:
    """A TCGplayer product id that a catalog states for a card.

    printing: as TCGplayer names it, empty when the catalog does not fix one.
    variant: what is special about the product (a stamp, a foil pattern), empty for the plain card.
    """

    external_id: str
    printing: str = ""
    variant: str = ""


@dataclass(frozen=True, slots=True)
class CardRecord:
    """A card (or a sealed product) as a catalog names it; texts are exactly the vendor's.

    key: the catalog's own id of the card, with the catalog's name (`tcgdex:intl:base3-1`).
    set: at least the set's id, so that a card of a set not yet known can make it.
    other_names: its names in other languages.
    """

    key: str
    set: SetRecord
    collector_number: str
    name: str
    art: str = ""
    rarity: str = ""
    image_url: str = ""
    product_type: ProductType = ProductType.SINGLE
    printings: tuple[str, ...] = ()
    products: tuple[ProductIdRecord, ...] = ()
    other_names: tuple[str, ...] = ()

    @property
    def catalog(self) -> str:
        return self.key.partition(":")[0]


@dataclass(slots=True)
class RowCounts:
    """What became of the rows of one file: `bad` rows by reason, with a few examples.

    skipped: parts of good rows that say nothing certain (a printing we cannot name).
    """

    read: int = 0
    bad: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def reject(self, line: int, reason: str, raw: object) -> None:
        self.bad[reason] += 1
        if len(self.examples) < _EXAMPLES:
            shown = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
            self.examples.append(f"line {line}: {reason}: {shown[:_SHOWN]!r}")


def clean_text(value: object, what: str, *, limit: int = MAX_NAME) -> str:
    """Return a vendor's text unchanged, '' for none.

    Raises:
        BadRow: no text, too long for an index, or a character that no database keeps.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadRow(f"{what} is no text")
    if len(value) > limit:
        raise BadRow(f"{what} is longer than {limit} characters")
    if "\0" in value:
        raise BadRow(f"{what} holds a NUL character")
    try:
        value.encode()
    except UnicodeEncodeError as exc:
        raise BadRow(f"{what} is no valid Unicode") from exc
    return value


def required_text(value: object, what: str) -> str:
    """Return a vendor's text unchanged.

    Raises:
        BadRow: as `clean_text`, or there is none.
    """
    text = clean_text(value, what)
    if not text.strip():
        raise BadRow(f"{what} is missing")
    return text


def web_address(value: object, what: str) -> str:
    """Return a vendor's http or https address, '' for none and for any other scheme.

    Raises:
        BadRow: as `clean_text`.
    """
    text = clean_text(value, what, limit=MAX_URL).strip()
    fits = text.isprintable() and text.lower().startswith(("https://", "http://"))
    return text if fits and " " not in text else ""


def positive_id(value: object, what: str) -> int:
    """Return a vendor's positive integer id, given as a number or as digits.

    Raises:
        BadRow: it is something else.
    """
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:  # noqa: PLR2004 - fits 64 bits
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**63:
        raise BadRow(f"{what} is no positive integer")
    return value


def iso_date(value: object, what: str) -> date | None:
    """Return the day of an ISO date or date-time (vendors state no zone), None for none.

    Raises:
        BadRow: it is something else.
    """
    text = clean_text(value, what)
    if not text:
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError as exc:
        raise BadRow(f"{what} is no date") from exc
