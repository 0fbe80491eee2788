"""Invented sets and cards, and products that name them."""

from tcgtracker.catalog.matching.index import CandidateIndex
from tcgtracker.catalog.matching.matcher import match
from tcgtracker.catalog.matching.values import Candidate, CandidateSet, Decision, Product

NAMES = (
    "Mossling",
    "Emberfox",
    "Tidewhale",
    "Dawnmoth",
    "Cragback",
    "Gloomcap",
    "Sparkit",
    "Froststag",
    "Duneworm",
    "Bramblecat",
)


def a_set(name: str, *codes: str, total: int | None = None, region: str = "") -> CandidateSet:
    return CandidateSet("pokemon", (name,), region=region, codes=codes, total=total)


def cards_of(ours: CandidateSet, *names: str, first: int = 1, letters: str = "") -> list[Candidate]:
    return [
        Candidate(ours, f"{letters}{number}", (name,))
        for number, name in enumerate(names or NAMES, start=first)
    ]


def a_product(name: str, number: str, set_name: str = "", *, code: str = "") -> Product:
    return Product("pokemon", name, number, set_name, code)


def products_of(set_name: str, *names: str, first: int = 1, code: str = "") -> list[Product]:
    return [
        a_product(name, str(number), set_name, code=code)
        for number, name in enumerate(names or NAMES, start=first)
    ]


def decide(products: list[Product], candidates: list[Candidate]) -> tuple[Decision, ...]:
    return match(products, CandidateIndex(candidates)).decisions


def linked(products: list[Product], candidates: list[Candidate]) -> list[int | None]:
    """Return the place of each product's card."""
    return [one.chosen.candidate if one.chosen else None for one in decide(products, candidates)]
