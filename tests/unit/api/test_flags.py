"""The flags over the API: what is shown, changed and refused. Who may: `test_who_may`."""

from typing import Any

import pytest

from tcgtracker.operations.flag_settings import flag_changes
from tcgtracker.tracker import Tracker
from tests.unit.api.conftest import Ask


def values(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return {one["name"]: one["value"] for one in answer.json()["items"]}


def test_flags_are_changed_together_and_audited(ask: Ask, tracker: Tracker) -> None:
    before = values(ask("GET", "/api/v1/admin/flags"))
    assert before["pricing.primary_source"] == "pricecharting"
    wish = {"pricing.rollout_percent": 25, "pricing.rollout_source": "justtcg"}
    after = values(ask("PUT", "/api/v1/admin/flags", json={"flags": wish}))
    assert after == before | wish == values(ask("GET", "/api/v1/admin/flags"))
    wish = dict.fromkeys(wish)
    assert values(ask("PUT", "/api/v1/admin/flags", json={"flags": wish})) == before
    with tracker.database.read() as connection:
        changes = flag_changes(connection)
    assert len(changes) == 4
    assert {one.detail["by"] for one in changes} == {"admin"}
    assert all(one.user_id for one in changes)


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"flags": {"pricing.primary_source": "ebay"}}, 400, "is no source"),
        ({"flags": {"pricing.colour": "red"}}, 400, "there is no flag"),
        ({"flags": {"pricing.rollout_percent": 10}}, 400, "set that first"),
        ({"flags": {"pricing.rollout_percent": 10.5}}, 422, ""),
        ({"flags": {"pricing.rollout_percent": True}}, 422, ""),
        ({"flags": {"pricing.primary_source": {"a": 1}}}, 422, ""),
        ({"flags": {}}, 422, ""),
        ({"flags": {"x" * 200: "a"}}, 422, ""),
        ({"pricing.primary_source": "justtcg"}, 422, ""),
    ],
)
def test_what_cannot_be_used_changes_nothing(
    ask: Ask, body: dict[str, Any], status: int, said: str
) -> None:
    before = ask("GET", "/api/v1/admin/flags").json()
    answer = ask("PUT", "/api/v1/admin/flags", json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.text
    assert ask("GET", "/api/v1/admin/flags").json() == before
