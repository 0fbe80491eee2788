"""Intake of a page of looks at single products, against the same looks handed in one by one.

A page is what JustTCG answers to one call: 20 cards, each condition, printing and language of them
a product with a price and a time of its own. In CPU time of this process (a PostgreSQL server's is
not in it); the pages of both ways take turns, and each is of another day.
"""

import json
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from tcgtracker.catalog.service import import_catalog
from tcgtracker.database.engine import Database
from tcgtracker.domain.clock import FixedClock
from tcgtracker.domain.quote import Facet, PriceValues
from tcgtracker.domain.source import Source
from tcgtracker.domain.variant import PriceKind
from tcgtracker.integrations.contract import ItemPage, ItemQuotes, StatedProduct
from tcgtracker.quotes.items_intake import ItemIntake, ItemRun
from tests.bench.endpoint import a_product
from tests.bench.support import emit, median_of, scratch_database

CARDS, VARIANTS, DAYS, ROUNDS = 20, 29, 6, 4
ALONE = 3
"""How many cards are handed in look by look: all of them would take minutes."""
TIMES_CHEAPER = 10.0
_FIRST_PRODUCT = 700_001
_START = datetime(2026, 5, 1, tzinfo=UTC)


def run() -> None:
    """Print what a look costs on both databases."""
    for kind in ("sqlite", "postgresql"):
        with scratch_database(kind) as database:
            _compare(database, kind)


def _compare(database: Database, kind: str) -> None:
    random, clock = Random(3), FixedClock(_START + timedelta(days=100))
    with tempfile.TemporaryDirectory() as folder:
        products = Path(folder) / "products.ndjson"
        rows = (json.dumps(a_product(_FIRST_PRODUCT + one, one)) for one in range(CARDS))
        products.write_text("\n".join(rows))
        import_catalog(database, database, [products], clock=clock)
    intake = ItemIntake(database, database, clock)
    together, alone = [], []
    with intake.run(Source.JUSTTCG, "bench") as run:
        for day in range(DAYS):
            intake.take(_page(day, CARDS, random), run)
        for number in range(ROUNDS):
            page = _page(DAYS + 2 * number, CARDS, random)
            together.append(_look_s(intake, run, [page]))
            page = _page(DAYS + 2 * number + 1, ALONE, random)
            alone.append(_look_s(intake, run, [replace(page, items=[one]) for one in page.items]))
    ratios = [slow / quick for slow, quick in zip(alone, together, strict=True)]
    emit(
        f"items_{kind}",
        median_of(together) * 1e6,
        f"us of CPU a look of a page of {CARDS * VARIANTS}",
        limit=TIMES_CHEAPER,
        ratio=median_of(ratios),
    )


def _page(day: int, cards: int, random: Random) -> ItemPage:
    page = ItemPage(Source.JUSTTCG)
    for card in range(cards):
        external_id = f"card-{card}"
        page.stated.append(
            StatedProduct(
                external_id,
                "pokemon",
                f"Card {card}",
                number=f"{card:04d}/9999",
                tcgplayer_id=str(_FIRST_PRODUCT + card),
            )
        )
        for variant in range(VARIANTS):
            at = _START + timedelta(days=day, seconds=random.randrange(3600))
            facet = Facet(f"printing {variant}", PriceKind.MARKET, "nm", "en", "USD")
            price = PriceValues(market_price=1000 + random.randrange(50))
            page.items.append(ItemQuotes(external_id, at, {facet: price}))
    return page


def _look_s(intake: ItemIntake, run: ItemRun, pages: list[ItemPage]) -> float:
    """Return the seconds of CPU that a look took."""
    start = time.process_time()
    for page in pages:
        intake.take(page, run)
    return (time.process_time() - start) / sum(len(page.items) for page in pages)
