"""Search over HTTP."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from tcgtracker.api.app import create_app
from tcgtracker.bootstrap import build_tracker
from tcgtracker.config import Settings
from tests.support import api_key, card_ids, import_products

NAMES = {1: "Farfetch'd", 2: "Nidoran ♀", 3: "100% <b>", 4: "Ruby & Sapphire"}
Get = Callable[..., httpx2.Response]


@pytest.fixture
def get(database: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Get]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    url = database.url.render_as_string(hide_password=False)
    tracker = build_tracker(Settings(database={"url": url}, history={"url": ""}))
    import_products(tracker.database, tmp_path / "catalog", NAMES)
    client = TestClient(
        create_app(tracker), base_url="http://127.0.0.1:8000", headers=api_key(tracker)
    )
    yield lambda path, **query: client.get(f"/api/v1{path}", params=query)
    tracker.close()


@pytest.mark.parametrize("name", NAMES.values())
def test_a_card_is_found_by_its_name_unchanged(get: Get, database: Any, name: str) -> None:
    body = get("/search", q=name).json()
    assert [one["name"] for one in body["items"]] == [name]
    assert (body["total"], body["corrected"]) == (1, False)
    assert body["items"][0]["card_id"] == card_ids(database)[name]


def test_a_typing_error_is_forgiven_and_told(get: Get) -> None:
    body = get("/search", q="farfecthd").json()
    assert [one["name"] for one in body["items"]] == ["Farfetch'd"]
    assert body["corrected"] is True
    assert get("/search/suggestions", q="rub").json() == {"items": ["Ruby & Sapphire"]}


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"q": ""},
        {"q": "x" * 201},
        {"q": "a\0b"},
        {"q": "a", "limit": 101},
        {"q": "a", "set": 0},
    ],
)
def test_what_is_out_of_bounds_is_a_problem(get: Get, query: dict[str, Any]) -> None:
    assert get("/search", **query).status_code == 422
