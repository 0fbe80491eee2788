"""TCGCSV's CSV files: quoted, CRLF, columns in an order that varies by file."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import cast

from tcgtracker.sandbox.chance import dice

_FIRST = (
    "productId",
    "name",
    "cleanName",
    "imageUrl",
    "categoryId",
    "groupId",
    "url",
    "modifiedOn",
    "imageCount",
)
_PRICES = (
    "lowPrice",
    "midPrice",
    "highPrice",
    "marketPrice",
    "directLowPrice",
    "subTypeName",
)


def table(rows: Sequence[Mapping[str, object]]) -> str:
    """Return rows that have the same columns."""
    return _written(rows, tuple(rows[0]) if rows else ())


def joined_table(
    products: Sequence[Mapping[str, object]],
    prices: Sequence[Mapping[str, object]],
    *,
    order: str,
) -> str:
    """Return one row a product and printing; a product without prices has one with empty cells.

    order: what the order of the columns is drawn from.
    """
    by_product: dict[object, list[Mapping[str, object]]] = {}
    for price in prices:
        by_product.setdefault(price["productId"], []).append(price)
    rows: list[dict[str, object]] = []
    extended: dict[str, None] = {}
    for product in products:
        fields = cast("list[dict[str, str]]", product["extendedData"])
        extra = {f"ext{each['name'].replace(' ', '')}": each["value"] for each in fields}
        extended |= dict.fromkeys(extra)
        short = f"https://tcgplayer.com/product/{product['productId']}"
        plain = {name: product[name] for name in _FIRST} | {"url": short} | extra
        rows += [
            plain | {name: price[name] for name in _PRICES}
            for price in by_product.get(product["productId"], [dict.fromkeys(_PRICES)])
        ]
    rest = [*extended, *_PRICES]
    dice("columns", order).shuffle(rest)
    return _written(rows, (*_FIRST, *rest))


def _written(rows: Sequence[Mapping[str, object]], columns: Sequence[str]) -> str:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return out.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
