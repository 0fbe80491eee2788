"""Invented cards and prices as a vendor's files, the same for the same seed and day."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random

DAYS = 120
_CARDS = 20
_FIRST_GROUP = 90_001
_SYLLABLES = ("ba", "chi", "dor", "el", "fen", "gar", "ix", "ka", "lu", "mi", "nor", "quo", "ra",
              "sol", "ti", "umb", "vex", "wyn", "zu")  # fmt: skip
# Names that break what mishandles quotes, signs beyond ASCII, percent signs or markup.
_AWKWARD = ("Farfetch'd", "Nidoran ♀", "100% <b>")
_GAMES = ((3, ("Normal", "Holofoil", "Reverse Holofoil")), (68, ("Normal", "Foil")))
_SETS = ("First Light", "Deep Current", "Iron Harvest")
_RARITIES = ("Common", "Uncommon", "Rare")
_MISSED_DAY = 40
"""Days before the last one: nothing was read."""
_SPIKE_DAY = 4
_SPIKE = 1_000
_GONE = range(20, 30)
"""Days before the last one on which some products are not listed."""


@dataclass(frozen=True, slots=True)
class Product:
    """A card as the vendor sells it; `base` is its price in cents."""

    product_id: int
    group: int
    category: int
    number: str
    name: str
    rarity: str
    printings: tuple[str, ...]
    base: int


@dataclass(frozen=True, slots=True)
class DemoFiles:
    """What was written. `spiked` has a price a thousand times too high on one day."""

    catalog: list[Path]
    prices: list[Path]
    products: list[Product]
    spiked: Product


def write_files(folder: Path, last_day: date, *, seed: int) -> DemoFiles:
    """Write the catalog and the days of prices up to `last_day` (a UTC day) into a folder."""
    products = list(_products(Random(seed)))  # noqa: S311 - invented prices, no secret
    catalog = _write_catalog(folder / "catalog", products)
    prices = [
        _write_day(folder / "prices", last_day - timedelta(days=back), back, products, seed)
        for back in range(DAYS - 1, -1, -1)
        if back != _MISSED_DAY
    ]
    return DemoFiles(catalog, prices, products, products[0])


def _products(chance: Random) -> Iterator[Product]:
    product_id, group = 900_001, _FIRST_GROUP
    awkward = list(_AWKWARD)
    for category, printings in _GAMES:
        for _ in _SETS:
            for number in range(1, _CARDS + 1):
                made = "".join(chance.choices(_SYLLABLES, k=3)).capitalize()
                name = awkward.pop(0) if number == 1 and awkward else made
                count = chance.randint(1, len(printings))
                yield Product(
                    product_id=product_id,
                    group=group,
                    category=category,
                    number=f"{number:03}/{_CARDS:03}",
                    name=name,
                    rarity=chance.choice(_RARITIES),
                    printings=printings[:count],
                    base=chance.choice((25, 80, 240, 900, 3_500)) + chance.randint(0, 60),
                )
                product_id += 1
            group += 1


def _write_catalog(folder: Path, products: list[Product]) -> list[Path]:
    folder.mkdir(parents=True)
    groups = {product.group: product.category for product in products}
    rows: list[dict[str, object]] = [
        {
            "groupId": group,
            "categoryId": category,
            "name": _SETS[(group - _FIRST_GROUP) % len(_SETS)],
            "publishedOn": f"20{10 + place}-03-01T00:00:00",
        }
        for place, (group, category) in enumerate(groups.items())
    ]
    paths = [_write(folder / "groups.json", rows)]
    for group in groups:
        own = [product for product in products if product.group == group]
        paths.append(_write(folder / f"products-{group}.json", [_row(one) for one in own]))
    return paths


def _row(product: Product) -> dict[str, object]:
    return {
        "productId": product.product_id,
        "name": product.name,
        "cleanName": product.name,
        "imageUrl": "",
        "categoryId": product.category,
        "groupId": product.group,
        "url": "",
        "extendedData": [
            {"name": "Number", "displayName": "Number", "value": product.number},
            {"name": "Rarity", "displayName": "Rarity", "value": product.rarity},
        ],
    }


def _write_day(folder: Path, day: date, back: int, products: list[Product], seed: int) -> Path:
    groups: dict[tuple[int, int], list[dict[str, object]]] = {}
    for product in products:
        rows = groups.setdefault((product.category, product.group), [])
        if back in _GONE and product.product_id % 17 == 0:
            continue
        for printing in product.printings:
            cents = _price(product, printing, back, seed)
            if product is products[0] and back == _SPIKE_DAY:
                cents *= _SPIKE
            rows.append(
                {
                    "productId": product.product_id,
                    "lowPrice": _dollars(cents * 8 // 10),
                    "midPrice": _dollars(cents * 11 // 10),
                    "highPrice": _dollars(cents * 3),
                    "marketPrice": _dollars(cents),
                    "directLowPrice": None,
                    "subTypeName": printing,
                }
            )
    for (category, group), rows in groups.items():
        path = folder / day.isoformat() / str(category) / str(group) / "prices"
        path.parent.mkdir(parents=True)
        _write(path, rows)
    return folder / day.isoformat()


def _price(product: Product, printing: str, back: int, seed: int) -> int:
    """Return the price in cents so many days back: a slow walk that rests on most days."""
    chance = Random(f"{seed} {product.product_id} {printing}")  # noqa: S311 - as above
    cents = product.base * (1 + product.printings.index(printing))
    for _ in range(DAYS - back):
        if chance.random() < 0.35:  # noqa: PLR2004 - about as often as real prices move
            cents = max(5, cents + round(cents * chance.uniform(-0.06, 0.065)))
    return cents


def _dollars(cents: int) -> float:
    """Return dollars as the vendor writes them: a JSON number with two places."""
    return cents / 100


def _write(path: Path, rows: list[dict[str, object]]) -> Path:
    body = {"totalItems": len(rows), "success": True, "errors": [], "results": rows}
    path.write_text(json.dumps(body, ensure_ascii=False), encoding="utf-8")
    return path
