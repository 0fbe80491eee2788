"""Which of our sets a vendor's set is, learned from the cards that both name alike.

A set's name may be shared by words only (`Dragon`, `Dragon Majesty`), and two sets may print the
same cards under the same numbers (`Base Set`, `Base Set 2`): so neither the name nor a few cards
prove a set. Names that contradict are never overruled by cards.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tcgtracker.catalog.matching.index import CandidateIndex
from tcgtracker.catalog.matching.names import CardName, NameVerdict, compare_names
from tcgtracker.catalog.matching.numbers import CardNumber
from tcgtracker.catalog.matching.set_names import SetVerdict, compare_sets
from tcgtracker.catalog.matching.values import CandidateSet, SetAlias

LEAST_AGREEING = 3
"""Cards that must agree before they say anything of a set whose name does not."""
LEAST_SHARE = 0.8
"""Part of a vendor's set whose cards must agree there."""
FEWEST_OF_NAMESAKE = 0.5
"""A set whose numbers mostly bear other names than the products is a namesake."""
_LEAST_AGAINST = {SetVerdict.SAME: 3, SetVerdict.CODE: 1}
"""Products under other names that make it one; a name is less often another's than a code."""

SAME, CODE, LEARNED, LIKELY, POSSIBLE = 0.40, 0.38, 0.36, 0.32, 0.20
"""What a set counts for a card: with number and name (0.60) all but the last may be trusted."""
_AGREEING = frozenset({NameVerdict.SAME, NameVerdict.BESIDES, NameVerdict.QUALIFIED})


@dataclass(frozen=True, slots=True)
class ReadProduct:
    """A product, read: its place in the list, its number and its name."""

    place: int
    number: CardNumber | None
    name: CardName


@dataclass(frozen=True, slots=True)
class VendorSet:
    """A set as its vendor names it, with the region that was stated or read from its name."""

    game: str
    region: str
    name: str
    code: str


@dataclass(slots=True)
class _Tally:
    """What the products of a vendor's set say for one of ours.

    places: products whose number and name are a card's of it. totals, lettered: those of them that
    state its size, and whose number has letters. against: products whose number another name has.
    bare: only the letters before the numbers, which one side leaves out, are not the same.
    """

    verdict: SetVerdict
    size: int
    places: set[int] = field(default_factory=set)
    without_letters: set[int] = field(default_factory=set)
    totals: int = 0
    lettered: int = 0
    against: int = 0
    bare: bool = False


def learn_aliases(
    groups: Mapping[VendorSet, Sequence[ReadProduct]], index: CandidateIndex
) -> dict[VendorSet, dict[CandidateSet, SetAlias]]:
    """Return which sets of ours each vendor's set may be, with the weight and the evidence."""
    return {theirs: _of_one(theirs, products, index) for theirs, products in groups.items()}


def _of_one(
    theirs: VendorSet, products: Sequence[ReadProduct], index: CandidateIndex
) -> dict[CandidateSet, SetAlias]:
    tallies = _tallies(theirs, products, index)
    numbered = {one.place for one in products if one.number}
    weights = {ours: w for ours, tally in tallies.items() if (w := _stated_weight(tally))}
    # What the sets that the vendor names explain says nothing of others, and the other way round.
    left = numbered.difference(*(tallies[ours].places for ours in weights))
    weights |= {
        ours: weight
        for ours in tallies
        if ours not in weights and (weight := _told_weight(ours, tallies, left, theirs))
    }
    ranked = sorted(weights.items(), key=lambda item: (-item[1], item[0].names, item[0].codes))
    return {
        ours: _alias(theirs, ours, tallies[ours], weight, len(numbered)) for ours, weight in ranked
    }


def _alias(
    theirs: VendorSet, ours: CandidateSet, tally: _Tally, weight: float, products: int
) -> SetAlias:
    agreeing = len(tally.places)
    evidence = (
        f"{agreeing} of {products} products agree with its cards by number and name,"
        f" and it {tally.verdict}"
    )
    return SetAlias(
        theirs.game,
        theirs.name,
        theirs.code,
        ours,
        agreeing,
        products,
        weight,
        tally.bare,
        evidence,
    )


