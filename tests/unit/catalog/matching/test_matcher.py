"""Which card a product is, and when that is not known."""

from tcgtracker.catalog.matching.index import CandidateIndex
from tcgtracker.catalog.matching.matcher import match
from tcgtracker.catalog.matching.values import Candidate, CandidateSet, Product, Verdict
from tests.unit.catalog.matching.builders import (
    NAMES,
    a_product,
    a_set,
    cards_of,
    decide,
    linked,
    products_of,
)

FIRST, SECOND = a_set("Ruby Dunes", "RD", total=10), a_set("Ruby Dunes 2", "R2", total=12)


def test_same_set_number_and_name_link() -> None:
    (decision,) = decide([a_product("Emberfox", "002/010", "Ruby Dunes")], cards_of(FIRST))
    assert decision.verdict is Verdict.LINKED
    assert decision.chosen
    assert decision.chosen.candidate == 1
    assert [part.what for part in decision.chosen.parts] == ["number", "name", "set", "set's size"]


def test_another_name_or_number_is_unknown() -> None:
    products = [
        a_product("Emberfox", "3", "Ruby Dunes"),
        a_product("Cragback", "2", "Ruby Dunes"),
        a_product("Mossling", "", "Ruby Dunes"),
    ]
    assert linked(products, cards_of(FIRST)) == [None, None, None]


def test_reprint_set_that_only_we_have_takes_no_product() -> None:
    """All of a small set of products agrees with our other set, as with Base Set and Base Set 2."""
    assert linked(products_of("Ruby Dunes"), cards_of(SECOND)) == [None] * len(NAMES)


def test_code_is_learned_from_its_cards() -> None:
    result = match(products_of("", code="X7"), CandidateIndex(cards_of(FIRST)))
    assert [one.verdict for one in result.decisions] == [Verdict.LINKED] * len(NAMES)
    (alias,) = result.aliases
    assert (alias.code, alias.set, alias.agreeing, alias.products) == ("X7", FIRST, 10, 10)
    assert alias.evidence.startswith("10 of 10 products agree")


def test_two_cards_are_too_few_to_learn_a_code() -> None:
    assert linked(products_of("", *NAMES[:2], code="X7"), cards_of(FIRST)) == [None, None]


def test_code_that_two_sets_explain_is_not_learned() -> None:
    """Who printed the same cards under the same numbers cannot be told from the cards."""
    candidates = cards_of(a_set("Ruby Dunes")) + cards_of(a_set("Jade Peaks"))
    assert set(linked(products_of("", code="X7"), candidates)) == {None}


def test_product_without_a_set_is_unknown() -> None:
    assert linked(products_of(""), cards_of(FIRST)) == [None] * len(NAMES)


def test_cards_of_a_gallery_inside_a_set() -> None:
    gallery = a_set("Ruby Dunes Trainer Gallery", "RD:TG", total=30)
    candidates = cards_of(FIRST) + cards_of(gallery, letters="TG")
    products = [a_product("Tidewhale", "TG03/TG30", "Ruby Dunes"), *products_of("Ruby Dunes")]
    assert linked(products, candidates) == [len(NAMES) + 2, *range(len(NAMES))]


def test_promo_numbers_without_their_letters() -> None:
    promos = a_set("SWSH Black Star Promos")
    candidates = cards_of(promos, letters="SWSH")
    assert linked(products_of("SWSH Promo"), candidates) == list(range(len(NAMES)))


def test_plain_number_is_no_gallery_number() -> None:
    gallery = a_set("Ruby Dunes Trainer Gallery", total=30)
    products = [a_product("Tidewhale", "3", "Ruby Dunes")]
    assert linked(products, cards_of(FIRST, *NAMES[3:]) + cards_of(gallery, letters="TG")) == [None]


def test_two_products_of_one_card_are_rivals() -> None:
    twins = [a_product("Emberfox", "2", "Ruby Dunes")] * 2
    decisions = decide(twins, cards_of(FIRST))
    assert [one.verdict for one in decisions] == [Verdict.UNKNOWN] * 2
    assert {one.reason for one in decisions} == {"2 products say that they are this card"}
    assert all(one.candidates for one in decisions)


def test_stamped_product_is_no_rival_of_the_plain_one() -> None:
    products = [
        a_product("Emberfox", "2", "Ruby Dunes"),
        a_product("Emberfox (Master Ball Pattern)", "2", "Ruby Dunes"),
    ]
    plain, stamped = decide(products, cards_of(FIRST))
    assert plain.chosen
    assert plain.chosen.variant == ""
    assert stamped.chosen
    assert stamped.chosen.variant == "master ball pattern"


def test_misspelled_name_that_no_other_card_has() -> None:
    candidates = cards_of(FIRST, *NAMES[:8], "Impostor Alder")
    assert linked([a_product("Imposter Alder", "9", "Ruby Dunes")], candidates) == [8]


def test_name_of_another_card_is_no_misspelling() -> None:
    candidates = cards_of(FIRST, "Pidgeot", "Pidgeotto")
    assert linked([a_product("Pidgeotto", "1", "Ruby Dunes")], candidates) == [None]


def test_japanese_product_is_no_english_card() -> None:
    (product,) = products_of("Pokemon Japanese Ruby Dunes", "Mossling")
    assert linked([product], cards_of(FIRST)) == [None]
    asia = a_set("Pokemon Japanese Ruby Dunes", region="asia")
    assert linked([product], cards_of(FIRST) + cards_of(asia)) == [len(NAMES)]


def test_price_of_another_level_decides_nothing() -> None:
    card = Candidate(FIRST, "1", ("Mossling",), price=100, currency="USD")
    cheap, dear = (
        Product("pokemon", "Mossling", "1", "Ruby Dunes", price=price, currency="USD")
        for price in (120, 90_000)
    )
    near, far = decide([cheap], [card])[0], decide([dear], [card])[0]
    assert near.chosen
    assert far.chosen
    assert near.chosen.score > far.chosen.score


def one_piece(name: str, number: str, rarity: str = "SR") -> Product:
    return Product("onepiece", name, number, "Romance Dawn", rarity=rarity)


def arts(*names: str, rarity: str = "SuperRare") -> list[Candidate]:
    pack = CandidateSet("onepiece", ("BOOSTER PACK -ROMANCE DAWN- [OP-01]",))
    return [Candidate(pack, "OP01-016", ("Nami",), art, rarity) for art in names]


def test_parallel_picture_is_another_card() -> None:
    products = [one_piece("Nami", "OP01-016"), one_piece("Nami (016) (Parallel)", "OP01-016")]
    assert linked(products, arts("", "p1")) == [0, 1]


def test_one_of_several_parallel_pictures_is_unknown() -> None:
    assert linked([one_piece("Nami (Parallel)", "OP01-016")], arts("", "p1", "p2")) == [None]


def test_picture_that_nobody_explains_is_unknown() -> None:
    decision = decide([one_piece("Nami (Event Pack)", "OP01-016")], arts(""))[0]
    assert decision.verdict is Verdict.UNKNOWN
    assert decision.reason == "the best candidate is not sure enough"


def test_special_picture_needs_its_rarity() -> None:
    special = arts("p2", rarity="Special")
    assert linked([one_piece("Nami (SP)", "OP01-016")], arts("", "p1")) == [None]
    assert linked([one_piece("Nami (SP)", "OP01-016")], [*arts("", "p1"), *special]) == [2]
    assert linked([one_piece("Nami (Manga)", "OP01-016")], arts("", "p1")) == [None]
