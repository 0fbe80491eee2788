"""Whether what a vendor says of a product is what we know of a card: exact, never nearly.

Everything here is pure. What cannot be compared is unknown, and unknown proves nothing.
"""

from collections.abc import Collection, Iterable, Set
from dataclasses import dataclass, replace
from enum import StrEnum

from tcgtracker.catalog.names import REPRINTS, SetName, read_name, read_set
from tcgtracker.catalog.numbers import numbers_agree
from tcgtracker.domain.catalog import ProductType
from tcgtracker.integrations.contract import StatedProduct

# TCGplayer's words for pictures that Pokemon numbers apart ("Umbreon VMAX (Alternate Art Secret)").
_NUMBERED_ART = {
    "pokemon": frozenset(
        {
            "full art",
            "alternate art",
            "alternate full art",
            "alternate art secret",
            "secret",
            "secret rare",
        }
    )
}
# A bracket text, and the printings of TCGplayer that it may mean (vendors/README.md section 3).
_BRACKETS: dict[str, tuple[str, ...]] = {
    "1st edition": ("1st Edition", "1st Edition Holofoil", "1st Edition Normal"),
    "first edition": ("1st Edition", "1st Edition Holofoil", "1st Edition Normal"),
    "1st edition holo": ("1st Edition Holofoil",),
    "1st edition holofoil": ("1st Edition Holofoil",),
    "unlimited": ("Unlimited", "Unlimited Holofoil"),
    "unlimited holo": ("Unlimited Holofoil",),
    "unlimited holofoil": ("Unlimited Holofoil",),
    "reverse": ("Reverse Holofoil",),
    "reverse holo": ("Reverse Holofoil",),
    "reverse holofoil": ("Reverse Holofoil",),
    "holo": ("Holofoil",),
    "holofoil": ("Holofoil",),
    "foil": ("Foil",),
    "cold foil": ("Cold Foil",),
    "normal": ("Normal",),
    "non holo": ("Normal",),
}
_FIRST_PRINTS = {"pokemon": frozenset({"1st edition", "first edition"})}
"""Brackets of games whose first print run came before the mark that tells the runs apart: the 1st
Edition of the Base Set has no shadows, and TCGplayer keeps it in "Base Set (Shadowless)"."""
_NEVER_PLAIN = ("1st Edition", "Reverse ")
"""A product that its vendor does not mark is none of these: they are marked."""


class Verdict(StrEnum):
    """What two statements about one thing say to each other."""

    AGREE = "agrees"
    DISAGREE = "disagrees"
    UNKNOWN = "cannot be compared"


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What we know of a card. `set_names`: all names of its set; `codes`: its code and aliases."""

    card_id: int
    game: str
    set_id: int
    region: str
    set_names: tuple[str, ...]
    codes: frozenset[str]
    number: str
    name: str
    product_type: ProductType = ProductType.SINGLE


@dataclass(frozen=True, slots=True)
class Agreement:
    """The verdict on each field, and what the product's brackets say beside the card's name."""

    game: Verdict
    number: Verdict
    name: Verdict
    set: Verdict
    brackets: str
    text: str

    @property
    def contradicts(self) -> bool:
        return Verdict.DISAGREE in (self.game, self.number, self.name, self.set)

    @property
    def proves(self) -> bool:
        """Whether the statement and a shared id together prove the card."""
        numbered = self.number is Verdict.AGREE or self.set is Verdict.AGREE
        return self.name is Verdict.AGREE and numbered and not self.contradicts

    @property
    def proves_alone(self) -> bool:
        """Whether name and number prove the card where the set is known to be the same."""
        return self.name is Verdict.AGREE and self.number is Verdict.AGREE and not self.contradicts


def compare(stated: StatedProduct, card: CardFacts, *, vendor: str, variant: str = "") -> Agreement:
    """Compare a vendor's statement with a card.

    variant: what is known to be special about the shared product id; it explains an aside.
    """
    number = _number(stated, card)
    name, brackets = _name(stated, card, number, variant)
    if f"{vendor}:{stated.set_name}" in card.codes:
        in_set = Verdict.AGREE
    else:
        in_set = _set(stated, card)
        if in_set is Verdict.AGREE:  # [Shadowless] has told the set, and tells no printing of it
            brackets = [text for text in brackets if text not in REPRINTS]
    game = Verdict.AGREE
    if stated.game != card.game or stated.product_type is not card.product_type:
        game = Verdict.DISAGREE
    text = (
        f"number {_shown(stated_number(stated))} {number} with {_shown(card.number)},"
        f" name {name} with {card.name!r}, set {in_set} with {card.set_names[0]!r}"
    )
    if game is Verdict.DISAGREE:
        text += f", {stated.game} {stated.product_type} is no {card.game} {card.product_type}"
    return Agreement(game, number, name, in_set, " ".join(brackets), text)


def may_be_of_another_set(stated: StatedProduct) -> bool:
    """Tell whether its brackets name a print run that may be a set apart from the vendor's."""
    return any(_print_runs(stated))


