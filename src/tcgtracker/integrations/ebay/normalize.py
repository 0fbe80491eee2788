"""Listings -> search hits, rate limits -> what is left. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from pydantic import ValidationError

from tcgtracker.domain.errors import InvalidInput
from tcgtracker.domain.money import MAX_MINOR, Money, exponent_of, minor_from_decimal
from tcgtracker.integrations.catalog_records import BadRow, clean_text, required_text, web_address
from tcgtracker.integrations.contract import SearchAnswer, SearchHit
from tcgtracker.integrations.ebay.payloads import Amount, ItemSummary, RateLimits

ASKING = "asking price"
CURRENT_BID = "current bid"
ONE_VARIATION = "asking price of one variation"

_AMOUNT = re.compile(r"\d{1,15}(?:\.\d{1,6})?", re.ASCII)
_SEARCH_RESOURCE = "buy.browse"


def add_hits(found: SearchAnswer, vendor: str, summaries: Iterable[object], limit: int) -> int:
    """Add listings up to `limit` hits and return how many were new; one dropped says truncated."""
    known = {hit.external_id for hit in found.hits}
    new = 0
    for row in summaries:
        try:
            hit = _hit(vendor, row, found)
        except BadRow as exc:
            found.skipped[str(exc)] += 1
            continue
        if hit.external_id in known:
            found.skipped["duplicate"] += 1
            continue
        if len(found.hits) >= limit:
            found.truncated = True
            break
        known.add(hit.external_id)
        found.hits.append(hit)
        new += 1
    return new


def _hit(vendor: str, row: object, found: SearchAnswer) -> SearchHit:
    try:
        item = ItemSummary.model_validate(row)
    except ValidationError as exc:
        field = exc.errors(include_url=False, include_input=False)[0]["loc"]
        raise BadRow(f"a listing with a bad {field[0] if field else 'form'}") from None
    price, label = _price(item)
    money = None
    if price is not None:
        try:
            money = money_of(price)
        except InvalidInput:
            found.skipped["a price that is no amount"] += 1
    return SearchHit(
        vendor=vendor,
        external_id=clean_text(item.item_id, "itemId"),
        name=required_text(item.title, "title"),
        url=web_address(item.item_web_url, "itemWebUrl"),
        image_url=web_address(item.image.image_url if item.image else None, "imageUrl"),
        price=money,
        price_label=label if money else "",
        condition=clean_text(item.condition, "condition"),
    )


def _price(item: ItemSummary) -> tuple[Amount | None, str]:
    """Return the figure to show: of an auction that cannot be bought at once, the bid."""
    auction_only = "AUCTION" in item.buying_options and "FIXED_PRICE" not in item.buying_options
    if item.current_bid_price is not None and (auction_only or item.price is None):
        return item.current_bid_price, CURRENT_BID
    if auction_only:
        return item.price, "starting price"
    several = item.item_group_type is not None or item.item_group_href is not None
    return item.price, ONE_VARIATION if several else ASKING


def money_of(amount: Amount) -> Money | None:
    """Return the amount in the currency that the lister asks, None for 0.

    eBay converts listings of other markets at a rate of its own, so that figure is not used.

    Raises:
        InvalidInput: it is no amount, or no currency.
    """
    value, currency = amount.value, amount.currency
    if amount.converted_from_value is not None and amount.converted_from_currency is not None:
        value, currency = amount.converted_from_value, amount.converted_from_currency
    exponent_of(currency)
    if not _AMOUNT.fullmatch(value):
        raise InvalidInput(f"{value!r} is no amount")
    minor = minor_from_decimal(Decimal(value), currency)
    if minor > MAX_MINOR:
        raise InvalidInput(f"{value!r} is too much")
    return Money(minor, currency) if minor else None


@dataclass(frozen=True, slots=True)
class SearchQuota:
    """What is left of the searches of a day, as eBay counts; `resets_at` aware UTC."""

    remaining: int
    limit: int | None
    resets_at: datetime | None


def search_quota(limits: RateLimits) -> SearchQuota | None:
    """Return the tightest window of the Browse searches, None when it is not stated."""
    windows = [
        SearchQuota(rate.remaining, rate.limit, _moment(rate.reset))
        for api in limits.rate_limits
        for resource in api.resources
        if resource.name == _SEARCH_RESOURCE
        for rate in resource.rates
        if rate.remaining is not None and rate.remaining >= 0
    ]
    return min(windows, key=lambda window: window.remaining, default=None)


def _moment(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None
