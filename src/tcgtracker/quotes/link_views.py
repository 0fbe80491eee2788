"""A link as a reviewer sees it: what the vendor states now beside what we know of the card."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import Connection, select

from tcgtracker.catalog import claims as rules
from tcgtracker.catalog.agreement import (
    CardFacts,
    compare,
    plain_printing,
    printing_of_bracket,
    stated_number,
)
from tcgtracker.catalog.decision_rows import Decision, decisions_of
from tcgtracker.catalog.link_rows import (
    ClaimRow,
    VendorProduct,
    chunks,
    claims_of_products,
    printings_of,
)
from tcgtracker.catalog.link_rules import printing_of_sub_key
from tcgtracker.catalog.numbers import printing_label
from tcgtracker.catalog.rejections import Rejection, list_rejections
from tcgtracker.catalog.review_rows import LinkRecord, seen_at
from tcgtracker.catalog.statement_rows import load_facts, load_stated
from tcgtracker.database.dialects.base import DatabaseDialect
from tcgtracker.database.tables.catalog import card_quotes
from tcgtracker.database.tables.prices import vendor_products
from tcgtracker.domain.clock import from_epoch
from tcgtracker.domain.quote import Facet, RowState
from tcgtracker.domain.source import Source
from tcgtracker.integrations.contract import StatedProduct
from tcgtracker.prices.products import load_series
from tcgtracker.prices.rows import FAR_FUTURE, rows_in_force

_VERSION_CHARACTERS = 16


@dataclass(frozen=True, slots=True)
class EvidencePart:
    """One field of both sides, and what they say to each other."""

    field: str
    vendor: str
    ours: str
    verdict: str


@dataclass(frozen=True, slots=True)
class LinkView:
    """Both sides of a link.

    stated: what the vendor says now, None for a vendor that says nothing of its products. proposal:
    the printing that it seems to be, '' when nothing tells. version: differs when anything that a
    reviewer sees here differs, so that a decision is of what was seen.
    """

    record: LinkRecord
    product: VendorProduct
    stated: StatedProduct | None
    parts: tuple[EvidencePart, ...]
    printings: tuple[str, ...]
    proposal: str
    version: str


@dataclass(frozen=True, slots=True)
class ProductPrice:
    """The newest market price of one series of the product; minor units of its currency."""

    facet: Facet
    market_price: int | None
    since: datetime


@dataclass(frozen=True, slots=True)
class CardPrice:
    """What the card shows by one source now."""

    source: Source
    market_price: int | None
    currency: str
    observed_at: datetime | None


@dataclass(frozen=True, slots=True)
class LinkDetail:
    """A link with prices, and what was decided on it before, the newest first."""

    view: LinkView
    compared_at: datetime | None
    product_prices: tuple[ProductPrice, ...]
    card_prices: tuple[CardPrice, ...]
    decisions: tuple[Decision, ...]
    rejections: tuple[Rejection, ...]


def view_links(
    connection: Connection, history: Connection, records: Sequence[LinkRecord]
) -> list[LinkView]:
    """Return links with both sides, in the same order; one whose product is gone is left out."""
    products = _products(history, [one.vendor_product_id for one in records])
    by_source: dict[Source, set[str]] = {}
    for product in products.values():
        by_source.setdefault(product.source, set()).add(product.external_id)
    stated = {
        (source, name): said
        for source, names in by_source.items()
        for name, said in load_stated(connection, source, names).items()
    }
    claims = {
        (source, claim.external_id, claim.card_id): claim
        for source, names in by_source.items()
        for claim in claims_of_products(connection, source, names)
    }
    card_ids = {one.card_id for one in records}
    facts = load_facts(connection, card_ids)
    printings = printings_of(connection, card_ids)
    views = []
    for record in records:
        if record.vendor_product_id not in products:
            continue
        of = products[record.vendor_product_id]
        said = stated.get((of.source, of.external_id))
        known = sorted(printings[record.card_id])
        claim = claims.get((of.source, of.external_id, record.card_id))
        views.append(_view(record, of, said, facts[record.card_id], known, claim))
    return views


def detail_link(
    connection: Connection, history: Connection, dialect: DatabaseDialect, record: LinkRecord
) -> LinkDetail | None:
    """Return all that is known of a link, None when its product is gone; dialect: of the history.

    It tells nothing new of the vendor: only what was recorded.
    """
    views = view_links(connection, history, [record])
    if not views:
        return None
    view = views[0]
    source, external_id = view.product.source, view.product.external_id
    return LinkDetail(
        view=view,
        compared_at=seen_at(connection, source, external_id),
        product_prices=tuple(_product_prices(history, dialect, record.vendor_product_id)),
        card_prices=tuple(_card_prices(connection, record.card_id)),
        decisions=tuple(decisions_of(connection, record.vendor_product_id)),
        rejections=tuple(list_rejections(connection, source, [external_id])),
    )


def proposed_printing(
    record: LinkRecord, product: VendorProduct, claim: ClaimRow | None, known: Sequence[str]
) -> str:
    """Return the printing that a product seems to be, for a person to judge; '' if none does.

    What the link says; else the sub key, the bracket of the name, the card's only plain printing.
    """
    if record.printing:
        return record.printing
    variant = claim.variant if claim else ""
    if product.sub_key:
        printing, _ = printing_of_sub_key(product.source, product.sub_key)
        return printing_label(printing, variant) if printing else ""
    if variant:
        return printing_of_bracket(variant, known)
    return plain_printing([name for name in known if not name.endswith(")")], ())


def _view(
    record: LinkRecord,
    product: VendorProduct,
    stated: StatedProduct | None,
    card: CardFacts,
    known: list[str],
    claim: ClaimRow | None,
) -> LinkView:
    words = rules.said(product.source, stated) if stated else ""
    seen = (
        record.id,
        record.card_id,
        record.printing,
        record.state.value,
        record.evidence,
        product.sub_key,
        words,
    )
    digest = hashlib.sha256("\0".join(map(str, seen)).encode()).hexdigest()
    return LinkView(
        record=record,
        product=product,
        stated=stated,
        parts=tuple(_parts(stated, card, product.source, claim)) if stated else (),
        printings=tuple(known),
        proposal=proposed_printing(record, product, claim, known),
        version=digest[:_VERSION_CHARACTERS],
    )


def _parts(
    stated: StatedProduct, card: CardFacts, source: Source, claim: ClaimRow | None
) -> Iterable[EvidencePart]:
    variant = claim.variant if claim else ""
    found = compare(stated, card, vendor=source, variant=variant)
    sides: Mapping[str, tuple[str, str, str]] = {
        "game": (stated.game, card.game, found.game),
        "set": (stated.set_name, card.set_names[0], found.set),
        "number": (stated_number(stated), card.number, found.number),
        "name": (stated.name, card.name, found.name),
    }
    for field, (theirs, ours, verdict) in sides.items():
        yield EvidencePart(field, theirs, ours, verdict)


def _products(history: Connection, product_ids: Sequence[int]) -> dict[int, VendorProduct]:
    return {
        row[0]: VendorProduct(row[0], Source(row[1]), row[2], row[3])
        for chunk in chunks(sorted(set(product_ids)))
        for row in history.execute(
            select(
                vendor_products.c.id,
                vendor_products.c.source,
                vendor_products.c.external_id,
                vendor_products.c.sub_key,
            ).where(vendor_products.c.id.in_(chunk))
        )
    }


def _product_prices(
    history: Connection, dialect: DatabaseDialect, product_id: int
) -> Iterable[ProductPrice]:
    series = {one.id: one for one in load_series(history, vendor_product_ids=[product_id])}
    rows = rows_in_force(history, dialect, np.array(sorted(series), np.int64), FAR_FUTURE)
    for place, series_id in enumerate(rows.series_id.tolist()):
        market = int(rows.values[place, 0])
        priced = rows.state[place] == RowState.PRICED and market >= 0
        at = from_epoch(int(rows.observed_at[place]))
        yield ProductPrice(series[series_id].facet, market if priced else None, at)


def _card_prices(connection: Connection, card_id: int) -> Iterable[CardPrice]:
    rows = connection.execute(
        select(
            card_quotes.c.source,
            card_quotes.c.market_price,
            card_quotes.c.currency,
            card_quotes.c.observed_at,
        )
        .where(card_quotes.c.card_id == card_id)
        .order_by(card_quotes.c.source)
    )
    for row in rows:
        yield CardPrice(Source(row[0]), row[1], row[2], row[3])
