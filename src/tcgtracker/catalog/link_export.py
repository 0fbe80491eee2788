"""Links as pairs of outside ids, so that somebody else can compare them with what he knows.

Left is a vendor's product, right a card as a catalog knows it. A pair is there because a priced
product is linked to the card, or because two catalogs' records are joined in it.
"""

from collections import defaultdict

from sqlalchemy import select

from tcgtracker.catalog.link_rows import external_ids_of
from tcgtracker.catalog.matching.candidate_files import public_key
from tcgtracker.catalog.writer import ID_SOURCES
from tcgtracker.database.engine import Database
from tcgtracker.database.tables.catalog import card_aliases, product_links
from tcgtracker.domain.catalog import LinkState
from tcgtracker.domain.source import Source

COLUMNS = ("left_source", "left_id", "right_source", "right_id", "state", "score")
_TCGPLAYER = "tcgplayer"
"""The catalog whose product ids the sources of `ID_SOURCES` use."""
_VENDORS = frozenset({_TCGPLAYER, *(str(source) for source in Source)})
_ORDER = (
    LinkState.CONFIRMED,
    LinkState.DERIVED,
    LinkState.SUSPENDED,
    LinkState.UNKNOWN,
    LinkState.REJECTED,
)
"""Of several links of one product (its sub keys) to one card the first of these states counts."""

Key = tuple[str, str]
Row = tuple[str, str, str, str, str, str]


def exported_links(database: Database, history: Database) -> list[Row]:
    """Return the pairs in the order of their ids."""
    with database.read() as connection:
        aliases: dict[int, list[Key]] = defaultdict(list)
        for card_id, alias in connection.execute(
            select(card_aliases.c.card_id, card_aliases.c.alias)
        ):
            aliases[card_id].append(public_key(alias))
        links = connection.execute(
            select(
                product_links.c.vendor_product_id,
                product_links.c.source,
                product_links.c.card_id,
                product_links.c.state,
                product_links.c.score,
            )
        ).all()
    with history.read() as connection:
        names = external_ids_of(connection, [row[0] for row in links])
    pairs: dict[tuple[Key, Key], tuple[int, float]] = {}

    def add(left: Key, right: Key, state: LinkState, score: float) -> None:
        if left != right:
            rank = (_ORDER.index(state), -score)
            pairs[left, right] = min(pairs.get((left, right), rank), rank)

    for product_id, source, card_id, state, score in links:
        if product_id not in names:
            continue  # its source was purged
        vendor = _TCGPLAYER if Source(source) in ID_SOURCES else str(source)
        for right in aliases[card_id]:
            add((vendor, names[product_id]), right, LinkState(state), score)
    for group in aliases.values():
        for left in group:
            for right in group if left[0] in _VENDORS else ():
                if right[0] not in _VENDORS:
                    add(left, right, LinkState.DERIVED, 1.0)
    return [
        (*left, *right, str(_ORDER[rank]), f"{-negative:.4f}")
        for (left, right), (rank, negative) in sorted(pairs.items())
    ]
