"""Pairs of whole catalogs that were labelled by ids alone, and a world in which cards are missing.

`python -m tests.integration.matching.held_out FOLDER` prints the figures on the real data there.
"""

import csv
import gzip
import json
import random
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tcgtracker.catalog.matching.candidate_files import Candidates, read_candidates
from tcgtracker.catalog.matching.evaluation import Figures, Key, Pair, evaluate
from tcgtracker.catalog.matching.index import CandidateIndex
from tcgtracker.catalog.matching.matcher import match
from tcgtracker.catalog.matching.numbers import CardNumber, read_number
from tcgtracker.catalog.matching.values import Product
from tests.peak_memory import peak_mib

FORMS = ("name and code", "name", "code", "address")
"""How a vendor may say its set."""
_POKEMON = 3


@dataclass(frozen=True)
class HeldOut:
    """Labelled pairs, and products of the same vendor that no id labels."""

    pairs: list[Pair]
    others: list[tuple[Key, Product]]


def tcgdex(folder: Path) -> Candidates:
    return read_candidates(
        [folder / "tcgdex" / "sets.ndjson.gz", folder / "tcgdex" / "cards.ndjson.gz"]
    )


def pokemontcg_pairs(folder: Path) -> HeldOut:
    """The whole catalog of pokemontcg.io: by TCGplayer's group or the set's own id, and number."""
    groups, _ = _groups(folder)
    by_group: dict[str, list[str]] = defaultdict(list)
    by_id: dict[str, str] = {}
    for one in _lines(folder / "tcgdex" / "sets.ndjson.gz"):
        if one["region"] == "international":
            by_id[_plain_id(one["id"])] = one["id"]
            by_group[str((one.get("thirdParty") or {}).get("tcgplayer"))].append(one["id"])
    numbers: dict[tuple[str, CardNumber | None], list[str]] = defaultdict(list)
    for card in _lines(folder / "tcgdex" / "cards.ndjson.gz"):
        if card["region"] == "international":
            numbers[card["setId"], read_number(card["localId"])].append(card["id"])
    with gzip.open(folder / "pokemon-tcg-data" / "sets.json.gz") as stream:
        sets = {one["id"]: one for one in json.load(stream)}
    found = HeldOut([], [])
    for card in _lines(folder / "pokemon-tcg-data" / "cards.ndjson.gz"):
        theirs = sets[card["set"]]
        product = Product(
            "pokemon",
            card["name"],
            card["number"],
            theirs["name"],
            theirs.get("ptcgoCode") or "",
            card.get("rarity") or "",
        )
        ours = {name for group in groups[card["set"]] for name in by_group.get(group, ())}
        if len(ours) != 1:
            ours = {by_id[plain]} if (plain := _plain_id(card["set"])) in by_id else set()
        cards = [one for name in ours for one in numbers[name, read_number(card["number"])]]
        left = ("pokemontcg", card["id"])
        if len(cards) == 1:
            found.pairs.append(Pair(card["id"], "pokemontcg", left, ("tcgdex", cards[0]), product))
        else:
            found.others.append((left, product))
    return found


def tcgcsv_pairs(folder: Path) -> HeldOut:
    """TCGplayer's groups: by the product id that TCGdex states, where a card has one product."""
    _, names = _groups(folder)
    products = Counter(
        identifier
        for card in _lines(folder / "tcgdex" / "cards.ndjson.gz")
        for identifier in [_plain_product(card)]
        if identifier
    )
    found = HeldOut([], [])
    for one in _lines(folder / "tcgcsv" / "products_assembled_3.ndjson.gz"):
        stated = {field["name"]: field["value"] for field in one["extendedData"]}
        product = Product(
            "pokemon",
            one["name"],
            stated.get("Number", ""),
            names.get(str(one["groupId"]), ""),
            rarity=stated.get("Rarity", ""),
        )
        left, card = ("tcgplayer", str(one["productId"])), one["_assembled"]["tcgdexId"]
        # The file repeats a card's name for its stamped products, which TCGplayer does not.
        if products[str(one["productId"])] == 1 and product.set_name:
            found.pairs.append(Pair(left[1], "tcgcsv", left, ("tcgdex", card), product))
    return found


def tcgplayer_pairs(folder: Path) -> HeldOut:
    """TCGplayer's own names: by the product id that TCGdex states."""
    owners: dict[str, set[str]] = defaultdict(set)
    for card in _lines(folder / "tcgdex" / "cards.ndjson.gz"):
        if card["region"] == "international":
            for identifier in _product_ids(card):
                owners[identifier].add(card["id"])
    found, seen = HeldOut([], []), set()
    for one in _lines(folder / "tcgplayer_product_rows" / "opportunities.ndjson.gz"):
        name = str(one["productId"])
        if one["categoryId"] != _POKEMON or name in seen:
            continue
        seen.add(name)
        product = Product(
            "pokemon", one["name"], one["cardNumber"] or "", one["groupName"], rarity=one["rarity"]
        )
        left = ("tcgplayer", name)
        if len(owners[name]) == 1:
            right = ("tcgdex", next(iter(owners[name])))
            found.pairs.append(Pair(name, "tcgplayer names", left, right, product))
        else:
            found.others.append((left, product))
    return found


