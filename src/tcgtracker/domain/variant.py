"""What state of a card is priced, and what kind of figure the vendor states.

A variant is text: `raw` (the vendor pools raw conditions), a condition, `sealed`, or a grade such
as `psa-10`, `any-9.5` (graders pooled), `bgs-10-black` (a labelled ten).
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from tcgtracker.domain.errors import InvalidInput


class PriceKind(StrEnum):
    """What sort of figure it is; prices of two kinds are never mixed."""

    MARKET = "market"
    GUIDE = "guide"
    ASK = "ask"
    BOXED = "boxed"
    MANUAL = "manual"


class Condition(StrEnum):
    """The ungraded state of a card, TCGplayer's scale."""

    NEAR_MINT = "nm"
    LIGHTLY_PLAYED = "lp"
    MODERATELY_PLAYED = "mp"
    HEAVILY_PLAYED = "hp"
    DAMAGED = "dmg"


RAW = "raw"
SEALED = "sealed"
UNKNOWN_LANGUAGE = "und"
"""BCP 47 for "the vendor does not say"."""

_GRADE = re.compile(r"([a-z]+)-(10|[1-9](?:\.5)?)(?:-([a-z]+))?")


@dataclass(frozen=True, slots=True)
class Grade:
    """A grader's verdict: `psa` 10, `any` 9.5, `bgs` 10 `black`."""

    grader: str
    number: Decimal
    label: str = ""

    def __str__(self) -> str:
        return f"{self.grader}-{self.number}" + (f"-{self.label}" if self.label else "")


def parse_grade(text: str) -> Grade:
    """Return the grade of a variant; accepts `PSA 10`, `psa_10`, `bgs-9.5`.

    Raises:
        InvalidInput: it is not a grade.
    """
    found = _GRADE.fullmatch(re.sub(r"[\s_]+", "-", text.strip().lower()))
    if not found:
        raise InvalidInput(f"{text!r} is not a grade: write it as psa-10 or any-9.5")
    grader, number, label = found.groups()
    return Grade(grader, Decimal(number), label or "")


def parse_variant(text: str) -> str:
    """Return the stored form of a variant.

    Raises:
        InvalidInput: it is neither raw, sealed, a condition nor a grade.
    """
    lowered = text.strip().lower()
    if lowered in (RAW, SEALED) or lowered in set(Condition):
        return lowered
    return str(parse_grade(text))


def is_graded(variant: str) -> bool:
    """Tell whether a variant is a grade: neither raw, nor sealed, nor a condition."""
    return variant not in _PREFERRED


_PREFERRED = (
    RAW,
    Condition.NEAR_MINT.value,
    SEALED,
    *(one.value for one in Condition if one is not Condition.NEAR_MINT),
)


def variant_rank(variant: str) -> int:
    """Return the order in which prices are preferred: raw, nm, sealed, the worse, then grades."""
    return _PREFERRED.index(variant) if variant in _PREFERRED else len(_PREFERRED)


_KIND_ORDER = (PriceKind.MARKET, PriceKind.GUIDE, PriceKind.BOXED, PriceKind.ASK, PriceKind.MANUAL)


def kind_rank(kind: PriceKind) -> int:
    """Return the order in which a headline price prefers kinds."""
    return _KIND_ORDER.index(kind)
