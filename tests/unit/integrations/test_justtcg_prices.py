"""JustTCG's cards -> prices, on the documented shape; all figures invented."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tcgtracker.domain.catalog import ProductType
from tcgtracker.domain.money import MAX_MINOR, Money
from tcgtracker.domain.quote import Facet, PriceValues
from tcgtracker.domain.variant import PriceKind
from tcgtracker.integrations.contract import IdKind, ItemPage, ItemQuotes, ProductRef, StatedProduct
from tcgtracker.integrations.justtcg.names import game_of, language_of, variant_of
from tcgtracker.integrations.justtcg.normalize import (
    catalog_page,
    item_page,
    search_answer,
    sets_page,
)

NOW = datetime(2026, 5, 1, 15, 30, tzinfo=UTC)
SEEN = datetime(2026, 5, 1, 12, tzinfo=UTC)
SEEN_S = int(SEEN.timestamp())
UUID = "23edc8d4-b6b7-5d0c-a5fa-659040d24a7c"
SLUG = "pokemon-base-set-charizard-holo-rare"


def a_variant(**changed: object) -> dict[str, object]:
    variant: dict[str, object] = {
        "id": f"{SLUG}_near-mint_holofoil",
        "condition": "Near Mint",
        "printing": "Holofoil",
        "language": "English",
        "tcgplayerSkuId": "4514055",
        "price": Decimal("347.16"),
        "lastUpdated": SEEN_S,
        "minPrice7d": Decimal("300.00"),
        "maxPrice7d": Decimal("400.00"),
        "avgPrice": Decimal("350.00"),
    }
    return {key: value for key, value in (variant | changed).items() if value is not ...}


def a_card(*variants: object, **changed: object) -> dict[str, object]:
    card: dict[str, object] = {
        "uuid": UUID,
        "id": SLUG,
        "name": "Charizard",
        "game": "Pokemon",
        "set": "base-set-pokemon",
        "set_name": "Base Set",
        "number": "4/102",
        "rarity": "Holo Rare",
        "tcgplayerId": "42382",
        "mtgjsonId": None,
        "scryfallId": None,
        "details": None,
        "variants": list(variants) or [a_variant()],
    }
    return {key: value for key, value in (card | changed).items() if value is not ...}


def a_facet(
    variant: str = "nm",
    condition: str = "Near Mint",
    *,
    printing: str = "Holofoil",
    language: str = "en",
    named: str = "English",
) -> Facet:
    return Facet(f"{printing} / {condition} / {named}", PriceKind.MARKET, variant, language, "USD")


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


def a_set(**changed: object) -> dict[str, object]:
    row: dict[str, object] = {
        "id": "base-set-pokemon",
        "name": "Base Set",
        "game_id": "pokemon",
        "game": "Pokemon",
        "cards_count": 101,
        "release_date": "1999-01-09T00:00:00.000Z",
    }
    return row | changed


def test_sets_are_read_and_bad_ones_counted():
    page = sets_page([a_set(), a_set(game_id="pokemon-japan", release_date=None), {"id": 5}])
    assert [
        (one.code, one.region, str(one.release_date), one.total_cards) for one in page.sets
    ] == [
        ("justtcg:base-set-pokemon", "", "1999-01-09", 101),
        ("justtcg:base-set-pokemon", "asia", "None", 101),
    ]
    assert page.bad.total() == 1


def test_hit_shows_near_mint_first():
    answer = search_answer(
        [a_card(a_variant(condition="Damaged", price=1), a_variant()), "x"], limit=5
    )
    (hit,) = answer.hits
    assert (hit.external_id, hit.price, hit.price_label, hit.condition) == (
        UUID,
        Money(34716, "USD"),
        "Holofoil, Near Mint",
        "nm",
    )
    assert answer.skipped == {"bad-hit": 1}


def test_hit_without_a_price_is_a_hit():
    (hit,) = search_answer([a_card(a_variant(price=None))], limit=5).hits
    assert (hit.price, hit.price_label) == (None, "")


def test_hits_are_cut_at_the_limit():
    answer = search_answer([a_card(), a_card(uuid="b")], limit=1)
    assert (len(answer.hits), answer.truncated) == (1, True)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Pokemon", "pokemon"),
        ("Pokemon Japan", "pokemon"),
        ("pokemon-japan", "pokemon"),
        ("Magic: The Gathering", "magic"),
        ("YuGiOh", "yugioh"),
        ("Yu-Gi-Oh!", "yugioh"),
        ("Disney Lorcana", "lorcana"),
        ("One Piece Card Game", "onepiece"),
        ("Flesh and Blood", "flesh-and-blood"),
    ],
)
def test_games_are_known_by_id_and_by_name(name, slug):
    assert game_of(name) == slug


def test_words_of_the_vendor():
    assert [variant_of(name) for name in ("Near Mint", "LP", "sealed", "??")] == [
        "nm",
        "lp",
        "sealed",
        None,
    ]
    assert [language_of(name) for name in ("English", "japanese", "Elvish")] == ["en", "ja", "und"]
