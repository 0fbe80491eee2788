"""The parsers on recorded real answers, which stand beside the checkout and are never shipped."""

import gzip
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from tcgtracker.domain.catalog import ProductType
from tcgtracker.domain.quote import Facet, PriceValues
from tcgtracker.domain.variant import PriceKind
from tcgtracker.integrations.bodies import decode_json
from tcgtracker.integrations.contract import IdKind, ProductRef
from tcgtracker.integrations.http import Answer
from tcgtracker.integrations.justtcg.judge import judge
from tcgtracker.integrations.justtcg.names import GAME_IDS, game_of
from tcgtracker.integrations.justtcg.normalize import catalog_page, item_page, sets_page
from tcgtracker.integrations.justtcg.payloads import ListPayload
from tcgtracker.integrations.pricecharting.columns import CARD_VARIANTS
from tcgtracker.integrations.pricecharting.csv import PriceGuide
from tcgtracker.integrations.pricecharting.figures import cents_of_text
from tcgtracker.integrations.pricecharting.normalize import product_page
from tcgtracker.integrations.shapes import read_shape
from tcgtracker.runtime.ports import ReportedQuota

pytestmark = pytest.mark.data

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def justtcg_answer(real_data: Path, name: str) -> Answer:
    body = (real_data / "justtcg" / name).read_bytes()
    return Answer("justtcg", "cards", 200, {}, body, "")


def listed(real_data: Path, name: str) -> ListPayload:
    return read_shape(justtcg_answer(real_data, name).json(), ListPayload)


def test_real_batch_answer_is_one_price_at_the_vendors_time(real_data):
    ref = ProductRef("219042", IdKind.TCGPLAYER)
    page = item_page([ref], listed(real_data, "cards_batch_response.json").data, NOW)
    (item,) = page.items
    slug = "pokemon-battle-academy-fire-energy-22-charizard-stamped-promo"
    assert page.answered == {ref: slug}
    assert (item.external_id, item.observed_at) == (
        slug,
        datetime(2026, 3, 10, 1, 22, 29, tzinfo=UTC),
    )
    facet = Facet("Normal / Near Mint / English", PriceKind.MARKET, "nm", "en", "USD")
    assert item.quotes == {facet: PriceValues(market_price=11)}
    assert (page.rejected, page.absent, page.skipped) == ([], (), {})
    (stated,) = page.stated
    assert (stated.game, stated.set_name, stated.number, stated.tcgplayer_id) == (
        "pokemon",
        "Battle Academy",
        "",
        "219042",
    )


def test_real_batch_answer_makes_a_card(real_data):
    rows = listed(real_data, "cards_batch_response.json").data
    page = catalog_page(rows, set_id="battle-academy-pokemon", fetched_at=NOW)
    (card,) = page.cards
    assert (card.set.code, card.name, card.printings, card.product_type) == (
        "justtcg:battle-academy-pokemon",
        "Fire Energy (#22 Charizard Stamped)",
        ("Normal",),
        ProductType.SINGLE,
    )
    assert page.bad.total() == 0


def test_real_sets_are_all_read(real_data):
    answer = listed(real_data, "sets_response_pokemon_q_base_set.json")
    page = sets_page(answer.data)
    assert len(page.sets) == len(answer.data) == 3
    assert page.bad.total() == 0
    assert (page.sets[0].code, page.sets[0].name, page.sets[0].total_cards) == (
        "justtcg:base-set-pokemon",
        "Base Set",
        101,
    )
    assert {one.game.slug for one in page.sets} == {"pokemon"}


def test_real_games_are_those_we_know(real_data):
    for row in listed(real_data, "games_response.json").data:
        assert isinstance(row, dict)
        assert row["id"] in GAME_IDS[game_of(row["name"])]


@pytest.mark.parametrize(
    "name",
    [
        "cards_batch_response.json",
        "games_response.json",
        "sets_response_pokemon_q_base_set.json",
    ],
)
def test_real_answers_report_what_is_left(real_data, name):
    usage = justtcg_answer(real_data, name).json()["_metadata"]
    verdict = judge(justtcg_answer(real_data, name), NOW)
    assert verdict is not None
    assert verdict.error is None
    assert verdict.reported == (
        ReportedQuota("day", usage["apiDailyRequestsRemaining"], 100),
        ReportedQuota("month", usage["apiRequestsRemaining"], 1000),
    )


def test_real_guide_row_is_stated_and_priced_by_grade(real_data):
    guide = PriceGuide(NOW, "pokemon-cards", stated=True)
    guide.add(real_data / "pricecharting" / "tcg_row_pokemon_2026-04-18.csv")
    (page,) = guide.bulk_pages()
    assert page.catalog is not None
    (stated,) = page.catalog.stated
    assert (stated.external_id, stated.number, stated.tcgplayer_id, stated.set_name) == (
        "6277151",
        "232",
        "534919",
        "Pokemon Paldean Fates",
    )
    assert {facet.variant for facet in page.prices.facets} == {
        "raw", "any-7", "any-8", "any-9", "any-9.5", "psa-10", "bgs-10", "cgc-10", "sgc-10",
    }  # fmt: skip


def test_real_guide_row_reads_the_same_as_an_answer_in_pennies(real_data):
    """The API sends the fields of the guide with integer pennies: both ways must agree."""
    path = real_data / "pricecharting" / "tcg_row_pokemon_2026-04-18.csv"
    header, cells = (line.split(",") for line in path.read_text().splitlines()[:2])
    row = dict(zip(header, cells, strict=True))
    answer = {
        key: int(Decimal(text.removeprefix("$")) * 100) if key in CARD_VARIANTS and text else text
        for key, text in row.items()
    }
    decoded = decode_json(json.dumps(answer | {"status": "success"}).encode())
    page = product_page(ProductRef("6277151"), decoded, NOW, boxed=False)
    guide = PriceGuide(NOW)
    guide.add(path)
    (prices,) = guide.pages()
    by_csv = dict(zip(prices.facets, prices.values[:, 0].tolist(), strict=True))
    by_api = {facet: values.market_price for facet, values in page.items[0].quotes.items()}
    assert by_api == by_csv


def test_real_guide_states_every_row(real_data):
    guide = PriceGuide(NOW, stated=True)
    guide.add(real_data / "pricecharting" / "price-guide_baseball_2025_topps_chrome.csv.gz")
    (page,) = guide.bulk_pages()
    assert page.catalog is not None
    assert page.catalog.bad.total() == 0
    stated = {int(row.external_id) for row in page.catalog.stated}
    assert stated == set(page.prices.external_id.tolist())
    assert {row.game for row in page.catalog.stated} == {"baseball-cards"}
    assert any(row.printing for row in page.catalog.stated)


def test_real_graded_texts_are_amounts(real_data):
    path = real_data / "pricecharting" / "pokemon_graded_prices.ndjson.gz"
    texts: set[str] = set()
    with gzip.open(path, "rt") as lines:
        for line in lines:
            texts.update((json.loads(line).get("graded_prices") or {}).values())
    amounts = [cents_of_text(text) for text in texts if text and text[0] == "$"]
    assert len(amounts) > 1000
    assert min(amounts) > 0
