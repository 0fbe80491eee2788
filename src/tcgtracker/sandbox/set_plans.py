"""Which sets the made-up world has: real names and sizes that everyone knows, few words each.

The tcgdex catalog, whose names these are, is under the MIT licence. Ids are our own.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from tcgtracker.sandbox.traps import Trap

POKEMON = 3
POKEMON_JAPAN = 85
ONE_PIECE = 68


class Era(StrEnum):
    """What decides a set's finishes and the way its names are built."""

    PLAIN = "plain"  # first prints without a stamp: Holofoil, Normal
    STAMPED = "stamped"  # 1st Edition and Unlimited
    SHADOWLESS = "shadowless"  # the same, and PriceCharting has a page for each
    REVERSE = "reverse"  # a reverse holo of nearly every card
    SHINY = "shiny"  # one finish: galleries, promos, classic reprints
    JAPANESE = "japanese"
    ONE_PIECE = "onepiece"


@dataclass(frozen=True, slots=True)
class SetPlan:
    """A set to be filled. number: a format of `n` and `total`; singles: how many are drawn."""

    code: str
    name: str
    released: date
    era: Era
    number: str
    total: int
    singles: int
    category_id: int = POKEMON
    abbreviation: str = ""
    console: str = ""
    sealed: bool = True
    traps: tuple[str, ...] = ()


_OLD = "{n}/{total}"
_NEW = "{n:03}/{total:03}"

