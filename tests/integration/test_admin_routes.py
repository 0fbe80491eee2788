"""What operators see and do over HTTP, and the row that each act leaves in the audit log."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tcgtracker.api.app import create_app
from tcgtracker.database.tables.accounts import Role
from tcgtracker.database.tables.operations import JobState
from tcgtracker.database.tables.prices import price_holds
from tests.integration.filled import Filled, a_filled_tracker
from tests.unit.api.conftest import Ask, asking

pytestmark = pytest.mark.one_engine

ADMIN = "/api/v1/admin"


@pytest.fixture
def filled(database_url: str, tmp_path: Path) -> Iterator[Filled]:
    with a_filled_tracker(database_url, tmp_path) as filled:
        yield filled


@pytest.fixture
def ask(filled: Filled) -> Ask:
    headers = filled.people.signed_in(filled.people.admin)
    return asking(create_app(filled.tracker), headers["Authorization"])


def body_of(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


def sources(ask: Ask) -> dict[str, Any]:
    return {one["source"]: one for one in body_of(ask("GET", f"{ADMIN}/sources"))["items"]}


def log(ask: Ask, query: str = "") -> list[tuple[str, str, str | None]]:
    rows = body_of(ask("GET", f"{ADMIN}/audit?limit=200{query}"))["items"]
    return [(row["action"], row["subject"], row["username"]) for row in rows]


def test_sources_are_shown_and_switched(ask: Ask, filled: Filled) -> None:
    shown = sources(ask)
    assert list(shown) == ["pricecharting", "justtcg", "tcgplayer", "tcgcsv", "ebay"]
    guide = shown["pricecharting"]
    assert (guide["state"], guide["enabled"], guide["breaker"]) == ("ready", True, "closed")
    assert guide["last_run"]["state"] == "done"
    assert guide["last_ok_at"] is not None
    assert guide["terms"]["must_purge"] is True
    day = {one["period"]: one for one in shown["justtcg"]["quota"]}["day"]
    assert day["left"] == day["allowed"] - day["used"]
    assert shown["ebay"]["terms"]["may_store"] is False

    off = body_of(ask("POST", f"{ADMIN}/sources/pricecharting/disable"))
    assert (off["state"], off["enabled"]) == ("stopped", False)
    calls = len(filled.sandbox.calls("pricecharting"))
    said = body_of(ask("POST", f"/api/v1/prices/update/{filled.card}"))
    assert said["source"] == "justtcg"
    assert len(filled.sandbox.calls("pricecharting")) == calls
    assert body_of(ask("POST", f"{ADMIN}/sources/pricecharting/enable"))["state"] == "ready"

    filled.sandbox.fault("unauthorized", vendor="pricecharting")
    ask("POST", f"/api/v1/prices/update/{filled.card}")
    stopped = sources(ask)["pricecharting"]
    assert stopped["state"] == "stopped"
    assert "stopped" in stopped["reason"]
    filled.sandbox.clear_faults()
    assert body_of(ask("POST", f"{ADMIN}/sources/pricecharting/resume"))["state"] == "ready"

    body_of(ask("POST", f"{ADMIN}/sources/nobody/enable"), 404)
    body_of(ask("POST", f"{ADMIN}/sources/No-Body/enable"), 422)
    assert log(ask, "&action=source.") == [
        ("source.resumed", "pricecharting", "admin"),
        ("source.enabled", "pricecharting", "admin"),
        ("source.disabled", "pricecharting", "admin"),
    ]


def test_what_was_refused_is_listed_by_reason(ask: Ask, filled: Filled) -> None:
    for raw in ("a", "b", "<script>"):
        filled.refuse("bad-price", raw)
    filled.refuse("bad-card: name is missing")
    page = body_of(ask("GET", f"{ADMIN}/quarantine?limit=2"))
    assert page["counts"] == [
        {"source": "justtcg", "reason": "bad-price", "rows": 3},
        {"source": "justtcg", "reason": "bad-card: name is missing", "rows": 1},
    ]
    rest = body_of(ask("GET", f"{ADMIN}/quarantine?limit=2&cursor={page['next_cursor']}"))
    rows = [*page["items"], *rest["items"]]
    assert [row["raw"] for row in rows] == ["{}", "<script>", "b", "a"]
    assert rest["next_cursor"] is None
    one = body_of(ask("GET", f"{ADMIN}/quarantine?reason=bad-price&source=justtcg&run_id=1"))
    assert [row["raw"] for row in one["items"]] == ["<script>", "b", "a"]
    for query in ("source=tcgcsv", "run_id=2"):
        assert body_of(ask("GET", f"{ADMIN}/quarantine?{query}"))["items"] == []
    for cursor in ("x", "9" * 30, "%C2%B2"):
        body_of(ask("GET", f"{ADMIN}/quarantine?cursor={cursor}"), 400)


def test_dead_jobs_are_listed_and_begin_again(ask: Ask, filled: Filled) -> None:
    dead = str(filled.job(JobState.DEAD))
    filled.job(JobState.DONE)
    (letter,) = body_of(ask("GET", f"{ADMIN}/dead-letters"))["items"]
    assert (letter["id"], letter["state"], letter["error_type"]) == (dead, "dead", "")
    again = body_of(ask("POST", f"{ADMIN}/dead-letters/{dead}/retry"), 202)
    assert (again["state"], again["attempts"]) == ("ready", 0)
    body_of(ask("POST", f"{ADMIN}/dead-letters/{dead}/retry"), 409)
    assert body_of(ask("GET", f"{ADMIN}/dead-letters"))["items"] == []
    assert log(ask, "&action=job.retried") == [("job.retried", dead, "admin")]


def test_held_prices_are_decided(ask: Ask, filled: Filled) -> None:
    first, second = filled.hold(), filled.hold()
    held = body_of(ask("GET", f"{ADMIN}/holds?source=pricecharting"))["items"]
    assert [one["hold_id"] for one in held] == [first, second]
    assert (held[0]["market_price"], held[0]["currency"]) == ("9999.99", "USD")
    assert body_of(ask("GET", f"{ADMIN}/holds?source=tcgcsv"))["items"] == []
    body_of(ask("POST", f"{ADMIN}/holds/{first}/release"), 204)
    body_of(ask("POST", f"{ADMIN}/holds/{second}/reject"), 204)
    for decided in (first, second):
        body_of(ask("POST", f"{ADMIN}/holds/{decided}/release"), 409)
    body_of(ask("POST", f"{ADMIN}/holds/999999/reject"), 404)
    with filled.tracker.history.read() as history:
        by = history.scalars(select(price_holds.c.decided_by).order_by(price_holds.c.id)).all()
    assert by == ["admin", "admin"]
    said = body_of(ask("GET", f"/api/v1/cards/{filled.card}"))
    assert said["price"]["market_price"] == "9999.99"  # released, so it is the newest
    assert log(ask, "&action=hold.") == [
        ("hold.rejected", str(second), "admin"),
        ("hold.released", str(first), "admin"),
    ]


def test_the_log_is_filtered_by_who_what_and_when(ask: Ask, filled: Filled) -> None:
    people = filled.people
    second = people.add(Role.ADMIN)
    other = asking(create_app(filled.tracker), people.signed_in(second)["Authorization"])
    for admin in (ask, other):
        body_of(admin("POST", f"{ADMIN}/sources/ebay/resume"))
    rows = body_of(ask("GET", f"{ADMIN}/audit?action=source.resumed"))["items"]
    assert [row["user_id"] for row in rows] == [str(second), str(people.admin)]
    assert rows[0]["address"] == "127.0.0.1"
    assert len(log(ask, f"&action=source.resumed&actor={second}")) == 1
    newest = rows[0]["at"].replace("+", "%2B")
    assert log(ask, f"&action=source.&since={newest}") == [
        ("source.resumed", "ebay", rows[0]["username"])
    ]
    assert [name for *_, name in log(ask, f"&action=source.&until={newest}")] == ["admin"]
    assert log(ask, "&action=source_") == []  # a text, no pattern
    page = body_of(ask("GET", f"{ADMIN}/audit?limit=1"))
    assert len(body_of(ask("GET", f"{ADMIN}/audit?cursor={page['next_cursor']}"))["items"]) > 0
    for query in ("since=yesterday", "until=5", "actor=admin", "limit=0", "action="):
        body_of(ask("GET", f"{ADMIN}/audit?{query}"), 422)
    body_of(ask("GET", f"{ADMIN}/audit?cursor=x"), 400)
