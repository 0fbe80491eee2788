"""Names as vendors really write them, on invented cards: the right printing, or nothing."""

import pytest

from tcgtracker.catalog.matching.values import Candidate, CandidateSet, Product
from tests.unit.catalog.matching.builders import (
    NAMES,
    a_product,
    a_set,
    cards_of,
    decide,
    linked,
    products_of,
)

DUNES = a_set("Ruby Dunes", total=10)
NOTHING = [None] * len(NAMES)


@pytest.mark.parametrize(
    "theirs",
    [
        "Pokemon Ruby Dunes (1st Edition)",
        "Pokemon Ruby Dunes Unlimited",
        "Pokemon Ruby Dunes [Shadowless]",
        "Ruby Dunes Staff Cards",
        "Ruby Dunes: Stamped Cards",
        "Ruby Dunes Jumbo Cards",
        "Ruby Dunes Oversized Cards",
        "Ruby Dunes World Championship Decks",
        "Ruby Dunes: Prerelease Cards",
        "Pokemon Japanese Ruby Dunes",
        "Japanese Ruby Dunes",
        "Ruby Dunes (Japanese)",
        "Pokemon Korean Ruby Dunes",
        "Pokemon German Ruby Dunes",
        "Ruby Dunes [French]",
    ],
)
def test_another_print_of_all_cards_is_not_the_plain_set(theirs: str) -> None:
    """All names and numbers agree; the set's name says that it is another print run or language."""
    assert linked(products_of(theirs), cards_of(DUNES)) == NOTHING


def test_a_set_of_quite_another_name_prints_the_same_cards_again() -> None:
    """As one publisher's border or country does; the set itself is not one of ours."""
    assert linked(products_of("Legends Reissue"), cards_of(DUNES)) == NOTHING
    assert linked(products_of("Ruby Dunes"), cards_of(DUNES)) == list(range(len(NAMES)))


@pytest.mark.parametrize("theirs", ["Dunes", "Ruby", "Ruby Dunes Rising", "Ruby Dunes Returns 2"])
def test_set_names_within_each_other_need_the_cards(theirs: str) -> None:
    ours = cards_of(DUNES)
    few = [a_product("Emberfox", "2", theirs), a_product("Tidewhale", "9", theirs)]
    assert linked(few, ours) == [None, None]


def test_of_two_sets_within_each_other_the_very_name_counts() -> None:
    rising = a_set("Ruby Dunes Rising", total=10)
    ours = cards_of(DUNES) + cards_of(rising)
    assert linked(products_of("Ruby Dunes"), ours) == list(range(10))
    assert linked(products_of("Ruby Dunes Rising"), ours) == list(range(10, 20))


def test_a_size_that_is_not_the_set_s_is_doubt() -> None:
    """`4/130` is no card of a set of 102, whatever the set is called."""
    ours = cards_of(DUNES)
    assert linked([a_product("Emberfox", "2/10", "Ruby Dunes")], ours) == [1]
    assert linked([a_product("Emberfox", "2/130", "Ruby Dunes")], ours) == [None]


@pytest.mark.parametrize(
    "name",
    [
        "Professor Oakwood's Research Jumbo",
        "Professor Oakwood's Research Promo",
        "Staff Professor Oakwood's Research",
        "Professor Oakwood's Research Metal",
        "PSA 10 Professor Oakwood's Research",
        "Professor Oakwood's Research BGS",
        "Professor Oakwood's Research Code Card",
        "Shadowless Professor Oakwood's Research",
        "Professor Oakwood's Research 1st Edition",
        "Professor Oakwood's Research Reverse",
    ],
)
def test_a_word_more_is_no_misspelling(name: str) -> None:
    ours = cards_of(DUNES, "Professor Oakwood's Research")
    assert linked([a_product(name, "1", "Ruby Dunes")], ours) == [None]
    right = a_product("Profesor Oakwood's Research", "1", "Ruby Dunes")
    assert linked([right], ours) == [0]


@pytest.mark.parametrize(
    ("name", "variant"),
    [
        ("Emberfox [1st Edition]", "1st edition"),
        ("Emberfox [Shadowless]", "shadowless"),
        ("Emberfox (Poke Ball Pattern)", "poke ball pattern"),
        ("Emberfox [Master Ball]", "master ball"),
        ("Emberfox [Reverse Holo]", "reverse holo"),
        ("Emberfox (Prerelease) [Staff]", "prerelease staff"),
        ("Emberfox (Jumbo)", "jumbo"),
        ("Emberfox [Japanese]", "japanese"),
        ("Emberfox (Cosmos Holo)", "cosmos holo"),
        ("Emberfox [PSA 10]", "psa 10"),
    ],
)
def test_what_stands_in_brackets_is_kept_apart_as_a_printing(name: str, variant: str) -> None:
    """The links' rules tie it to the printing of that name, or to none; never to the plain one."""
    products = [a_product("Emberfox", "2", "Ruby Dunes"), a_product(name, "2", "Ruby Dunes")]
    plain, special = decide(products, cards_of(DUNES))
    assert plain.chosen
    assert plain.chosen.variant == ""
    assert special.chosen is None or set(special.chosen.variant.split()) == set(variant.split())
    assert special.chosen is None or special.chosen.variant


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("Flabébé", "1"),
        ("Flabe\u0301be\u0301", "1"),
        ("Flabebe", "1"),
        ("FLABÉBÉ", "#001/010"),
        ("Fla\u200bbébé", "1"),
        ("\uff26lab\u00e9b\u00e9", "1"),
    ],
)
def test_one_name_in_several_alphabets_of_unicode(said: str, number: str) -> None:
    ours = cards_of(DUNES, "Flabébé")
    assert linked([a_product(said, number, "Ruby Dunes")], ours) == [0]


