"""From an empty database to prices, with the commands that a person types, against the sandbox."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from tcgtracker.database.engine import Database
from tcgtracker.database.tables.catalog import card_quotes
from tcgtracker.database.tables.prices import price_series, vendor_products
from tcgtracker.domain.source import Source
from tcgtracker.prices.store import load_histories
from tcgtracker.sandbox.make_sandbox import make_sandbox
from tcgtracker.sandbox.serving import Sandbox

pytestmark = pytest.mark.one_engine

# vendors/pricecharting.md section 3: what the keys mean for a card.
LADDER = {
    "raw": "loose-price",
    "any-7": "cib-price",
    "any-8": "new-price",
    "any-9": "graded-price",
    "any-9.5": "box-only-price",
    "psa-10": "manual-only-price",
}
SET = "justtcg:base-set-pokemon"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    now = datetime.now(UTC).replace(microsecond=0)
    first_day = (now - timedelta(days=3)).date()
    with make_sandbox(first_day=first_day, now=now, pacing=False) as sandbox:
        yield sandbox


class Shell:
    """The command line in a folder of its own, pointed at the sandbox."""

    def __init__(self, sandbox: Sandbox, folder: Path, url: str) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            **sandbox.environment(),
            "DB_URL": url,
            "APP_LOG_LEVEL": "ERROR",
            "API_TCGPLAYER_CLIENT_ID": "",  # as it is for everybody without an old key
            "API_TCGCSV_ENABLED": "false",
        }

    def __call__(self, *words: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "tcgtracker", *words],
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=self.environment,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, (words, done.stdout, done.stderr)
        return done.stdout

    def json(self, *words: str, code: int = 0) -> Any:
        return json.loads(self(*words, "--json", code=code))


def ladder_of(database: Database, external_id: str) -> dict[str, int]:
    """Return the newest market price of each grade of a PriceCharting product, in cents."""
    with database.read() as connection:
        rows = connection.execute(
            select(price_series.c.id, price_series.c.variant)
            .join(vendor_products, vendor_products.c.id == price_series.c.vendor_product_id)
            .where(
                vendor_products.c.source == Source.PRICECHARTING,
                vendor_products.c.external_id == external_id,
            )
        ).all()
        histories = load_histories(
            connection, database.dialect, np.array([row[0] for row in rows], np.int64)
        )
    found = {}
    for series_id, variant in rows:
        market = histories[series_id].last_market()
        if market is not None:
            found[variant] = market[0]
    return found


def test_empty_database_to_prices_to_fallback_to_stale(
    sandbox: Sandbox, tmp_path: Path, database_url: str
) -> None:
    shell = Shell(sandbox, tmp_path, database_url)
    shell("db", "upgrade")
    sets = shell.json("sync", "sets")
    assert {one["game"] for one in sets["outcomes"]} == {"pokemon", "onepiece"}
    shell("sync", "cards", "--set", SET, "--game", "pokemon")

    plan = shell("plan")
    assert "never read" in plan
    outcomes = shell.json("update", "--stale")
    priced = [one for one in outcomes if one["source"] == "pricecharting"]
    assert len(priced) > 20
    assert {one["outcome"] for one in priced} == {"stored"}

    database = Database(database_url)
    by_product: dict[str, dict[str, int]] = {}
    for price in sandbox.served("pricecharting"):
        dollars = Decimal(price.value.removeprefix("$") or 0)  # the guide's form
        by_product.setdefault(price.products[0], {})[price.facet[-1]] = int(dollars * 100)
    compared = 0
    for one in priced:
        served = by_product[one["external_id"]]
        stored = ladder_of(database, one["external_id"])
        wanted = {v: served[key] for v, key in LADDER.items() if served.get(key)}
        assert {v: cents for v, cents in stored.items() if v in LADDER} == wanted
        assert one["market_price"] == f"{wanted['raw'] // 100}.{wanted['raw'] % 100:02}"
        assert (one["kind"], one["variant"], one["currency"]) == ("guide", "raw", "USD")
        compared += len(wanted)
    assert compared > 100
    database.close()

    both = next(one for one in priced if _has_justtcg(database_url, one["card_id"]))
    card = str(both["card_id"])
    sandbox.fault("refuse", vendor="pricecharting")
    (fallen_back,) = shell.json("update", card)
    assert fallen_back["source"] == "justtcg"
    assert "pricecharting" in fallen_back["fallback_reason"]
    assert fallen_back["stale"] is False

    sandbox.fault("refuse", vendor="justtcg")
    (last,) = shell.json("update", card, code=1)
    assert (last["outcome"], last["stale"]) == ("stale", True)
    assert last["market_price"] is not None
    assert last["age_s"] > 0
    for name in ("pricecharting", "justtcg"):
        assert name in last["fallback_reason"]
    shown = shell("update", card, code=1)
    assert "stale" in shown


def _has_justtcg(url: str, card_id: int) -> bool:
    database = Database(url)
    with database.read() as connection:
        found = connection.execute(
            select(card_quotes.c.market_price).where(
                card_quotes.c.card_id == card_id, card_quotes.c.source == Source.JUSTTCG
            )
        ).scalar()
    database.close()
    return found is not None
