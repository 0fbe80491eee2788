"""A user's own prices: kept exactly, seen by nobody else, counted nowhere."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import select, update

from tcgtracker.api.app import create_app
from tcgtracker.api.data_version import DataVersion
from tcgtracker.bootstrap import build_tracker
from tcgtracker.config import Settings
from tcgtracker.database.engine import Database
from tcgtracker.database.tables.catalog import manual_prices
from tcgtracker.database.unit_of_work import unit_of_work
from tcgtracker.domain.clock import FixedClock
from tcgtracker.domain.money import Money
from tcgtracker.quotes import manual_prices as own_prices
from tcgtracker.tracker import Tracker
from tests.people import People
from tests.support import NOW, card_ids, import_days, import_products
from tests.unit.api.conftest import Ask, asking

OWN = "/api/v1/prices/"
NAMES = {1: "Alakazam", 2: "Farfetch'd"}


@pytest.fixture
def tracker(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    url = database.url.render_as_string(hide_password=False)
    tracker = build_tracker(
        Settings(database={"url": url}, history={"url": ""}), clock=FixedClock(NOW)
    )
    import_products(tracker.database, tmp_path / "catalog", NAMES)
    listed = {(number, "Normal"): {"market": 1.0 + number} for number in NAMES}
    days = {NOW.date() - timedelta(days=back): listed for back in (1, 2)}
    import_days(tracker.database, tmp_path / "prices", days)
    yield tracker
    tracker.close()


@pytest.fixture
def people(tracker: Tracker) -> People:
    return People(tracker)


@pytest.fixture
def app(tracker: Tracker) -> FastAPI:
    return create_app(tracker)


@pytest.fixture
def card(tracker: Tracker) -> int:
    return card_ids(tracker.database)["Alakazam"]


def someone(app: FastAPI, people: People) -> Ask:
    return asking(app, people.signed_in(people.add())["Authorization"])


def body_of(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()


def test_it_is_kept_exactly_listed_and_forgotten(app: FastAPI, people: People, card: int) -> None:
    ask = someone(app, people)
    kept = body_of(
        ask(
            "POST",
            OWN,
            json={
                "card_id": card,
                "price": "1234.5",
                "currency": "USD",
                "printing": "normal",
                "grade": "PSA 10",
                "observed_at": "2026-04-30T22:00:00+02:00",
                "note": "<b>fair</b>",
            },
        ),
        201,
    )
    assert kept | {"id": ""} == {
        "id": "",
        "card_id": card,
        "kind": "manual",
        "printing": "Normal",
        "condition": None,
        "grade": "psa-10",
        "price": "1234.50",
        "currency": "USD",
        "observed_at": "2026-04-30T20:00:00Z",
        "note": "<b>fair</b>",
    }
    yen = {"card_id": card, "price": "700", "currency": "JPY", "condition": "nm"}
    second = body_of(ask("POST", OWN, json=yen), 201)
    assert (second["price"], second["condition"]) == ("700", "nm")
    first_page = body_of(ask("GET", f"{OWN}?limit=1"))
    assert [one["id"] for one in first_page["items"]] == [second["id"]]
    rest = body_of(ask("GET", f"{OWN}?limit=1&cursor={first_page['next_cursor']}"))
    assert rest == {"items": [kept], "next_cursor": None}
    assert body_of(ask("GET", f"{OWN}?card_id={card + 1}"))["items"] == []
    assert ask("DELETE", OWN + kept["id"]).status_code == 204
    assert ask("DELETE", OWN + kept["id"]).status_code == 404
    assert body_of(ask("GET", OWN))["items"] == [second]


def test_only_its_user_sees_it_and_no_figure_counts_it(
    app: FastAPI, people: People, card: int
) -> None:
    ask, other = someone(app, people), someone(app, people)
    admin = asking(app, people.signed_in(people.admin)["Authorization"])
    paths = (
        f"/api/v1/cards/{card}",
        f"/api/v1/prices/card/{card}",
        f"/api/v1/prices/card/{card}?source=manual",
        f"/api/v1/prices/compare/{card}",
        "/api/v1/prices/trends?game=pokemon&days=1&min_price=0",
        "/api/v1/cards?min_price=900",
        OWN,
    )
    before = {path: body_of(other("GET", path)) for path in paths}
    wish = {"card_id": card, "price": "999.99", "currency": "USD"}
    kept = body_of(ask("POST", OWN, json=wish), 201)
    for path in paths:
        assert body_of(other("GET", path)) == before[path], path
        assert body_of(admin("GET", path)) == before[path], path
        mine = body_of(ask("GET", path))
        if "own_prices" in mine:
            assert mine.pop("own_prices") == [kept]
            before[path].pop("own_prices")
        if path != OWN:
            assert mine == before[path], path
    assert other("DELETE", OWN + kept["id"]).status_code == 404
    assert admin("DELETE", OWN + kept["id"]).status_code == 404
    assert body_of(ask("GET", OWN))["items"] == [kept]


def test_kept_answers_of_histories_are_not_mixed_up(
    tracker: Tracker, people: People, card: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The history is answered from kept bytes: those with own prices are the user's alone."""
    monkeypatch.setattr(DataVersion, "current", lambda _: (1,))  # nothing is seen to change
    app = create_app(tracker)
    ask, other = someone(app, people), someone(app, people)
    path = f"/api/v1/prices/card/{card}"
    wish = {"card_id": card, "price": "5", "currency": "USD"}
    body_of(ask("POST", OWN, json=wish), 201)
    mine = ask("GET", path)
    assert len(body_of(mine)["own_prices"]) == 1
    assert "private" in mine.headers["cache-control"]
    theirs = other("GET", path)
    assert body_of(theirs)["own_prices"] == []
    assert mine.headers["etag"] != theirs.headers["etag"]
    # One whose first price is newer than what is known of them: not kept for the others.
    body_of(other("POST", OWN, json=wish), 201)
    third = someone(app, people)
    body_of(other("GET", f"{path}?days=7"))
    assert body_of(third("GET", f"{path}?days=7"))["own_prices"] == []
    assert len(body_of(ask("GET", path))["own_prices"]) == 1


