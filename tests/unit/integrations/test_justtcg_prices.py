"""JustTCG's cards -> prices, on the documented shape; all figures invented."""

from datetime import timedelta
from decimal import Decimal

import pytest

from tcgtracker.domain.catalog import ProductType
from tcgtracker.domain.money import MAX_MINOR
from tcgtracker.domain.quote import PriceValues
from tcgtracker.integrations.contract import IdKind, ItemPage, ItemQuotes, ProductRef, StatedProduct
from tcgtracker.integrations.justtcg.normalize import (
    catalog_page,
    item_page,
)
from tests.unit.integrations.justtcg_cards import (
    NOW,
    SEEN,
    SEEN_S,
    SLUG,
    UUID,
    a_card,
    a_facet,
    a_variant,
)

OWN = ProductRef(UUID)


def page_of(*cards: object, refs: tuple[ProductRef, ...] = (OWN,)) -> ItemPage:
    return item_page(refs, cards, NOW)


def reasons(page: ItemPage) -> list[str]:
    return [row.reason for row in page.rejected]


def test_variant_is_a_look_at_its_own_time_with_the_market_price_alone():
    page = page_of(a_card())
    assert page.items == [ItemQuotes(UUID, SEEN, {a_facet(): PriceValues(market_price=34716)})]
    assert (page.answered, page.absent, page.rejected) == ({OWN: UUID}, (), [])


def test_each_condition_printing_and_language_is_a_product_of_its_own():
    earlier = SEEN_S - 3600
    page = page_of(
        a_card(
            a_variant(),
            a_variant(condition="Lightly Played", price=Decimal("250.5"), lastUpdated=earlier),
            a_variant(printing="1st Edition Holofoil", language="Japanese", price=9000),
        )
    )
    assert [(item.observed_at, dict(item.quotes)) for item in page.items] == [
        (SEEN, {a_facet(): PriceValues(34716)}),
        (
            SEEN - timedelta(hours=1),
            {a_facet("lp", "Lightly Played"): PriceValues(25050)},
        ),
        (
            SEEN,
            {
                a_facet(
                    printing="1st Edition Holofoil", language="ja", named="Japanese"
                ): PriceValues(900000)
            },
        ),
    ]


@pytest.mark.parametrize("price", [None, 0, Decimal("0.00"), Decimal("0.004"), ...])
def test_no_price_is_listed_without_one(price):
    page = page_of(a_card(a_variant(price=price)))
    assert [dict(item.quotes) for item in page.items] == [{a_facet(): PriceValues()}]


@pytest.mark.parametrize(
    ("price", "reason"),
    [
        (Decimal("-0.01"), "negative-price"),
        (-1, "negative-price"),
        (MAX_MINOR, "too-large"),
        (Decimal("1e400"), "too-large"),
        (Decimal("NaN"), "not-an-amount"),
        (Decimal("Infinity"), "not-an-amount"),
        ("1,234.50", "not-an-amount"),
        ("12.50", "not-an-amount"),
        (True, "not-an-amount"),
        ({}, "not-an-amount"),
    ],
)
def test_impossible_price_is_refused_and_the_others_stay(price, reason):
    page = page_of(a_card(a_variant(price=price), a_variant(condition="Damaged")))
    assert [(row.external_id, row.facet, row.reason) for row in page.rejected] == [
        (UUID, a_facet(), reason)
    ]
    assert [next(iter(item.quotes)).variant for item in page.items] == ["dmg"]


def test_thirds_of_a_cent_are_rounded_half_even():
    page = page_of(
        a_card(
            a_variant(price=Decimal("0.125")),
            a_variant(condition="Damaged", price=Decimal("0.135")),
        )
    )
    assert [next(iter(item.quotes.values())).market_price for item in page.items] == [12, 14]


@pytest.mark.parametrize("when", [SEEN_S, str(SEEN_S)])
def test_epoch_seconds_are_a_number_or_text(when):
    assert page_of(a_card(a_variant(lastUpdated=when))).items[0].observed_at == SEEN


@pytest.mark.parametrize(
    ("when", "reason"),
    [
        (None, "missing-time"),
        (..., "missing-time"),
        ("", "missing-time"),
        (0, "bad-time"),
        (-5, "bad-time"),
        (True, "bad-time"),
        ("soon", "bad-time"),
        ("2026-05-01", "bad-time"),
        (SEEN_S * 1000, "bad-time"),
        (int((NOW + timedelta(days=1, seconds=1)).timestamp()), "future-time"),
    ],
)
def test_price_without_a_possible_time_is_refused(when, reason):
    page = page_of(a_card(a_variant(lastUpdated=when)))
    assert (page.items, reasons(page)) == ([], [reason])


def test_clock_skew_of_a_day_is_taken():
    ahead = NOW + timedelta(days=1)
    page = page_of(a_card(a_variant(lastUpdated=int(ahead.timestamp()))))
    assert page.items[0].observed_at == ahead


@pytest.mark.parametrize(
    ("named", "code", "key"),
    [(None, "und", "Unknown"), ("", "und", "Unknown"), ("Klingon", "und", "Klingon")],
)
def test_unnamed_language_is_unknown(named, code, key):
    (item,) = page_of(a_card(a_variant(language=named))).items
    assert list(item.quotes) == [a_facet(language=code, named=key)]


def test_unknown_condition_is_refused():
    assert reasons(page_of(a_card(a_variant(condition="Gem Mint")))) == ["unknown-condition"]


