"""The cards that are in the made-up world for a reason, and the words for all others.

A modest word list of our own. Each planned card carries the traps of `traps.py` that it was made
for; `make_world` fills the sets around them.
"""

from dataclasses import dataclass

from tcgtracker.sandbox.traps import Trap

SPECIES = tuple(
    """Bulbasaur Ivysaur Venusaur Charmander Charmeleon Squirtle Wartortle Blastoise Caterpie
    Butterfree Weedle Beedrill Pidgey Pidgeot Rattata Raticate Ekans Arbok Sandshrew Sandslash
    Clefairy Vulpix Ninetales Jigglypuff Zubat Golbat Oddish Gloom Vileplume Paras Diglett Meowth
    Persian Psyduck Golduck Mankey Primeape Growlithe Arcanine Poliwag Poliwrath Abra Kadabra
    Alakazam Machop Machamp Geodude Golem Ponyta Rapidash Slowpoke Slowbro Magnemite Magneton Doduo
    Seel Dewgong Gastly Haunter Gengar Onix Drowzee Hypno Krabby Voltorb Electrode Cubone Marowak
    Koffing Weezing Rhyhorn Chansey Kangaskhan Horsea Staryu Starmie Scyther Jynx Electabuzz Magmar
    Pinsir Tauros Gyarados Lapras Ditto Eevee Vaporeon Jolteon Flareon Porygon Omanyte Kabuto
    Aerodactyl Snorlax Articuno Zapdos Moltres Dratini Dragonair Dragonite Mewtwo""".split()  # noqa: SIM905 - words read best as words
)
TRAINERS = (
    "Potion",
    "Switch",
    "Rare Candy",
    "Great Ball",
    "Lost Compass",
    "Harbor Lantern",
    "Old Railway",
    "Copper Whistle",
    "Field Notes",
    "Quiet Observatory",
)
CREW = tuple(
    """Monkey.D.Luffy Nami Usopp Sanji Nico.Robin Franky Brook Jinbe Trafalgar.Law Eustass.Kid
    Boa.Hancock Dracule.Mihawk Crocodile Buggy Shanks Kaido Yamato Kozuki.Oden Portgas.D.Ace Marco
    Edward.Newgate Smoker Tashigi Borsalino Sakazuki Sengoku Kuzan Magellan Hannyabal Perona
    Donquixote.Doflamingo Rebecca Viola Charlotte.Katakuri Charlotte.Pudding Carrot Pedro Koala Sabo
    Bartolomeo Cavendish Kin'emon Raizo Page.One Ulti King Queen Jack Uta Gordon""".split()  # noqa: SIM905 - words read best as words
)
EVENTS = (
    "Gum-Gum Red Hawk",
    "Thousand Sunny",
    "Radical Beam!!",
    "Overheat",
    "Paradise Waterfall",
    "Harbor at Dawn",
    "Ten-Knot Turn",
)


@dataclass(frozen=True, slots=True)
class CardPlan:
    """One card with its place. printings: names; the first is worth `cents`, others more or less.

    listed: TCGplayer's name where it is not name and variant.
    """

    code: str
    number: str
    name: str
    rarity: str
    cents: int
    printings: tuple[str, ...] = ("Holofoil",)
    traps: tuple[str, ...] = ()
    variant: str = ""
    listed: str = ""


_HOLO_REVERSE = ("Holofoil", "Reverse Holofoil")
_REVERSE = ("Normal", "Reverse Holofoil")
_EDITIONS = ("Unlimited Holofoil", "1st Edition Holofoil")
_FOIL = ("Foil",)
_PIKACHU = (Trap.SAME_NAME,)

