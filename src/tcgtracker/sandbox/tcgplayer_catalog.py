"""What the TCGplayer API can say on a day, as rows; no request and no answer."""

from collections.abc import Sequence
from datetime import date

from tcgtracker.sandbox.answers import dollars
from tcgtracker.sandbox.chance import key_of, share
from tcgtracker.sandbox.prices import FivePrices, sku_prices, tcgplayer_prices
from tcgtracker.sandbox.tcgplayer_rows import (
    CATEGORIES,
    PRINTINGS,
    category_row,
    group_rows,
    price_row,
    product_row,
    sku_rows,
)
from tcgtracker.sandbox.world import CONDITIONS, World, WorldCard

Row = dict[str, object]

_NO_PRICES = FivePrices(None, None, None, None, None)
_SHIPPING_CENTS = 131
_FREE_FROM_CENTS = 5_000
_EMPTY_SHARE = 0.2
_LANGUAGES = {1: ("English", "EN"), 7: ("Japanese", "JP")}
_ABBREVIATIONS = ("NM", "LP", "MP", "HP", "DMG", "U")


class TcgplayerCatalog:
    """The world as TCGplayer lists it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._sets = {each.code: each for each in world.sets}
        self._codes = {each.group_id: each.code for each in world.sets}
        self._skus = {
            card.sku_id(printing.name, condition): (card, printing.name, condition)
            for card in world.by_product.values()
            for printing in card.printings
            for condition in card.conditions()
        }

    def categories(self) -> list[Row]:
        """Return all games by id."""
        return [category_row(each) for each in sorted(CATEGORIES)]

    def groups(self, category_id: int) -> list[Row]:
        """Return the sets of a game."""
        return group_rows(self._world, category_id)

    def products(
        self, day: date, *, category_id: int, group_id: int, name: str, singles: bool
    ) -> list[tuple[WorldCard, Row]]:
        """Return the products that fit; 0 and '' fit all."""
        words = name.casefold().split()
        found = []
        for made in self._world.sets:
            if category_id not in (0, made.category_id) or group_id not in (0, made.group_id):
                continue
            found += [
                (card, product_row(self._world, made, card, day))
                for card in self._world.listed(made.code, day)
                if all(word in card.tcgplayer_name.casefold() for word in words)
                and not (singles and card.sealed)
            ]
        return found

    def product(self, product_id: int, day: date) -> tuple[WorldCard, Row] | None:
        """Return a product with its card, None where it is not listed."""
        card = self._world.product(product_id, day)
        if card is None:
            return None
        code = card.moves[1] if card.moves is not None and card.moves[0] <= day else card.set_code
        return card, product_row(self._world, self._sets[code], card, day)

    def skus(self, product_id: int, day: date) -> list[Row]:
        """Return the printings and conditions of a product."""
        card = self._world.product(product_id, day)
        return [] if card is None else sku_rows(card)

    def group_prices(self, group_id: int, day: date) -> list[Row]:
        """Return the price rows of all products of a set."""
        code = self._codes.get(group_id)
        listed = () if code is None else self._world.listed(code, day)
        return [row for card in listed for row in self._prices(card, day)]

    def product_prices(self, product_id: int, day: date) -> list[Row]:
        """Return the price rows of a product."""
        card = self._world.product(product_id, day)
        return [] if card is None else self._prices(card, day)

    def sku_prices(self, sku_id: int, day: date) -> list[Row]:
        """Return the one price row of a printing in a condition."""
        if sku_id not in self._skus:
            return []
        card, printing, condition = self._skus[sku_id]
        if self._world.product(card.product_id, day) is None:
            return []
        prices = sku_prices(self._world, card, printing, condition, day) or _NO_PRICES
        shipping = None
        if prices.low is not None:
            shipping = 0 if prices.low >= _FREE_FROM_CENTS else _SHIPPING_CENTS
        listing = None if prices.low is None or shipping is None else prices.low + shipping
        return [
            {
                "skuId": sku_id,
                "lowPrice": dollars(prices.low),
                "lowestShipping": dollars(shipping),
                "lowestListingPrice": dollars(listing),
                "marketPrice": dollars(prices.market),
                "directLowPrice": dollars(prices.direct_low),
            }
        ]

    def names(self, category_id: int, kind: str) -> list[Row]:
        """Return a category's `conditions`, `printings`, `languages` or `rarities`."""
        if category_id not in CATEGORIES:
            return []
        if kind == "conditions":
            every = (*CONDITIONS, "Unopened")
            return [
                {"conditionId": at, "name": name, "abbreviation": short, "displayOrder": at}
                for at, (name, short) in enumerate(zip(every, _ABBREVIATIONS, strict=True), 1)
            ]
        if kind == "printings":
            return [
                {"printingId": at, "name": name, "displayOrder": at, "modifiedOn": None}
                for at, name in enumerate(PRINTINGS, 1)
            ]
        if kind == "languages":
            return [
                {"languageId": at, "name": name, "abbr": short}
                for at, (name, short) in _LANGUAGES.items()
            ]
        return self._rarities(category_id)

    def _rarities(self, category_id: int) -> list[Row]:
        found = dict.fromkeys(
            card.rarity
            for made in self._world.sets
            if made.category_id == category_id
            for card in made.cards
            if card.rarity
        )
        return [
            {"rarityId": at, "displayText": name, "dbValue": name}
            for at, name in enumerate(found, 1)
        ]

    def _prices(self, card: WorldCard, day: date) -> list[Row]:
        """Return a row a printing, with nulls where there is nothing, as the API does."""
        rows = []
        for printing in card.printings:
            prices = tcgplayer_prices(self._world, card, printing.name, day)
            rows.append(price_row(card, printing.name, prices or _NO_PRICES))
        rows += [price_row(card, name, _NO_PRICES) for name in self._empty(card)]
        return rows

    def _empty(self, card: WorldCard) -> Sequence[str]:
        """Return a printing that is listed though nobody ever sold it."""
        if len(card.printings) > 1 or card.sealed:
            return ()
        key = key_of(self._world.seed, card.key, "empty printing")
        if share(key, 0) >= _EMPTY_SHARE:
            return ()
        return ("Holofoil",) if card.printings[0].name == "Normal" else ("Normal",)
