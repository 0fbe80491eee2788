"""Groups and products as catalog pages, in the JSON form that TCGplayer and TCGCSV share. Pure."""

from collections.abc import Container, Iterable, Mapping

from tcgtracker.domain.catalog import TCGPLAYER_CATEGORY_GAMES, ProductType
from tcgtracker.domain.errors import InvalidInput
from tcgtracker.integrations.catalog_records import (
    BadRow,
    CardRecord,
    positive_id,
    web_address,
)
from tcgtracker.integrations.contract import CatalogPage, StatedProduct
from tcgtracker.integrations.tcgcsv.catalog import group_record, product_record

SET_PREFIX = "tcgplayer:"
"""Of the code of a set: `tcgplayer:605` is group 605."""

_GAME_PREFIX = "tcgplayer-"

GAME_CATEGORIES: Mapping[str, tuple[str, ...]] = {
    game: tuple(
        str(category) for category, slug in TCGPLAYER_CATEGORY_GAMES.items() if slug == game
    )
    for game in dict.fromkeys(TCGPLAYER_CATEGORY_GAMES.values())
}
"""Our game slug to the vendor's category ids."""


def categories_of(game: str) -> tuple[int, ...]:
    """Return the category ids of a game; `tcgplayer-63` is a category that has no slug of ours.

    Raises:
        InvalidInput: neither.
    """
    if game in GAME_CATEGORIES:
        return tuple(map(int, GAME_CATEGORIES[game]))
    number = game.removeprefix(_GAME_PREFIX)
    if number != game and _is_id(number):
        return (int(number),)
    known = ", ".join(GAME_CATEGORIES)
    raise InvalidInput(f"TCGplayer has no game {game!r}; known: {known}, tcgplayer-CATEGORY")


def group_of(set_code: str) -> int:
    """Return the group id of a set's code.

    Raises:
        InvalidInput: the code is not one of this vendor.
    """
    number = set_code.removeprefix(SET_PREFIX)
    if not _is_id(number):
        raise InvalidInput(f"{set_code!r} is not a set of TCGplayer: use {SET_PREFIX}GROUP")
    return int(number)


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 9 and int(text) > 0  # noqa: PLR2004 - the ids are 32-bit integers


def set_page(rows: Iterable[object], category: int) -> CatalogPage:
    """Return the sets of a category; rows that are none of it are counted as bad."""
    page = CatalogPage()
    for row in rows:
        try:
            page.sets.append(group_record(_of(_object(row), "categoryId", {category})))
        except BadRow as exc:
            page.bad[str(exc)] += 1
    return page


def card_page(
    rows: Iterable[object], categories: Container[int], group: int, set_name: str = ""
) -> CatalogPage:
    """Return the products of a group, each as a card and as what the vendor states of it."""
    page = CatalogPage()
    for row in rows:
        try:
            fields = _of(_of(_object(row), "groupId", {group}), "categoryId", categories)
            card = product_record(fields)
            stated = stated_product(card, fields, set_name)
        except BadRow as exc:
            page.bad[str(exc)] += 1
        else:
            page.cards.append(card)
            page.stated.append(stated)
    return page


def product_page(rows: Iterable[object], categories: Container[int]) -> CatalogPage:
    """Return single products of these categories, whatever their groups."""
    page = CatalogPage()
    for row in rows:
        try:
            fields = _of(_object(row), "categoryId", categories)
            card = product_record(fields)
            page.stated.append(stated_product(card, fields))
            page.cards.append(card)
        except BadRow as exc:
            page.bad[str(exc)] += 1
    return page


def stated_product(
    card: CardRecord, row: Mapping[str, object], set_name: str = ""
) -> StatedProduct:
    """Return what the vendor says of the product of a card.

    Raises:
        BadRow: its address is no text.
    """
    return StatedProduct(
        external_id=card.products[0].external_id,
        game=card.set.game.slug,
        name=card.name,
        set_name=set_name,
        number=card.collector_number if card.product_type is ProductType.SINGLE else "",
        rarity=card.rarity,
        tcgplayer_id=card.products[0].external_id,
        url=web_address(row.get("url"), "url"),
        product_type=card.product_type,
    )


def _object(row: object) -> Mapping[str, object]:
    if not isinstance(row, Mapping):
        raise BadRow("a row is no object")
    return row


def _of(row: Mapping[str, object], name: str, wanted: Container[object]) -> Mapping[str, object]:
    if positive_id(row.get(name), name) not in wanted:
        raise BadRow(f"{name} is not the one that was asked for")
    return row
