"""SQL of matching by words: what a source says of its products, our cards, and who is tied."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, select

from tcgtracker.catalog.link_rows import chunks
from tcgtracker.catalog.matching.values import Candidate, CandidateSet
from tcgtracker.database.tables.catalog import (
    card_aliases,
    card_products,
    card_quotes,
    cards,
    games,
    product_links,
    set_aliases,
    stated_products,
    tcg_sets,
)
from tcgtracker.database.tables.prices import vendor_products
from tcgtracker.domain.catalog import LinkState, ProductType
from tcgtracker.domain.source import Source


@dataclass(frozen=True, slots=True)
class OurCards:
    """Candidates, and at the same places their card ids; the set ids of their sets."""

    candidates: tuple[Candidate, ...]
    card_ids: tuple[int, ...]
    set_ids: dict[CandidateSet, set[int]]


def load_stated_names(connection: Connection, source: Source) -> dict[str, set[str]]:
    """Return the sets that a source names for single cards, by game."""
    found: dict[str, set[str]] = defaultdict(set)
    rows = connection.execute(
        select(stated_products.c.game, stated_products.c.set_name)
        .where(
            stated_products.c.source == source,
            stated_products.c.product_type == ProductType.SINGLE,
            stated_products.c.set_name != "",
        )
        .distinct()
    )
    for game, name in rows:
        found[game].add(name)
    return dict(found)


def load_our_cards(connection: Connection, game: str, source: Source) -> OurCards:
    """Return the single cards of a game that some other catalog than the source's guide has."""
    sets = _candidate_sets(connection, game, source)
    others = _known_to_others(connection, source)
    prices = _prices(connection, source)
    found = []
    for row in connection.execute(
        select(
            cards.c.id,
            cards.c.set_id,
            cards.c.collector_number,
            cards.c.name,
            cards.c.art,
            cards.c.rarity,
        )
        .join(tcg_sets, tcg_sets.c.id == cards.c.set_id)
        .join(games, games.c.id == tcg_sets.c.game_id)
        .where(games.c.slug == game, cards.c.product_type == ProductType.SINGLE)
        .order_by(cards.c.id)
    ):
        if row[0] not in others:
            continue
        price, currency = prices.get(row[0], (None, ""))
        candidate = Candidate(sets[row[1]], row[2], (row[3],), row[4], row[5], price, currency)
        found.append((row[0], candidate))
    set_ids: dict[CandidateSet, set[int]] = defaultdict(set)
    for set_id, ours in sets.items():
        set_ids[ours].add(set_id)
    return OurCards(
        tuple(candidate for _, candidate in found),
        tuple(card_id for card_id, _ in found),
        set_ids,
    )


def load_own_prices(connection: Connection, source: Source) -> dict[int, tuple[int, str]]:
    """Return the newest market price that a source states for each card that it has."""
    rows = connection.execute(
        select(card_quotes.c.card_id, card_quotes.c.market_price, card_quotes.c.currency).where(
            card_quotes.c.source == source, card_quotes.c.market_price.is_not(None)
        )
    )
    return {card_id: (price, currency) for card_id, price, currency in rows}


def cards_with_product_ids(connection: Connection, source: Source) -> dict[int, set[str]]:
    """Return the plain products that a source's ids are claimed for, by card."""
    found: dict[int, set[str]] = defaultdict(set)
    rows = connection.execute(
        select(card_products.c.card_id, card_products.c.external_id).where(
            card_products.c.source == source, card_products.c.variant == ""
        )
    )
    for card_id, external_id in rows:
        found[card_id].add(external_id)
    return found


def decided_products(
    connection: Connection, history: Connection, source: Source, names: Collection[str]
) -> set[str]:
    """Return the products whose link a person decided, or that is rejected or suspended."""
    kept = set(
        connection.scalars(
            select(product_links.c.vendor_product_id).where(
                product_links.c.source == source,
                (product_links.c.decided_by != "")
                | product_links.c.state.in_([LinkState.REJECTED, LinkState.SUSPENDED]),
            )
        )
    )
    return {
        external_id
        for chunk in chunks(sorted(kept))
        for external_id in history.scalars(
            select(vendor_products.c.external_id).where(vendor_products.c.id.in_(chunk))
        )
        if external_id in names
    }


def _candidate_sets(connection: Connection, game: str, source: Source) -> dict[int, CandidateSet]:
    prefix = f"{source}:"
    names: dict[int, list[str]] = defaultdict(list)
    for set_id, alias in connection.execute(
        select(set_aliases.c.set_id, set_aliases.c.alias)
        .where(set_aliases.c.alias.startswith(prefix))
        .order_by(set_aliases.c.alias)
    ):
        names[set_id].append(alias.removeprefix(prefix))
    rows = connection.execute(
        select(tcg_sets.c.id, tcg_sets.c.name, tcg_sets.c.region, tcg_sets.c.total_cards)
        .join(games, games.c.id == tcg_sets.c.game_id)
        .where(games.c.slug == game)
    )
    return {
        set_id: CandidateSet(game, (name, *names[set_id]), region, total=total)
        for set_id, name, region, total in rows
    }


def _known_to_others(connection: Connection, source: Source) -> set[int]:
    return set(
        connection.scalars(
            select(card_aliases.c.card_id)
            .where(~card_aliases.c.alias.startswith(f"{source}:"))
            .distinct()
        )
    )


def _prices(connection: Connection, source: Source) -> dict[int, tuple[int, str]]:
    """Return a market price of each card that another source states, the dearest."""
    rows = connection.execute(
        select(card_quotes.c.card_id, card_quotes.c.market_price, card_quotes.c.currency)
        .where(card_quotes.c.source != source, card_quotes.c.market_price.is_not(None))
        .order_by(card_quotes.c.market_price, card_quotes.c.source)
    )
    return {card_id: (price, currency) for card_id, price, currency in rows}
