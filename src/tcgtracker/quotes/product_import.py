"""Taking in one product that somebody found at a vendor: asked for again, and never believed.

What the vendor says of it goes the way of every synchronisation: its statement is taken down, its
prices are recorded, and it is tied to a card when it agrees with one. Where no card is it, the
rules of the vendor's catalog make one, or let it wait; the answer says which and why.
"""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import func, select

from tcgtracker.catalog.link_rows import claims_of_products, links_of, products_of_ids
from tcgtracker.catalog.statements import GUIDES
from tcgtracker.database.tables.catalog import cards
from tcgtracker.domain.catalog import LinkState
from tcgtracker.domain.errors import Conflict, ContractBroken, NotFound
from tcgtracker.domain.source import Source
from tcgtracker.integrations.contract import CatalogPage, ItemPage, StatedProduct
from tcgtracker.quotes.following import follow
from tcgtracker.quotes.items_intake import ItemIntake
from tcgtracker.quotes.sync import CatalogSync, SyncParts
from tcgtracker.quotes.sync_report import SyncOutcome


class ImportOutcome(StrEnum):
    """What became of a product."""

    CREATED = "created"
    LINKED = "linked"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class ImportedProduct:
    """A product that was taken in, and what it is tied to.

    card_id: None while it is tied to no card. state: of the link of its prices, None without one.
    reason: the evidence of the tie, or why there is none. prices: series with or without a price.
    """

    source: Source
    external_id: str
    stated: StatedProduct
    outcome: ImportOutcome
    card_id: int | None
    state: LinkState | None
    reason: str
    prices: int


class ProductImport:
    """Takes in single products of one tracker."""

    def __init__(self, parts: SyncParts, sync: CatalogSync) -> None:
        self._parts = parts
        self._sync = sync

    def take(self, vendor: str, external_id: str, *, game: str) -> ImportedProduct:
        """Ask the vendor for a product and take in what it says.

        Raises:
            NotFound: the vendor knows no such product.
            InvalidInput: its prices are not kept, or it cannot be asked for this.
            Conflict: the product is of another game, or an import changed the catalog meanwhile.
            VendorError: the vendor does not answer, or says nothing that can be used.
        """
        parts = self._parts
        source = parts.source_of(vendor)
        page = parts.vendors.product(vendor, external_id, game=game)
        if page is None:
            raise NotFound(f"{vendor} knows no product {external_id!r}")
        stated = _stated(vendor, external_id, page)
        if stated.game != game:
            raise Conflict(f"product {external_id} of {vendor} is of the game {stated.game!r}")
        with parts.database.read() as connection:
            newest = connection.scalar(select(func.max(cards.c.id))) or 0
        taken = self._take(source, page, stated)
        return self._told(source, stated, taken, newest)

    def _take(self, source: Source, page: CatalogPage, stated: StatedProduct) -> int:
        parts = self._parts
        intake = parts.catalog()
        if page.cards:
            intake.take_cards(page.cards)
        items = page.prices or ItemPage(source)
        items.stated = items.stated or page.stated
        prices = ItemIntake(parts.database, parts.history, parts.clock)
        with prices.run(source, f"product {stated.external_id}") as run:
            taken = prices.take(items, run)
        parts.refresh(intake.link().cards | taken.stated.cards)
        if source in GUIDES and stated.set_name:
            outcome = SyncOutcome(source, stated.game)
            self._sync.own_sets(source, stated.game, {stated.set_name}, outcome)
            if outcome.error is not None:
                raise outcome.error
        parts.refresh(follow(parts.database, parts.history, clock=parts.clock).links.cards)
        return taken.stored + taken.unchanged + taken.held

    def _told(
        self, source: Source, stated: StatedProduct, prices: int, newest: int
    ) -> ImportedProduct:
        """Say what the product is tied to now. newest: the newest card of before."""
        parts = self._parts
        with parts.history.read() as history:
            products = products_of_ids(history, source, [stated.external_id])
        with parts.database.read() as connection:
            links = list(links_of(connection, [one.id for one in products]).values())
            claims = claims_of_products(connection, source, [stated.external_id])
        links.sort(key=lambda link: (not link.state.trusted, link.vendor_product_id))
        trusted = [claim for claim in claims if claim.trusted]
        card_id = links[0].card_id if links else None
        if card_id is None and len(trusted) == 1:
            card_id = trusted[0].card_id
        parts.cache.delete(f"card:price:{card_id}")
        reason = "; ".join(dict.fromkeys(link.evidence for link in links)) or "; ".join(
            claim.evidence for claim in claims
        )
        outcome = ImportOutcome.LINKED
        if card_id is None:
            outcome = ImportOutcome.WAITING
        elif card_id > newest:
            outcome = ImportOutcome.CREATED
        return ImportedProduct(
            source=source,
            external_id=stated.external_id,
            stated=stated,
            outcome=outcome,
            card_id=card_id,
            state=links[0].state if links else None,
            reason=reason or "no card of the catalog is proven to be it",
            prices=prices,
        )


def _stated(vendor: str, external_id: str, page: CatalogPage) -> StatedProduct:
    """Return what the vendor says of the one product.

    Raises:
        ContractBroken: it says nothing that can be used.
    """
    if len(page.stated) == 1:
        return page.stated[0]
    refused = [row.reason for row in page.prices.rejected] if page.prices else []
    why = "; ".join(dict.fromkeys([*refused, *page.bad])) or "it names several products"
    raise ContractBroken(vendor, "product", f"the answer for {external_id!r} is unusable: {why}")