_POKEMON = (
    CardPlan("base1", "4/102", "Charizard", "Holo Rare", 42_500, traps=(Trap.REPRINT,)),
    CardPlan("base1", "58/102", "Pikachu", "Common", 450, ("Normal",), _PIKACHU),
    CardPlan("base1", "2/102", "Blastoise", "Holo Rare", 14_900, traps=(Trap.REPRINT,)),
    CardPlan("base1", "17/102", "Beedrill", "Rare", 310, ("Normal",), (Trap.SAME_NUMBER,)),
    CardPlan(
        "base1s", "4/102", "Charizard", "Holo Rare", 118_000, _EDITIONS, (Trap.SHARED_TCG_ID,)
    ),
    CardPlan(
        "base1s",
        "58/102",
        "Pikachu",
        "Common",
        2_400,
        ("Unlimited", "1st Edition"),
        (Trap.SHARED_TCG_ID,),
        variant="Red Cheeks",
    ),
    CardPlan("base2", "60/64", "Pikachu", "Common", 420, ("Unlimited", "1st Edition"), _PIKACHU),
    CardPlan("base2", "55/64", "Nidoran♀", "Common", 95, ("Unlimited",), (Trap.GENDER_SIGN,)),
    CardPlan("base4", "4/130", "Charizard", "Holo Rare", 31_000, traps=(Trap.SAME_NUMBER,)),
    CardPlan("base4", "69/130", "Nidoran ♂", "Common", 60, ("Normal",), (Trap.GENDER_SIGN,)),
    CardPlan("base4", "87/130", "Pikachu", "Common", 260, ("Normal",), _PIKACHU),
    CardPlan("neo1", "111/111", "Recycle Energy", "Rare", 140, ("Unlimited",)),
    CardPlan("neo1", "9/111", "Lugia", "Holo Rare", 26_000, _EDITIONS),
    CardPlan(
        "ecard2",
        "H11/H32",
        "Houndoom",
        "Holo Rare",
        12_400,
        ("Holofoil",),
        (Trap.GALLERY_NUMBER, Trap.NUMBER_IN_NAME),
        listed="Houndoom (H11)",
    ),
    CardPlan("ecard2", "13/147", "Exeggutor", "Rare", 700, _HOLO_REVERSE, (Trap.REVERSE_HOLO,)),
    CardPlan("ex7", "29/109", "Rocket's Mewtwo ex", "Ultra Rare", 9_800, traps=(Trap.LOWER_EX,)),
    CardPlan("ex7", "35/109", "Rocket’s Wobbuffet", "Rare", 380, _HOLO_REVERSE, (Trap.APOSTROPHE,)),
    CardPlan("ex7", "101/109", "Scyther ex", "Ultra Rare", 7_400, traps=(Trap.LOWER_EX,)),
    CardPlan("pl1", "123/127", "Empoleon LV.X", "Ultra Rare", 4_300, traps=(Trap.LEVEL_X,)),
    CardPlan("pl1", "125/127", "Giratina LV.X", "Ultra Rare", 6_900, traps=(Trap.LEVEL_X,)),
    CardPlan("pl1", "110/127", "PlusPower", "Uncommon", 30, _REVERSE, (Trap.REVERSE_HOLO,)),
    CardPlan(
        "xy12", "11/108", "Charizard", "Holo Rare", 2_800, _HOLO_REVERSE, (Trap.REVERSE_HOLO,)
    ),
    CardPlan("xy12", "13/108", "M Charizard EX", "Ultra Rare", 3_600),
    CardPlan("xy12", "35/108", "Pikachu", "Common", 250, _REVERSE, _PIKACHU),
    CardPlan("xy12", "17/108", "Slowbro", "Rare", 120, _HOLO_REVERSE, (Trap.SAME_NUMBER,)),
    CardPlan(
        "swsh7",
        "215/203",
        "Umbreon VMAX",
        "Secret Rare",
        92_000,
        traps=(Trap.PARALLEL,),
        variant="Alternate Art Secret",
    ),
    CardPlan("swsh7", "095/203", "Umbreon VMAX", "Ultra Rare", 1_450, traps=(Trap.NUMBER_IN_NAME,)),
    CardPlan("swsh7", "049/203", "Pikachu", "Common", 45, _REVERSE, _PIKACHU),
    CardPlan("cel25", "005/025", "Pikachu", "Holo Rare", 160, traps=_PIKACHU),
    CardPlan("cel25c", "4/102", "Charizard", "Classic Collection", 11_500, traps=(Trap.REPRINT,)),
    CardPlan("cel25c", "2/102", "Blastoise", "Classic Collection", 2_900, traps=(Trap.REPRINT,)),
    CardPlan("cel25c", "93/101", "Gardevoir ex", "Classic Collection", 700, traps=(Trap.LOWER_EX,)),
    CardPlan("cel25c", "113/114", "Reshiram", "Classic Collection", 520),
    CardPlan(
        "cel25c", "145/147", "Garchomp C LV.X", "Classic Collection", 900, traps=(Trap.LEVEL_X,)
    ),
    CardPlan("cel25c", "15/132", "Here Comes Team Rocket!", "Classic Collection", 450),
    CardPlan("swsh9", "018/172", "Charizard VSTAR", "Ultra Rare", 720),
    CardPlan(
        "swsh9",
        "132/172",
        "Boss's Orders",
        "Rare",
        85,
        _HOLO_REVERSE,
        (Trap.APOSTROPHE,),
        variant="Cyrus",
    ),
    CardPlan("swsh9tg", "TG12/TG30", "Kingdra", "Ultra Rare", 240, traps=(Trap.GALLERY_NUMBER,)),
    CardPlan(
        "swsh9tg", "TG05/TG30", "Pikachu", "Ultra Rare", 480, traps=(Trap.GALLERY_NUMBER, *_PIKACHU)
    ),
    CardPlan("swsh12", "139/195", "Lugia VSTAR", "Ultra Rare", 830, traps=(Trap.BARE_NUMBER,)),
    CardPlan("swsh12", "152/195", "Serena & Friends", "Uncommon", 60, _REVERSE, (Trap.AMPERSAND,)),
    CardPlan("swsh12", "160/195", 'Gift Energy <br> "A"', "Uncommon", 35, _REVERSE, (Trap.MARKUP,)),
    CardPlan("swshp", "SWSH020", "Pikachu", "Promo", 310, traps=(Trap.PROMO_NUMBER, *_PIKACHU)),
    CardPlan("swshp", "SWSH050", "Charizard V", "Promo", 900, traps=(Trap.PROMO_NUMBER,)),
    CardPlan("tot23", "139", "Lugia", "Promo", 190, traps=(Trap.BARE_NUMBER,)),
    CardPlan("tot23", "018", "Pikachu", "Promo", 150, traps=_PIKACHU),
    CardPlan("sv1", "196/198", "Poké Pad", "Uncommon", 25, _REVERSE, (Trap.ACCENT,)),
    CardPlan("sv1", "185/198", "Pokémon Catcher", "Uncommon", 30, _REVERSE, (Trap.ACCENT,)),
    CardPlan("sv1", "063/198", "Pikachu", "Common", 25, _REVERSE, _PIKACHU),
    CardPlan("sv1", "244/198", "Miriam", "Secret Rare", 4_100, traps=(Trap.PARALLEL,)),
    CardPlan("sv1", "179/198", "Miriam", "Uncommon", 20, _REVERSE),
    CardPlan("sv3pt5", "199/165", "Charizard ex", "Secret Rare", 11_900, traps=(Trap.PARALLEL,)),
    CardPlan("sv3pt5", "006/165", "Charizard ex", "Double Rare", 380, traps=(Trap.LOWER_EX,)),
    CardPlan("sv3pt5", "083/165", "Farfetch'd", "Common", 12, _REVERSE, (Trap.APOSTROPHE,)),
    CardPlan("sv3pt5", "122/165", "Mr. Mime", "Rare", 25, _HOLO_REVERSE),
    CardPlan(
        "sv3pt5", "151/165", "Mew ex", "Double Rare", 420, traps=(Trap.REPRINT, Trap.LOWER_EX)
    ),
    CardPlan("sv4pt5", "232/091", "Mew ex", "Secret Rare", 74_800, traps=(Trap.PARALLEL,)),
    CardPlan("SV2a", "151/165", "Mew ex", "RR", 510, traps=(Trap.REPRINT,)),
    CardPlan("SV2a", "025/165", "Pikachu", "C", 220, ("Normal",), _PIKACHU),
    CardPlan("S12a", "139/172", "Hisuian Goodra", "R", 90, traps=(Trap.BARE_NUMBER,)),
)

