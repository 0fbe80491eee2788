"""Builders of price files, all figures invented."""

import gzip
import json
from pathlib import Path
from typing import Any

from tcgtracker.integrations.contract import NO_PRICE, PricePage

Key = tuple[int, str, str, str]
"""External id, sub key, kind, variant."""


def a_row(product: int = 1, sub_type: str = "Normal", **prices: Any) -> dict[str, Any]:
    """One result of TCGCSV. `market`, `low`, `high`, `mid`, `direct` in dollars."""
    names = {"market": "marketPrice", "low": "lowPrice", "high": "highPrice"}
    names |= {"mid": "midPrice", "direct": "directLowPrice"}
    row: dict[str, Any] = {"productId": product, "lowPrice": None, "midPrice": None}
    row |= {"highPrice": None, "marketPrice": None, "directLowPrice": None}
    row |= {names[name]: value for name, value in prices.items()}
    return row | {"subTypeName": sub_type}


def an_answer(*rows: object, success: bool = True) -> bytes:
    return json.dumps({"success": success, "errors": [], "results": list(rows)}).encode()


def a_line(day: str, category: int, group: int, body: bytes) -> bytes:
    head = f'{{"date":"{day}","categoryId":{category},"groupId":{group},"body":'
    return head.encode() + body + b"}\n"


def write_group(root: Path, day: str, category: int, group: int, body: bytes) -> Path:
    """Write a `prices` file in the archive's layout and return its path."""
    path = root / day / str(category) / str(group) / "prices"
    path.parent.mkdir(parents=True)
    path.write_bytes(body)
    return path


def a_gzip(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def values_of(page: PricePage) -> dict[Key, tuple[int | None, ...]]:
    """Return what a page says, and check that it says each thing once."""
    found: dict[Key, tuple[int | None, ...]] = {}
    columns = (page.external_id.tolist(), page.facet.tolist(), page.values.tolist())
    for product, number, values in zip(*columns, strict=True):
        facet = page.facets[number]
        key = (product, facet.sub_key, facet.kind.value, facet.variant)
        assert key not in found
        found[key] = tuple(None if minor == NO_PRICE else minor for minor in values)
    return found


def market_of(page: PricePage) -> dict[tuple[int, str], int | None]:
    return {(key[0], key[1]): values[0] for key, values in values_of(page).items()}


def rejected_of(page: PricePage) -> list[tuple[str, str]]:
    return [(row.external_id, row.reason) for row in page.rejected]
