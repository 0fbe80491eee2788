"""What the pages say; what is read from the database is on both engines."""

import csv
import io
from datetime import date, timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI

from tcgtracker.domain.clock import FixedClock
from tcgtracker.tracker import Tracker
from tests.support import import_days
from tests.unit.web.conftest import NASTY, Browser, text_of

on_sqlite = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
"""What the engines cannot differ in."""


def test_a_card_shows_its_price_with_its_provenance(user: Browser, card: int) -> None:
    answer = user.get(f"/cards/{card}")
    said = text_of(answer)
    assert "$2.00" in said
    assert "TCGCSV market price in USD · Normal · Ungraded" in said
    assert "As of 30 Apr 2026, 20:00 UTC, 16 h ago" in said
    assert "All-time high $2.00" in said
    assert "TCGCSV · Holofoil · Ungraded" in said
    assert "$1,234.50" in said
    assert "30 Apr 2026, 20:00 UTC $2.00 $1.00 $4.00" in said
    assert "product 42 is" in said
    assert f'data-src="/api/v1/prices/card/{card}?source=tcgcsv&amp;printing=Normal' in answer.text


@on_sqlite
def test_the_addresses_of_the_chart_answer_a_browser(user: Browser, card: int) -> None:
    answer = user.get(
        f"/api/v1/prices/card/{card}?source=tcgcsv&printing=Holofoil&condition=raw&days=7&shape=columns"
    )
    assert answer.json()["columns"]["market_price"] == ["1234.50"]


@on_sqlite
def test_another_series_is_chosen_and_said_to_be(user: Browser, card: int) -> None:
    said = text_of(user.get(f"/cards/{card}?source=tcgcsv&printing=Holofoil&condition=raw"))
    assert "TCGCSV market price in USD · Holofoil" in said
    assert "Chosen by you." in said


@on_sqlite
def test_a_card_without_a_price_says_why(user: Browser, nasty: int) -> None:
    said = text_of(user.get(f"/cards/{nasty}"))
    assert "No price" in said
    assert "$" not in said


@on_sqlite
def test_the_history_is_downloaded_as_it_is(user: Browser, card: int) -> None:
    answer = user.get(f"/cards/{card}/history.csv?days=30")
    assert answer.headers["content-disposition"] == f'attachment; filename="farfetch-d-{card}.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["market_price"] for row in rows] == ["1.50", "1.75", "2.00"]
    assert rows[0]["observed_at"] == "2026-04-28T20:00:00Z"
    assert {row["currency"] for row in rows} == {"USD"}


def test_search_forgives_typing_errors_and_shows_prices(user: Browser) -> None:
    said = text_of(user.get("/search?q=farfetchd"))
    assert "Farfetch'd" in said
    assert "$2.00 TCGCSV market price, Normal, Ungraded, 16 h ago" in said
    assert "Farfetch'd" in text_of(user.get("/search?q=farfecthd"))
    assert "No card fits" in text_of(user.get("/search?q=zzzzzz"))


@on_sqlite
def test_htmx_gets_the_block_alone(user: Browser, card: int) -> None:
    answer = user.get("/search?q=farfetchd", headers={"HX-Request": "true"})
    assert answer.text.lstrip().startswith('<section id="results"')
    assert "HX-Request" in answer.headers["vary"]
    figures = user.get(f"/cards/{card}?days=7", headers={"HX-Request": "true"})
    assert figures.text.lstrip().startswith('<div id="figures"')
    assert "<html" not in figures.text


def test_browsing_leads_from_games_to_cards(user: Browser, card_set: int) -> None:
    assert 'href="/games/pokemon"' in user.get("/games").text
    assert f'href="/sets/{card_set}"' in user.get("/games/pokemon").text
    said = text_of(user.get(f"/sets/{card_set}"))
    assert "Farfetch'd 001/130" in said
    assert "$2.00" in said


def test_the_dashboard_counts_cards_and_intakes(user: Browser) -> None:
    said = text_of(user.get("/"))
    assert "Cards 2 With a price 1 Seen within 7 days 1 Stale 0" in said
    assert "TCGCSV 3 of 3 rows changed" in said or "rows changed" in said
    assert "PriceCharting not set up never" in said


@on_sqlite
def test_names_of_vendors_are_text(user: Browser, card: int, card_set: int, nasty: int) -> None:
    for path in (
        f"/cards/{nasty}",
        f"/sets/{card_set}",
        "/search?q=alert",
        f"/cards/{card}?with={nasty}",
    ):
        answer = user.get(path)
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text, path
        assert "49" not in text_of(user.get(f"/cards/{nasty}")).split("Links")[0], path
    assert NASTY in text_of(user.get(f"/cards/{nasty}"))


