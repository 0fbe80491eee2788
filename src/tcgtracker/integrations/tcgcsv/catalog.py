"""TCGplayer's groups and products as TCGCSV publishes them: JSON answers and CSV files.

Ids are TCGplayer's; a group is a set. A product without Number and Rarity is not a single card
(vendors' rule); its product id stands in for the collector number.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from tcgtracker.domain.catalog import GAMES, TCGPLAYER_CATEGORY_GAMES, Game, ProductType
from tcgtracker.integrations.catalog_records import (
    MAX_URL,
    BadRow,
    CardRecord,
    ProductIdRecord,
    SetRecord,
    clean_text,
    iso_date,
    positive_id,
    required_text,
)

_GAMES = {game.slug: game for game in GAMES}
_ASIAN_CATEGORIES = frozenset({85})  # Pokemon Japan

GROUP_COLUMNS = frozenset({"groupId", "categoryId", "name"})
PRODUCT_COLUMNS = frozenset({"productId", "groupId", "categoryId", "name"})

USED_COLUMNS = ("productId", "name", "imageUrl", "categoryId", "groupId", "extNumber", "extRarity")


def group_record(row: Mapping[str, Any]) -> SetRecord:
    """Return the set of one group: a JSON object, or a CSV row as a mapping.

    Raises:
        BadRow: the row lacks what a set needs.
    """
    base = _group_of(row)
    return SetRecord(
        game=base.game,
        code=base.code,
        region=base.region,
        name=required_text(row.get("name"), "name"),
        release_date=iso_date(row.get("publishedOn"), "publishedOn"),
    )


def product_record(row: Mapping[str, Any]) -> CardRecord:
    """Return the card of one product of the JSON form.

    Raises:
        BadRow: the row lacks what a product needs.
    """
    extended = row.get("extendedData") or []
    if not isinstance(extended, list) or not all(isinstance(item, Mapping) for item in extended):
        raise BadRow("extendedData is no list of objects")
    values = {item.get("name"): item.get("value") for item in extended}
    return _product(row, values.get("Number"), values.get("Rarity"), ())


def product_row_record(row: Mapping[str, str], printings: tuple[str, ...]) -> CardRecord:
    """Return the card of one product of `ProductsAndPrices.csv`, with its printings.

    Raises:
        BadRow: the row lacks what a product needs.
    """
    return _product(row, row.get("extNumber"), row.get("extRarity"), printings)


def _product(
    row: Mapping[str, Any], number: object, rarity: object, printings: tuple[str, ...]
) -> CardRecord:
    identifier = str(positive_id(row.get("productId"), "productId"))
    # A CSV cell is empty where the JSON form has no entry at all.
    number_text = clean_text(number, "Number")
    rarity_text = clean_text(rarity, "Rarity")
    single = bool(number_text or rarity_text)
    return CardRecord(
        key=f"tcgplayer:{identifier}",
        set=_group_of(row),
        collector_number=number_text if single else identifier,
        name=required_text(row.get("name"), "name"),
        rarity=rarity_text,
        image_url=clean_text(row.get("imageUrl"), "imageUrl", limit=MAX_URL),
        product_type=ProductType.SINGLE if single else ProductType.SEALED,
        printings=printings,
        products=(ProductIdRecord(identifier),),
    )


def _group_of(row: Mapping[str, Any]) -> SetRecord:
    return _placeholder(
        positive_id(row.get("categoryId"), "categoryId"), positive_id(row.get("groupId"), "groupId")
    )


@lru_cache(maxsize=8192)
def _placeholder(category: int, group: int) -> SetRecord:
    slug = TCGPLAYER_CATEGORY_GAMES.get(category)
    # These files carry no name of a category; the vendor's number is what is known.
    game = _GAMES[slug] if slug else Game(f"tcgplayer-{category}", f"TCGplayer {category}")
    return SetRecord(
        game=game,
        code=f"tcgplayer:{group}",
        region="asia" if category in _ASIAN_CATEGORIES else "",
        name=str(group),
        placeholder=True,
    )
