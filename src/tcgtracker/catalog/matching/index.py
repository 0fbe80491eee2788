"""The cards of ours, found by number and name, and by set and number."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from tcgtracker.catalog.matching.names import CardName, read_card_name
from tcgtracker.catalog.matching.numbers import CardNumber, read_number
from tcgtracker.catalog.matching.values import Candidate, CandidateSet

_Block = tuple[str, int | None, str]


@dataclass(frozen=True, slots=True)
class Known:
    """A candidate, read: its place in the list, its number and its names."""

    place: int
    candidate: Candidate
    number: CardNumber
    names: tuple[CardName, ...]


class CandidateIndex:
    """Blocks of candidates. Those without a number are in none: they cannot be told apart."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self._by_name: dict[tuple[str, str, _Block, str], list[Known]] = defaultdict(list)
        self._by_set: dict[tuple[CandidateSet, _Block], list[Known]] = defaultdict(list)
        self._cores: set[tuple[str, str]] = set()
        self.sets: dict[tuple[str, str], dict[CandidateSet, int]] = defaultdict(dict)
        """Game and region to its sets, each with how many cards it has."""
        self._prefixes: dict[CandidateSet, set[str]] = defaultdict(set)
        for place, candidate in enumerate(candidates):
            ours = candidate.set
            number = read_number(candidate.number)
            sizes = self.sets[ours.game, ours.region]
            sizes[ours] = sizes.get(ours, 0) + 1
            if number is None:
                continue
            names = tuple(
                dict.fromkeys(
                    read_card_name(name, ours.game, candidate.number) for name in candidate.names
                )
            )
            known = Known(place, candidate, number, names)
            self._by_set[ours, number.block].append(known)
            self._prefixes[ours].add(number.prefix)
            for text in {text for name in names for text in (name.core, name.full)}:
                self._cores.add((ours.game, text))
                self._by_name[ours.game, ours.region, number.block, text].append(known)

    def named(self, game: str, region: str, number: CardNumber, name: CardName) -> list[Known]:
        """Return the cards of any set with this number and very name."""
        found = self._by_name.get((game, region, number.block, name.core), [])
        if name.full != name.core:
            also = self._by_name.get((game, region, number.block, name.full), [])
            found = found + [known for known in also if known not in found]
        return found

    def numbered(self, ours: CandidateSet, number: CardNumber) -> list[Known]:
        """Return the cards of a set with this number, whatever letters stand before it."""
        return self._by_set.get((ours, number.block), [])

    def is_name(self, game: str, core: str) -> bool:
        """Tell whether some card has this name: then it is no misspelling of another."""
        return (game, core) in self._cores

    def lettered(self, ours: CandidateSet, number: CardNumber) -> bool:
        """Tell whether one side alone puts letters before the numbers, the same before each."""
        prefixes = self._prefixes[ours]
        return len(prefixes) == 1 and (not number.prefix or prefixes == {""})
