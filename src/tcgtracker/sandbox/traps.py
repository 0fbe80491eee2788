"""What the sandbox gets wrong on purpose, because real vendors do.

Each is described in the vendors' documents or measured in real data; a card or set carries the
traps it was made for, so that a test can find one and count what became of it.
"""

from enum import StrEnum


class Trap(StrEnum):
    """One kind of trouble, in words."""

    # names and numbers
    SAME_NAME = "same name in many sets"
    SAME_NUMBER = "same number in two sets"
    REPRINT = "same name and number in another set"
    PARALLEL = "same number, other art, own product id"
    REVERSE_HOLO = "two printings of one product id"
    BARE_NUMBER = "139 in one set, 139/195 in another"
    GALLERY_NUMBER = "subset number such as TG12/TG30"
    PROMO_NUMBER = "promo number"
    NUMBER_IN_NAME = "TCGplayer repeats the number in the name"
    LEVEL_X = "LV.X belongs to the name"
    LOWER_EX = "ex is another card than EX"
    GENDER_SIGN = "gender sign in the name"
    APOSTROPHE = "apostrophe in the name, straight or curved"
    ACCENT = "accent in the name"
    AMPERSAND = "& in the name"
    MARKUP = "text that looks like HTML in the name"
    # ids
    SHARED_TCG_ID = "1st Edition and Shadowless share a tcg-id at PriceCharting"
    WRONG_TCG_ID = "PriceCharting states another product's tcg-id"
    NO_TCG_ID = "PriceCharting states no tcg-id"
    JUSTTCG_NUMBER_NULL = "JustTCG states number null"
    JUSTTCG_NUMBER_NA = "JustTCG states number N/A"
    JUSTTCG_NO_PRODUCT = "JustTCG states tcgplayerId null"
    SLUG_ONLY = "JustTCG knows the card by its slug alone: no uuid, number or tcgplayerId"
    # what is there
    ONLY_TCGPLAYER = "listed at TCGplayer alone"
    ONLY_JUSTTCG = "listed at JustTCG alone"
    ONLY_PRICECHARTING = "listed at PriceCharting alone"
    EMPTY_GROUP = "a set without products at TCGplayer"
    NO_PRICES = "a product without price rows at TCGplayer"
    NULL_MARKET = "marketPrice is always null"
    # what changes
    RENAMED = "renamed at TCGplayer on a day"
    VANISHES = "gone from TCGplayer on a day"
    MOVES = "moves to another group of TCGplayer on a day"
