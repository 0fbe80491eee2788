"""Several intakes of pages of single products at once end where one alone would."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from random import Random

import numpy as np

from tcgtracker.database.engine import Database
from tcgtracker.domain.clock import FixedClock
from tcgtracker.domain.quote import Facet, PriceValues
from tcgtracker.domain.source import Source
from tcgtracker.domain.variant import PriceKind
from tcgtracker.integrations.contract import ItemPage, ItemQuotes
from tcgtracker.prices.products import load_series
from tcgtracker.prices.store import load_histories
from tcgtracker.quotes.items_intake import ItemIntake

START = datetime(2026, 5, 1, tzinfo=UTC)
CLOCK = FixedClock(START + timedelta(days=40))
PRODUCTS, DAYS = 30, 6
Readings = dict[tuple[str, str], list[tuple[int, int]]]


def a_page(day: int, random: Random) -> ItemPage:
    """A page of the day's looks in any order; the price says the product and the day."""
    items = [
        ItemQuotes(
            str(product // 3),
            START + timedelta(days=day, seconds=product),
            {
                Facet(f"printing {product % 3}", PriceKind.MARKET, "nm", "en"): PriceValues(
                    market_price=1_000 + 10 * product + day
                )
            },
        )
        for product in range(PRODUCTS)
    ]
    random.shuffle(items)
    return ItemPage(Source.JUSTTCG, items=items)


def readings(database: Database) -> Readings:
    with database.read() as connection:
        series = load_series(connection)
        ids = np.array([one.id for one in series], np.int64)
        histories = load_histories(connection, database.dialect, ids)
    return {
        (one.external_id, one.facet.sub_key): list(
            zip(
                histories[one.id].rows.observed_at.tolist(),
                histories[one.id].rows.values[:, 0].tolist(),
                strict=True,
            )
        )
        for one in series
    }


def expected() -> Readings:
    first = int(START.timestamp())
    return {
        (str(product // 3), f"printing {product % 3}"): [
            (first + day * 86_400 + product, 1_000 + 10 * product + day) for day in range(DAYS)
        ]
        for product in range(PRODUCTS)
    }


def test_the_same_products_in_any_order_at_once(database: Database) -> None:
    def take_all(seed: int) -> int:
        random = Random(seed)
        intake = ItemIntake(database, database, CLOCK)
        with intake.run(Source.JUSTTCG, f"intake {seed}") as run:
            for day in random.sample(range(DAYS), DAYS):
                intake.take(a_page(day, random), run, trust=True)
        return run.report.stored

    with ThreadPoolExecutor(3) as pool:
        stored = sum(pool.map(take_all, range(3)))

    assert readings(database) == expected()
    assert stored == PRODUCTS * DAYS  # what another took in before is no news
