"""eBay's `filter` parameter: `name:value`, ranges `[a..b]`, sets `{A|B}`, joined by commas.

What it cannot read is ignored with a warning, never an error (vendors/ebay.md section 2).
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation

from tcgtracker.sandbox.ebay_errors import warning
from tcgtracker.sandbox.ebay_items import CURRENCIES, View
from tcgtracker.sandbox.ebay_listings import GRADED, NEW, UNGRADED, Listing

Rule = Callable[[Listing, View], bool]

_OPTIONS = frozenset({"AUCTION", "FIXED_PRICE", "BEST_OFFER"})
_DEFAULT_OPTIONS = "{FIXED_PRICE}"
_CONDITIONS = {"NEW": {NEW[1]}, "USED": {GRADED[1], UNGRADED[1]}}
_PART = re.compile(r"(\w+):(\{[^{}]*\}|\[[^\[\]]*\]|[^,\[\]{}]+)(?:,|$)")
_MAX_SELLERS = 250


class _Unreadable(Exception):
    """A filter whose value cannot be used."""


def rules_of(text: str) -> tuple[list[Rule], list[dict[str, object]]]:
    """Return what an offer must meet, and the warnings.

    Without `buyingOptions` only offers at a fixed price are found.
    """
    filters, rest = _parts(text)
    warnings = [warning(12002, "filter", rest)] if rest else []
    rules: list[Rule] = []
    if "buyingOptions" not in filters:
        filters["buyingOptions"] = _DEFAULT_OPTIONS
    for name, value in filters.items():
        if name == "price" and filters.get("priceCurrency") not in _currency_rates():
            warnings.append(warning(12012, "filter", f"price:{value}"))
            continue
        try:
            rules.append(_RULES.get(name, _unknown)(value, filters))
        except _Unreadable:
            warnings.append(warning(12002, "filter", f"{name}:{value}"))
            if name == "buyingOptions":
                rules.append(_buying_options(_DEFAULT_OPTIONS, {}))
    return rules, warnings


def _parts(text: str) -> tuple[dict[str, str], str]:
    filters: dict[str, str] = {}
    at = 0
    while found := _PART.match(text, at):
        filters[found[1]] = found[2].strip()
        at = found.end()
    return filters, text[at:]


def _members(value: str) -> set[str]:
    inner = value[1:-1] if value.startswith("{") else value
    members = {each.strip() for each in inner.split("|")} - {""}
    if not members or value.startswith("["):
        raise _Unreadable(value)
    return members


def _range(value: str) -> tuple[str, str]:
    if not value.startswith("["):
        raise _Unreadable(value)
    low, dots, high = value[1:-1].partition("..")
    return low.strip(), high.strip() if dots else low.strip()


def _amount(text: str, default: str) -> Decimal:
    try:
        amount = Decimal(text or default)
    except InvalidOperation as exc:
        raise _Unreadable(text) from exc
    if not amount.is_finite():
        raise _Unreadable(text)
    return amount


def _price(value: str, filters: Mapping[str, str]) -> Rule:
    low, high = (
        _amount(text, default) for text, default in zip(_range(value), ("0", "1e9"), strict=True)
    )
    rate = _currency_rates()[filters["priceCurrency"]]

    def rule(listing: Listing, view: View) -> bool:
        return low <= Decimal(listing.price_cents(view.world, view.now)) * rate / 100 <= high

    return rule


def _currency_rates() -> dict[str, Decimal]:
    return dict(CURRENCIES.values())


def _buying_options(value: str, _: Mapping[str, str]) -> Rule:
    wanted = _members(value)
    if not wanted <= _OPTIONS:
        raise _Unreadable(value)
    return lambda listing, _: not wanted.isdisjoint(listing.buying_options)


def _condition_ids(value: str, _: Mapping[str, str]) -> Rule:
    wanted = _members(value)
    return lambda listing, _: listing.condition[1] in wanted


def _conditions(value: str, _: Mapping[str, str]) -> Rule:
    named = _members(value)
    if not named <= set(_CONDITIONS):
        raise _Unreadable(value)
    wanted = set().union(*(_CONDITIONS[each] for each in named))
    return lambda listing, _: listing.condition[1] in wanted


def _country(value: str, _: Mapping[str, str]) -> Rule:
    wanted = _members(value)
    return lambda listing, _: listing.country in wanted


def _sellers(value: str, _: Mapping[str, str]) -> Rule:
    wanted = _members(value)
    if len(wanted) > _MAX_SELLERS:
        raise _Unreadable(value)
    return lambda listing, _: listing.seller in wanted


def _bids(value: str, _: Mapping[str, str]) -> Rule:
    low, high = (
        _amount(text, default) for text, default in zip(_range(value), ("0", "1e9"), strict=True)
    )
    return lambda listing, _: listing.auction and low <= listing.bids <= high


def _end_date(value: str, _: Mapping[str, str]) -> Rule:
    try:
        low, high = (datetime.fromisoformat(text) if text else None for text in _range(value))
    except ValueError as exc:
        raise _Unreadable(value) from exc
    if any(each is not None and each.tzinfo is None for each in (low, high)):
        raise _Unreadable(value)

    def rule(listing: Listing, view: View) -> bool:
        end = listing.ends(view.now)
        after = low is None or low <= end
        return listing.auction and after and (high is None or end <= high)

    return rule


def _delivery_cost(value: str, _: Mapping[str, str]) -> Rule:
    most = _amount(value, "0") * 100
    return lambda listing, _: listing.shipping_cents() <= most


def _unknown(value: str, _: Mapping[str, str]) -> Rule:
    raise _Unreadable(value)


def _anything(_: str, __: Mapping[str, str]) -> Rule:
    return lambda _, __: True


_RULES: Mapping[str, Callable[[str, Mapping[str, str]], Rule]] = {
    "price": _price,
    "priceCurrency": _anything,
    "buyingOptions": _buying_options,
    "conditionIds": _condition_ids,
    "conditions": _conditions,
    "itemLocationCountry": _country,
    "deliveryCountry": _anything,
    "sellers": _sellers,
    "itemEndDate": _end_date,
    "bidCount": _bids,
    "maxDeliveryCost": _delivery_cost,
}