def _tallies(
    theirs: VendorSet, products: Sequence[ReadProduct], index: CandidateIndex
) -> dict[CandidateSet, _Tally]:
    tallies: dict[CandidateSet, _Tally] = {}
    for ours, size in index.sets.get((theirs.game, theirs.region), {}).items():
        verdict = compare_sets(theirs.name, theirs.code, ours)
        if verdict not in (SetVerdict.REPRINT, SetVerdict.CONTRARY):
            tallies[ours] = _Tally(verdict, size)
    for product in products:
        if product.number is not None:
            _count(product, product.number, theirs, tallies, index)
    found = {
        ours: tally
        for ours, tally in tallies.items()
        if tally.places
        or tally.without_letters
        or tally.verdict in (SetVerdict.SAME, SetVerdict.CODE)
    }
    with_letters = {one.place for one in products if one.number and one.number.prefix}
    for ours, tally in found.items():
        if not tally.places and tally.without_letters:
            # One `TG1` beside our `1` says nothing: a gallery counts anew, a promo set as a whole.
            lettered = len(tally.without_letters & with_letters)
            if not lettered or lettered >= LEAST_AGREEING:
                tally.places, tally.bare = tally.without_letters, True
        tally.against = sum(_is_against(product, ours, tally, index) for product in products)
    return found


def _count(
    product: ReadProduct,
    number: CardNumber,
    theirs: VendorSet,
    tallies: Mapping[CandidateSet, _Tally],
    index: CandidateIndex,
) -> None:
    """Note with which sets a product agrees."""
    agreeing = defaultdict(set)
    for known in index.named(theirs.game, theirs.region, number, product.name):
        if any(compare_names(product.name, name) in _AGREEING for name in known.names):
            agreeing[known.candidate.set].add(known.number.prefix)
    for ours, prefixes in agreeing.items():
        if (tally := tallies.get(ours)) is None:
            continue
        if number.prefix in prefixes:
            tally.places.add(product.place)
            tally.totals += bool(ours.total) and number.total == ours.total
            tally.lettered += bool(number.prefix)
        elif index.lettered(ours, number):
            tally.without_letters.add(product.place)


def _is_against(
    product: ReadProduct, ours: CandidateSet, tally: _Tally, index: CandidateIndex
) -> bool:
    """Tell whether a set has the product's number under another name."""
    if product.number is None or product.place in tally.places:
        return False
    prefixes = {known.number.prefix for known in index.numbered(ours, product.number)}
    return bool(prefixes) and (tally.bare or product.number.prefix in prefixes)


def _stated_weight(tally: _Tally) -> float:
    """Return what a set counts whose name or code the vendor gives, 0 for others."""
    agreeing, enough = len(tally.places), _LEAST_AGAINST.get(tally.verdict, 0)
    if tally.against >= enough and agreeing < FEWEST_OF_NAMESAKE * (agreeing + tally.against):
        return 0.0
    return {SetVerdict.SAME: SAME, SetVerdict.CODE: CODE}.get(tally.verdict, 0.0)


def _told_weight(
    ours: CandidateSet,
    tallies: Mapping[CandidateSet, _Tally],
    left: set[int],
    theirs: VendorSet,
) -> float:
    """Return what a set counts of which the cards tell that it is the vendor's, 0 for others.

    left: the products that no set which the vendor names explains.
    """
    tally = tallies[ours]
    agreeing = len(tally.places & left)
    mostly = agreeing >= LEAST_SHARE * len(left)
    if tally.verdict is SetVerdict.WITHIN:
        named = any(one.verdict is SetVerdict.SAME for one in tallies.values())
        if mostly and agreeing >= LEAST_AGREEING:
            return LEARNED
        alone = not named and (tally.totals or (mostly and agreeing > 1))
        return LIKELY if tally.lettered or alone else POSSIBLE
    others = (len(tallies[other].places & left) for other in tallies if other != ours)
    if not mostly or agreeing < LEAST_AGREEING or 2 * max(others, default=0) > agreeing:
        return 0.0
    # Quite another name is another print of the same cards, whose own set we lack.
    told = tally.verdict is SetVerdict.SHARES or not theirs.name
    return LEARNED if told and tally.verdict in (SetVerdict.SHARES, SetVerdict.OTHER) else 0.0
