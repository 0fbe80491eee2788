"""Games, sets and cards over HTTP, on both databases."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from tcgtracker.api.app import create_app
from tcgtracker.bootstrap import build_tracker
from tcgtracker.config import Settings
from tcgtracker.domain.clock import FixedClock
from tcgtracker.tracker import Tracker
from tests.support import NOW, api_key, card_ids, import_days, import_products

NAMES = {1: "Farfetch'd", 2: "Nidoran ♀", 3: "100% <b>"}
LAST = NOW.date() - timedelta(days=1)


@pytest.fixture
def wired(database: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    url = database.url.render_as_string(hide_password=False)
    tracker = build_tracker(
        Settings(database={"url": url}, history={"url": ""}), clock=FixedClock(NOW)
    )
    import_products(tracker.database, tmp_path / "catalog", NAMES)
    prices = {(product, "Normal"): {"market": float(product)} for product in NAMES}
    import_days(tracker.database, tmp_path / "prices", {LAST: prices})
    yield tracker
    tracker.close()


@pytest.fixture
def get(wired: Tracker) -> Callable[..., httpx2.Response]:
    client = TestClient(create_app(wired), base_url="http://127.0.0.1:8000", headers=api_key(wired))
    return lambda path, **query: client.get(f"/api/v1{path}", params=query)


def test_names_come_out_as_they_went_in(get: Any, wired: Tracker) -> None:
    listed = get("/cards").json()
    assert {one["name"] for one in listed["items"]} == set(NAMES.values())
    for name, card_id in card_ids(wired.database).items():
        assert get(f"/cards/{card_id}").json()["name"] == name
        assert get("/cards", q=name).json()["items"][0]["card_id"] == card_id
        assert get(f"/prices/card/{card_id}").json()["card"]["name"] == name


def test_a_card_says_what_hangs_on_it(get: Any, wired: Tracker) -> None:
    card_id = card_ids(wired.database)["Farfetch'd"]
    card = get(f"/cards/{card_id}").json()
    assert card["last_price_update"] == "2026-04-30T20:00:00Z"
    assert card["price"] == {
        "market_price": "1.00",
        "currency": "USD",
        "source": "tcgcsv",
        "kind": "market",
        "printing": "Normal",
        "variant": "raw",
        "observed_at": "2026-04-30T20:00:00Z",
        "age_s": 16 * 3600,
        "listed": True,
        "stale": False,
    }
    assert [one["name"] for one in card["printings"]] == ["Normal"]
    link = card["links"][0]
    assert (link["source"], link["external_id"], link["state"]) == ("tcgcsv", "1", "confirmed")
    assert "Farfetch'd" in link["evidence"]


def test_games_sets_and_pages(get: Any) -> None:
    assert get("/games").json()["items"] == [{"slug": "pokemon", "name": "Pokémon", "set_count": 1}]
    found = get("/sets", game="pokemon").json()["items"]
    assert [(one["name"], one["card_count"]) for one in found] == [("Base", 3)]
    set_id = found[0]["set_id"]
    assert get(f"/sets/{set_id}").json() == found[0]
    first = get(f"/sets/{set_id}/cards", limit=2).json()
    rest = get(f"/sets/{set_id}/cards", limit=2, cursor=first["next_cursor"]).json()
    assert len(first["items"]) == 2
    assert len(rest["items"]) == 1
    assert rest["next_cursor"] is None
    assert len(get("/cards", set=set_id).json()["items"]) == 3
    assert get("/cards", set=set_id + 1).status_code == 404


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/cards/0", {}, 422),
        ("/cards/2147483648", {}, 422),
        ("/cards/2147483647", {}, 404),
        ("/cards/x", {}, 422),
        ("/sets/0", {}, 422),
        ("/sets/999", {}, 404),
        ("/sets/999/cards", {}, 404),
        ("/sets", {"game": "nope"}, 404),
        ("/sets", {"limit": 0}, 422),
        ("/sets", {"limit": 201}, 422),
        ("/sets", {"cursor": "?"}, 400),
        ("/cards", {"q": ""}, 422),
        ("/cards", {"q": "x" * 201}, 422),
        ("/cards", {"q": "a\0b"}, 422),
        ("/cards", {"game": "a\0b"}, 422),
        ("/prices/card/0", {}, 422),
        ("/prices/card/2147483648", {}, 422),
        ("/prices/card/2147483647", {}, 404),
        ("/prices/card/1", {"days": 0}, 422),
        ("/prices/card/1", {"days": 3661}, 422),
        ("/prices/card/1", {"source": "ebay"}, 422),
        ("/prices/card/1", {"printing": ""}, 422),
        ("/prices/card/1", {"printing": "a\0b"}, 422),
        ("/prices/card/1", {"condition": "perfect"}, 422),
        ("/prices/card/1", {"grade": "shiny"}, 422),
        ("/prices/card/1", {"grade": "psa-10", "condition": "nm"}, 422),
        ("/prices/card/1", {"shape": "rows"}, 422),
    ],
)
def test_what_is_out_of_bounds_is_a_problem(
    get: Any, path: str, query: dict[str, Any], status: int
) -> None:
    answer = get(path, **query)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
