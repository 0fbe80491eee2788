"""Which links an act of a person is about: held against other writers, with their products."""

from dataclasses import dataclass

from sqlalchemy import select

from tcgtracker.catalog import claims as rules
from tcgtracker.catalog.decision_rows import Decision, decisions_of, decisions_of_batch
from tcgtracker.catalog.link_rows import VendorProduct, products_of_ids
from tcgtracker.catalog.link_rules import printing_of_sub_key
from tcgtracker.catalog.rejections import shared_sources
from tcgtracker.catalog.review_rows import LinkRecord, links_of_products, load_links
from tcgtracker.catalog.statement_rows import load_stated
from tcgtracker.database.tables.prices import vendor_products
from tcgtracker.database.unit_of_work import UnitOfWork
from tcgtracker.domain.errors import Conflict, NotFound
from tcgtracker.domain.source import Source
from tcgtracker.quotes.card_quotes import lock_cards


@dataclass(frozen=True, slots=True)
class LinkGroups:
    """Finds links within one transaction."""

    uow: UnitOfWork

    def link(self, link_id: int) -> LinkRecord:
        """Return a link, held together with its card against everybody else.

        Raises:
            NotFound: there is none with that id.
        """
        seen = load_links(self.uow.connection, [link_id]).get(link_id)
        if seen is None:
            raise NotFound(f"there is no link {link_id}")
        lock_cards(self.uow.connection, [seen.card_id])
        held = links_of_products(self.uow.connection, [seen.vendor_product_id], lock=True)
        if seen.vendor_product_id not in held:
            raise NotFound(f"there is no link {link_id}")
        return held[seen.vendor_product_id]

    def last_decisions(self, link: LinkRecord) -> list[Decision]:
        """Return the newest act on a link that holds, on all sub keys of its product.

        Raises:
            Conflict: there is nothing to undo.
        """
        for one in decisions_of(self.uow.connection, link.vendor_product_id):
            if one.undone_at is None:
                together = decisions_of_batch(self.uow.connection, one.made.batch)
                sources = shared_sources(one.made.source)
                return [
                    other
                    for other in together
                    if other.made.external_id == one.made.external_id
                    and other.made.source in sources
                ]
        raise Conflict("nobody decided anything on this link that could be undone")

    def product(self, link: LinkRecord) -> VendorProduct:
        row = self.uow.history.execute(
            select(
                vendor_products.c.id,
                vendor_products.c.source,
                vendor_products.c.external_id,
                vendor_products.c.sub_key,
            ).where(vendor_products.c.id == link.vendor_product_id)
        ).first()
        if row is None:
            raise Conflict(f"the product of link {link.id} is gone: its source was purged")
        return VendorProduct(row[0], Source(row[1]), row[2], row[3])

    def sold_together(self, link: LinkRecord) -> list[tuple[VendorProduct, LinkRecord]]:
        """Return the link and those of other conditions of its printing and language."""
        product = self.product(link)
        sale = printing_of_sub_key(link.source, product.sub_key)
        others = [
            one
            for one in products_of_ids(self.uow.history, link.source, [product.external_id])
            if one.id != product.id and printing_of_sub_key(link.source, one.sub_key) == sale
        ]
        found = links_of_products(self.uow.connection, [one.id for one in others], lock=True)
        return [
            (product, link),
            *(
                (one, found[one.id])
                for one in others
                if one.id in found
                and not found[one.id].decided_by
                and found[one.id].card_id == link.card_id
            ),
        ]

    def all_of(
        self, product: VendorProduct, card_id: int
    ) -> list[tuple[VendorProduct, LinkRecord]]:
        """Return every link of the product's id to a card, in the sources that share the id."""
        products = [
            one
            for source in shared_sources(product.source)
            for one in products_of_ids(self.uow.history, source, [product.external_id])
        ]
        found = links_of_products(self.uow.connection, [one.id for one in products], lock=True)
        return [
            (one, found[one.id])
            for one in products
            if one.id in found and found[one.id].card_id == card_id
        ]

    def said(self, source: Source, external_id: str) -> str:
        stated = load_stated(self.uow.connection, source, [external_id]).get(external_id)
        return rules.said(source, stated) if stated else ""