@on_sqlite
def test_what_is_not_there_is_said_so(user: Browser, card: int) -> None:
    for path in ("/nothing", "/cards/999", "/sets/999", "/games/nothing", "/static/nothing.js"):
        answer = user.get(path)
        assert answer.status_code == 404, path
        assert "There is nothing here" in text_of(answer)
    assert user.get("/cards/0").status_code == 422
    assert user.get(f"/cards/{card}?days=0").status_code == 422


@on_sqlite
def test_every_page_has_the_headers_that_keep_it_in(user: Browser, card: int) -> None:
    for path in ("/", f"/cards/{card}", "/nothing"):
        headers = user.get(path).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["x-content-type-options"] == "nosniff"


@on_sqlite
def test_a_key_is_shown_once_and_works(user: Browser) -> None:
    made = user.post("/settings/keys", {"name": "phone", "scope": "read"})
    key = made.text.split("<code>tcg_")[1].split("</code>")[0]
    assert user.get("/api/v1/games", headers={"X-API-Key": f"tcg_{key}"}).status_code == 200
    again = user.get("/settings").text
    assert key not in again
    key_id = again.split('action="/settings/keys/')[1].split("/revoke")[0]
    assert user.post(f"/settings/keys/{key_id}/revoke").status_code == 303
    assert "phone" not in text_of(user.get("/settings"))


def test_an_update_is_a_job_with_a_page(user: Browser, admin: Browser, card: int) -> None:
    path = user.post(f"/cards/{card}/update").headers["location"]
    assert "Update card price" in text_of(user.get(path))
    assert "Stop it" not in text_of(user.get(path))
    assert admin.post(f"{path}/cancel").status_code == 303
    assert "stopped" in text_of(user.get(path))
    stream = user.get(f"{path}/events")
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert stream.text.startswith("event: job\ndata: ")
    assert stream.text.endswith("event: end\ndata: \n\n")


def test_a_source_is_switched_by_an_admin(admin: Browser) -> None:
    assert admin.post("/sources/justtcg/disable").status_code == 303
    assert "Switched off by the operator" in text_of(admin.get("/sources"))
    assert admin.post("/sources/justtcg/enable").status_code == 303
    assert "Switched off by the operator" not in text_of(admin.get("/sources"))
    assert admin.post("/sources/nothing/enable").status_code == 404


@on_sqlite
def test_an_admin_changes_a_flag_and_is_told_what_cannot_be(admin: Browser, user: Browser) -> None:
    flag = {"name": "pricing.primary_source", "value": "tcgcsv"}
    assert admin.post("/sources/flags", flag).status_code == 303
    said = text_of(user.get("/sources"))
    assert "seen within 7 days: TCGCSV," in said
    assert "Flags" not in said
    wrong = admin.post("/sources/flags", {**flag, "value": "nobody"})
    assert wrong.status_code == 422
    assert "is no source" in text_of(wrong)
    assert admin.post("/sources/flags", {**flag, "default": "yes"}).status_code == 303
    assert "seen within 7 days: PriceCharting," in text_of(user.get("/sources"))


def test_a_link_is_refused_and_taken_back(tracker: Tracker, admin: Browser, card: int) -> None:
    listed = admin.get("/links?state=confirmed").text
    first = listed.split('href="/links/')[1].split('"')[0]
    page = f"/links/{first}"
    said = text_of(admin.get(page))
    assert "Is this the same card?" in said
    assert "$2.00" in said
    assert admin.post(page, {"act": "reject"}, page=page).status_code == 303
    assert "rejected" in text_of(admin.get(page))
    assert admin.post(page, {"act": "undo"}, page=page).status_code == 303
    assert "confirmed" in text_of(admin.get(page))
    stale = admin.post(page, {"act": "reject", "version": "of yesterday"}, page=page)
    assert stale.status_code == 409
    assert "look again" in text_of(stale)
    assert admin.post(page, {"act": "dance"}, page=page).status_code == 422


def test_a_held_price_is_believed_by_an_admin(
    tracker: Tracker, admin: Browser, card: int, tmp_path: Path
) -> None:
    days = {date(2026, 5, 1): {(42, "Normal"): {"market": 900.0}}}
    import_days(tracker.database, tmp_path / "absurd", days)
    said = text_of(admin.get("/holds"))
    assert "$900.00 1 May 2026, 20:00 UTC" in said
    held = text_of(admin.get(f"/cards/{card}"))
    assert "$2.00 a newer one is held" in held
    number = admin.get("/holds").text.split('action="/holds/')[1].split('"')[0]
    assert admin.post(f"/holds/{number}", {"act": "release"}, page="/holds").status_code == 303
    assert "No price is held" in text_of(admin.get("/holds"))
    assert "$900.00" in text_of(admin.get(f"/cards/{card}"))
    assert admin.post(f"/holds/{number}", {"act": "reject"}).status_code == 409


