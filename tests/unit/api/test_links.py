"""The review of links through the API: what is seen is what is decided on."""

from pathlib import Path

import pytest

from tcgtracker.tracker import Tracker
from tests.unit.api.conftest import Ask
from tests.unit.catalog.stating import a_statement
from tests.unit.quotes.reviewing import UNCLEAR, ReviewKit

ADMIN = "/api/v1/admin/links"


@pytest.fixture
def kit(tracker: Tracker, tmp_path: Path) -> ReviewKit:
    """Two links in question: the dearer is of Machamp."""
    kit = ReviewKit(tracker.database, tmp_path)
    wrong = a_statement("10", "Alakazam #3", rarity="Rare", url="https://example.test/10")
    kit.guide(wrong, price=500)
    kit.guide(wrong, a_statement("11", "Machamp <b>#9</b>", "2"), price=1_250)
    kit.guide(wrong, price=700)
    return kit


@pytest.mark.usefixtures("kit")
def test_the_queue_shows_both_sides_and_is_paged(ask: Ask) -> None:
    page = ask("GET", f"{ADMIN}?limit=1").json()
    assert page["counts"] == {"unknown": 2, "suspended": 0}
    first = page["items"][0]
    assert (first["external_id"], first["market_price"], first["currency"]) == (
        "11",
        "12.50",
        "USD",
    )
    rest = ask("GET", f"{ADMIN}?limit=1&cursor={page['next_cursor']}").json()
    assert rest["next_cursor"] is None
    second = rest["items"][0]
    assert second["stated"]["name"] == "Alakazam #3"
    assert second["stated"]["url"] == "https://example.test/10"
    assert second["card"] == {
        "card_id": second["card"]["card_id"],
        "name": "Alakazam",
        "collector_number": "1",
        "rarity": "Rare",
        "set_name": "Set base4",
        "game": "pokemon",
        "printing": None,
        "printings": ["Holofoil"],
    }
    verdicts = {one["field"]: one["verdict"] for one in second["parts"]}
    assert (verdicts["number"], verdicts["name"]) == ("disagrees", "agrees")
    assert second["proposed_printing"] == "Holofoil"
    assert ask("GET", f"{ADMIN}?state=rejected").json()["items"] == []
    assert ask("GET", f"{ADMIN}?source=justtcg").json()["items"] == []
    assert ask("GET", f"{ADMIN}?game=magic").json()["items"] == []
    assert ask("GET", f"{ADMIN}?cursor=e30").status_code == 400


def test_accept_reject_and_undo_move_the_price_of_the_card(ask: Ask, kit: ReviewKit) -> None:
    link = kit.link("10")
    card, one = f"/api/v1/cards/{link.record.card_id}", f"{ADMIN}/{link.record.id}"
    assert ask("GET", card).json()["price"] is None
    said = ask("POST", f"{one}/accept", json={"version": link.version, "note": "a misprint"})
    assert (said.status_code, said.json()["links_changed"]) == (200, 1)
    shown = ask("GET", card).json()
    assert shown["price"]["market_price"] == "7.00"
    history = ask("GET", f"/api/v1/prices/card/{link.record.card_id}?days=3650").json()
    assert [point["market_price"] for point in history["points"]] == ["5.00", "12.50", "7.00"]
    assert ask("POST", f"{one}/accept", json={"version": link.version}).status_code == 409
    assert ask("POST", f"{one}/reject", json={}).status_code == 200
    assert ask("GET", card).json()["price"] is None
    detail = ask("GET", one).json()
    assert [(a["action"], a["decided_by"]) for a in detail["decisions"]] == [
        ("reject", "admin"),
        ("accept", "admin"),
    ]
    assert detail["rejected"][0]["card_id"] == link.record.card_id
    assert detail["product_prices"][0]["market_price"] == "7.00"
    assert ask("POST", f"{one}/undo").json()["link"]["state"] == "confirmed"
    assert ask("GET", card).json()["price"]["market_price"] == "7.00"
    assert ask("POST", f"{one}/undo").json()["link"]["state"] == "unknown"
    assert ask("POST", f"{one}/undo").status_code == 409
    assert ask("POST", f"{one}/skip", json={}).json()["link"]["skipped_at"] is not None


def test_all_of_a_rule_are_counted_before_they_are_accepted(ask: Ask, kit: ReviewKit) -> None:
    kit.guide(*UNCLEAR)
    rule = {"source": "pricecharting", "rule_version": "ids-2", "min_score": 0}
    tried = ask("POST", f"{ADMIN}/bulk-accept", json=rule).json()
    assert (tried["dry_run"], tried["accepted"], tried["batch"]) == (True, 2, None)
    assert kit.quoted() == {}
    done = ask("POST", f"{ADMIN}/bulk-accept", json={**rule, "dry_run": False}).json()
    assert (done["matched"], done["accepted"]) == (2, 2)
    assert set(kit.quoted()) == {"1", "2"}
    undone = ask("POST", f"{ADMIN}/bulk-undo", json={"batch": done["batch"]})
    assert undone.json() == {"links_changed": 2}
    wrong = ask("POST", f"{ADMIN}/bulk-accept", json={"state": ["rejected"]})
    assert wrong.status_code == 400


@pytest.mark.parametrize(
    "body",
    [{"card_id": 0}, {"printing": "x" * 101}, {"note": "a\0b"}, {"card": 1}, {"card_id": "x"}],
)
def test_a_malformed_choice_is_a_422(ask: Ask, kit: ReviewKit, body: dict[str, object]) -> None:
    before = kit.link("10")
    path = f"{ADMIN}/{before.record.id}/accept"
    assert ask("POST", path, json=body).status_code == 422
    assert kit.link("10") == before
