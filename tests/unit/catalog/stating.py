"""What vendors state of their products, for one test."""

from typing import Any

from sqlalchemy import select

from tcgtracker.catalog.statements import StatedReport, take_stated
from tcgtracker.database.engine import Database
from tcgtracker.database.tables.catalog import card_products, cards
from tcgtracker.database.unit_of_work import unit_of_work
from tcgtracker.domain.source import Source
from tcgtracker.integrations.contract import StatedProduct
from tests.unit.catalog.builders import CLOCK

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
