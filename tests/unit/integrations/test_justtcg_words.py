"""JustTCG's sets, search hits and words."""

import pytest

from tcgtracker.domain.money import Money
from tcgtracker.integrations.justtcg.names import game_of, language_of, variant_of
from tcgtracker.integrations.justtcg.normalize import (
    search_answer,
    sets_page,
)
from tests.unit.integrations.justtcg_cards import UUID, a_card, a_set, a_variant


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
