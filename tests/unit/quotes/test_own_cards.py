"""A guide and catalogs in any order, any number of times, end with the same cards and links."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import permutations

import pytest
from sqlalchemy import select, update

from tcgtracker.database.engine import Database
from tcgtracker.database.tables.catalog import (
    card_aliases,
    card_products,
    cards,
    printings,
    product_links,
    tcg_sets,
)
from tcgtracker.database.tables.prices import vendor_products
from tcgtracker.domain.catalog import GAMES, LinkState, ProductType
from tcgtracker.domain.quote import Facet, PriceValues
from tcgtracker.domain.source import Source
from tcgtracker.integrations.catalog_records import CardRecord, ProductIdRecord, SetRecord
from tcgtracker.integrations.contract import (
    Capability,
    CatalogPage,
    ItemPage,
    ItemQuotes,
    StatedProduct,
)
from tests.unit.catalog.stating import a_statement
from tests.unit.quotes.sync_kit import SyncKit, a_guide, a_shelf, cards_page, sets_page

BASE = SetRecord(GAMES[0], "tcgplayer:604", "", "Base Set")
OWN_BASE = SetRecord(GAMES[0], "justtcg:base-set-pokemon", "", "Base Set")
CONSOLE = "Pokemon Base Set"
NEAR = "Holofoil / Near Mint / English"
NAMES = {1: "Alakazam", 2: "Blastoise", 3: "Chansey", 4: "Charizard", 5: "Clefairy"}
STEPS = ("guide", "justtcg", "tcgplayer")


def product(external_id: str, name: str, tcgplayer_id: str = "", **extra: str) -> StatedProduct:
    return a_statement(external_id, name, tcgplayer_id, CONSOLE, **extra)


GUIDE = (
    *(product(f"10{number}", f"{NAMES[number]} #{number}", str(number)) for number in (1, 2, 3)),
    product("104", "Charizard #4", "4"),
    product("114", "Charizard [1st Edition] #4"),
    product("124", "Charizard [Shadowless] #4"),
    product("105", "Clefairy #5"),  # tied by number and name
    product("106", "Clefairy [Reverse Holo] #5", "77"),  # an id that nobody knows: it waits
    product("107", "Gyarados #6", "2"),  # an id of another card
    product("108", "Pikachu #58"),  # no catalog has it
    product("118", "Pikachu [1st Edition] #58"),
    a_statement("109", "Booster Box", "", CONSOLE, product_type=ProductType.SEALED),
)
EXPECTED_CARDS = {
    *(("Base Set", str(number), "", name) for number, name in NAMES.items()),
    ("Base Set", "58", "", "Pikachu"),
    ("Base Set", "109", "", "Booster Box"),
}
DERIVED, UNKNOWN = "derived", "unknown"
EXPECTED_LINKS = {
    "101": ("Alakazam", "Holofoil", DERIVED),
    "102": ("Blastoise", "Holofoil", DERIVED),
    "103": ("Chansey", "Holofoil", DERIVED),
    "104": ("Charizard", "Holofoil", DERIVED),
    "114": ("Charizard", "", UNKNOWN),
    "124": ("Charizard", "", UNKNOWN),
    "105": ("Clefairy", "Holofoil", DERIVED),
    "107": ("Blastoise", "", UNKNOWN),
    "108": ("Pikachu", "Normal", DERIVED),
    "118": ("Pikachu", "1st Edition", DERIVED),
    "109": ("Booster Box", "Normal", DERIVED),
    **{f"u{number}": (name, "Holofoil", DERIVED) for number, name in NAMES.items()},
}


def take(database: Database, step: str) -> None:
    """Take in the guide, or the cards of one vendor, as a synchronisation of its own."""
    if step == "guide":
        shelf = a_shelf(Source.PRICECHARTING, Capability.BULK)
        shelf.bulk_pages = {"pokemon": [a_guide(GUIDE)]}
        report = SyncKit(database, shelf).bulk.pricecharting("pokemon", force=True)
        report.raise_failure()
        return
    source, record = (Source.JUSTTCG, OWN_BASE) if step == "justtcg" else (Source.TCGCSV, BASE)
    shelf = a_shelf(source, Capability.SETS, Capability.CARDS, games={"pokemon": ("3",)})
    shelf.set_pages = {"pokemon": [sets_page(record)]}
    shelf.card_pages = {record.code: [own_page() if step == "justtcg" else cards_page(*records())]}
    kit = SyncKit(database, shelf)
    kit.catalog.sets("pokemon").raise_failure()
    kit.catalog.cards(kit.catalog.find_set(record.code)).raise_failure()


def records(catalog: str = "tcgplayer", of: SetRecord = BASE) -> list[CardRecord]:
    return [
        CardRecord(
            f"{catalog}:{'u' if catalog == 'justtcg' else ''}{number}",
            of,
            str(number),
            name,
            printings=("Holofoil",),
            products=(ProductIdRecord(str(number)),),
        )
        for number, name in NAMES.items()
    ]


def own_page() -> CatalogPage:
    stated = [
        a_statement(f"u{number}", name, str(number), "Base Set", number=str(number))
        for number, name in NAMES.items()
    ]
    at = datetime(2026, 5, 1, tzinfo=UTC)
    quotes = {Facet(NEAR, variant="nm", language="en"): PriceValues(market_price=300)}
    items = [ItemQuotes(one.external_id, at, quotes) for one in stated]
    prices = ItemPage(Source.JUSTTCG, items=items, stated=list(stated))
    return CatalogPage(cards=records("justtcg", OWN_BASE), stated=stated, prices=prices)


def all_cards(database: Database) -> list[tuple[str, str, str, str]]:
    with database.read() as connection:
        rows = connection.execute(
            select(tcg_sets.c.name, cards.c.collector_number, cards.c.art, cards.c.name).join(
                tcg_sets, tcg_sets.c.id == cards.c.set_id
            )
        )
        return sorted(tuple(row) for row in rows)


def all_links(database: Database) -> dict[str, tuple[str, str, str]]:
    """Return external id -> (name of the card, printing, state)."""
    with database.read() as connection:
        rows = connection.execute(
            select(
                vendor_products.c.external_id, cards.c.name, printings.c.name, product_links.c.state
            )
            .select_from(product_links)
            .join(vendor_products, vendor_products.c.id == product_links.c.vendor_product_id)
            .join(cards, cards.c.id == product_links.c.card_id)
            .outerjoin(printings, printings.c.id == product_links.c.printing_id)
        )
        return {row[0]: (row[1], row[2] or "", row[3]) for row in rows}


def empty_cards(database: Database) -> list[str]:
    """Return the cards that nothing is known of beside what one of a guide's products made."""
    with database.read() as connection:
        return list(
            connection.scalars(
                select(cards.c.name).where(
                    cards.c.id.not_in(select(card_products.c.card_id)),
                    cards.c.id.not_in(select(product_links.c.card_id)),
                )
            )
        )


