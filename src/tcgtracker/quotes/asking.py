"""By which ids a vendor is asked for which cards.

Links and claims are the main database's, products the history's: nothing here joins the two.

A product whose link is suspended is asked for too: only a new answer can show that it agrees with
the card again. Its price is recorded under the vendor's own id and shown on no card meanwhile.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy import Connection, select

from tcgtracker.catalog.link_rows import (
    ClaimRow,
    LinkRow,
    VendorProduct,
    chunks,
    claims_of_cards,
    claims_of_products,
    links_of,
    products_of_ids,
)
from tcgtracker.catalog.writer import ID_SOURCES
from tcgtracker.database.tables.catalog import cards, games, product_links, tcg_sets
from tcgtracker.database.tables.prices import vendor_products
from tcgtracker.domain.catalog import LinkState
from tcgtracker.domain.source import Source
from tcgtracker.integrations.contract import IdKind, ProductRef, VendorInfo

_ASKABLE = frozenset({LinkState.CONFIRMED, LinkState.DERIVED, LinkState.SUSPENDED})


class NoRef(StrEnum):
    """Why a vendor is not asked for a card."""

    NO_PRODUCT = "no product of it is known"
    AMBIGUOUS = "its product id is claimed by several cards"
    UNTRUSTED = "its link to the product is not trusted"
    OTHER_GAME = "the vendor does not cover its game"


@dataclass(slots=True)
class Asking:
    """What to ask one vendor: products by card, and why not for the other cards."""

    refs: dict[int, tuple[ProductRef, ...]] = field(default_factory=dict)
    without: dict[int, NoRef] = field(default_factory=dict)


def load_asking(
    connection: Connection, history: Connection, info: VendorInfo, card_ids: Collection[int]
) -> Asking:
    """Return by which ids the vendor is asked for these cards.

    A card is asked for by the vendor's preferred kind of id that it has, and not by two kinds. A
    claim is used when exactly one card makes it and no link of the product says otherwise; claims
    of special variants (a stamp, a size) only for a card that has no plain one.
    """
    asking = Asking()
    if info.source is None:
        return asking
    waiting = set(card_ids)
    for kind in info.id_kinds:
        if kind is IdKind.OWN:
            found = _own(connection, history, info.source, waiting)
        else:
            found = _by_tcgplayer(connection, history, info, waiting)
        for card_id, ids in found.ids.items():
            asking.refs[card_id] = tuple(ProductRef(one, kind) for one in sorted(ids))
        # The first kind that knows more than "nothing" says why.
        for card_id, reason in found.without.items():
            if asking.without.get(card_id, NoRef.NO_PRODUCT) is NoRef.NO_PRODUCT:
                asking.without[card_id] = reason
        waiting -= asking.refs.keys()
    for card_id in asking.refs:
        asking.without.pop(card_id, None)
    return asking


@dataclass(slots=True)
class _Found:
    ids: dict[int, set[str]] = field(default_factory=dict)
    without: dict[int, NoRef] = field(default_factory=dict)


def _own(
    connection: Connection, history: Connection, source: Source, card_ids: Collection[int]
) -> _Found:
    linked = _linked_ids(connection, history, source, card_ids)
    claims = claims_of_cards(connection, source, card_ids)
    claimants = _claimants(connection, source, {claim.external_id for claim in claims})
    links = _links_by_id(connection, history, source, claimants.keys())
    found = _Found(ids={card_id: set(ids) for card_id, ids in linked.items()})
    _add_claims(found, claims, claimants, links)
    for card_id in set(card_ids) - found.ids.keys() - found.without.keys():
        found.without[card_id] = NoRef.NO_PRODUCT
    for card_id in _with_links(connection, source, card_ids) - found.ids.keys():
        found.without[card_id] = NoRef.UNTRUSTED
    return found


def _by_tcgplayer(
    connection: Connection, history: Connection, info: VendorInfo, card_ids: Collection[int]
) -> _Found:
    found = _Found()
    covered = _cards_of_games(connection, card_ids, info.games)
    for card_id in set(card_ids):
        found.without[card_id] = NoRef.NO_PRODUCT if card_id in covered else NoRef.OTHER_GAME
    claims: list[ClaimRow] = []
    claimants: dict[str, set[int]] = defaultdict(set)
    refusals: dict[str, list[LinkRow]] = defaultdict(list)
    for source in ID_SOURCES:  # all of them use the same ids: what one says counts for the others
        own = claims_of_cards(connection, source, covered)
        ids = {claim.external_id for claim in own}
        claims += own
        for external_id, card_ids_of_it in _claimants(connection, source, ids).items():
            claimants[external_id] |= card_ids_of_it
        for external_id, group in _links_by_id(connection, history, source, ids).items():
            # The id proves the card here; only a person's word speaks against it.
            refusals[external_id] += [one for one in group if one.decided_by]
    _add_claims(found, claims, claimants, refusals)
    return found


def _add_claims(
    found: _Found,
    claims: Iterable[ClaimRow],
    claimants: Mapping[str, Collection[int]],
    links: Mapping[str, Collection[LinkRow]],
) -> None:
    plain: dict[int, set[str]] = defaultdict(set)
    special: dict[int, set[str]] = defaultdict(set)
    for claim in claims:
        reason = None
        known = links.get(claim.external_id, ())
        if claim.doubted:
            reason = NoRef.UNTRUSTED
        elif len(claimants[claim.external_id]) > 1:
            reason = NoRef.AMBIGUOUS
        elif known and not any(
            link.card_id == claim.card_id and link.state in _ASKABLE for link in known
        ):
            reason = NoRef.UNTRUSTED
        if reason is not None:
            found.without[claim.card_id] = reason
        elif claim.variant:
            special[claim.card_id].add(claim.external_id)
        else:
            plain[claim.card_id].add(claim.external_id)
    for card_id, ids in plain.items():
        found.ids.setdefault(card_id, set()).update(ids)
    for card_id, ids in special.items():
        found.ids.setdefault(card_id, ids)
    for card_id in found.ids:
        found.without.pop(card_id, None)


def _linked_ids(
    connection: Connection, history: Connection, source: Source, card_ids: Collection[int]
) -> dict[int, set[str]]:
    """Return the vendor's ids of the products with a link that may be asked for, by card."""
    card_of: dict[int, int] = {}
    for chunk in chunks(sorted(card_ids)):
        rows = connection.execute(
            select(product_links.c.vendor_product_id, product_links.c.card_id).where(
                product_links.c.card_id.in_(chunk),
                product_links.c.source == source,
                product_links.c.state.in_(sorted(_ASKABLE)),
            )
        )
        card_of.update({row[0]: row[1] for row in rows})
    ids: dict[int, set[str]] = defaultdict(set)
    for chunk in chunks(sorted(card_of)):
        rows = history.execute(
            select(vendor_products.c.id, vendor_products.c.external_id).where(
                vendor_products.c.id.in_(chunk)
            )
        )
        for product_id, external_id in rows:
            ids[card_of[product_id]].add(external_id)
    return ids