def open_world(folder: Path, *, seeds: int, parts: tuple[float, ...]) -> dict[str, Figures]:
    """Take half of our sets away: whatever is linked to a card of another set is wrong."""
    catalog = tcgdex(folder)
    whole = pokemontcg_pairs(folder).pairs
    sets = sorted(
        {one.set for one in catalog.candidates if not one.set.region}, key=lambda one: one.names
    )
    figures: dict[str, Figures] = defaultdict(Figures)
    for seed in range(seeds):
        chance = random.Random(seed)
        gone = set(chance.sample(sets, len(sets) // 2))
        kept = [place for place, one in enumerate(catalog.candidates) if one.set not in gone]
        index = CandidateIndex([catalog.candidates[place] for place in kept])
        present = {catalog.keys[place] for place in kept}
        for part in parts:
            pairs = [pair for pair in whole if chance.random() < part]
            for form in FORMS:
                decisions = match([_said(pair.product, form) for pair in pairs], index).decisions
                counted = figures[f"{part:.0%} of the products, set by {form}"]
                for pair, decision in zip(pairs, decisions, strict=True):
                    chosen = decision.chosen
                    linked = catalog.keys[kept[chosen.candidate]] if chosen else None
                    counted.pairs += pair.right in present
                    counted.absent += pair.right not in present
                    counted.right += linked == pair.right
                    counted.wrong += linked not in (None, pair.right)
                    counted.unknown += linked is None and pair.right in present
    return figures


def _said(product: Product, form: str) -> Product:
    if form == "name":
        return replace(product, set_code="")
    if form == "code":
        return replace(product, set_name="", set_code=product.set_code or product.set_name[:3])
    if form == "address":
        name = re.sub(r"[^\w&']+", "-", product.name.lower())
        console = f"pokemon-{product.set_name.lower().replace(' ', '-')}"
        return replace(
            product, name=f"{name}-{product.number}", set_name=console, set_code="", rarity=""
        )
    return product


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path) as stream:
        for line in stream:
            yield json.loads(line)


def _groups(folder: Path) -> tuple[dict[str, set[str]], dict[str, str]]:
    """Return TCGplayer's groups of each set of pokemontcg.io, and the groups' names."""
    groups: dict[str, set[str]] = defaultdict(set)
    names: dict[str, str] = {}
    with gzip.open(folder / "tcgcsv" / "groups_map.csv.gz", "rt", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            if row["categoryId"] == str(_POKEMON):
                groups[row["setCode"]].add(row["groupId"])
                names[row["groupId"]] = row["name"]
    return groups, names


def _plain_id(identifier: str) -> str:
    return re.sub(r"0+(\d)", r"\1", identifier.replace("pt", ".")).lower()


def _product_ids(card: dict[str, Any]) -> list[str]:
    variants = card.get("variants")
    parts = [card, *(variants if isinstance(variants, list) else [])]
    found = [(part.get("thirdParty") or {}).get("tcgplayer") for part in parts]
    return [str(identifier) for identifier in dict.fromkeys(found) if identifier]


def _plain_product(card: dict[str, Any]) -> str:
    found = _product_ids(card)
    return found[0] if len(found) == 1 else ""


def main(folder: Path) -> None:
    """Print the figures."""
    catalog = tcgdex(folder)
    figures: dict[str, Figures] = {}
    for make in (pokemontcg_pairs, tcgcsv_pairs, tcgplayer_pairs):
        held = make(folder)
        start = time.perf_counter()
        figures |= evaluate(held.pairs, catalog, also=held.others)
        taken = time.perf_counter() - start
        print(f"{make.__name__}: {len(held.pairs) + len(held.others):,} products in {taken:.1f} s")
    print(f"peak memory {peak_mib():.0f} MiB")
    figures |= open_world(folder, seeds=3, parts=(1.0, 0.05, 0.01))
    for kind, one in figures.items():
        print(
            f"{kind}: pairs {one.pairs}, right {one.right}, wrong {one.wrong}, unknown"
            f" {one.unknown}, absent {one.absent}; precision {one.precision:.5f}, recall"
            f" {one.recall:.4f}"
        )
        for miss in one.misses:
            said = miss.pair.product
            print(f"  {miss.pair.name}: {said.name!r} of {said.set_name!r}: {miss.cause[:120]}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
