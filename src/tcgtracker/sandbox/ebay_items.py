"""An offer as eBay's Browse API writes it (vendors/ebay.md section 2)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from tcgtracker.sandbox.chance import share
from tcgtracker.sandbox.ebay_listings import PARENT_CATEGORY, Listing
from tcgtracker.sandbox.world import World

CURRENCIES = {
    "EBAY_US": ("USD", Decimal(1)),
    "EBAY_GB": ("GBP", Decimal("0.78")),
    "EBAY_DE": ("EUR", Decimal("0.92")),
    "EBAY_FR": ("EUR", Decimal("0.92")),
    "EBAY_IT": ("EUR", Decimal("0.92")),
    "EBAY_ES": ("EUR", Decimal("0.92")),
    "EBAY_CA": ("CAD", Decimal("1.37")),
    "EBAY_AU": ("AUD", Decimal("1.52")),
}
"""Marketplaces with their currency and what a dollar is there."""

_IMAGES = "https://i.ebayimg.com"


@dataclass(frozen=True, slots=True)
class View:
    """Where and when an offer is looked at. base: scheme and host of links to the API."""

    world: World
    now: datetime
    marketplace: str
    base: str
    extended: bool = False


def summary(listing: Listing, view: View) -> dict[str, object]:
    """Return an entry of `itemSummaries`."""
    category, condition = listing.category, listing.condition
    image = f"{_IMAGES}/images/g/{listing.key:016x}"
    entry: dict[str, object] = {
        "itemId": listing.item_id,
        "title": listing.title,
        "leafCategoryIds": [category[0]],
        "categories": [
            {"categoryId": each[0], "categoryName": each[1]} for each in (category, PARENT_CATEGORY)
        ],
        "image": {"imageUrl": f"{image}/s-l225.jpg"},
        **_prices(listing, view),
        "itemHref": f"{view.base}/buy/browse/v1/item/v1%7C{listing.number}%7C0",
        "seller": {
            "username": listing.seller,
            "feedbackPercentage": "99.5",
            "feedbackScore": int(share(listing.key, 12) * 20_000),
        },
        "condition": condition[0],
        "conditionId": condition[1],
        "thumbnailImages": [{"imageUrl": f"{image}/s-l1600.jpg"}],
        "shippingOptions": [
            {
                "shippingCostType": "FIXED",
                "shippingCost": _money(listing.shipping_cents(), view),
            }
        ],
        "buyingOptions": listing.buying_options,
        "itemWebUrl": f"https://www.ebay.com/itm/{listing.number}",
        "itemLocation": _location(listing, view),
        "adultOnly": False,
        "legacyItemId": str(listing.number),
        "availableCoupons": False,
        "itemOriginDate": _moment(listing.created),
        "itemCreationDate": _moment(listing.created),
        "topRatedBuyingExperience": share(listing.key, 13) < 0.3,  # noqa: PLR2004
        "priorityListing": share(listing.key, 14) < 0.1,  # noqa: PLR2004
        "listingMarketplaceId": "EBAY_US",
    }
    if view.extended:
        entry["shortDescription"] = f"{listing.title} <b>as pictured</b>"
    return entry


def item(listing: Listing, view: View) -> dict[str, object]:
    """Return one item as `GET /item/{item_id}` does."""
    whole = summary(listing, view)
    for name in ("leafCategoryIds", "categories", "itemHref", "thumbnailImages"):
        del whole[name]
    category = listing.category
    return whole | {
        "categoryId": category[0],
        "categoryPath": f"{PARENT_CATEGORY[1]}|{category[1]}",
        "description": f"<p>{listing.title}</p><script>track()</script>",
        "estimatedAvailabilities": [
            {"estimatedAvailabilityStatus": "IN_STOCK", "estimatedAvailableQuantity": 1}
        ],
        "brand": "Unbranded",
    }


def _prices(listing: Listing, view: View) -> dict[str, object]:
    cents = listing.price_cents(view.world, view.now)
    if listing.auction:
        return {
            "currentBidPrice": _money(cents, view),
            "bidCount": listing.bids,
            "itemEndDate": _moment(listing.ends(view.now)),
        }
    prices: dict[str, object] = {"price": _money(cents, view)}
    if share(listing.key, 15) < 0.1:  # noqa: PLR2004 - a tenth is on sale
        before = cents * 5 // 4
        prices["marketingPrice"] = {
            "originalPrice": _money(before, view),
            "discountPercentage": "20",
            "discountAmount": _money(before - cents, view),
            "priceTreatment": "STRIKE_THROUGH",
        }
    return prices


def _money(cents: int, view: View) -> dict[str, str]:
    """Return an amount as strings; where dollars are foreign, with the amount it came from."""
    currency, rate = CURRENCIES[view.marketplace]
    own = f"{cents // 100}.{cents % 100:02}"
    if currency == "USD":
        return {"value": own, "currency": currency}
    return {
        "value": str((Decimal(cents) * rate / 100).quantize(Decimal("0.01"))),
        "currency": currency,
        "convertedFromValue": own,
        "convertedFromCurrency": "USD",
    }


def _location(listing: Listing, view: View) -> dict[str, str]:
    place = {"postalCode": "981**", "country": listing.country}
    return place | {"city": "Springfield"} if view.extended else place


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"