@on_sqlite
def test_a_held_price_says_what_it_was_measured_by_and_leads_to_the_decision(
    tracker: Tracker, admin: Browser, user: Browser, card: int, tmp_path: Path
) -> None:
    days = {date(2026, 5, 1): {(42, "Normal"): {"market": 900.0}}}
    import_days(tracker.database, tmp_path / "absurd", days)
    assert "the median of the days before it is $1.75" in text_of(admin.get("/holds"))
    assert "median before $1.75; confirmed on 0 days" in text_of(admin.get("/holds"))
    held = admin.get(f"/cards/{card}")
    assert "median of the last days, which is $1.75" in text_of(held)
    assert 'href="/holds">Decide</a>' in held.text
    assert 'href="/holds">Decide</a>' not in user.get(f"/cards/{card}").text


@on_sqlite
def test_a_price_that_came_after_the_held_one_is_not_said_to_be_older(
    tracker: Tracker, user: Browser, card: int, tmp_path: Path
) -> None:
    days = {
        date(2026, 5, 1): {(42, "Normal"): {"market": 900.0}},
        date(2026, 5, 2): {(42, "Normal"): {"market": 2.10}},
    }
    import_days(tracker.database, tmp_path / "absurd", days)
    said = text_of(user.get(f"/cards/{card}"))
    assert "$2.10" in said
    assert "a newer one is held" not in said
    assert "$900.00 of 1 May 2026, 20:00 UTC is held back" in said
    assert "The price above is a later one." in said


@on_sqlite
def test_a_newer_price_that_is_held_is_told_of_whatever_the_range(
    tracker: Tracker, user: Browser, card: int, tmp_path: Path
) -> None:
    import_days(
        tracker.database,
        tmp_path / "absurd",
        {date(2026, 5, 1): {(42, "Normal"): {"market": 900.0}}},
    )
    clock = tracker.clock
    assert isinstance(clock, FixedClock)
    clock.advance(timedelta(days=3))
    said = text_of(user.get(f"/cards/{card}?days=1"))
    assert "$2.00 a newer one is held" in said


@on_sqlite
def test_a_stale_headline_is_not_said_to_be_of_the_last_days(
    tracker: Tracker, user: Browser, nasty: int, tmp_path: Path
) -> None:
    import_days(
        tracker.database,
        tmp_path / "old",
        {date(2026, 4, 10): {(43, "Normal"): {"market": 5.0}}},
    )
    said = text_of(user.get(f"/cards/{nasty}"))
    assert "$5.00 stale" in said
    assert "with a price of the last 7 days" not in said
    assert "no source has seen a price within 7 days, and this one is the newest" in said


@on_sqlite
def test_the_sources_page_names_only_what_may_speak_for_a_card(user: Browser) -> None:
    said = text_of(user.get("/sources"))
    assert "PriceCharting, JustTCG, TCGCSV, TCGplayer. Prices of two sources" in said


@on_sqlite
def test_a_refusal_before_any_page_can_be_read_in_a_browser(nobody: Browser) -> None:
    browser = {"Host": "evil.example", "Accept": "text/html,*/*"}
    answer = nobody.get("/", headers=browser)
    assert answer.status_code == 421
    assert answer.headers["content-type"].startswith("text/html")
    assert "APP_ALLOWED_HOSTS" in text_of(answer)
    problem = nobody.get("/api/v1/games", headers=browser)
    assert problem.headers["content-type"] == "application/problem+json"


@on_sqlite
def test_sources_are_compared_in_full(user: Browser, card: int) -> None:
    said = text_of(user.get(f"/cards/{card}/compare"))
    assert "market price, USD Normal Ungraded not said 30 Apr 2026, 20:00 UTC" in said
    # On a telephone the columns are hidden: the price itself says what it is of.
    assert "TCGCSV $2.00 market price, USD, Normal, Ungraded, 16 h ago" in said
    assert "What they say together" not in said


def test_a_database_that_does_not_answer_is_a_page_too(
    tracker: Tracker, site: FastAPI, user: Browser, card: int
) -> None:
    tracker.door.account(cookie=next(iter(user.cookies.values())))

    with tracker.database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE cards RENAME TO cards_gone")
    try:
        answer = user.get(f"/cards/{card}")
    finally:
        with tracker.database.write() as connection:
            connection.exec_driver_sql("ALTER TABLE cards_gone RENAME TO cards")
    assert answer.status_code in (500, 503)
    assert "cards_gone" not in answer.text
    assert "A fault of the program" in answer.text or "Not available" in answer.text
