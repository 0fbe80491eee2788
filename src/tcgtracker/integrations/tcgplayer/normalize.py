"""Price rows -> item quotes; products -> search hits. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import numpy as np

from tcgtracker.domain.quote import VALUE_NAMES, Facet, PriceValues
from tcgtracker.domain.source import Source
from tcgtracker.integrations.catalog_records import BadRow, web_address
from tcgtracker.integrations.columns import Rows, settle_duplicates
from tcgtracker.integrations.contract import (
    MAX_EXTERNAL_ID,
    NO_PRICE,
    ItemPage,
    ItemQuotes,
    ProductRef,
    SearchAnswer,
    SearchHit,
)
from tcgtracker.integrations.tcgcsv.answers import CarefulRows, read_rows
from tcgtracker.integrations.tcgcsv.catalog import product_record
from tcgtracker.integrations.tcgcsv.pages import stated_product

Asked = Mapping[str, Sequence[ProductRef]]
"""The refs by the product id that they name."""


def asked_ids(refs: Iterable[ProductRef]) -> tuple[dict[str, list[ProductRef]], list[ProductRef]]:
    """Return the refs by product id, and those that name none (one of them fails a whole call)."""
    asked: defaultdict[str, list[ProductRef]] = defaultdict(list)
    unaskable: list[ProductRef] = []
    for ref in dict.fromkeys(refs):
        text = ref.value
        if text.isascii() and text.isdigit() and 0 < len(text) <= 16 and _fits(int(text)):  # noqa: PLR2004 - digits of MAX_EXTERNAL_ID
            asked[str(int(text))].append(ref)
        else:
            unaskable.append(ref)
    return dict(asked), unaskable


def _fits(identifier: int) -> bool:
    return 0 < identifier <= MAX_EXTERNAL_ID


def item_page(results: Iterable[object], asked: Asked, observed_at: datetime) -> ItemPage:
    """Return one item a product and printing; a row without any price is one as well."""
    careful = read_rows(results)
    page = ItemPage(source=Source.TCGPLAYER)
    settled = settle_duplicates(_rows(careful), careful.rejected)
    if settled.duplicates:
        page.skipped["duplicate"] = settled.duplicates
    known: set[str] = set()
    rows = settled.rows
    columns = (rows.external_id.tolist(), rows.facet.tolist(), rows.values.tolist())
    for product, facet, values in zip(*columns, strict=True):
        if (identifier := str(product)) not in asked:
            page.skipped["not asked for"] += 1
            continue
        known.add(identifier)
        quote = PriceValues(*(None if minor == NO_PRICE else minor for minor in values))
        page.items.append(ItemQuotes(identifier, observed_at, {rows.facets[facet]: quote}))
    for rejected in careful.rejected + settled.conflicting:
        if rejected.external_id and rejected.external_id not in asked:
            page.skipped["not asked for"] += 1
            continue
        known.add(rejected.external_id)
        page.rejected.append(rejected)
    page.answered = {
        ref: identifier for identifier in asked if identifier in known for ref in asked[identifier]
    }
    page.absent = tuple(ref for refs in asked.values() for ref in refs if ref not in page.answered)
    return page


def _rows(careful: CarefulRows) -> Rows:
    numbers: dict[str, int] = {}
    facets = [numbers.setdefault(name, len(numbers)) for _, name, _ in careful.good]
    return Rows(
        np.array([product for product, _, _ in careful.good], np.int64),
        np.array(facets, np.int64),
        np.array([values for *_, values in careful.good], np.int64).reshape(-1, len(VALUE_NAMES)),
        tuple(Facet(sub_key=name) for name in numbers),
    )


def add_hits(found: SearchAnswer, vendor: str, results: Iterable[object], limit: int) -> None:
    """Add the products of one answer up to `limit` hits; one that is dropped says truncated."""
    for row in results:
        if len(found.hits) >= limit:
            found.truncated = True
            return
        try:
            found.hits.append(_hit(vendor, row))
        except BadRow as exc:
            found.skipped[str(exc)] += 1


def _hit(vendor: str, row: object) -> SearchHit:
    if not isinstance(row, Mapping):
        raise BadRow("a row is no object")
    card = product_record(row)
    stated = stated_product(card, row)
    return SearchHit(
        vendor=vendor,
        external_id=stated.external_id,
        name=stated.name,
        number=stated.number,
        rarity=stated.rarity,
        url=stated.url,
        image_url=web_address(card.image_url, "imageUrl"),
        tcgplayer_id=stated.tcgplayer_id,
    )