def stated_number(stated: StatedProduct) -> str:
    """Return the product's collector number, out of its name where no field has it."""
    if any(char.isdigit() for char in stated.number):
        return stated.number
    return read_name(stated.name).number


def printing_of_bracket(bracket: str, known: Collection[str]) -> str:
    """Return the one known printing that a bracket text names, '' for none or several."""
    found = [name for name in _BRACKETS.get(bracket, ()) if name in known]
    return found[0] if len(found) == 1 else ""


def is_printing(bracket: str) -> bool:
    """Tell whether a bracket text names a printing and not a picture, a stamp or a print run."""
    return bracket in _BRACKETS


def printing_named(bracket: str) -> str:
    """Return the printing that a bracket text names where nothing else is known of the card."""
    return _BRACKETS[bracket][0]


def plain_printing(known: Collection[str], brackets: Iterable[str]) -> str:
    """Return the printing of the product without a bracket, '' when it is not certain.

    It is the card's only one, or the one that is left when its siblings' brackets have named all
    others; never one that vendors mark.
    """
    named = {printing_of_bracket(bracket, known) for bracket in brackets}
    left = [name for name in known if name not in named]
    if len(left) == 1 and not left[0].startswith(_NEVER_PLAIN):
        return left[0]
    return ""


def _number(stated: StatedProduct, card: CardFacts) -> Verdict:
    said = stated_number(stated)
    if ProductType.SEALED in (stated.product_type, card.product_type):
        return Verdict.UNKNOWN  # the catalog's id stands in for the number of what has none
    agree = numbers_agree(said, card.number) if said and card.number else None
    if agree is None:
        return Verdict.UNKNOWN
    totals = (said.partition("/")[2].strip(), card.number.partition("/")[2].strip())
    if all(totals) and numbers_agree(*totals) is False:  # 4/102 is not 4/130
        return Verdict.DISAGREE
    return Verdict.AGREE if agree else Verdict.DISAGREE


def _name(
    stated: StatedProduct, card: CardFacts, number: Verdict, variant: str
) -> tuple[Verdict, list[str]]:
    said, known = read_name(stated.name), read_name(card.name)
    beside = {*known.asides, *known.brackets}
    brackets = [text for text in said.brackets if text not in beside]
    if said.plain != known.plain:
        alike = said.words <= known.words or known.words <= said.words
        foreign = said.plain.isascii() != known.plain.isascii()
        empty = not said.plain or not known.plain
        return (Verdict.UNKNOWN if alike or foreign or empty else Verdict.DISAGREE), brackets
    ours = {*said.asides, *said.brackets}
    unexplained: Set[str] = (said.asides - beside) | (beside - ours)
    numbers = [stated_number(stated), card.number]
    if number is Verdict.AGREE:  # TCGplayer: "Overheat (013)" is OP05-013
        numbers += [text.rpartition("-")[2] for text in numbers if "-" in text]
    unexplained = {
        aside for aside in unexplained if not any(numbers_agree(aside, one) for one in numbers)
    }
    if number is Verdict.AGREE:
        unexplained = unexplained - _NUMBERED_ART.get(card.game, frozenset())
    if unexplained and not variant:
        return Verdict.UNKNOWN, brackets
    return Verdict.AGREE, brackets


def _set(stated: StatedProduct, card: CardFacts) -> Verdict:
    if not stated.set_name:
        return Verdict.UNKNOWN
    said = read_set(stated.set_name)
    if said.region is not None and said.region != card.region:
        return Verdict.DISAGREE
    verdicts = {
        _sets(replace(said, words=said.words | run, numbers=said.numbers | run), read_set(name))
        for run in _print_runs(stated)
        for name in card.set_names
        if name
    }
    for verdict in (Verdict.AGREE, Verdict.UNKNOWN, Verdict.DISAGREE):
        if verdict in verdicts:
            return verdict
    return Verdict.UNKNOWN


def _print_runs(stated: StatedProduct) -> list[Set[str]]:
    """Return the words that its brackets may add to the set's name, each a way to read them."""
    brackets = frozenset(read_name(stated.name).brackets)
    told = brackets & REPRINTS
    first = brackets & _FIRST_PRINTS.get(stated.game, frozenset())
    return [told, told | REPRINTS] if first else [told]


def _sets(left: SetName, right: SetName) -> Verdict:
    if left.numbers != right.numbers:
        return Verdict.DISAGREE
    if left.words <= right.words or right.words <= left.words:
        return Verdict.AGREE
    return Verdict.UNKNOWN if left.words & right.words else Verdict.DISAGREE


def _shown(number: str) -> str:
    return number or "(none)"
