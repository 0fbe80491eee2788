"""What reads keep in the cache: filled by a read, dropped by an update, never told outdated."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import insert, update
from structlog.testing import capture_logs

from tcgtracker.api.app import create_app
from tcgtracker.bootstrap import build_tracker
from tcgtracker.config import Settings
from tcgtracker.database.engine import Database
from tcgtracker.database.migrate import upgrade
from tcgtracker.database.tables.catalog import printings, product_links
from tcgtracker.database.tables.sources import feature_flags
from tcgtracker.domain.catalog import LinkState
from tcgtracker.domain.clock import FixedClock
from tcgtracker.domain.source import Source
from tcgtracker.operations.flags import PRIMARY
from tcgtracker.prices.quick import SeriesReader
from tcgtracker.quotes.card_quotes import refresh_cards
from tcgtracker.runtime.counted_cache import CountedCache
from tcgtracker.runtime.memory_cache import MemoryCache
from tcgtracker.tracker import Tracker
from tests.redis_server import RedisServer
from tests.support import NOW, api_key, card_ids, import_days, import_products
from tests.unit.api.conftest import Ask, asking

NAMES = {1: "Alakazam", 2: "Farfetch'd"}


@pytest.fixture
def redis_url(engine_name: str, tmp_path: Path) -> Iterator[str]:
    """One process alone on SQLite; PostgreSQL with the Redis that many share."""
    if engine_name == "sqlite":
        yield ""
        return
    server = RedisServer(tmp_path)
    yield server.url
    server.kill()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def tracker(
    database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    redis_url: str,
    clock: FixedClock,
) -> Iterator[Tracker]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REDIS_URL", redis_url)
    url = database.url.render_as_string(hide_password=False)
    settings = Settings(database={"url": url}, history={"url": ""})
    tracker = build_tracker(settings, clock=clock)
    import_products(tracker.database, tmp_path / "catalog", NAMES)
    yield tracker
    tracker.close()


def add_day(tracker: Tracker, folder: Path, back: int, price: float) -> None:
    day = NOW.date() - timedelta(days=back)
    import_days(tracker.database, folder, {day: {(1, "Normal"): {"market": price}}})


@pytest.fixture
def ask(tracker: Tracker, tmp_path: Path) -> Ask:
    add_day(tracker, tmp_path / "first", 3, 1.0)
    send, key = asking(create_app(tracker), ""), api_key(tracker)
    return lambda method, path: send(method, path, headers=key)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many series each look into the history was for."""
    looked: list[int] = []
    newest = SeriesReader.newest

    def counting(self: SeriesReader, series: Any) -> Any:
        looked.append(len(series))
        return newest(self, series)

    monkeypatch.setattr(SeriesReader, "newest", counting)
    return looked


def price_of(ask: Ask, card: int) -> Any:
    answer = ask("GET", f"/api/v1/cards/{card}")
    assert answer.status_code == 200, answer.text
    return answer.json()["price"]


def test_a_read_fills_it_an_update_drops_it_the_next_read_is_fresh(
    tracker: Tracker, ask: Ask, reads: list[int], tmp_path: Path, clock: FixedClock
) -> None:
    card = card_ids(tracker.database)["Alakazam"]
    key = f"card:price:{card}"
    assert tracker.cache.get(key) is None
    first = price_of(ask, card)
    assert first["market_price"] == "1.00"
    assert tracker.cache.get(key) is not None
    assert reads == [1]
    clock.advance(timedelta(minutes=1))
    again = price_of(ask, card)
    assert reads == [1]  # the history was not asked
    assert again.pop("age_s") == first.pop("age_s") + 60  # of the moment of the answer
    assert again == first

    tracker.updater.update([card])  # nobody can be asked; what is kept is dropped all the same
    assert tracker.cache.get(key) is None
    add_day(tracker, tmp_path / "second", 2, 2.0)
    assert price_of(ask, card)["market_price"] == "2.00"
    assert reads[-1] == 1


