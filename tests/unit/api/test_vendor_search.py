"""Search at vendors: each for itself, named when it cannot, asked once an hour."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest
from fastapi import FastAPI
from sqlalchemy import insert

from tcgtracker.api.app import create_app
from tcgtracker.database.tables.catalog import stated_products
from tcgtracker.domain.catalog import ProductType
from tcgtracker.domain.errors import (
    InvalidInput,
    SourcePaused,
    Unavailable,
    VendorError,
    VendorTimeout,
)
from tcgtracker.domain.money import Money
from tcgtracker.domain.source import Source
from tcgtracker.integrations.contract import (
    LIVE_CALL,
    CallPolicy,
    Capability,
    SearchAnswer,
    SearchHit,
)
from tcgtracker.quotes.guide_products import GuideProducts
from tcgtracker.quotes.vendor_search import VendorSearch
from tcgtracker.quotes.vendors import VendorEntry, Vendors
from tcgtracker.runtime.loop import LoopRunner
from tcgtracker.tracker import Tracker
from tests.unit.api.conftest import Ask, asking
from tests.unit.quotes.kit import NOON, an_info

ALL = "/api/v1/search/all"


class Finder:
    """A vendor that finds what it is told to; `fault` is raised, `pause_s` waited first."""

    def __init__(self, name: str) -> None:
        info = an_info(Source.PRICECHARTING, vendor=name, title=name.title())
        self.info = replace(info, capabilities=frozenset({Capability.SEARCH}))
        self.answer = SearchAnswer([a_hit(name)])
        self.fault: Exception | None = None
        self.pause_s = 0.0
        self.asked: list[tuple[str, str, int]] = []

    async def search(
        self, query: str, *, game: str = "", limit: int = 20, policy: CallPolicy = LIVE_CALL
    ) -> SearchAnswer:
        self.asked.append((query, game, limit))
        await asyncio.sleep(self.pause_s)
        if self.fault is not None:
            raise self.fault
        return self.answer

    async def check(self) -> None:
        return None

    async def close(self) -> None:
        return None


def a_hit(vendor: str, number: int = 1, **extra: Any) -> SearchHit:
    return SearchHit(
        vendor=vendor,
        external_id=str(number),
        name=f"Farfetch'd 100% <b> {number}",
        price=Money(1234, "USD"),
        price_label="asking price",
        **extra,
    )


@pytest.fixture
def finders() -> dict[str, Finder]:
    return {name: Finder(name) for name in ("pricecharting", "justtcg", "tcgplayer", "ebay")}


@pytest.fixture
def vendors(finders: dict[str, Finder]) -> Iterator[Vendors]:
    runner = LoopRunner()
    yield Vendors(
        {
            name: VendorEntry(one.info, "set API_X to use it" if name == "tcgplayer" else "", made)
            for name, one in finders.items()
            for made in [_always(one)]
        },
        runner,
    )
    runner.close()


def _always(finder: Finder) -> Callable[[], Finder]:
    return lambda: finder


@pytest.fixture
def app(tracker: Tracker, vendors: Vendors) -> FastAPI:
    guide = GuideProducts(tracker.database, tracker.history, tracker.cache, tracker.clock)
    tracker.vendor_search = VendorSearch(tracker.database, vendors, guide, tracker.cache)
    return create_app(tracker)


@pytest.fixture
def ask(app: FastAPI, admin_token: str) -> Ask:
    return asking(app, f"Bearer {admin_token}")


def search(ask: Ask, path: str, status: int = 200, **wish: Any) -> Any:
    answer = ask("POST", path, json={"query": "farfetchd", **wish})
    assert answer.status_code == status, answer.text
    return answer.json()


def test_each_answers_for_itself_and_who_cannot_is_named(
    ask: Ask, finders: dict[str, Finder]
) -> None:
    finders["justtcg"].fault = Unavailable("justtcg", "search", "connection refused")
    said = search(ask, ALL)
    assert [one["source"] for one in said["results"]] == ["pricecharting", "ebay"]
    assert {one["source"]: one["type"] for one in said["errors"]} == {
        "justtcg": "vendor-unavailable",
        "tcgplayer": "vendor-stopped",
    }
    assert "API_X" in next(one for one in said["errors"] if one["source"] == "tcgplayer")["detail"]
    (hit,) = said["results"][1]["items"]
    assert hit["name"] == "Farfetch'd 100% <b> 1"
    assert (hit["price"], hit["currency"], hit["price_label"]) == ("12.34", "USD", "asking price")


def test_they_are_asked_at_the_same_time(ask: Ask, finders: dict[str, Finder]) -> None:
    for one in finders.values():
        one.pause_s = 2
    begin = time.monotonic()
    assert len(search(ask, ALL)["results"]) == 3
    assert time.monotonic() - begin < 5.5


def test_only_the_named_ones_are_asked(ask: Ask, finders: dict[str, Finder]) -> None:
    said = search(ask, ALL, sources=["ebay"], limit=7, game="onepiece")
    assert said["errors"][0]["type"] == "invalid-input"  # it has pokemon alone
    said = search(ask, ALL, sources=["ebay"], limit=7)
    assert [one["source"] for one in said["results"]] == ["ebay"]
    assert finders["ebay"].asked == [("farfetchd", "pokemon", 7)]
    assert finders["justtcg"].asked == []


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        (Unavailable("ebay", "search", "status 500"), "vendor-unavailable"),
        (SourcePaused("ebay", "search", "open", until=NOON + timedelta(days=1)), "vendor-paused"),
    ],
)
def test_one_dead_vendor_is_a_503_with_the_reason(
    ask: Ask, finders: dict[str, Finder], fault: VendorError, name: str
) -> None:
    finders["ebay"].fault = fault
    said = search(ask, "/api/v1/search/ebay", 503)
    assert said["type"] == f"urn:tcgtracker:problem:{name}"
    assert said["detail"] == str(fault)
    said = search(ask, "/api/v1/search/tcgplayer", 503)
    assert "API_X" in said["detail"]


def test_an_answer_is_kept_and_a_failure_is_not(ask: Ask, finders: dict[str, Finder]) -> None:
    ebay = finders["ebay"]
    ebay.fault = Unavailable("ebay", "search", "status 500")
    search(ask, "/api/v1/search/ebay", 503)
    ebay.fault = None
    ebay.answer.truncated = True
    first = search(ask, "/api/v1/search/ebay")
    assert search(ask, "/api/v1/search/ebay", query="  FARFETCHD ") == first
    assert first["truncated"] is True
    assert len(ebay.asked) == 2
    search(ask, "/api/v1/search/ebay", limit=21)
    assert len(ebay.asked) == 3


def test_the_guide_answers_without_a_call(
    ask: Ask, tracker: Tracker, finders: dict[str, Finder]
) -> None:
    rows = [
        {"id": str(n), "name": name, "console": "Pokemon Base", "number": "", "tcg-id": ""}
        for n, name in enumerate(["Farfetch'd #27", "Farfetch'd [1st Edition] #27", "Mew #8"], 1)
    ]
    tracker.cache.set("pricecharting:pokemon:products", orjson.dumps(rows), ttl_s=60)
    path = "/api/v1/search/pricecharting"
    said = search(ask, path, query="Farfetch'd base", limit=1)
    assert [one["name"] for one in said["items"]] == ["Farfetch'd #27"]
    assert (said["truncated"], said["items"][0]["price"]) == (True, None)
    assert finders["pricecharting"].asked == []
    assert search(ask, path, query="nothing like it")["items"][0]["vendor"] == "pricecharting"
    assert len(finders["pricecharting"].asked) == 1


def test_a_guide_that_cannot_be_read_is_as_none(
    ask: Ask, tracker: Tracker, finders: dict[str, Finder]
) -> None:
    tracker.cache.set("pricecharting:pokemon:products", b'[{"id": 1}]', ttl_s=60)
    assert search(ask, "/api/v1/search/pricecharting")["items"]
    assert len(finders["pricecharting"].asked) == 1


def test_what_the_vendor_stated_answers_when_no_guide_is_kept(
    ask: Ask, tracker: Tracker, finders: dict[str, Finder]
) -> None:
    with tracker.database.write() as connection:
        connection.execute(
            insert(stated_products).values(
                source=Source.PRICECHARTING,
                external_id="77",
                game="pokemon",
                name="100% <b> _",
                set_name="Pokemon Base",
                product_type=ProductType.SINGLE,
                first_seen_at=NOON,
                seen_at=NOON,
            )
        )
    said = search(ask, "/api/v1/search/pricecharting", query="100% <b> _")
    assert [one["external_id"] for one in said["items"]] == ["77"]
    assert finders["pricecharting"].asked == []


@pytest.mark.parametrize(
    "wish",
    [
        {"query": "ab"},
        {"query": "   "},
        {"query": "x" * 101},
        {"query": "a\0bc"},
        {"query": None},
        {"limit": 0},
        {"limit": 101},
        {"game": "Pokémon"},
        {"sources": ["ebay"]},
        {"more": 1},
    ],
)
def test_what_is_out_of_bounds_is_a_problem(ask: Ask, wish: dict[str, Any]) -> None:
    search(ask, "/api/v1/search/ebay", 422, **wish)


def test_no_such_vendor_is_a_problem(ask: Ask) -> None:
    search(ask, "/api/v1/search/cardmarket", 422)
    search(ask, ALL, 422, sources=[])
    search(ask, "/api/v1/search/ebay", 400, game="chess")


def test_a_vendor_that_hangs_has_its_own_time_limit(
    vendors: Vendors, finders: dict[str, Finder]
) -> None:
    finders["ebay"].pause_s = 30
    policy = replace(LIVE_CALL, deadline_s=0.1)
    found = vendors.search_each(
        ["ebay", "justtcg", "nobody"], "abc", game="pokemon", limit=5, policy=policy
    )
    assert isinstance(found["ebay"], VendorTimeout)
    assert isinstance(found["justtcg"], SearchAnswer)
    assert isinstance(found["nobody"], InvalidInput)
