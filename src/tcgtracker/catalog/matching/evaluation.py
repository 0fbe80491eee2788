"""How right the matcher is, counted against pairs that somebody else labelled.

Precision is the right part of what was linked, recall the rightly linked part of all pairs.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tcgtracker.catalog.matching.candidate_files import Candidates
from tcgtracker.catalog.matching.index import CandidateIndex
from tcgtracker.catalog.matching.matcher import match
from tcgtracker.catalog.matching.values import Decision, Product, Verdict

Key = tuple[str, str]
"""Source and id of a product or card: for the judge alone."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A product and the card that it is said to be; `name` is the row's own, for lists of rows."""

    name: str
    kind: str
    left: Key
    right: Key
    product: Product


@dataclass(frozen=True, slots=True)
class Miss:
    """A pair that was linked wrongly, or not at all, and why."""

    pair: Pair
    linked: Key | None
    cause: str


@dataclass(slots=True)
class Figures:
    """Counts of one kind of pairs.

    absent: pairs whose card is not among the candidates. disputed: pairs of a product that the
    list gives several cards, or whose label was shown to be wrong. Neither counts in a figure.
    """

    pairs: int = 0
    right: int = 0
    wrong: int = 0
    unknown: int = 0
    absent: int = 0
    disputed: int = 0
    misses: list[Miss] = field(default_factory=list)

    @property
    def precision(self) -> float:
        linked = self.right + self.wrong
        return self.right / linked if linked else 1.0

    @property
    def recall(self) -> float:
        return self.right / self.pairs if self.pairs else 1.0

    @property
    def abstention(self) -> float:
        return self.unknown / self.pairs if self.pairs else 0.0


def evaluate(
    pairs: Sequence[Pair],
    catalog: Candidates,
    *,
    also: Iterable[tuple[Key, Product]] = (),
    wrong_labels: Collection[str] = (),
) -> dict[str, Figures]:
    """Match the products of each source against the catalog, and count by kind of pair.

    also: products of the same sources without a label, which the vendor sells as well.
    wrong_labels: names of pairs that are shown to be wrong; they are matched and not judged.
    """
    products: dict[str, dict[str, Product]] = defaultdict(dict)
    for (source, identifier), product in also:
        products[source][identifier] = product
    for pair in pairs:
        products[pair.left[0]][pair.left[1]] = pair.product
    decisions: dict[Key, Decision] = {}
    index = CandidateIndex(catalog.candidates)
    for source, group in products.items():
        result = match(list(group.values()), index)
        decisions |= {
            (source, identifier): decision
            for identifier, decision in zip(group, result.decisions, strict=True)
        }
    return judge(pairs, decisions, catalog, wrong_labels=wrong_labels)


def judge(
    pairs: Sequence[Pair],
    decisions: Mapping[Key, Decision],
    catalog: Candidates,
    *,
    wrong_labels: Collection[str] = (),
) -> dict[str, Figures]:
    """Count what is right, wrong and unknown, by kind of pair."""
    known = set(catalog.keys)
    labels: dict[Key, set[Key]] = defaultdict(set)
    for pair in pairs:
        labels[pair.left].add(pair.right)
    figures: dict[str, Figures] = defaultdict(Figures)
    for pair in pairs:
        counted = figures[pair.kind]
        decision = decisions[pair.left]
        linked = catalog.keys[decision.chosen.candidate] if decision.chosen else None
        if len(labels[pair.left]) > 1 or pair.name in wrong_labels:
            counted.disputed += 1
            continue
        if pair.right not in known:
            counted.absent += 1
            if linked:
                counted.misses.append(Miss(pair, linked, "its card is not in the catalog"))
            continue
        counted.pairs += 1
        if linked == pair.right:
            counted.right += 1
            continue
        if decision.verdict is Verdict.UNKNOWN:
            counted.unknown += 1
        else:
            counted.wrong += 1
        shown = decision.chosen or (decision.candidates[0] if decision.candidates else None)
        cause = decision.reason or "linked"
        if shown:
            cause += f": {shown.score:.2f} for {catalog.keys[shown.candidate][1]}: " + ", ".join(
                str(part) for part in shown.parts
            )
        counted.misses.append(Miss(pair, linked, cause))
    return dict(figures)
