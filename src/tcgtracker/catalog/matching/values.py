"""What the matcher compares and what it answers."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Product:
    """A product in its vendor's words. Empty is unsaid.

    printing: as the vendor names it; products of one card that differ in it are no rivals.
    region: `asia` or '' (international), None where the vendor does not tell.
    price: the market price in minor units of `currency`.
    """

    game: str
    name: str
    number: str = ""
    set_name: str = ""
    set_code: str = ""
    rarity: str = ""
    printing: str = ""
    region: str | None = None
    price: int | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True)
class CandidateSet:
    """A set of ours. names: in each language; codes: as printed; total: of the regular numbers."""

    game: str
    names: tuple[str, ...]
    region: str = ""
    codes: tuple[str, ...] = ()
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A card of ours. names: in each language; art: '' for the base picture."""

    set: CandidateSet
    number: str
    names: tuple[str, ...]
    art: str = ""
    rarity: str = ""
    price: int | None = None
    currency: str = ""


class Verdict(StrEnum):
    """What became of a product."""

    LINKED = "linked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Part:
    """One reason of a score: what was compared, what it said, what it counts."""

    what: str
    said: str
    weight: float

    def __str__(self) -> str:
        return f"{self.what} {self.said} ({self.weight:+.2f})"


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate, by its place in the list, that a product may be.

    variant: what the product's name says beyond the card's, such as a stamp.
    """

    candidate: int
    variant: str
    parts: tuple[Part, ...]

    @property
    def score(self) -> float:
        """Return the sum of the parts, 0 to 1."""
        return round(min(1.0, max(0.0, sum(part.weight for part in self.parts))), 4)


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of one product: `chosen` is None unless it is linked.

    candidates: those that came into question, best first, for a person to choose from.
    """

    verdict: Verdict
    reason: str
    chosen: Scored | None
    candidates: tuple[Scored, ...]


@dataclass(frozen=True, slots=True)
class SetAlias:
    """A vendor's set that is one of ours, and what says so.

    agreeing: products whose number and name are a card's of this set, out of `products`.
    bare: one side leaves out the letters before the numbers (`50` is `SWSH050`).
    """

    game: str
    name: str
    code: str
    set: CandidateSet
    agreeing: int
    products: int
    weight: float
    bare: bool
    evidence: str
