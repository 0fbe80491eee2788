"""The search of eBay's Browse API: its parameters, its paging, its warnings."""

import re
from collections.abc import Callable, Sequence
from urllib.parse import urlencode

from tcgtracker.sandbox.answers import json_answer, whole_number
from tcgtracker.sandbox.ebay_errors import BrowseError, warning
from tcgtracker.sandbox.ebay_filters import rules_of
from tcgtracker.sandbox.ebay_items import View, summary
from tcgtracker.sandbox.ebay_listings import (
    CARDS_CATEGORY,
    PARENT_CATEGORY,
    SEALED_CATEGORY,
    Listing,
)
from tcgtracker.sandbox.wire import Request, Response

PATH = "/buy/browse/v1/item_summary/search"

_MAX_LIMIT, _DEFAULT_LIMIT = 200, 50
_MAX_ITEMS = 10_000
_MAX_QUERY = 100
_TOP_CATEGORIES = frozenset({"1", "220", "64482"})
_CATEGORIES = {
    CARDS_CATEGORY[0]: {CARDS_CATEGORY[0]},
    SEALED_CATEGORY[0]: {SEALED_CATEGORY[0]},
    PARENT_CATEGORY[0]: {CARDS_CATEGORY[0], SEALED_CATEGORY[0]},
    "220": {CARDS_CATEGORY[0], SEALED_CATEGORY[0]},
}
_FIELD_GROUPS = frozenset(
    {
        "MATCHING_ITEMS",
        "EXTENDED",
        "ASPECT_REFINEMENTS",
        "CONDITION_REFINEMENTS",
        "CATEGORY_REFINEMENTS",
        "BUYING_OPTION_REFINEMENTS",
        "FULL",
    }
)
_KEYS = ("q", "category_ids", "epid", "gtin")


def _seconds_to_end(one: Listing, view: View) -> float:
    return (one.ends(view.now) - view.now).total_seconds() if one.auction else float("inf")


Order = Callable[[Listing, View], float]

_ORDERS: dict[str, Order] = {
    "price": lambda one, view: one.price_cents(view.world, view.now) + one.shipping_cents(),
    "-price": lambda one, view: -one.price_cents(view.world, view.now) - one.shipping_cents(),
    "newlyListed": lambda one, _: -one.created.timestamp(),
    "endingSoonest": _seconds_to_end,
    "distance": lambda one, _: one.country != "US",
}


def search(request: Request, listings: Sequence[Listing], view: View) -> Response:
    """Answer a search.

    Raises:
        BrowseError: a parameter that eBay refuses.
    """
    limit, offset = _paging(request)
    warnings: list[dict[str, object]] = []
    found = _matching(request, listings, warnings)
    rules, ignored = rules_of(request.arg("filter"))
    warnings += ignored
    found = [one for one in found if all(rule(one, view) for rule in rules)]
    found = _ordered(request.arg("sort"), found, view, warnings)
    _check_groups(request.arg("fieldgroups"), warnings)
    if request.arg("aspect_filter"):
        warnings.append(warning(12018, "aspect_filter", request.arg("aspect_filter")))
    answer: dict[str, object] = {"href": _link(request, view, limit, offset), "total": len(found)}
    if offset + limit < min(len(found), _MAX_ITEMS):
        answer["next"] = _link(request, view, limit, offset + limit)
    if offset > 0:
        answer["prev"] = _link(request, view, limit, offset - limit)
    answer |= {"limit": limit, "offset": offset}
    if page := found[offset : offset + limit]:
        answer["itemSummaries"] = [summary(one, view) for one in page]
    if warnings:
        answer["warnings"] = warnings
    return json_answer(answer)


def _paging(request: Request) -> tuple[int, int]:
    offset = whole_number(request.arg("offset", "0"))
    if offset is None:
        raise BrowseError(12005)
    if offset < 0:
        raise BrowseError(12004)
    limit = whole_number(request.arg("limit", str(_DEFAULT_LIMIT)))
    if limit is None:
        raise BrowseError(12007)
    if not 1 <= limit <= _MAX_LIMIT:
        raise BrowseError(12006)
    if offset % limit:
        raise BrowseError(12515)
    if offset >= _MAX_ITEMS:
        raise BrowseError(12029)
    return limit, offset


def _matching(
    request: Request, listings: Sequence[Listing], warnings: list[dict[str, object]]
) -> Sequence[Listing]:
    if not any(request.arg(name) for name in _KEYS):
        raise BrowseError(12001)
    query = request.arg("q")[:_MAX_QUERY]
    category = request.arg("category_ids")
    if "," in category:
        raise BrowseError(12030)
    if category in _TOP_CATEGORIES and not query:
        raise BrowseError(12013)
    for name, number in (("epid", 12021), ("gtin", 12022)):
        if request.arg(name):  # no card of ours is in eBay's product catalog
            warnings.append(warning(number, name, request.arg(name)))
    found = [one for one in listings if _has_words(one.title, query)] if query else listings
    if category and category not in _CATEGORIES and category not in _TOP_CATEGORIES:
        warnings.append(warning(12009, "category_ids", category))
    elif category:
        found = [one for one in found if one.category[0] in _CATEGORIES.get(category, ())]
    return found if query or category else []


def _has_words(title: str, query: str) -> bool:
    """Tell whether all words are in the title; `(a, b)` is one of several."""
    words = set(_words(title))
    for group in re.findall(r"\(([^()]*)\)", query):
        if not any(set(_words(each)) <= words for each in group.split(",")):
            return False
    return "*" not in query and set(_words(re.sub(r"\([^()]*\)", " ", query))) <= words


def _words(text: str) -> list[str]:
    return re.findall(r"[\w./'’♀♂&-]+", text.casefold())


def _ordered(
    sort: str, found: Sequence[Listing], view: View, warnings: list[dict[str, object]]
) -> Sequence[Listing]:
    if not sort:
        return found
    if sort not in _ORDERS:
        warnings.append(warning(12008, "sort", sort))
        return found
    order = _ORDERS[sort]
    return sorted(found, key=lambda one: (order(one, view), one.number))


def _check_groups(text: str, warnings: list[dict[str, object]]) -> None:
    if text and not set(text.split(",")) <= _FIELD_GROUPS:
        warnings.append(warning(12016, "fieldgroups", text))


def _link(request: Request, view: View, limit: int, offset: int) -> str:
    """Return the address of a page of the same search."""
    query = [
        (name, value)
        for name, values in request.query.items()
        for value in values
        if name not in ("limit", "offset")
    ]
    query += [("limit", str(limit)), ("offset", str(offset))]
    return f"{view.base}{PATH}?{urlencode(query)}"
