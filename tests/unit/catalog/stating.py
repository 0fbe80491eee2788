"""What vendors state of their products, for one test."""

from pathlib import Path
from typing import Any

from sqlalchemy import select

from tcgtracker.catalog.links import link_all
from tcgtracker.catalog.statements import StatedReport, take_stated
from tcgtracker.database.engine import Database
from tcgtracker.database.tables.catalog import card_products, cards, product_links
from tcgtracker.database.unit_of_work import unit_of_work
from tcgtracker.domain.source import Source
from tcgtracker.integrations.contract import StatedProduct
from tests.unit.catalog.builders import (
    CLOCK,
    a_card,
    a_set,
    a_variant,
    add_products,
    lines,
    links,
    load,
)

PC = Source.PRICECHARTING


def a_statement(
    external_id: str = "630417",
    name: str = "Alakazam #1",
    tcgplayer_id: str = "1",
    set_name: str = "Pokemon Set base4",
    **extra: Any,
) -> StatedProduct:
    return StatedProduct(
        external_id=external_id,
        game=extra.pop("game", "pokemon"),
        name=name,
        set_name=set_name,
        tcgplayer_id=tcgplayer_id,
        **extra,
    )


def take(database: Database, *products: StatedProduct, source: Source = PC) -> StatedReport:
    with unit_of_work(database, database) as uow:
        return take_stated(uow, database.dialect, source, products, clock=CLOCK)


def claims(database: Database, source: Source = PC) -> dict[str, tuple[str, str, str]]:
    """Return external id -> (card's number, origin, variant)."""
    with database.read() as connection:
        rows = connection.execute(
            select(
                card_products.c.external_id,
                cards.c.collector_number,
                card_products.c.origin,
                card_products.c.variant,
            )
            .join(cards, cards.c.id == card_products.c.card_id)
            .where(card_products.c.source == source)
        )
        return {row[0]: (row[1], row[2], row[3]) for row in rows}


def one_card(database: Database, tmp_path: Path, *kinds: str, name: str = "Alakazam") -> None:
    """Card 1 of `Set base4`, TCGplayer product 1, with a printing for each kind."""
    variants = [a_variant(1, kind) for kind in kinds or ("holo",)]
    load(
        database,
        lines(tmp_path / "s", [a_set()]),
        lines(tmp_path / "c", [a_card(variants=variants, name=name)]),
    )


def edition_card(database: Database, tmp_path: Path) -> None:
    """A card whose product is sold as 1st Edition and Unlimited."""
    one_card(database, tmp_path)
    with database.write() as connection:
        from sqlalchemy import delete

        from tcgtracker.database.tables.catalog import printings

        connection.execute(delete(product_links))
        connection.execute(delete(printings))
    add_products(database, [("1", "1st Edition Holofoil"), ("1", "Unlimited Holofoil")])
    link_all(database, database, Source.TCGCSV, clock=CLOCK)


def state_of(database: Database, external_id: str, sub_key: str = "") -> tuple[str, str]:
    """Return printing and state of a product's link."""
    return links(database)[external_id, sub_key][1:3]
