"""A tracker whose vendors are the sandbox, and cards that all of them know."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tcgtracker.bootstrap import build_tracker
from tcgtracker.catalog.service import import_catalog
from tcgtracker.config import Settings
from tcgtracker.database.engine import Database
from tcgtracker.database.migrate import upgrade
from tcgtracker.domain.clock import SystemClock
from tcgtracker.domain.source import Source
from tcgtracker.sandbox.ebay import EbaySandbox
from tcgtracker.sandbox.make_sandbox import make_sandbox
from tcgtracker.sandbox.pricecharting import PriceChartingSandbox
from tcgtracker.sandbox.serving import Sandbox
from tcgtracker.sandbox.tcgplayer import TcgplayerSandbox
from tcgtracker.sandbox.tunable import Tunable
from tcgtracker.sandbox.world import World, WorldCard
from tcgtracker.tracker import Tracker
from tests.support import card_ids
from tests.unit.catalog.builders import a_product, envelope
from tests.unit.quotes.kit import link


def a_sandbox(*, days_ago: int = 0) -> Sandbox:
    """Return vendors without pauses whose day is today, or some days before it."""
    now = datetime.now(UTC) - timedelta(days=days_ago)
    return make_sandbox(first_day=now.date() - timedelta(days=3), now=now, pacing=False)


def a_tracker(
    sandbox: Sandbox, folder: Path, url: str, patch: pytest.MonkeyPatch, **settings: str
) -> Tracker:
    """Return a tracker on a new database, with the real clock and the sandbox as its vendors."""
    patch.chdir(folder)  # no .env of the developer's
    patch.setenv("XDG_DATA_HOME", str(folder))
    given = {"DB_URL": url, "APP_RATE_LIMIT": "0", **sandbox.environment(), **settings}
    for name, value in given.items():
        patch.setenv(name, value)
    patch.delenv("HISTORY_URL", raising=False)
    tracker = build_tracker(Settings())
    upgrade(tracker.database)
    return tracker


def base_cards(world: World, count: int) -> list[WorldCard]:
    """Return cards of the Base Set that TCGplayer, JustTCG and PriceCharting list once each."""
    base = next(one for one in world.sets if one.name == "Base Set")
    found = [
        card
        for card in base.cards
        if card.product_id
        and len(card.printings) == 1
        and not card.traps
        and not card.variant
        and card.pricecharting_ids.get("")
    ]
    return found[:count]


def import_cards(
    database: Database, folder: Path, world: World, wanted: list[WorldCard]
) -> Mapping[str, int]:
    """Make the cards as TCGplayer lists them; return their ids by name."""
    base = next(one for one in world.sets if one.name == "Base Set")
    folder.mkdir()
    groups = envelope(
        folder / "groups.json",
        [
            {
                "groupId": base.group_id,
                "categoryId": base.category_id,
                "name": base.name,
                "publishedOn": "1999-01-09",
            }
        ],
    )
    rows = [
        a_product(
            card.product_id,
            number=card.number,
            name=card.name,
            groupId=base.group_id,
            categoryId=base.category_id,
        )
        for card in wanted
    ]
    products = envelope(folder / "products.json", rows)
    import_catalog(database, database, [groups, products], clock=SystemClock())
    return card_ids(database)


def prove_pricecharting(database: Database, products: Mapping[int, str]) -> None:
    """Tie PriceCharting's products to cards by an operator's word."""
    link(database, Source.PRICECHARTING, products)


def world_of(sandbox: Sandbox) -> World:
    """Return what the vendors of a sandbox show."""
    shop = sandbox.vendors["pricecharting"]
    assert isinstance(shop, PriceChartingSandbox)
    return shop.world


def options_of(sandbox: Sandbox, name: str) -> dict[str, object]:
    """Return how a vendor of a sandbox is tuned, its keys too."""
    vendor = sandbox.vendors[name]
    assert isinstance(vendor, Tunable), name
    return vendor.options()


def tokens_of(sandbox: Sandbox, name: str) -> set[str]:
    """Return the access tokens that a vendor of a sandbox gave."""
    vendor = sandbox.vendors[name]
    assert isinstance(vendor, EbaySandbox | TcgplayerSandbox), name
    return set(vendor.tokens.given())
