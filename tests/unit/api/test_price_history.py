"""The history of a card over HTTP: its shapes, its ETag, and the bytes that are kept."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tcgtracker.api.app import create_app
from tcgtracker.api.data_version import DataVersion
from tcgtracker.api.price_schemas import PriceHistory
from tcgtracker.api.rendered import Rendered, RenderedCache
from tcgtracker.bootstrap import build_tracker
from tcgtracker.config import Settings
from tcgtracker.domain.clock import FixedClock
from tests.support import NOW, api_key, card_ids, import_days, import_products

LAST = NOW.date() - timedelta(days=1)


class Served:
    """An API with its watcher running, and the clock of its tracker."""

    def __init__(self, url: str, folder: Path) -> None:
        self.clock = FixedClock(NOW)
        self.folder = folder
        settings = Settings(database={"url": url}, history={"url": ""})
        self.tracker = build_tracker(settings, clock=self.clock)
        import_products(self.tracker.database, folder / "catalog", {1: "Alakazam", 2: "Other"})
        self.days = 0
        self.add_day(1.0)
        self.card = card_ids(self.tracker.database)["Alakazam"]
        self.client = TestClient(
            create_app(self.tracker),
            base_url="http://127.0.0.1:8000",
            headers=api_key(self.tracker),
        )

    def add_day(self, market: float) -> None:
        self.days += 1
        day = LAST - timedelta(days=3) + timedelta(days=self.days)
        listed = {(1, "Normal"): {"market": market, "low": 0.5}, (1, "Foil"): {"market": 7.0}}
        import_days(self.tracker.database, self.folder / f"p{self.days}", {day: listed})

    def get(self, headers: dict[str, str] | None = None, **query: Any) -> Any:
        return self.client.get(f"/api/v1/prices/card/{self.card}", params=query, headers=headers)


@pytest.fixture
def served(database: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.chdir(tmp_path)
    served = Served(database.url.render_as_string(hide_password=False), tmp_path)
    with served.client:
        yield served


@pytest.mark.parametrize("name", ["currency", "variant", "conditon"])
def test_a_parameter_that_is_not_there_is_refused_and_not_passed_over(
    served: Served, name: str
) -> None:
    """Else the headline price in its own currency is taken for what was asked."""
    for _ in range(2):  # nothing is kept of it
        answer = served.client.get(f"/api/v1/prices/card/{served.card}", params={name: "EUR"})
        assert answer.status_code == 422
        assert answer.json()["errors"] == [
            {
                "where": f"query.{name}",
                "message": "is no parameter of this address:"
                " it takes days, source, printing, condition, grade, shape",
            }
        ]
    lists = served.client.get("/api/v1/games", params={name: "EUR"})
    assert lists.json()["errors"][0]["message"].endswith("it takes none")
    documented = served.client.get("/openapi.json").json()["paths"]["/api/v1/games"]["get"]
    assert "422" in documented["responses"]


def test_points_and_columns_say_the_same_as_documented(served: Served) -> None:
    served.add_day(1.5)
    points, columns = served.get().json(), served.get(shape="columns").json()
    for body in (points, columns):
        PriceHistory.model_validate(body)
    names = ("observed_at", "state", "market_price", "price_low", "price_high")
    assert [[row[name] for name in names] for row in points["points"]] == [
        ["2026-04-28T20:00:00Z", "priced", "1.00", "0.50", None],
        ["2026-04-29T20:00:00Z", "priced", "1.50", "0.50", None],
    ]
    as_rows = zip(*(columns["columns"][name] for name in points["points"][0]), strict=True)
    assert [tuple(row.values()) for row in points["points"]] == list(as_rows)
    assert (points["min_price"], points["max_price"]) == ("1.00", "1.50")
    assert (points["change"], points["change_pct"]) == ("0.50", "50.00")
    assert points["average_price"] == "1.25"
    assert points["trend"] == "insufficient_data"
    others = [(one["printing"], one["market_price"]) for one in points["other_series"]]
    assert others == [("Foil", "7.00")]
    foil = served.get(printing="foil").json()
    assert (foil["chosen_by"], foil["series"]["printing"]) == ("filtered", "Foil")
    nothing = served.get(condition="lp")
    assert nothing.status_code == 200
    assert PriceHistory.model_validate(nothing.json()).reason == "nothing-fits-the-filters"


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"days": 3, "shape": "columns"},
        {"source": "tcgcsv", "condition": "raw"},
        {"printing": "Foil"},
        {"days": 0},
        {"shape": "x"},
        {"days": [1, 2]},
    ],
)
def test_parameters_read_by_hand_and_by_fastapi_are_answered_alike(
    served: Served, monkeypatch: pytest.MonkeyPatch, query: dict[str, Any]
) -> None:
    time.sleep(0.6)  # the watcher has seen the writes of the set-up
    by_hand = served.get(**query, by="hand")
    monkeypatch.setattr("tcgtracker.api.prices.plain_wish", lambda *_: None)
    by_fastapi = served.get(**query, by="fastapi")
    assert by_hand.status_code == by_fastapi.status_code
    if by_hand.status_code == 200:
        assert by_hand.content == by_fastapi.content
    else:
        assert by_hand.json()["errors"] == by_fastapi.json()["errors"]


def test_an_etag_saves_the_body(served: Served) -> None:
    first = served.get()
    for given in (first.headers["etag"], f'"x", W/{first.headers["etag"]}', "*"):
        again = served.get(headers={"If-None-Match": given})
        assert (again.status_code, again.content) == (304, b"")
    assert served.get(headers={"If-None-Match": '"x"'}).status_code == 200


def test_a_hit_asks_no_database_and_is_old_for_a_second_at_most(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_until(lambda: served.get().status_code == 200)
    time.sleep(0.6)  # the watcher has seen the writes of the set-up
    first = served.get()
    with monkeypatch.context() as patch:

        def refuse(*_: object, **__: object) -> None:
            raise AssertionError("a hit asked the database")

        patch.setattr("tcgtracker.api.prices.card_history", refuse)
        assert served.get().content == first.content
    served.add_day(2.0)
    time.sleep(1.0)
    assert served.get().json()["current"]["market_price"] == "2.00"


def test_time_alone_ends_an_answer(served: Served) -> None:
    time.sleep(0.6)
    assert served.get().json()["current"]["stale"] is False
    served.clock.advance(timedelta(days=7))
    later = served.get().json()
    assert later["current"]["stale"] is True
    assert later["last_day"] == "2026-05-08"
    served.clock.advance(timedelta(days=-7))
    assert served.get().json()["current"]["stale"] is False


def test_every_commit_changes_the_version(database: Any) -> None:
    version = DataVersion([database])
    assert version.current() is None
    version.start()
    try:
        wait_until(lambda: version.current() is not None)
        before = version.current()
        with database.write() as connection:
            connection.exec_driver_sql("INSERT INTO games (slug, name) VALUES ('x', 'X')")
        wait_until(lambda: version.current() not in (before, None))
    finally:
        version.stop()
    assert version.current() is None


def test_a_version_nobody_vouches_for_is_none(database: Any) -> None:
    now = [0.0]
    version = DataVersion([database], monotonic=lambda: now[0])
    version.start()
    try:
        wait_until(lambda: version.current() is not None)
        now[0] = 1.5
        assert version.current() is None or now[0] - 1.5 <= 1.0
    finally:
        version.stop()


def test_the_cache_is_bounded_and_of_one_version() -> None:
    cache = RenderedCache(max_bytes=100)
    answers = [Rendered.of(bytes(40), made_at=10, valid_until=20) for _ in range(3)]
    for number, answer in enumerate(answers):
        cache.put(number, (1,), answer)
    assert [cache.get(number, (1,), 10) is not None for number in range(3)] == [False, True, True]
    assert cache.get(2, (2,), 10) is None
    assert cache.get(2, (1,), 9) is None
    assert cache.get(2, (1,), 20) is None
    cache.put(9, (2,), answers[0])
    assert cache.get(2, (2,), 10) is None
    cache.put(9, (2,), Rendered.of(bytes(200), made_at=10, valid_until=20))
    assert cache.get(9, (2,), 10) is None


def wait_until(happened: Any, limit_s: float = 5) -> None:
    end = time.monotonic() + limit_s
    while not happened():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)