@pytest.mark.parametrize("number", ["１", "①", "1a", "TG1", "1/1/1", "I", "٣", "²"])
def test_a_number_that_is_another_or_unreadable_links_nothing(number: str) -> None:
    assert linked([a_product("Mossling", number, "Ruby Dunes")], cards_of(DUNES)) == [None]


@pytest.mark.parametrize(
    "name",
    [
        "Code Card - Emberfox",
        "Emberfox Booster Box",
        "Emberfox Premium Collection",
        "Emberfox Elite Trainer Box",
        "Emberfox & Mossling",
        "Emberfox Sleeves",
    ],
)
def test_a_product_that_is_named_after_a_card_is_no_card(name: str) -> None:
    assert linked([a_product(name, "2", "Ruby Dunes")], cards_of(DUNES)) == [None]


def test_half_decks_of_one_kit_are_told_by_their_brackets() -> None:
    latias, latios = a_set("EX Trainer Kit (Latias)"), a_set("EX Trainer Kit (Latios)")
    ours = cards_of(latias, "Mossling", "Emberfox") + cards_of(latios, "Mossling", "Tidewhale")
    products = [
        a_product("Mossling", "1", "EX Trainer Kit 1: Latios"),
        a_product("Tidewhale", "2", "EX Trainer Kit 1: Latios"),
        a_product("Mossling", "1", "EX Trainer Kit 1"),
    ]
    assert linked(products, ours) == [2, 3, None]


def test_a_promo_of_one_era_is_none_of_another() -> None:
    """`27` of the Wizards' promos is not `SM27`, when we have those alone."""
    promos = a_set("SM Black Star Promos")
    ours = cards_of(promos, *NAMES, letters="SM")
    assert linked([a_product("Emberfox", "2", "Wizards Black Star Promos")], ours) == [None]
    assert linked([a_product("Emberfox", "2", "Promo")], ours) == [None]
    assert linked([a_product("Emberfox", "SM2", "SM Black Star Promos")], ours) == [1]


PACK = CandidateSet("onepiece", ("BOOSTER PACK -ROMANCE DAWN- [OP-01]",))


def one_piece(name: str, *, set_name: str = "Romance Dawn", rarity: str = "") -> Product:
    return Product("onepiece", name, "OP01-016", set_name, rarity=rarity)


@pytest.mark.parametrize(
    "name",
    [
        "Nami [Manga]",
        "Nami (Alternate Art) (Manga)",
        "Nami [SP]",
        "Nami [Wanted Poster]",
        "Nami [1st Anniversary]",
        "Nami (Pirate Foil)",
        "Nami (Jolly Roger Foil)",
        "Nami (Textured Foil)",
        "Nami [Full Art]",
        "Nami (Store Championship)",
        "Nami (Judge)",
        "Nami [Pre-Release]",
        "Nami (Box Topper)",
        "Nami [Japanese]",
        "Nami Anniversary",
        "Nami Parallel",
    ],
)
def test_another_picture_of_one_number_is_not_the_plain_card(name: str) -> None:
    base = Candidate(PACK, "OP01-016", ("Nami",), "", "SuperRare")
    parallel = Candidate(PACK, "OP01-016", ("Nami",), "p1", "SuperRare")
    assert linked([one_piece(name)], [base]) == [None]
    assert linked([one_piece(name)], [base, parallel]) in ([None], [1])


def test_a_picture_that_comes_again_in_a_later_pack_is_of_that_pack() -> None:
    best = CandidateSet("onepiece", ("PREMIUM BOOSTER -THE BEST- [PRB-01]",))
    base = Candidate(PACK, "OP01-016", ("Nami",), "", "SuperRare")
    again = Candidate(best, "OP01-016", ("Nami",), "r1", "SuperRare")
    plain, later = one_piece("Nami"), one_piece("Nami", set_name="Premium Booster -The Best-")
    assert linked([plain, later], [base, again]) == [0, 1]
    assert linked([later], [base]) == [None]
    assert linked([plain], [again]) == [None]
    assert linked([one_piece("Nami", set_name="Promotion Cards")], [base, again]) == [None]