PLANS = (
    SetPlan("base1", "Base Set", date(1999, 1, 9), Era.PLAIN, _OLD, 102, 60, abbreviation="BS"),
    SetPlan(
        "base1s",
        "Base Set (Shadowless)",
        date(1999, 1, 9),
        Era.SHADOWLESS,
        _OLD,
        102,
        40,
        abbreviation="BSS",
        console="Pokemon Base Set",
        sealed=False,
    ),
    SetPlan("base2", "Jungle", date(1999, 6, 16), Era.STAMPED, _OLD, 64, 50, abbreviation="JU"),
    SetPlan("base4", "Base Set 2", date(2000, 2, 24), Era.PLAIN, _OLD, 130, 60, abbreviation="B2"),
    SetPlan("neo1", "Neo Genesis", date(2000, 12, 16), Era.STAMPED, _OLD, 111, 50),
    SetPlan("ecard2", "Aquapolis", date(2003, 1, 15), Era.REVERSE, _OLD, 147, 60),
    SetPlan("ex7", "Team Rocket Returns", date(2004, 11, 8), Era.REVERSE, _OLD, 109, 50),
    SetPlan("pl1", "Platinum", date(2009, 2, 11), Era.REVERSE, _OLD, 127, 60),
    SetPlan("xy12", "XY - Evolutions", date(2016, 11, 2), Era.REVERSE, _OLD, 108, 60),
    SetPlan("swsh7", "SWSH07: Evolving Skies", date(2021, 8, 27), Era.REVERSE, _NEW, 203, 80),
    SetPlan("cel25", "Celebrations", date(2021, 10, 8), Era.SHINY, _NEW, 25, 22),
    SetPlan(
        "cel25c",
        "Celebrations: Classic Collection",
        date(2021, 10, 8),
        Era.SHINY,
        _OLD,
        102,
        0,
        console="Pokemon Celebrations",
        sealed=False,
    ),
    SetPlan("swsh9", "SWSH09: Brilliant Stars", date(2022, 2, 25), Era.REVERSE, _NEW, 172, 60),
    SetPlan(
        "swsh9tg",
        "SWSH09: Brilliant Stars Trainer Gallery",
        date(2022, 2, 25),
        Era.SHINY,
        "TG{n:02}/TG{total:02}",
        30,
        28,
        console="Pokemon Brilliant Stars",
        sealed=False,
    ),
    SetPlan("swsh12", "SWSH12: Silver Tempest", date(2022, 11, 11), Era.REVERSE, _NEW, 195, 70),
    SetPlan(
        "swshp",
        "SWSH: Sword & Shield Promo Cards",
        date(2019, 11, 15),
        Era.SHINY,
        "SWSH{n:03}",
        307,
        40,
        console="Pokemon Promo",
        sealed=False,
    ),
    SetPlan(
        "tot23",
        "Trick or Trade BOOster Bundle 2023",
        date(2023, 9, 1),
        Era.SHINY,
        "{n:03}",
        198,
        30,
        console="Pokemon Trick or Trade 2023",
    ),
    SetPlan(
        "sv1", "SV01: Scarlet & Violet Base Set", date(2023, 3, 31), Era.REVERSE, _NEW, 198, 80
    ),
    SetPlan("sv3pt5", "SV: Scarlet & Violet 151", date(2023, 9, 22), Era.REVERSE, _NEW, 165, 80),
    SetPlan("sv4pt5", "SV: Paldean Fates", date(2024, 1, 26), Era.REVERSE, _NEW, 91, 60),
    SetPlan(
        "soon",
        "Mega Expansion (to be announced)",
        date(2027, 3, 26),
        Era.REVERSE,
        _NEW,
        100,
        0,
        sealed=False,
        traps=(Trap.EMPTY_GROUP,),
    ),
    SetPlan(
        "SV2a",
        "SV2a: Pokemon Card 151",
        date(2023, 6, 16),
        Era.JAPANESE,
        _NEW,
        165,
        60,
        POKEMON_JAPAN,
        console="Pokemon Japanese Scarlet & Violet 151",
    ),
    SetPlan(
        "S12a",
        "S12a: VSTAR Universe",
        date(2022, 12, 2),
        Era.JAPANESE,
        _NEW,
        172,
        50,
        POKEMON_JAPAN,
        console="Pokemon Japanese VSTAR Universe",
    ),
    SetPlan(
        "OP01", "Romance Dawn", date(2022, 12, 2), Era.ONE_PIECE, "OP01-{n:03}", 121, 70, ONE_PIECE
    ),
    SetPlan(
        "OP02", "Paramount War", date(2023, 3, 10), Era.ONE_PIECE, "OP02-{n:03}", 121, 60, ONE_PIECE
    ),
    SetPlan(
        "OP03",
        "Pillars of Strength",
        date(2023, 6, 30),
        Era.ONE_PIECE,
        "OP03-{n:03}",
        123,
        60,
        ONE_PIECE,
    ),
    SetPlan(
        "OP05",
        "Awakening of the New Era",
        date(2023, 12, 8),
        Era.ONE_PIECE,
        "OP05-{n:03}",
        119,
        60,
        ONE_PIECE,
    ),
    SetPlan(
        "EB01",
        "Extra Booster: Memorial Collection",
        date(2024, 5, 3),
        Era.ONE_PIECE,
        "EB01-{n:03}",
        61,
        40,
        ONE_PIECE,
    ),
    SetPlan(
        "ST01",
        "Starter Deck 1: Straw Hat Crew",
        date(2022, 12, 2),
        Era.ONE_PIECE,
        "ST01-{n:03}",
        17,
        15,
        ONE_PIECE,
    ),
    SetPlan(
        "OPP",
        "One Piece Promotion Cards",
        date(2022, 7, 1),
        Era.ONE_PIECE,
        "P-{n:03}",
        90,
        30,
        ONE_PIECE,
        console="One Piece Promo",
        sealed=False,
    ),
    SetPlan(
        "PRB01",
        "Premium Booster -The Best-",
        date(2024, 11, 8),
        Era.ONE_PIECE,
        "PRB01-{n:03}",
        20,
        12,
        ONE_PIECE,
    ),
)
"""In the order in which their product ids were given out."""

CATEGORY_OF = {plan.code: plan.category_id for plan in PLANS}