def test_a_history_shows_those_of_its_days(app: FastAPI, people: People, card: int) -> None:
    ask = someone(app, people)
    for back in (0, 10):
        moment = (NOW - timedelta(days=back)).isoformat()
        wish = {"card_id": card, "price": "5", "currency": "USD", "observed_at": moment}
        body_of(ask("POST", OWN, json=wish), 201)
    path = f"/api/v1/prices/card/{card}"
    assert len(body_of(ask("GET", f"{path}?days=3"))["own_prices"]) == 1
    assert len(body_of(ask("GET", f"{path}?days=30"))["own_prices"]) == 2


@pytest.mark.parametrize(
    ("wish", "status"),
    [
        ({"price": "1.234"}, 400),
        ({"price": "1.5", "currency": "JPY"}, 400),
        ({"price": "0"}, 400),
        ({"price": "999999999"}, 400),
        ({"observed_at": "2026-05-01T12:06:00Z"}, 400),
        ({"card_id": 999_999}, 404),
        ({"printing": "Gold"}, 404),
        ({"price": 1.5}, 422),
        ({"price": "-1"}, 422),
        ({"price": "1e3"}, 422),
        ({"currency": "usd"}, 422),
        ({"card_id": "1"}, 422),
        ({"condition": "nm", "grade": "psa-10"}, 422),
        ({"condition": "new"}, 422),
        ({"grade": "ten"}, 422),
        ({"observed_at": "2026-05-01"}, 422),
        ({"observed_at": 1_700_000_000}, 422),
        ({"observed_at": "0001-01-01T00:00:00+23:59"}, 422),
        ({"note": "x" * 501}, 422),
        ({"note": "a\0b"}, 422),
        ({"user_id": "01890a5d-ac96-774b-bcce-b302099a8057"}, 422),
    ],
)
def test_a_wrong_wish_keeps_nothing(
    app: FastAPI, people: People, card: int, wish: dict[str, Any], status: int
) -> None:
    ask = someone(app, people)
    body_of(
        ask("POST", OWN, json={"card_id": card, "price": "1", "currency": "USD", **wish}), status
    )
    assert body_of(ask("GET", OWN))["items"] == []


def test_a_merge_of_cards_keeps_it(tracker: Tracker, people: People, card: int) -> None:
    from tcgtracker.catalog.writer import BatchWriter

    keeper = card_ids(tracker.database)["Farfetch'd"]
    with tracker.database.write() as connection:
        own_prices.add(
            connection,
            people.admin,
            card_id=card,
            printing="Normal",
            variant="raw",
            money=Money(500, "USD"),
            observed_at=NOW,
            note="",
            now=NOW,
        )
    with unit_of_work(tracker.database, tracker.history) as uow:
        writer = BatchWriter(uow.connection, tracker.database.dialect, 0)
        writer.merge(card, keeper)
        writer.flush()
    with tracker.database.read() as connection:
        assert connection.scalars(select(manual_prices.c.card_id)).all() == [keeper]


def test_there_is_an_end_to_what_one_keeps(
    tracker: Tracker, people: People, card: int, monkeypatch: pytest.MonkeyPatch, app: FastAPI
) -> None:
    monkeypatch.setattr(own_prices, "MOST_OF_A_CARD", 2)
    ask = someone(app, people)
    wish = {"card_id": card, "price": "5", "currency": "USD"}
    for status in (201, 201, 409):
        body_of(ask("POST", OWN, json=wish), status)
    with tracker.database.write() as connection:
        connection.execute(update(manual_prices).values(card_id=card + 1))
    body_of(ask("POST", OWN, json=wish), 201)