def test_a_price_that_came_past_the_cache_is_told_at_once(
    tracker: Tracker, ask: Ask, tmp_path: Path
) -> None:
    card = card_ids(tracker.database)["Alakazam"]
    assert price_of(ask, card)["market_price"] == "1.00"
    add_day(tracker, tmp_path / "second", 2, 2.0)  # as an import in another process
    assert price_of(ask, card)["market_price"] == "2.00"

    with tracker.database.write() as connection:  # a person says that it is another printing
        foil = connection.execute(
            insert(printings).values(card_id=card, name="Foil").returning(printings.c.id)
        ).scalar_one()
        connection.execute(update(product_links).values(printing_id=foil))
    assert price_of(ask, card)["printing"] == "Foil"
    with tracker.database.write() as connection:
        connection.execute(update(product_links).values(state=LinkState.REJECTED))
    assert price_of(ask, card) is None
    refresh_cards(tracker.database, tracker.history, [card])
    assert price_of(ask, card) is None


def test_age_alone_makes_it_stale(tracker: Tracker, ask: Ask, clock: FixedClock) -> None:
    card = card_ids(tracker.database)["Alakazam"]
    assert price_of(ask, card)["stale"] is False
    clock.advance(timedelta(days=5))
    assert price_of(ask, card)["stale"] is True


def test_another_order_of_the_sources_is_another_price(tracker: Tracker, ask: Ask) -> None:
    card = card_ids(tracker.database)["Alakazam"]
    price_of(ask, card)
    kept = tracker.cache.get(f"card:price:{card}")
    with tracker.database.write() as connection:
        connection.execute(
            insert(feature_flags).values(name=PRIMARY, value=Source.TCGCSV, changed_at=NOW)
        )
    price_of(ask, card)
    assert tracker.cache.get(f"card:price:{card}") != kept


def test_what_cannot_be_read_is_made_anew(tracker: Tracker, ask: Ask) -> None:
    card = card_ids(tracker.database)["Alakazam"]
    tracker.cache.set(f"card:price:{card}", b"\xff{", ttl_s=60)
    assert price_of(ask, card)["market_price"] == "1.00"
    path = "/api/v1/sets?game=pokemon"
    (one,) = ask("GET", path).json()["items"]
    for key in keys_of_sets(tracker):
        tracker.cache.set(key, b"[]", ttl_s=60)
    assert ask("GET", path).json()["items"] == [one]


def keys_of_sets(tracker: Tracker, game: str = "pokemon") -> list[str]:
    counted = tracker.cache
    assert isinstance(counted, CountedCache)
    if isinstance(counted._cache, MemoryCache):
        return [key for key in counted._cache._kept if key.startswith(f"sets:{game}:")]
    with Redis.from_url(tracker.settings.redis.url) as client:
        return [key.decode() for key in client.keys(f"sets:{game}:*")]


def test_sets_are_kept_until_a_synchronisation_or_a_change(
    tracker: Tracker, ask: Ask, tmp_path: Path
) -> None:
    path = "/api/v1/sets?game=pokemon"
    (one,) = ask("GET", path).json()["items"]
    assert one["card_count"] == 2
    assert len(keys_of_sets(tracker)) == 1
    assert ask("GET", path).json()["items"] == [one]
    assert ask("GET", f"{path}&limit=1").json()["items"] == [one]
    assert len(keys_of_sets(tracker)) == 2

    import_products(tracker.database, tmp_path / "more", {**NAMES, 3: "Mew"})
    assert ask("GET", path).json()["items"][0]["card_count"] == 3  # past the cache
    tracker.cache.delete_prefix("sets:pokemon:")  # as a synchronisation of sets does
    assert keys_of_sets(tracker) == []


def test_a_redis_that_went_away_is_no_error(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = RedisServer(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REDIS_URL", server.url)
    tracker = build_tracker(Settings(database={"url": sqlite_url}, history={"url": ""}))
    try:
        upgrade(tracker.database)
        import_products(tracker.database, tmp_path / "catalog", NAMES)
        add_day(tracker, tmp_path / "first", 3, 1.0)
        card = card_ids(tracker.database)["Alakazam"]
        send, key = asking(create_app(tracker), ""), api_key(tracker)

        def ask(method: str, path: str) -> Any:
            return send(method, path, headers=key)

        assert price_of(ask, card)["market_price"] == "1.00"
        assert tracker.cache.get(f"card:price:{card}") is not None
        server.kill()
        add_day(tracker, tmp_path / "second", 2, 2.0)
        with capture_logs() as logs:
            assert price_of(ask, card)["market_price"] == "2.00"
            tracker.updater.update([card])
            assert len(ask("GET", "/api/v1/sets").json()["items"]) == 1
        assert "store.lost" in {line["event"] for line in logs}
    finally:
        tracker.close()
        server.kill()
