"""What vendors write, read down to what can be compared."""

import pytest

from tcgtracker.catalog.matching.names import NameVerdict, compare_names, read_card_name
from tcgtracker.catalog.matching.numbers import read_number
from tcgtracker.catalog.matching.set_names import SetVerdict, compare_sets
from tcgtracker.catalog.matching.values import CandidateSet


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("139/195", "139"),
        ("025/165", "25"),
        ("TG12/TG30", "TG12"),
        ("tg04", "TG4"),
        ("OP05-119", "op05-119"),
        ("#4", "4/102"),
        ("%3F", "?"),
        ("SWSH050", "SWSH50"),
        ("19a", "19A"),
    ],
)
def test_printed_numbers_of_one_card(left: str, right: str) -> None:
    first, second = read_number(left), read_number(right)
    assert first
    assert second
    assert (first.prefix, first.block) == (second.prefix, second.block)


@pytest.mark.parametrize(
    ("left", "right"), [("19a", "19"), ("TG12", "12"), ("H1", "H11"), ("G", "H"), ("", "1")]
)
def test_printed_numbers_of_two_cards(left: str, right: str) -> None:
    first, second = read_number(left), read_number(right)
    assert second
    assert first is None or (first.prefix, first.block) != (second.prefix, second.block)


@pytest.mark.parametrize(
    ("said", "number", "ours", "verdict"),
    [
        ("Empoleon LV.X", "120", "Empoleon", NameVerdict.QUALIFIED),
        ("Empoleon Lv. X", "120", "Empoleon LV.X", NameVerdict.SAME),
        ("Charizard-EX", "12", "Charizard EX", NameVerdict.SAME),
        ("Charizard V", "12", "Charizard GX", NameVerdict.OTHER),
        ("M Gardevoir-EX", "79", "Mega Gardevoir EX", NameVerdict.SAME),
        ("Nidoran ♀", "57", "Nidoran♀", NameVerdict.SAME),
        ("Nidoran F", "57", "Nidoran♀", NameVerdict.SAME),
        ("Nidoran♂", "57", "Nidoran♀", NameVerdict.OTHER),
        ("Latios Star", "106", "Latios ☆", NameVerdict.SAME),
        ("Pikachu (Delta Species)", "79", "Pikachu δ", NameVerdict.SAME),
        ("Houndoom (H11)", "H11", "Houndoom", NameVerdict.SAME),
        ("Kirlia - 154/091", "154/091", "Kirlia", NameVerdict.SAME),
        ("mew-ex-GG10", "GG10", "Mew ex", NameVerdict.SAME),
        ("_____'s-pikachu-24", "24", "_____'s Pikachu", NameVerdict.SAME),
        ("Victini EX (131 Full Art)", "131/135", "Victini EX", NameVerdict.SAME),
        ("Escape Rope (Secret)", "163/147", "Escape Rope", NameVerdict.SAME),
        ("Basic Water Energy", "3", "Water Energy", NameVerdict.SAME),
        ("Boss's Orders", "154", "Boss’s Orders (Giovanni)", NameVerdict.BESIDES),
        ("Unown [A]", "65", "Unown A", NameVerdict.SAME),
        ("Imposter Oak", "102", "Impostor Oak", NameVerdict.ALIKE),
        ("Energy Removal 2", "80", "Energy Removal", NameVerdict.OTHER),
        ("Porygon2", "49", "Porygon", NameVerdict.OTHER),
        ("リザードン", "6", "Charizard", NameVerdict.FOREIGN),
    ],
)
def test_names_of_cards_with_one_number(
    said: str, number: str, ours: str, verdict: NameVerdict
) -> None:
    left = read_card_name(said, "pokemon", number)
    right = read_card_name(ours, "pokemon", number)
    assert compare_names(left, right) is verdict
    assert compare_names(right, left) is verdict


@pytest.mark.parametrize(
    ("name", "code", "ours", "codes", "verdict"),
    [
        ("SV03: Obsidian Flames", "", "Obsidian Flames", (), SetVerdict.SAME),
        ("SM - Cosmic Eclipse", "", "Cosmic Eclipse", (), SetVerdict.SAME),
        ("Pokemon Ruby & Sapphire", "", "Ruby and Sapphire", (), SetVerdict.SAME),
        ("pokemon-scarlet-&-violet-151", "", "151", (), SetVerdict.WITHIN),
        ("SWSH: Sword & Shield Promo Cards", "", "SWSH Black Star Promos", (), SetVerdict.SAME),
        ("Diamond and Pearl Promos", "", "DP Black Star Promos", (), SetVerdict.SAME),
        ("Base Set", "", "Base Set 2", (), SetVerdict.CONTRARY),
        ("POP Series 3", "", "POP Series 4", (), SetVerdict.CONTRARY),
        ("Base Set (Shadowless)", "", "Base Set", (), SetVerdict.REPRINT),
        (
            "Wings of the Captain Pre-Release Cards",
            "",
            "Wings of the Captain",
            (),
            SetVerdict.REPRINT,
        ),
        ("Astral Radiance", "", "Astral Radiance Trainer Gallery", (), SetVerdict.WITHIN),
        ("XY Promos", "", "XY", (), SetVerdict.SHARES),
        ("EX Trainer Kit 1: Latias", "", "EX Trainer Kit (Latias)", (), SetVerdict.SAME),
        ("", "CRZ", "Crown Zenith Galarian Gallery", ("CRZ:GG",), SetVerdict.CODE),
        ("SV: Amber Fields", "", "Supreme Victors", ("SV",), SetVerdict.OTHER),
        ("SV03: Amber Fields", "", "Bernsteinfelder", ("SV03",), SetVerdict.CODE),
        ("Base Set (Shadowless)", "BS", "Base Set", ("BS",), SetVerdict.REPRINT),
        ("Base Set", "BS", "Base Set 2", ("BS",), SetVerdict.CONTRARY),
        ("", "E2", "Aquapolis", ("AQ",), SetVerdict.OTHER),
        ("", "", "Aquapolis", ("AQ",), SetVerdict.UNSAID),
        ("Prize Pack Series Cards", "", "Temporal Forces", (), SetVerdict.OTHER),
        ("Pokemon Japanese Fossil", "", "Fossil", (), SetVerdict.REPRINT),
        (
            "Starter Deck 3: The Seven Warlords",
            "",
            "STARTER DECK -The Seven Warlords- [ST-03]",
            (),
            SetVerdict.SAME,
        ),
        (
            "Wings of the Captain",
            "",
            "BOOSTER PACK -WINGS OF THE CAPTAIN- [OP-06]",
            (),
            SetVerdict.SAME,
        ),
    ],
)
def test_names_of_sets(
    name: str, code: str, ours: str, codes: tuple[str, ...], verdict: SetVerdict
) -> None:
    assert compare_sets(name, code, CandidateSet("pokemon", (ours,), codes=codes)) is verdict
