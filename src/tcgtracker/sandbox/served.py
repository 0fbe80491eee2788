"""Which prices left the sandbox, read back from the very bodies that were sent.

Read from the body and not from the vendor's model, so that a price which a fault spoilt is listed
as it was spoilt.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from tcgtracker.domain.clock import iso
from tcgtracker.sandbox.documents import decode
from tcgtracker.sandbox.ledger import ServedBody
from tcgtracker.sandbox.wire import Response

_ID_KEYS = ("uuid", "productId", "skuId", "itemId", "id", "tcgplayerId")
_FACET_KEYS = ("condition", "printing", "language", "subTypeName")
_NOT_PRICES = re.compile(r"^price(Change|Relative)|Date$")
_PRICES = re.compile(r"(?i)price$|^price|^(avg|min|max)Price|^retail-|^p$")


@dataclass(frozen=True, slots=True)
class ServedPrice:
    """One figure of one product. `value` is the figure as text, as it was written.

    products: all ids under which the answer names the product, the outermost first (at JustTCG
    the card's and the variant's). facet: condition, printing and such, then the figure's own key.
    """

    call: int
    vendor: str
    products: tuple[str, ...]
    facet: tuple[str, ...]
    value: str
    at: datetime

    def as_json(self) -> dict[str, object]:
        return {
            "call": self.call,
            "vendor": self.vendor,
            "products": list(self.products),
            "facet": list(self.facet),
            "value": self.value,
            "at": iso(self.at),
        }


def prices_in(served: ServedBody) -> Iterator[ServedPrice]:
    """Yield the prices of a body; an answer that cannot be decoded has served none."""
    kind = "text/csv" if served.csv else "application/json"
    # A client may well read past a byte order mark, so its prices have been served.
    body = served.body.removeprefix(codecs.BOM_UTF8)
    document = decode(Response(200, body, {"Content-Type": kind}))
    if document is not None:
        for products, facet, value in _walk(document.root, (), ()):
            yield ServedPrice(served.call, served.vendor, products, facet, value, served.at)


def _walk(
    node: object, products: tuple[str, ...], facet: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], tuple[str, ...], str]]:
    if isinstance(node, list):
        for each in node:
            yield from _walk(each, products, facet)
        return
    if not isinstance(node, dict):
        return
    own = tuple(str(node[key]) for key in _ID_KEYS if isinstance(node.get(key), str | int))
    products = (*products, *own)
    facet = (*facet, *(str(node[key]) for key in _FACET_KEYS if isinstance(node.get(key), str)))
    for key, value in node.items():
        if isinstance(value, dict | list):
            deeper = facet if key in _CONTAINERS else (*facet, key)
            yield from _walk(value, products, deeper)
        elif (
            products
            and value not in (None, "")
            and not isinstance(value, bool)
            and ("currency" in node if key == "value" else _is_price(key))
        ):
            yield products, (*facet, key), str(value)


def _is_price(key: str) -> bool:
    return _PRICES.search(key) is not None and _NOT_PRICES.search(key) is None


_CONTAINERS = frozenset({"data", "variants", "results", "products", "itemSummaries"})
