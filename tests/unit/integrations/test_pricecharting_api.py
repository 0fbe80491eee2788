"""PriceCharting's answers -> quotes, on shapes that the vendor documents; all figures invented."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tcgtracker.domain.catalog import ProductType
from tcgtracker.domain.errors import BadCredentials, ContractBroken, RateLimited
from tcgtracker.domain.money import MAX_MINOR, Money
from tcgtracker.domain.quote import Facet, PriceValues
from tcgtracker.domain.variant import PriceKind
from tcgtracker.integrations.contract import ItemPage, ProductRef, StatedProduct
from tcgtracker.integrations.http import Answer
from tcgtracker.integrations.pricecharting.judge import judge, judge_guide, says_unknown_product
from tcgtracker.integrations.pricecharting.normalize import product_page, search_answer
from tcgtracker.integrations.pricecharting.payloads import AnswerPayload

DAY = datetime(2026, 5, 1, tzinfo=UTC)
REF = ProductRef("630417")


def a_product(**changed: object) -> dict[str, object]:
    product: dict[str, object] = {
        "status": "success",
        "id": "630417",
        "product-name": "Charizard [Shadowless] #4",
        "console-name": "Pokemon Base Set",
        "genre": "Pokemon Card",
        "tcg-id": "42382",
        "loose-price": 34716,
        "cib-price": 76039,
        "new-price": 129086,
        "manual-only-price": 2827250,
        "condition-20-price": 0,
        "gamestop-price": 0,
        "sales-volume": "1650",
    }
    named = {name.replace("_", "-"): value for name, value in changed.items()}
    return {key: value for key, value in (product | named).items() if value is not ...}


def page_of(*, boxed: bool = False, **changed: object) -> ItemPage:
    return product_page(REF, a_product(**changed), DAY, boxed=boxed)


def prices_of(page: ItemPage) -> dict[str, int | None]:
    """Return market prices by variant."""
    (item,) = page.items
    return {facet.variant: values.market_price for facet, values in item.quotes.items()}


def test_keys_are_a_ladder_of_grades_in_pennies():
    page = page_of()
    assert prices_of(page) == {
        "raw": 34716,
        "any-7": 76039,
        "any-8": 129086,
        "psa-10": 2827250,
    }
    assert {facet.kind for facet in page.items[0].quotes} == {PriceKind.GUIDE}
    assert page.items[0].observed_at == DAY
    assert page.answered == {REF: "630417"}
    assert page.absent == ()


@pytest.mark.parametrize("nothing", [0, "", None, ...])
def test_missing_headline_price_is_listed_without_a_price(nothing):
    prices = prices_of(page_of(loose_price=nothing))
    assert prices["raw"] is None
    assert prices["any-7"] == 76039


@pytest.mark.parametrize("nothing", [0, "", None, ...])
def test_missing_grade_is_no_quote(nothing):
    assert "any-7" not in prices_of(page_of(cib_price=nothing))


def test_answer_without_any_price_key_says_nothing_of_prices():
    page = page_of(
        loose_price=...,
        cib_price=...,
        new_price=...,
        manual_only_price=...,
        condition_20_price=...,
    )
    assert page.items == []
    assert page.skipped == {"no-price-keys": 1}
    assert page.answered == {REF: "630417"}


@pytest.mark.parametrize(
    ("price", "reason"),
    [
        (-1, "negative-price"),
        (MAX_MINOR + 1, "too-large"),
        (10**400, "too-large"),
        (Decimal("347.16"), "not-whole-pennies"),
        (Decimal("347.0"), "not-whole-pennies"),
        ("$347.16", "not-an-amount"),
        ("34716", "not-an-amount"),
        (True, "not-an-amount"),
        ([1], "not-an-amount"),
    ],
)
def test_impossible_price_is_refused_alone(price, reason):
    page = page_of(cib_price=price)
    assert [(row.external_id, row.reason) for row in page.rejected] == [("630417", reason)]
    facet = page.rejected[0].facet
    assert facet is not None
    assert facet.variant == "any-7"
    assert prices_of(page) == {"raw": 34716, "any-8": 129086, "psa-10": 2827250}


def test_sealed_product_is_boxed_by_default():
    page = page_of(genre="Sealed Product", loose_price=1000, cib_price=2500, new_price=3500)
    (item,) = page.items
    assert item.quotes == {
        Facet(kind=PriceKind.BOXED, variant="sealed"): PriceValues(2500, 1000, 3500, 2333)
    }


def test_boxed_mapping_reads_a_card_as_complete_loose_and_new():
    page = page_of(boxed=True, loose_price=1000, cib_price=2500, new_price=3500)
    (item,) = page.items
    assert item.quotes == {
        Facet(kind=PriceKind.BOXED, variant="raw"): PriceValues(2500, 1000, 3500, 2333)
    }


def test_boxed_mapping_invents_no_average_of_two():
    page = page_of(boxed=True, loose_price=1000, cib_price=0, new_price=3500)
    assert list(page.items[0].quotes.values()) == [PriceValues(None, 1000, 3500, None)]


def test_product_is_stated_as_the_vendor_names_it():
    assert page_of().stated == [
        StatedProduct(
            external_id="630417",
            game="pokemon",
            name="Charizard [Shadowless] #4",
            set_name="Pokemon Base Set",
            number="4",
            printing="Shadowless",
            tcgplayer_id="42382",
        )
    ]


def test_one_piece_number_stands_without_a_hash():
    (stated,) = page_of(
        product_name="Monkey.D.Luffy [Alternate Art] OP02-001",
        console_name="One Piece Paramount War",
        genre="One Piece Cards",
    ).stated
    assert (stated.game, stated.number, stated.printing) == (
        "onepiece",
        "OP02-001",
        "Alternate Art",
    )


def test_sealed_product_and_apostrophe_are_stated_unchanged():
    (stated,) = page_of(product_name="Lt. Surge's Box", genre="Sealed Product").stated
    assert stated.name == "Lt. Surge's Box"
    assert stated.product_type is ProductType.SEALED


@pytest.mark.parametrize("value", [None, "", "0", 0, "n/a", True, "9" * 16])
def test_odd_tcg_id_is_none(value):
    assert page_of(tcg_id=value).stated[0].tcgplayer_id == ""


def test_numeric_ids_are_read_too():
    page = page_of(id=630417, tcg_id=42382)
    assert page.answered == {REF: "630417"}
    assert page.stated[0].tcgplayer_id == "42382"


def test_another_product_than_asked_is_refused():
    page = page_of(id="1")
    assert (page.items, page.answered, page.absent) == ([], {}, (REF,))
    assert [row.reason for row in page.rejected] == ["other-product"]


@pytest.mark.parametrize(
    "changed",
    [{"product_name": ...}, {"product_name": 5}, {"id": None}, {"console_name": "a\0b"}],
)
def test_answer_of_another_shape_is_refused(changed):
    page = page_of(**changed)
    assert (page.items, page.answered, page.absent) == ([], {}, (REF,))
    assert page.rejected[0].reason.startswith("bad-product")


def test_comic_has_other_grades_and_is_not_read():
    page = page_of(genre="Comic Book", console_name="Comic Books Batman")
    assert page.items == []
    assert page.skipped == {"comic-book": 1}


def a_hit(
    number: int, console: str = "Pokemon Base Set", more: dict[str, object] | None = None
) -> dict[str, object]:
    names = {"id": str(number), "product-name": f"Pikachu #{number}", "console-name": console}
    return names | (more or {})


def test_hits_carry_only_what_the_vendor_sent():
    answer = search_answer(
        [a_hit(1), a_hit(2, more={"loose-price": 250, "genre": "Pokemon Card", "tcg-id": "77"})],
        game="pokemon",
        limit=10,
    )
    assert [(hit.external_id, hit.price, hit.tcgplayer_id) for hit in answer.hits] == [
        ("1", None, ""),
        ("2", Money(250, "USD"), "77"),
    ]
    assert answer.hits[1].price_label == "ungraded"
    assert not answer.truncated


def test_twenty_hits_may_be_more():
    assert search_answer([a_hit(n) for n in range(1, 21)], game="", limit=50).truncated


def test_limit_cuts_and_says_so():
    answer = search_answer([a_hit(n) for n in range(1, 6)], game="", limit=3)
    assert len(answer.hits) == 3
    assert answer.truncated


def test_hits_of_other_games_and_shapes_are_counted():
    found = [
        a_hit(1),
        a_hit(2, "Nintendo 64"),
        {"id": "3"},
        "x",
        a_hit(4, more={"loose-price": -1}),
    ]
    answer = search_answer(found, game="pokemon", limit=20)
    assert [hit.external_id for hit in answer.hits] == ["1", "4"]
    assert answer.skipped == {"other-game": 1, "bad-hit": 2, "negative-price": 1}


def an_answer(body: bytes, status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer("pricecharting", "product", status, named, body, "")


TOKEN_REFUSED = b'{"status": "error", "error-message": "Unknown access token"}'


@pytest.mark.parametrize("status", [200, 400, 401, 403, 500])
def test_refused_token_is_told_at_any_status(status):
    verdict = judge(an_answer(TOKEN_REFUSED, status))
    assert verdict is not None
    assert isinstance(verdict.error, BadCredentials)


@pytest.mark.parametrize("status", [401, 403])
def test_refusing_status_needs_no_body(status):
    verdict = judge(an_answer(b"<html>", status))
    assert verdict is not None
    assert isinstance(verdict.error, BadCredentials)


@pytest.mark.parametrize("body", [b'{"status":"success"}', b"[1]", b'{"status":5}'])
def test_other_answers_are_left_to_their_status(body):
    assert judge(an_answer(body)) is None


@pytest.mark.parametrize("body", [b"", b"id,product-name\n"])
def test_success_that_is_no_json_is_told_to_the_gate(body):
    assert judge(an_answer(body, 500)) is None
    with pytest.raises(ContractBroken):
        judge(an_answer(body))


def test_guide_too_soon_without_a_word_waits_ten_minutes():
    verdict = judge_guide(an_answer(b"Too Many Requests", 429), DAY)
    assert verdict is not None
    assert isinstance(verdict.error, RateLimited)
    assert verdict.error.retry_at == datetime(2026, 5, 1, 0, 10, tzinfo=UTC)


def test_guide_too_soon_with_retry_after_is_left_to_it():
    assert judge_guide(an_answer(b"", 429, retry_after="5"), DAY) is None


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("No such product", True),
        ("no product found", True),
        ("Not found", True),
        ("Too many requests", False),
        ("Server is down for maintenance", False),
        ("", False),
    ],
)
def test_only_a_word_on_the_product_makes_it_unknown(text, unknown):
    assert says_unknown_product(AnswerPayload(status="error", error_message=text)) is unknown
