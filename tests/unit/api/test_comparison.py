"""Comparison of two sources and consensus, as the API answers them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tcgtracker.analytics.usual_ratios import learn_game
from tcgtracker.quotes.link_choices import Reviewer
from tcgtracker.quotes.link_review import LinkReview
from tcgtracker.runtime.memory_cache import MemoryCache
from tcgtracker.tracker import Tracker
from tests.unit.analytics.two_sources import CARDS, TwoSources
from tests.unit.api.conftest import Ask

PAIR = "/api/v1/prices/compare?left=tcgcsv&right=pricecharting&game=pokemon"


@pytest.fixture
def made(tracker: Tracker, tmp_path: Path) -> TwoSources:
    made = TwoSources(tracker.database, tmp_path / "made", datetime.now(UTC).date())
    tracker.clock = made.clock
    return made


def test_two_sources_of_a_game(ask: Ask, made: TwoSources) -> None:
    made.fill(guide={3: 9_999})
    found = ask("GET", PAIR).json()
    assert found["coverage"] == [
        {
            "state": "ungraded", "currency": "USD", "both": CARDS, "only_left": 0,
            "only_right": 0, "stale": 0,
        }
    ]  # fmt: skip
    every = next(one for one in found["ratios"] if one["from_price"] is None)
    assert (every["median_ratio"], every["pairs"]) == ("0.9001", CARDS)
    band = next(one for one in found["ratios"] if one["from_price"] is not None)
    assert (band["from_price"], band["below_price"]) == ("5.00", "20.00")
    (one,) = found["outliers"]
    assert one["card"]["name"] == "Name3"
    assert (one["left"]["market_price"], one["right"]["market_price"]) == ("11.11", "99.99")
    assert (one["suspect"], one["side"], one["departure"]) == ("price", "right", "10.00")
    assert any("moved by" in text for text in one["evidence"])
    made.clock.advance(timedelta(minutes=5))
    assert ask("GET", PAIR).json() == found  # kept, or `as_of` would be another
    assert ask("GET", f"{PAIR}&left=pricecharting").status_code == 400
    assert ask("GET", "/api/v1/prices/compare?left=tcgcsv&game=pokemon").status_code == 422


def test_a_kept_comparison_is_not_told_through_a_link_that_was_refused(
    ask: Ask, made: TwoSources, tracker: Tracker
) -> None:
    made.fill(guide={3: 9_999})
    (one,) = ask("GET", PAIR).json()["outliers"]
    # By another process, with a cache of its own: nothing tells this one.
    review = LinkReview(made.database, made.database, made.clock, cache=MemoryCache())
    review.reject(one["right"]["link_id"], Reviewer("ann"))
    assert ask("GET", PAIR).json()["outliers"] == []


def test_consensus_of_a_card(ask: Ask, made: TwoSources, tracker: Tracker) -> None:
    made.fill(guide={2: 5_000})
    learn_game(tracker.database, tracker.history, "pokemon", now=made.now)
    found = ask("GET", f"/api/v1/prices/consensus/{made.ids['Name1']}").json()
    (one,) = found["printings"]
    assert (one["printing"], one["state"], one["currency"], one["scale"]) == (
        "Holofoil", "ungraded", "USD", "tcgcsv",
    )  # fmt: skip
    assert one["price"] == "10.27"
    assert 0 < float(one["confidence"]) < 1
    voices = {voice["source"]: voice for voice in one["voices"]}
    assert voices["tcgcsv"]["reason"] == "sets the scale"
    assert voices["pricecharting"]["ratio"] == "0.8999"
    none = ask("GET", f"/api/v1/prices/consensus/{made.ids['Name2']}").json()
    assert none["printings"][0]["price"] is None
    assert ask("GET", "/api/v1/prices/consensus/999").status_code == 404