_ONE_PIECE = (
    CardPlan("OP01", "OP01-001", "Roronoa Zoro", "L", 140, _FOIL),
    CardPlan("OP01", "OP01-001", "Roronoa Zoro", "L", 26_500, _FOIL, (Trap.PARALLEL,), "Parallel"),
    CardPlan("OP01", "OP01-120", "Shanks", "SEC", 4_800, _FOIL, (Trap.REPRINT,)),
    CardPlan("OP01", "OP01-120", "Shanks", "SEC", 21_000, _FOIL, (Trap.PARALLEL,), "Parallel"),
    CardPlan("OP01", "OP01-120", "Shanks", "SEC", 310_000, _FOIL, (Trap.PARALLEL,), "Manga"),
    CardPlan("OP01", "OP01-016", "Nami", "R", 900, _FOIL, (Trap.SAME_NAME,)),
    CardPlan("OP01", "OP01-016", "Nami", "R", 31_000, _FOIL, (Trap.PARALLEL,), "Alternate Art"),
    CardPlan("OP02", "OP02-114", "Borsalino", "SR", 210, _FOIL),
    CardPlan("OP02", "OP02-114", "Borsalino", "SR", 740, _FOIL, (Trap.PARALLEL,), "Alternate Art"),
    CardPlan("OP02", "OP02-013", "Portgas.D.Ace", "SR", 690, _FOIL),
    CardPlan("OP02", "OP02-013", "Portgas.D.Ace", "SR", 98_000, _FOIL, (Trap.PARALLEL,), "Manga"),
    CardPlan("OP03", "OP03-112", "Charlotte Pudding & Nitro", "R", 55, _FOIL, (Trap.AMPERSAND,)),
    CardPlan("OP05", "OP05-119", "Monkey.D.Luffy", "SEC", 7_900, _FOIL, (Trap.SAME_NAME,)),
    CardPlan(
        "OP05",
        "OP05-119",
        "Monkey.D.Luffy",
        "SEC",
        36_000,
        _FOIL,
        (Trap.PARALLEL,),
        "Alternate Art",
    ),
    CardPlan("EB01", "EB01-006", "Tony Tony.Chopper", "SR", 1_900, _FOIL),
    CardPlan("ST01", "ST01-012", "Monkey.D.Luffy", "SR", 320, _FOIL, (Trap.SAME_NAME,)),
    CardPlan(
        "OPP", "P-001", "Monkey.D.Luffy", "PR", 640, _FOIL, (Trap.PROMO_NUMBER, Trap.SAME_NAME)
    ),
    CardPlan("OPP", "P-041", "Monkey.D.Luffy", "PR", 15_500, _FOIL, (Trap.PROMO_NUMBER,), "Winner"),
    CardPlan("PRB01", "OP01-120", "Shanks", "SEC", 5_600, _FOIL, (Trap.REPRINT,), "Reprint"),
    CardPlan("PRB01", "OP01-016", "Nami", "R", 480, _FOIL, (Trap.REPRINT,)),
)

