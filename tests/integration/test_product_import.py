"""One product that a search found: asked for again, tied to its card, or made one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from tcgtracker.api.app import create_app
from tcgtracker.database.tables.catalog import cards, product_links, stated_products
from tcgtracker.database.tables.prices import vendor_products
from tcgtracker.sandbox.world import WorldCard
from tests.integration.filled import Filled, a_filled_tracker
from tests.integration.sandboxed import world_of
from tests.unit.api.conftest import Ask, asking

pytestmark = pytest.mark.one_engine

IMPORT = "/api/v1/search/import"


@pytest.fixture
def filled(database_url: str, tmp_path: Path) -> Iterator[Filled]:
    with a_filled_tracker(database_url, tmp_path) as filled:
        yield filled


@pytest.fixture
def ask(filled: Filled) -> Ask:
    headers = filled.people.signed_in(filled.people.admin)
    return asking(create_app(filled.tracker), headers["Authorization"])


def take(ask: Ask, source: str, external_id: str, status: int = 200, **more: Any) -> Any:
    answer = ask("POST", IMPORT, json={"source": source, "external_id": external_id, **more})
    assert answer.status_code == status, answer.text
    return answer.json()


def counts(filled: Filled) -> list[int]:
    tables = (cards, product_links, stated_products, vendor_products)
    with filled.tracker.database.read() as connection:
        return [connection.scalar(select(func.count()).select_from(one)) or 0 for one in tables]


def strangers(filled: Filled) -> list[WorldCard]:
    """Cards of the vendors' world that the catalog does not have."""
    base = next(one for one in world_of(filled.sandbox).sets if one.name == "Base Set")
    return [
        card
        for card in base.cards
        if card.name not in filled.cards and card.product_id and not card.traps and not card.variant
    ]


def test_a_found_product_is_tied_to_the_card_that_it_agrees_with(ask: Ask, filled: Filled) -> None:
    name = filled.names[-1]
    card, page = filled.cards[name], filled.pages[name]
    hits = ask("POST", "/api/v1/search/pricecharting", json={"query": name}).json()["items"]
    assert page in {hit["external_id"] for hit in hits}
    assert ask("GET", f"/api/v1/cards/{card}").json()["price"] is None

    said = take(ask, "pricecharting", page)
    assert (said["outcome"], said["card_id"]) == ("linked", card), said
    assert said["link_state"] == "unknown"  # of which printing it is, nobody has said yet
    assert said["reason"]
    assert ask("GET", f"/api/v1/cards/{card}").json()["price"] is None
    base = next(one for one in world_of(filled.sandbox).sets if one.name == "Base Set")
    twin = next(one for one in base.cards if one.name == name)
    assert take(ask, "justtcg", twin.justtcg_uuid)["card_id"] == card  # it names the printing

    said = take(ask, "pricecharting", page)
    assert said["link_state"] in ("derived", "confirmed")
    assert said["reason"]
    assert said["prices"] > 0
    shown = ask("GET", f"/api/v1/cards/{card}").json()
    assert shown["price"]["source"] == "pricecharting"
    assert page in {link["external_id"] for link in shown["links"]}

    before = counts(filled)
    assert take(ask, "pricecharting", page) == said
    assert counts(filled) == before
    rows = ask("GET", "/api/v1/admin/audit?action=product.imported").json()["items"]
    assert [row["subject"] for row in rows][:2] == [f"pricecharting:{page}"] * 2
    assert rows[0]["detail"] == {"outcome": "linked", "card_id": card}


@pytest.mark.parametrize("source", ["justtcg", "tcgplayer"])
def test_a_card_that_no_catalog_has_is_made(ask: Ask, filled: Filled, source: str) -> None:
    card = next(one for one in strangers(filled) if one.justtcg_uuid and len(one.printings) == 1)
    external_id = card.justtcg_uuid if source == "justtcg" else str(card.product_id)
    said = take(ask, source, external_id)
    assert said["outcome"] == "created", said
    assert said["number"] == card.number
    shown = ask("GET", f"/api/v1/cards/{said['card_id']}").json()
    assert (shown["collector_number"], shown["game"]) == (card.number, "pokemon")
    assert said["prices"] > 0
    again = take(ask, source, external_id)
    assert (again["outcome"], again["card_id"]) == ("linked", said["card_id"])


def test_what_is_no_product_changes_nothing(ask: Ask, filled: Filled) -> None:
    page = filled.pages[filled.names[-1]]
    before = counts(filled)
    take(ask, "pricecharting", "999999999", 404)
    take(ask, "justtcg", "no-such-card", 404)
    take(ask, "tcgplayer", "999999999", 404)
    take(ask, "tcgplayer", "abc", 400)
    take(ask, "pricecharting", page, 409, game="onepiece")
    take(ask, "pricecharting", page, 400, game="chess")
    for source, external_id in (
        ("ebay", page),
        ("tcgcsv", page),
        ("justtcg", "a/b"),
        ("justtcg", ""),
    ):
        take(ask, source, external_id, 422)
    take(ask, "pricecharting", page, 422, name="Charizard", price="9.99")  # nobody asks the client
    filled.sandbox.fault("server_error", vendor="pricecharting")
    take(ask, "pricecharting", page, 503)
    assert counts(filled) == before
