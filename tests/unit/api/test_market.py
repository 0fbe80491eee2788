"""Sources side by side, what moved, and cards by their headline price."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import insert, select

from tcgtracker.analytics import trends
from tcgtracker.api.app import create_app
from tcgtracker.bootstrap import build_tracker
from tcgtracker.config import Settings
from tcgtracker.database.tables.catalog import product_links
from tcgtracker.database.tables.sources import feature_flags
from tcgtracker.domain.clock import FixedClock
from tcgtracker.domain.quote import Facet
from tcgtracker.domain.source import Source
from tcgtracker.domain.variant import PriceKind
from tcgtracker.integrations.contract import PricePage
from tcgtracker.operations.flags import SHADOW
from tcgtracker.quotes.card_quotes import refresh_cards
from tcgtracker.quotes.link_choices import Choice, Reviewer
from tcgtracker.quotes.purge import SourcePurge
from tcgtracker.tracker import Tracker
from tests.support import NOW, api_key, card_ids, import_days, import_products
from tests.unit.api.conftest import asking
from tests.unit.quotes.kit import link

NAMES = {1: "Riser", 2: "Faller", 3: "Still", 4: "Cents", 5: "Newcomer"}
PRICES = {
    8: {1: 10.0, 2: 40.0, 3: 7.0, 4: 0.02},
    1: {1: 12.5, 2: 20.0, 3: 7.0, 4: 0.9, 5: 99.0},
}
Get = Callable[..., Any]


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def tracker(
    database_url: str, clock: FixedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Tracker]:
    """Prices of two days, a week apart, at one source."""
    from tcgtracker.database.migrate import upgrade

    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    tracker = build_tracker(
        Settings(database={"url": database_url}, history={"url": ""}), clock=clock
    )
    upgrade(tracker.database)
    import_products(tracker.database, tmp_path / "catalog", NAMES)
    days = {
        (NOW - timedelta(days=ago)).date(): {
            (product, "Normal"): {"market": price} for product, price in listed.items()
        }
        for ago, listed in PRICES.items()
    }
    import_days(tracker.database, tmp_path / "days", days, trust=True)
    yield tracker
    tracker.close()


@pytest.fixture
def ids(tracker: Tracker) -> dict[str, int]:
    return card_ids(tracker.database)


@pytest.fixture
def get(tracker: Tracker) -> Get:
    ask, key = asking(create_app(tracker), ""), api_key(tracker)

    def send(path: str, status: int = 200) -> Any:
        answer = ask("GET", f"/api/v1/{path}", headers=key)
        assert answer.status_code == status, answer.text
        return answer.json()

    return send


def add_guide_price(tracker: Tracker, card_id: int, cents: int, *, currency: str = "USD") -> None:
    """Let PriceCharting state a guide price of a card, two hours ago."""
    link(tracker.database, Source.PRICECHARTING, {card_id: "77"})
    page = PricePage(
        source=Source.PRICECHARTING,
        scope="pokemon-cards",
        observed_at=NOW - timedelta(hours=2),
        external_id=np.array([77]),
        facet=np.array([0]),
        facets=(Facet(kind=PriceKind.GUIDE, currency=currency),),
        values=np.array([[cents, -1, -1, -1, -1]]),
        parts=frozenset({"x"}),
    )
    tracker.intake.collect([page], input_name="test", trust=True)
    refresh_cards(tracker.database, tracker.history, [card_id])


def test_sources_stand_side_by_side_and_say_in_what_they_differ(
    get: Get, tracker: Tracker, ids: dict[str, int]
) -> None:
    add_guide_price(tracker, ids["Riser"], 1000)
    said = get(f"prices/compare/{ids['Riser']}")
    assert said["compared_with"] == "pricecharting"
    guide, market = said["prices"]
    assert (guide["source"], guide["market_price"], guide["kind"]) == (
        "pricecharting",
        "10.00",
        "guide",
    )
    assert (guide["ratio"], guide["differs_in"], guide["age_s"]) == (None, [], 7200)
    assert (market["source"], market["market_price"], market["kind"]) == (
        "tcgcsv",
        "12.50",
        "market",
    )
    assert (market["ratio"], market["differs_in"]) == ("1.2500", ["kind"])
    assert market["stale"] is False


def test_other_currencies_have_no_ratio(get: Get, tracker: Tracker, ids: dict[str, int]) -> None:
    add_guide_price(tracker, ids["Riser"], 1000, currency="EUR")
    _, market = get(f"prices/compare/{ids['Riser']}")["prices"]
    assert market["ratio"] is None
    assert "currency" in market["differs_in"]


def test_a_card_without_prices_is_compared_with_nothing(get: Get, ids: dict[str, int]) -> None:
    del ids
    get("prices/compare/999999", 404)
    get("prices/compare/0", 422)


def test_what_moved_most_is_listed_by_its_change(get: Get) -> None:
    said = get("prices/trends?game=pokemon&source=tcgcsv&days=7")
    assert [
        (one["card"]["name"], one["price_before"], one["price_now"], one["change_pct"])
        for one in said["up"] + said["down"]
    ] == [("Riser", "10.00", "12.50", "25.00"), ("Faller", "40.00", "20.00", "-50.00")]
    # neither the one of cents, nor the one without a price then, nor the one that stands
    assert (said["considered"], said["bounded"], said["currency"]) == (3, False, "USD")
    cheap = get("prices/trends?game=pokemon&source=tcgcsv&days=7&min_price=0.01")
    assert [one["card"]["name"] for one in cheap["up"]] == ["Cents", "Riser"]
    assert get("prices/trends?game=pokemon&source=tcgcsv&currency=EUR")["considered"] == 0


def test_a_stale_price_is_no_trend(get: Get, clock: FixedClock) -> None:
    clock.advance(timedelta(days=10))
    assert get("prices/trends?game=pokemon&source=tcgcsv&days=20")["considered"] == 0


def test_a_price_that_nobody_looked_at_then_is_no_trend(
    get: Get, tracker: Tracker, tmp_path: Path, clock: FixedClock
) -> None:
    clock.advance(timedelta(days=40))
    late = (NOW + timedelta(days=39)).date()
    day = {late: {(1, "Normal"): {"market": 99.0}}}
    import_days(tracker.database, tmp_path / "late", day, trust=True, clock=clock)
    # what it cost 7 days ago is not known: the last look before was a month earlier
    assert get("prices/trends?game=pokemon&source=tcgcsv&days=7")["considered"] == 0
    month = get("prices/trends?game=pokemon&source=tcgcsv&days=38")
    assert [one["card"]["name"] for one in month["up"]] == ["Riser"]


def test_trends_are_kept_for_a_while(
    get: Get, monkeypatch: pytest.MonkeyPatch, tracker: Tracker
) -> None:
    path = "prices/trends?game=pokemon&source=tcgcsv"
    first = get(path)
    monkeypatch.setattr(trends, "MOST_CARDS", 1)
    assert get(path) == first
    tracker.cache.delete_prefix("trends:")
    again = get(path)
    assert (again["considered"], again["bounded"]) == (0, True)  # the dearest is the newcomer


@pytest.mark.parametrize("act", ["refused", "purged", "elsewhere"])
def test_trends_are_not_told_through_a_link_that_another_process_took_away(
    get: Get, tracker: Tracker, ids: dict[str, int], act: str
) -> None:
    path = "prices/trends?game=pokemon&source=tcgcsv"
    assert [one["card"]["name"] for one in get(path)["up"]] == ["Riser"]
    url = tracker.database.url.render_as_string(hide_password=False)
    settings = Settings(database={"url": url}, history={"url": ""})
    other = build_tracker(settings, clock=FixedClock(NOW))  # with a cache of its own
    try:
        with other.database.read() as connection:
            wanted = select(product_links.c.id).where(product_links.c.card_id == ids["Riser"])
            link_id = connection.execute(wanted).scalar_one()
        if act == "purged":
            SourcePurge(other.database, other.history, other.cache).purge("tcgcsv", Source.TCGCSV)
        elif act == "refused":
            other.link_review.reject(link_id, Reviewer("ann"))
        else:
            choice = Choice(ids["Still"], "Foil", new_printing=True)
            other.link_review.accept(link_id, Reviewer("ann"), choice)
    finally:
        other.close()
    # The other price of the card that it is now, does not speak for it.
    assert get(path)["up"] == []


def test_a_source_that_is_fetched_for_comparison_alone_is_not_compared_with(
    get: Get, tracker: Tracker, ids: dict[str, int]
) -> None:
    with tracker.database.write() as connection:
        shadow = {"name": SHADOW, "value": "tcgcsv", "changed_at": NOW}
        connection.execute(insert(feature_flags).values(**shadow))
    said = get(f"prices/compare/{ids['Riser']}")
    assert [one["source"] for one in said["prices"]] == ["tcgcsv"]
    assert said["compared_with"] is None


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?game=pokemon&days=0",
        "?game=pokemon&days=91",
        "?game=pokemon&min_price=-1",
        "?game=pokemon&min_price=nan",
        "?game=pokemon&min_price=1e99",
        "?game=pokemon&source=ebay",
        "?game=pokemon&currency=usd",
        "?game=pokemon&limit=0",
        "?game=%00",
    ],
)
def test_trends_out_of_bounds_are_a_problem(get: Get, query: str) -> None:
    get(f"prices/trends{query}", 422)


def names(get: Get, query: str) -> set[str]:
    return {one["name"] for one in get(f"cards?{query}")["items"]}


def test_cards_are_filtered_by_their_headline_price(
    get: Get, tracker: Tracker, ids: dict[str, int]
) -> None:
    assert names(get, "min_price=12.5") == {"Riser", "Faller", "Newcomer"}
    assert names(get, "min_price=12.51&max_price=20") == {"Faller"}
    assert names(get, "max_price=0.9") == {"Cents"}
    assert names(get, "min_price=1&currency=EUR") == set()
    add_guide_price(tracker, ids["Riser"], 700)  # the first source speaks for the card now
    assert names(get, "min_price=12.5") == {"Faller", "Newcomer"}
    assert names(get, "min_price=7&max_price=7") == {"Riser", "Still"}
    page = get("cards?min_price=7&limit=2")
    rest = get(f"cards?min_price=7&limit=2&cursor={page['next_cursor']}")
    assert len(page["items"] + rest["items"]) == 4


def test_the_filter_and_the_card_agree_on_which_price_speaks_when_all_are_old(
    get: Get, tracker: Tracker, ids: dict[str, int], clock: FixedClock
) -> None:
    add_guide_price(tracker, ids["Riser"], 700)
    clock.advance(timedelta(days=30))
    shown = get(f"cards/{ids['Riser']}")["price"]
    assert shown["stale"] is True
    exact = f"min_price={shown['market_price']}&max_price={shown['market_price']}"
    assert "Riser" in names(get, exact)


@pytest.mark.parametrize("query", ["min_price=-1", "max_price=inf", "min_price=x", "currency=€"])
def test_price_bounds_out_of_bounds_are_a_problem(get: Get, query: str) -> None:
    get(f"cards?{query}", 422)