def _claimants(
    connection: Connection, source: Source, external_ids: Collection[str]
) -> dict[str, set[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    for claim in claims_of_products(connection, source, external_ids):
        if not claim.doubted:
            found[claim.external_id].add(claim.card_id)
    return found


def _links_by_id(
    connection: Connection, history: Connection, source: Source, external_ids: Collection[str]
) -> dict[str, list[LinkRow]]:
    products: dict[int, VendorProduct] = {
        product.id: product for product in products_of_ids(history, source, external_ids)
    }
    found: dict[str, list[LinkRow]] = defaultdict(list)
    for product_id, link in links_of(connection, products.keys()).items():
        found[products[product_id].external_id].append(link)
    return found


def _with_links(connection: Connection, source: Source, card_ids: Collection[int]) -> set[int]:
    return {
        row[0]
        for chunk in chunks(sorted(card_ids))
        for row in connection.execute(
            select(product_links.c.card_id).where(
                product_links.c.card_id.in_(chunk), product_links.c.source == source
            )
        )
    }


def _cards_of_games(
    connection: Connection, card_ids: Collection[int], slugs: Collection[str]
) -> set[int]:
    return {
        row[0]
        for chunk in chunks(sorted(card_ids))
        for row in connection.execute(
            select(cards.c.id)
            .join(tcg_sets, tcg_sets.c.id == cards.c.set_id)
            .join(games, games.c.id == tcg_sets.c.game_id)
            .where(cards.c.id.in_(chunk), games.c.slug.in_(sorted(slugs)))
        )
    }