CARD_PLANS = _POKEMON + _ONE_PIECE

ID_TRAPS = (
    ("swsh7", Trap.WRONG_TCG_ID),
    ("sv1", Trap.WRONG_TCG_ID),
    ("base4", Trap.NO_TCG_ID),
    ("OP02", Trap.NO_TCG_ID),
    ("sv1", Trap.JUSTTCG_NUMBER_NULL),
    ("OP03", Trap.JUSTTCG_NUMBER_NULL),
    ("xy12", Trap.JUSTTCG_NUMBER_NA),
    ("swsh12", Trap.JUSTTCG_NO_PRODUCT),
    ("OP05", Trap.JUSTTCG_NO_PRODUCT),
    ("pl1", Trap.SLUG_ONLY),
    ("neo1", Trap.ONLY_TCGPLAYER),
    ("EB01", Trap.ONLY_TCGPLAYER),
    ("sv4pt5", Trap.ONLY_JUSTTCG),
    ("ST01", Trap.ONLY_JUSTTCG),
    ("base2", Trap.ONLY_PRICECHARTING),
    ("sv3pt5", Trap.NO_PRICES),
    ("OP01", Trap.NO_PRICES),
    ("ecard2", Trap.NULL_MARKET),
    ("OP05", Trap.NULL_MARKET),
    ("sv1", Trap.RENAMED),
    ("OP02", Trap.RENAMED),
    ("swshp", Trap.VANISHES),
    ("ST01", Trap.VANISHES),
    ("swsh9", Trap.MOVES),
    ("OPP", Trap.MOVES),
)
"""One ordinary single of the set each, chosen by chance."""

MOVES_TO = {"swsh9": "swsh9tg", "OPP": "PRB01"}