@pytest.mark.parametrize("broken", ["x", None, {"id": "v"}, a_variant(printing=None)])
def test_variant_of_another_shape_is_refused_alone(broken):
    page = page_of(a_card(broken, a_variant()))
    assert len(page.items) == 1
    assert len(page.rejected) == 1
    assert page.rejected[0].external_id == UUID


def test_equal_variants_count_once():
    page = page_of(a_card(a_variant(), a_variant()))
    assert len(page.items) == 1
    assert page.skipped == {"duplicate": 1}


def test_contradicting_variants_are_all_refused():
    page = page_of(a_card(a_variant(), a_variant(price=1)))
    assert (page.items, reasons(page)) == ([], ["conflicting-duplicate"] * 2)


def test_variant_beside_a_refused_one_of_its_name_is_refused_too():
    page = page_of(a_card(a_variant(), a_variant(price=-1)))
    assert (page.items, sorted(reasons(page))) == ([], ["conflicting-duplicate", "negative-price"])


def test_card_twice_counts_once_and_another_card_of_its_id_refuses_both():
    assert len(page_of(a_card(), a_card()).items) == 1
    page = page_of(a_card(), a_card(name="Blastoise"))
    assert (page.items, page.answered, page.absent) == ([], {}, (OWN,))
    assert reasons(page) == ["conflicting-duplicate"]


def test_slug_stands_in_where_there_is_no_uuid():
    ref = ProductRef(SLUG)
    page = page_of(a_card(uuid=...), refs=(ref,))
    assert page.items[0].external_id == SLUG
    assert page.answered == {ref: SLUG}


def test_answers_belong_to_what_they_name_in_any_order():
    by_product = ProductRef("42382", IdKind.TCGPLAYER)
    other = ProductRef("other-slug")
    gone = ProductRef("gone")
    page = page_of(
        a_card(uuid=None, id="other-slug", tcgplayerId=None),
        a_card(),
        refs=(by_product, gone, other),
    )
    assert page.answered == {by_product: UUID, other: "other-slug"}
    assert page.absent == (gone,)


def test_own_id_is_no_tcgplayer_id():
    page = page_of(a_card(tcgplayerId="7"), refs=(ProductRef("7"),))
    assert (page.answered, page.items, page.skipped) == ({}, [], {"not-asked": 1})


def test_product_id_of_several_cards_answers_none():
    ref = ProductRef("42382", IdKind.TCGPLAYER)
    page = page_of(a_card(), a_card(uuid="another"), refs=(ref,))
    assert (page.answered, page.absent) == ({}, (ref,))
    assert reasons(page) == ["several-cards"]


@pytest.mark.parametrize(
    "changed",
    [
        {"name": ...},
        {"id": 5},
        {"variants": None},
        {"name": " "},
        {"name": "a\0b"},
        {"set": "\ud800"},
    ],
)
def test_card_of_another_shape_is_refused_alone(changed):
    page = page_of(a_card(**changed), a_card(uuid="b", id="b"), refs=(OWN, ProductRef("b")))
    assert [item.external_id for item in page.items] == ["b"]
    assert page.absent == (OWN,)
    assert reasons(page)[0].startswith("bad-card")


def test_card_is_stated_as_the_vendor_names_it():
    assert page_of(a_card(name="Farfetch'd")).stated == [
        StatedProduct(
            external_id=UUID,
            game="pokemon",
            name="Farfetch'd",
            set_name="Base Set",
            number="4/102",
            rarity="Holo Rare",
            tcgplayer_id="42382",
        )
    ]


def test_absent_fields_are_empty():
    (stated,) = page_of(a_card(set_name=..., number="N/A", rarity=None, tcgplayerId=None)).stated
    assert (stated.set_name, stated.number, stated.rarity, stated.tcgplayer_id) == (
        "base-set-pokemon",
        "",
        "",
        "",
    )


def test_card_without_variants_is_known_but_has_no_price():
    page = page_of(a_card(variants=[]))
    assert (page.answered, page.items, len(page.stated)) == ({OWN: UUID}, [], 1)


def test_sealed_product_has_sealed_variants_only():
    box = a_card(a_variant(condition="Sealed", printing="Normal"))
    page = page_of(box)
    assert page.stated[0].product_type is ProductType.SEALED
    assert next(iter(page.items[0].quotes)).variant == "sealed"


def test_cards_of_a_set_bring_records_prices_and_statements():
    page = catalog_page(
        [a_card(a_variant(), a_variant(printing="Normal")), a_card(uuid="x", set="jungle-pokemon")],
        set_id="base-set-pokemon",
        fetched_at=NOW,
    )
    (card,) = page.cards
    assert (card.key, card.set.code, card.set.name, card.set.region) == (
        f"justtcg:{UUID}",
        "justtcg:base-set-pokemon",
        "Base Set",
        "",
    )
    assert (card.collector_number, card.printings) == ("4/102", ("Holofoil", "Normal"))
    assert [product.external_id for product in card.products] == ["42382"]
    assert page.bad == {"card of another set": 1}
    assert page.prices is not None
    assert len(page.prices.items) == 2
    assert page.stated == page.prices.stated


def test_unnamed_set_of_a_card_is_a_placeholder():
    page = catalog_page([a_card(set_name=None)], set_id="base-set-pokemon", fetched_at=NOW)
    assert (page.cards[0].set.name, page.cards[0].set.placeholder) == ("base-set-pokemon", True)


def test_japanese_cards_are_of_the_asian_region():
    page = catalog_page([a_card(game="Pokemon Japan")], set_id="base-set-pokemon", fetched_at=NOW)
    assert (page.cards[0].set.game.slug, page.cards[0].set.region) == ("pokemon", "asia")