@pytest.mark.parametrize(
    "order",
    [
        *permutations(STEPS),
        ("guide", "guide", "justtcg", "guide", "tcgplayer", "guide"),
        ("justtcg", "guide", "tcgplayer", "justtcg"),
        ("guide", "tcgplayer", "justtcg", "tcgplayer", "guide", "guide"),
    ],
    ids="-".join,
)
def test_every_order_ends_with_the_same_cards_and_links(
    database: Database, order: Sequence[str]
) -> None:
    for step in order:
        take(database, step)
    assert all_cards(database) == sorted(EXPECTED_CARDS)
    assert all_links(database) == EXPECTED_LINKS
    assert empty_cards(database) == []
    with database.read() as connection:
        kept = set(connection.scalars(select(tcg_sets.c.name)))
        known = set(connection.scalars(select(card_aliases.c.alias)))
    assert kept == {"Base Set"}
    assert {one for one in known if one.startswith("pricecharting:")} == {
        "pricecharting:108",
        "pricecharting:118",
        "pricecharting:109",
    }


def test_what_a_person_decided_goes_along_to_the_real_card(database: Database) -> None:
    take(database, "guide")
    decide(database, "104", LinkState.CONFIRMED)
    take(database, "tcgplayer")
    assert all_links(database)["104"] == ("Charizard", "Normal", "confirmed")
    assert len(all_cards(database)) == len(EXPECTED_CARDS)


def test_a_card_of_a_person_s_decision_stays_where_its_product_waits(database: Database) -> None:
    take(database, "guide")
    decide(database, "106", LinkState.CONFIRMED)
    take(database, "tcgplayer")
    take(database, "guide")
    assert all_links(database)["106"] == ("Clefairy", "Reverse Holofoil", "confirmed")
    assert all_links(database)["105"] == ("Clefairy", "Holofoil", "derived")
    assert len(all_cards(database)) == len(EXPECTED_CARDS) + 1


def decide(database: Database, external_id: str, state: LinkState) -> None:
    with database.write() as connection:
        wanted = select(vendor_products.c.id).where(vendor_products.c.external_id == external_id)
        connection.execute(
            update(product_links)
            .where(product_links.c.vendor_product_id.in_(wanted))
            .values(state=state, decided_by="somebody")
        )
