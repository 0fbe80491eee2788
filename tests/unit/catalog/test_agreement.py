"""Exact after normalisation: what agrees, what does not, what nobody can tell."""

from dataclasses import replace

import pytest

from tcgtracker.catalog.agreement import (
    CardFacts,
    Verdict,
    compare,
    plain_printing,
    printing_of_bracket,
)
from tcgtracker.catalog.claims import Leads, by_number_and_name
from tcgtracker.catalog.link_rules import printing_of_sub_key
from tcgtracker.catalog.numbers import numbers_agree
from tcgtracker.domain.catalog import ProductType
from tcgtracker.domain.source import Source
from tests.unit.catalog.stating import PC, a_statement

A, D, U = Verdict.AGREE, Verdict.DISAGREE, Verdict.UNKNOWN


def a_card(
    name: str = "Charizard", number: str = "4/102", set_name: str = "Base Set", **extra: object
) -> CardFacts:
    values = {"game": "pokemon", "region": "", "codes": frozenset[str](), **extra}
    return CardFacts(1, set_id=1, set_names=(set_name,), number=number, name=name, **values)  # type: ignore[arg-type]


def verdicts(stated: str, set_name: str, card: CardFacts) -> tuple[Verdict, Verdict, Verdict]:
    found = compare(
        a_statement(name=stated, set_name=set_name, game=card.game), card, vendor="pricecharting"
    )
    return found.number, found.name, found.set


@pytest.mark.parametrize(
    ("stated", "card", "expected"),
    [
        ("Charizard #4", a_card(), (A, A)),
        ("Charizard #4/102", a_card(number="004"), (A, A)),
        ("Charizard [1st Edition] #4", a_card(), (A, A)),
        ("Umbreon VMAX #95", a_card("Umbreon VMAX - 095/069", "095/069"), (A, A)),
        ("Umbreon VMAX #215", a_card("Umbreon VMAX (Alternate Art Secret)", "215/203"), (A, A)),
        ("Pokémon Center #85", a_card("Pokemon Center", "85/102"), (A, A)),
        ("Farfetch'd #27", a_card("Farfetch\N{RIGHT SINGLE QUOTATION MARK}d", "27/102"), (A, A)),
        ("Mr. Mime #6", a_card("Mr Mime", "6/64"), (A, A)),
        ("Pikachu & Zekrom GX #33", a_card("Pikachu and Zekrom-GX", "33/181"), (A, A)),
        ("Pikachu #TG05", a_card("Pikachu", "TG05/TG30"), (A, A)),
        ("Charizard #4/130", a_card(), (D, A)),
        ("Charizard #5", a_card(), (D, A)),
        ("Charizard ex #4", a_card(), (A, U)),
        ("Blastoise #4", a_card(), (A, D)),
        ("Nidoran♂ #4", a_card("Nidoran♀"), (A, D)),
        ("リザードン #4", a_card(), (A, U)),
        ("Charizard", a_card(), (U, A)),
        ("Charizard (Staff) #4", a_card(), (A, U)),
        ("Charizard #4", a_card("Charizard (Staff)"), (A, U)),
        ("Charizard [Staff] #4", a_card("Charizard (Staff)"), (A, A)),
    ],
)
def test_number_and_name(stated: str, card: CardFacts, expected: tuple[Verdict, Verdict]) -> None:
    assert verdicts(stated, "Pokemon Base Set", card)[:2] == expected


def test_one_piece_numbers_name_their_set_and_alternate_arts_share_them() -> None:
    luffy = a_card("Monkey.D.Luffy", "OP02-001", "Paramount War", game="onepiece")
    console = "One Piece Paramount War"
    assert verdicts("Monkey.D.Luffy OP02-001", console, luffy) == (A, A, A)
    assert verdicts("Monkey.D.Luffy OP02-002", console, luffy)[0] is D
    alternate = replace(luffy, name="Monkey.D.Luffy (Alternate Art)")
    assert verdicts("Monkey.D.Luffy OP02-001", console, alternate)[1] is U


def test_the_tail_of_a_number_beside_a_name_says_nothing_new() -> None:
    card = a_card("Overheat (013)", "OP05-013", "Awakening", game="onepiece")
    assert verdicts("Overheat OP05-013", "One Piece Awakening", card) == (A, A, A)
    assert verdicts("Overheat OP05-014", "One Piece Awakening", card)[:2] == (D, U)
    parallel = replace(card, name="Overheat (013) (Parallel)")
    assert verdicts("Overheat OP05-013", "One Piece Awakening", parallel)[1] is U
    other = replace(card, name="Overheat (014)")
    assert verdicts("Overheat OP05-013", "One Piece Awakening", other)[1] is U


@pytest.mark.parametrize(
    ("stated", "ours", "expected"),
    [
        ("Pokemon Base Set", "Base Set", A),
        ("Pokemon Scarlet & Violet", "SV01: Scarlet & Violet Base Set", A),
        ("Pokemon Celebrations", "Celebrations: Classic Collection", A),
        ("Pokemon Scarlet & Violet 151", "151", A),
        ("", "Base Set", U),
        ("Pokemon Neo Destiny", "Neo Genesis", U),
        ("Pokemon Base Set", "Base Set 2", D),
        ("Pokemon Base Set", "Base Set (Shadowless)", D),
        ("Pokemon Celebrations", "Base Set", D),
        ("Pokemon Legendary Collection", "Celebrations: Classic Collection", D),
        ("Pokemon Japanese Base Set", "Base Set", D),
    ],
)
def test_sets(stated: str, ours: str, expected: Verdict) -> None:
    assert verdicts("Charizard #4", stated, a_card(set_name=ours))[2] is expected


