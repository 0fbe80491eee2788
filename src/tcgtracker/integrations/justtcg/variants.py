"""One variant of a card -> one look at one product of the vendor. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from tcgtracker.domain.clock import from_epoch
from tcgtracker.domain.money import MAX_MINOR, minor_from_decimal
from tcgtracker.domain.quote import Facet, PriceValues
from tcgtracker.domain.variant import PriceKind
from tcgtracker.integrations.catalog_records import BadRow, clean_text, required_text
from tcgtracker.integrations.contract import ItemPage, ItemQuotes, RejectedRow
from tcgtracker.integrations.justtcg.names import language_of, sub_key_of, variant_of
from tcgtracker.integrations.justtcg.payloads import VariantPayload
from tcgtracker.integrations.raw_text import raw_text
from tcgtracker.integrations.shapes import BadShape, read_shape

MOST_AHEAD = timedelta(days=1)
"""A time further ahead of our clock is no time at which a price was seen."""

_EPOCH_DIGITS = 11
_FIRST_SECOND = 946_684_800  # 2000-01-01: before it nothing was sold that the vendor lists


def read_variant(decoded: object) -> VariantPayload:
    """Return one variant.

    Raises:
        BadShape, BadRow: it lacks what tells it apart, or a text cannot be kept.
    """
    payload = read_shape(decoded, VariantPayload)
    required_text(payload.condition, "condition")
    required_text(payload.printing, "printing")
    clean_text(payload.language, "language")
    return payload


def cents_of(price: object) -> int | None:
    """Return a price in cents, None where there is none; dollars as a JSON number.

    Raises:
        BadRow: it is no amount, or one that no price has.
    """
    if price is None:
        return None
    if isinstance(price, bool) or not isinstance(price, int | Decimal):
        raise BadRow("not-an-amount")
    dollars = Decimal(price)
    if not dollars.is_finite():
        raise BadRow("not-an-amount")
    if dollars < 0:
        raise BadRow("negative-price")
    if dollars > MAX_MINOR:  # before the arithmetic: 1e400 has 400 digits
        raise BadRow("too-large")
    cents = minor_from_decimal(dollars, "USD")
    if cents > MAX_MINOR:
        raise BadRow("too-large")
    return cents or None


def moment_of(last_updated: object, fetched_at: datetime) -> datetime:
    """Return when the vendor last saw the price (aware UTC): epoch seconds, as number or text.

    Raises:
        BadRow: there is none, or none that can be.
    """
    if last_updated is None or last_updated == "":
        raise BadRow("missing-time")
    text = "" if isinstance(last_updated, bool) else str(last_updated)
    if not (text.isascii() and text.isdigit() and len(text) <= _EPOCH_DIGITS):
        raise BadRow("bad-time")
    if int(text) < _FIRST_SECOND:
        raise BadRow("bad-time")
    moment = from_epoch(int(text))
    if moment > fetched_at + MOST_AHEAD:
        raise BadRow("future-time")
    return moment


def add_variants(
    page: ItemPage, cards: Iterable[tuple[str, list[object]]], fetched_at: datetime
) -> None:
    """Add the looks of cards (our external id of each, its variants) to the page.

    Of equal looks one counts; looks at one product that contradict each other are all refused.
    """
    found: dict[tuple[str, Facet], list[tuple[ItemQuotes, str]]] = {}
    refused: set[tuple[str, Facet]] = set()
    for external_id, variants in cards:
        for decoded in variants:
            facet: Facet | None = None
            try:
                payload = read_variant(decoded)
                facet = _facet(payload)
                look = _look(external_id, facet, payload, fetched_at)
            except (BadShape, BadRow) as exc:
                page.rejected.append(RejectedRow(external_id, facet, str(exc), raw_text(decoded)))
                if facet is not None:
                    refused.add((external_id, facet))
                continue
            key = (external_id, facet)
            found.setdefault(key, []).append((look, raw_text(decoded)))
    for (external_id, facet), looks in found.items():
        values = {look.quotes[facet] for look, _ in looks}
        if len(values) > 1 or (external_id, facet) in refused:
            page.rejected += [
                RejectedRow(external_id, facet, "conflicting-duplicate", raw) for _, raw in looks
            ]
            continue
        page.items.append(max((look for look, _ in looks), key=lambda one: one.observed_at))
        if len(looks) > 1:
            page.skipped["duplicate"] += len(looks) - 1


def _facet(payload: VariantPayload) -> Facet:
    variant = variant_of(payload.condition)
    if variant is None:
        raise BadRow("unknown-condition")
    language = payload.language or ""
    return Facet(
        sub_key=sub_key_of(payload.printing, payload.condition, language),
        kind=PriceKind.MARKET,
        variant=variant,
        language=language_of(language),
    )


def _look(
    external_id: str, facet: Facet, payload: VariantPayload, fetched_at: datetime
) -> ItemQuotes:
    # `minPrice7d` and its like are extremes of a stretch of time, not a low and a high of now
    values = PriceValues(market_price=cents_of(payload.price))
    observed_at = moment_of(payload.last_updated, fetched_at)
    return ItemQuotes(external_id, observed_at, {facet: values})
