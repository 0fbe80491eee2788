"""What the vendor says of one product, from a row of the CSV or an answer of the API."""

from tcgtracker.domain.catalog import ProductType
from tcgtracker.integrations.catalog_records import clean_text, required_text
from tcgtracker.integrations.contract import StatedProduct
from tcgtracker.integrations.pricecharting.columns import (
    Product,
    game_of,
    number_of,
    printing_of,
)

_MAX_ID_DIGITS = 15


def stated_product(
    external_id: str, name: str, console: str, tcg_id: object, kind: Product
) -> StatedProduct:
    """Return the product as stated. `tcg_id` is TCGplayer's product id, which may collide.

    Raises:
        BadRow: it has no name, or a text that cannot be kept.
    """
    return StatedProduct(
        external_id=external_id,
        game=game_of(kind.scope),
        name=required_text(name, "product-name"),
        set_name=clean_text(console, "console-name"),
        number=number_of(name),
        printing=printing_of(name),
        tcgplayer_id=_digits(tcg_id),
        product_type=ProductType.SINGLE if kind.is_card else ProductType.SEALED,
    )


def _digits(value: object) -> str:
    """Return an id of digits, '' for anything else: it is a hint, never needed."""
    text = "" if value is None or isinstance(value, bool) else str(value).strip()
    good = text.isascii() and text.isdigit() and len(text) <= _MAX_ID_DIGITS
    return text.lstrip("0") if good else ""
