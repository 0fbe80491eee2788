"""One answer of the API -> quotes, what is stated, and what is refused. Pure."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from msgspec import UNSET

from tcgtracker.domain.money import Money
from tcgtracker.domain.source import Source
from tcgtracker.integrations.catalog_records import BadRow, positive_id
from tcgtracker.integrations.contract import (
    NO_PRICE,
    ItemPage,
    ItemQuotes,
    ProductRef,
    RejectedRow,
    SearchAnswer,
    SearchHit,
)
from tcgtracker.integrations.pricecharting.columns import (
    CATEGORIES,
    classify,
)
from tcgtracker.integrations.pricecharting.figures import (
    BadPrice,
    cents_of_pennies,
    read_figures,
)
from tcgtracker.integrations.pricecharting.payloads import HitPayload, ProductPayload
from tcgtracker.integrations.pricecharting.products import stated_product
from tcgtracker.integrations.raw_text import raw_text
from tcgtracker.integrations.shapes import BadShape, read_shape

MOST_HITS = 20
"""Products a search answers at most (vendor)."""


def absent_page(ref: ProductRef) -> ItemPage:
    """Return the page of a product that the vendor does not know."""
    return ItemPage(Source.PRICECHARTING, absent=(ref,))


def product_page(
    ref: ProductRef, decoded: object, observed_at: datetime, *, boxed: bool
) -> ItemPage:
    """Return the page of one product.

    A product that is not the one asked for, or cannot be read, is refused whole and counts as not
    answered. One without a single price key says nothing of prices: the vendor leaves them out for
    its demonstration token, so that is no "no price".
    """
    page = ItemPage(Source.PRICECHARTING)
    try:
        payload = read_shape(decoded, ProductPayload)
        external_id = str(positive_id(payload.id, "id"))
        kind = classify(payload.console_name, payload.product_name, payload.genre or "", None)
        stated = stated_product(
            external_id, payload.product_name, payload.console_name, payload.tcg_id, kind
        )
    except (BadShape, BadRow) as exc:
        return _refuse(page, ref, f"bad-product: {exc}", decoded)
    if external_id != ref.value:
        return _refuse(page, ref, "other-product", decoded)
    page.answered[ref] = external_id
    page.stated.append(stated)
    prices = payload.prices()
    if kind.is_comic or not prices:
        page.skipped["comic-book" if kind.is_comic else "no-price-keys"] += 1
        return page
    figures = read_figures(prices, cents_of_pennies, kind, boxed=boxed)
    for facet, reason, raw in figures.refused:
        page.rejected.append(RejectedRow(external_id, facet, reason, raw))
    if figures.rows:
        page.items.append(ItemQuotes(external_id, observed_at, figures.quotes()))
    return page


def _refuse(page: ItemPage, ref: ProductRef, reason: str, decoded: object) -> ItemPage:
    page.absent = (ref,)
    page.rejected.append(RejectedRow(ref.value, None, reason, raw_text(decoded)))
    return page


def search_answer(found: Sequence[object], *, game: str, limit: int) -> SearchAnswer:
    """Return the hits of a game ('' = of any), at most `limit`; the others are counted."""
    answer = SearchAnswer(truncated=len(found) >= MOST_HITS)
    for decoded in found:
        try:
            hit, scope = _hit(read_shape(decoded, HitPayload), answer.skipped)
        except (BadShape, BadRow):
            answer.skipped["bad-hit"] += 1
            continue
        if game and scope not in CATEGORIES.get(game, ()):
            answer.skipped["other-game"] += 1
        elif len(answer.hits) < limit:
            answer.hits.append(hit)
        else:
            answer.truncated = True
    return answer


def _hit(payload: HitPayload, skipped: Counter[str]) -> tuple[SearchHit, str]:
    kind = classify(payload.console_name, payload.product_name, payload.genre or "", None)
    external_id = str(positive_id(payload.id, "id"))
    stated = stated_product(
        external_id, payload.product_name, payload.console_name, payload.tcg_id, kind
    )
    try:
        cents = cents_of_pennies(None if payload.loose_price is UNSET else payload.loose_price)
    except BadPrice as exc:
        skipped[str(exc)] += 1
        cents = NO_PRICE
    priced = cents != NO_PRICE
    hit = SearchHit(
        vendor="pricecharting",
        external_id=external_id,
        name=stated.name,
        set_name=stated.set_name,
        number=stated.number,
        price=Money(cents, "USD") if priced else None,
        price_label=("ungraded" if kind.is_card else "loose") if priced else "",
        tcgplayer_id=stated.tcgplayer_id,
    )
    return hit, kind.scope