@pytest.mark.parametrize(
    ("stated", "ours", "expected"),
    [
        ("Charizard [Shadowless] #4", "Base Set (Shadowless)", (A, "")),
        ("Charizard [Shadowless] #4", "Base Set", (D, "shadowless")),
        ("Charizard [1st Edition] #4", "Base Set (Shadowless)", (A, "1st edition")),
        ("Charizard [1st Edition] #4", "Base Set", (A, "1st edition")),
        ("Charizard [1st Edition] #4", "Base Set 2", (D, "1st edition")),
        ("Charizard [1st Edition] #4", "Jungle (Shadowless)", (U, "1st edition")),
        ("Charizard [Staff] #4", "Base Set (Shadowless)", (D, "staff")),
        ("Charizard #4", "Base Set (Shadowless)", (D, "")),
    ],
)
def test_the_print_run_in_brackets_tells_the_set(
    stated: str, ours: str, expected: tuple[Verdict, str]
) -> None:
    statement = a_statement(name=stated, set_name="Pokemon Base Set", game="pokemon")
    found = compare(statement, a_card(set_name=ours), vendor="pricecharting")
    assert (found.set, found.brackets) == expected


def test_only_pokemon_s_first_edition_is_of_the_run_without_shadows() -> None:
    card = a_card("Luffy", "OP02-001", "Paramount War (Shadowless)", game="onepiece")
    assert verdicts("Luffy [1st Edition] OP02-001", "One Piece Paramount War", card)[2] is D


def test_a_japanese_console_is_a_set_of_asia() -> None:
    card = a_card(set_name="VMAX Climax", region="asia")
    assert verdicts("Charizard #4", "Pokemon Japanese VMAX Climax", card)[2] is A
    assert verdicts("Charizard #4", "Pokemon VMAX Climax", card)[2] is D


def test_an_alias_of_the_set_agrees_whatever_it_is_called() -> None:
    card = a_card(codes=frozenset({"pricecharting:Pokemon Topsun"}))
    assert verdicts("Charizard #4", "Pokemon Topsun", card)[2] is A


def test_a_sealed_product_is_no_card() -> None:
    box = a_statement(name="Charizard", game="pokemon", product_type=ProductType.SEALED)
    assert compare(box, a_card(), vendor="pricecharting").contradicts


def test_number_and_name_alone_need_the_same_letters() -> None:
    gallery = a_card("Pikachu", "TG12/TG30", "Brilliant Stars")
    leads = Leads(PC, (), None, {1: gallery})
    console = "Pokemon Brilliant Stars"
    plain = a_statement(name="Pikachu #12", set_name=console, tcgplayer_id="")
    assert by_number_and_name(plain, leads) is None
    assert by_number_and_name(replace(plain, name="Pikachu #TG12"), leads) is not None


@pytest.mark.parametrize(
    ("bracket", "known", "expected"),
    [
        ("1st edition", {"1st Edition Holofoil", "Unlimited Holofoil"}, "1st Edition Holofoil"),
        ("1st edition", {"1st Edition", "1st Edition Holofoil"}, ""),
        ("1st edition", {"Holofoil"}, ""),
        ("reverse holo", {"Normal", "Reverse Holofoil"}, "Reverse Holofoil"),
        ("holo", {"Holofoil", "Reverse Holofoil"}, "Holofoil"),
        ("shadowless", {"1st Edition Holofoil", "Unlimited Holofoil"}, ""),
        ("cosmos", {"Holofoil"}, ""),
    ],
)
def test_a_bracket_names_a_known_printing(bracket: str, known: set[str], expected: str) -> None:
    assert printing_of_bracket(bracket, known) == expected


@pytest.mark.parametrize(
    ("known", "brackets", "expected"),
    [
        (["Holofoil"], [], "Holofoil"),
        (["Normal", "Reverse Holofoil"], [], ""),
        (["Normal", "Reverse Holofoil"], ["reverse holo"], "Normal"),
        (["Normal", "Reverse Holofoil"], ["staff"], ""),
        (["1st Edition Holofoil"], [], ""),
        (["Reverse Holofoil"], [], ""),
        (["1st Edition", "Unlimited"], ["unlimited"], ""),
        ([], [], ""),
    ],
)
def test_what_is_left_for_the_plain_product(
    known: list[str], brackets: list[str], expected: str
) -> None:
    assert plain_printing(known, brackets) == expected


@pytest.mark.parametrize(
    ("source", "sub_key", "expected"),
    [
        (Source.JUSTTCG, "Holofoil / Near Mint / English", ("Holofoil", "English")),
        (Source.JUSTTCG, "Holofoil", ("Holofoil", "")),
        (Source.TCGCSV, "1st Edition / Odd", ("1st Edition / Odd", "")),
    ],
)
def test_the_printing_of_a_sub_key(source: Source, sub_key: str, expected: tuple[str, str]) -> None:
    assert printing_of_sub_key(source, sub_key) == expected


def test_numbers_of_one_piece_are_told_apart() -> None:
    assert numbers_agree("OP02-001", "OP02-001") is True
    assert numbers_agree("OP02-001", "OP02-002") is False
