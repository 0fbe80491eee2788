"""From products and cards to decisions: read, learn the sets, score, assign, abstain."""

import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from tcgtracker.catalog.matching.aliases import ReadProduct, VendorSet, learn_aliases
from tcgtracker.catalog.matching.index import CandidateIndex
from tcgtracker.catalog.matching.names import read_card_name
from tcgtracker.catalog.matching.numbers import read_number
from tcgtracker.catalog.matching.score import score
from tcgtracker.catalog.matching.set_names import read_set_name
from tcgtracker.catalog.matching.values import (
    CandidateSet,
    Decision,
    Product,
    Scored,
    SetAlias,
    Verdict,
)

RULE_VERSION = "words-1"
TRUSTED = 0.85
"""Least score of a link."""
MARGIN = 0.03
"""By how much the best must beat the next."""
_SHOWN = 5
_FIRST_OF_ASIA = "\u2e80"
"""The first of the characters of Chinese, Japanese and Korean."""


@dataclass(frozen=True, slots=True)
class Matching:
    """One decision a product, in the order of the products, and the sets that were learned."""

    decisions: tuple[Decision, ...]
    aliases: tuple[SetAlias, ...]


def match(products: Sequence[Product], index: CandidateIndex) -> Matching:
    """Decide which card each product is. The products are one vendor's: they are rivals."""
    groups: dict[VendorSet, list[ReadProduct]] = defaultdict(list)
    for place, product in enumerate(products):
        name = read_card_name(product.name, product.game, product.number)
        read = ReadProduct(place, read_number(product.number), name)
        groups[_vendor_set(product)].append(read)
    aliases = learn_aliases(groups, index)
    scored: list[list[Scored]] = [[] for _ in products]
    for theirs, group in groups.items():
        for read in group:
            scored[read.place] = _scored(products[read.place], read, aliases[theirs], index)
    decisions = _assign(products, scored)
    learned = [alias for group in aliases.values() for alias in group.values()]
    return Matching(
        tuple(decisions),
        tuple(sorted(learned, key=lambda one: (one.game, one.name, one.code, one.set.names))),
    )


def _vendor_set(product: Product) -> VendorSet:
    region = product.region
    if region is None:
        region = read_set_name(product.set_name).region if product.set_name else None
    if region is None:
        region = "" if product.name.isascii() or _latin(product.name) else "asia"
    return VendorSet(product.game, region, product.set_name, product.set_code)


def _latin(text: str) -> bool:
    return not any(char >= _FIRST_OF_ASIA for char in unicodedata.normalize("NFKC", text))


def _scored(
    product: Product,
    read: ReadProduct,
    aliases: dict[CandidateSet, SetAlias],
    index: CandidateIndex,
) -> list[Scored]:
    if read.number is None:
        return []
    found = [
        one
        for alias in aliases.values()
        for known in index.numbered(alias.set, read.number)
        if (one := score(product, read.number, read.name, known, alias, index))
    ]
    return sorted(found, key=lambda one: (-one.score, one.candidate))


def _assign(products: Sequence[Product], scored: Sequence[Sequence[Scored]]) -> list[Decision]:
    """Give each card to the one product that fits it best, in each printing; else to none."""
    claims: dict[tuple[int, str, str], list[tuple[float, int]]] = defaultdict(list)
    first: dict[int, Scored] = {}
    reasons: dict[int, str] = {}
    for place, found in enumerate(scored):
        reason = _doubt(products[place], found)
        if reason:
            reasons[place] = reason
            continue
        first[place] = found[0]
        claims[found[0].candidate, found[0].variant, products[place].printing].append(
            (found[0].score, place)
        )
    for group in claims.values():
        if len(group) == 1:
            continue
        ranked = sorted(group, reverse=True)
        alone = _ahead(ranked[0][0], ranked[1][0])
        for _, place in ranked[1:] if alone else ranked:
            reasons[place] = f"{len(group)} products say that they are this card"
            del first[place]
    return [
        Decision(
            Verdict.LINKED if place in first else Verdict.UNKNOWN,
            reasons.get(place, ""),
            first.get(place),
            tuple(found[:_SHOWN]),
        )
        for place, found in enumerate(scored)
    ]


def _doubt(product: Product, found: Sequence[Scored]) -> str:
    """Return why the best candidate is not to be trusted, '' when it is."""
    if not found:
        if read_number(product.number) is None:
            return "it has no number"
        return "no card of a set that it may be of has its number and name"
    best = found[0]
    if best.score < TRUSTED:
        return "the best candidate is not sure enough"
    others = [one for one in found[1:] if one.candidate != best.candidate]
    if others and not _ahead(best.score, others[0].score):
        return "several cards fit as well"
    return ""


def _ahead(first: float, second: float) -> bool:
    return round(first - second, 4) >= MARGIN
