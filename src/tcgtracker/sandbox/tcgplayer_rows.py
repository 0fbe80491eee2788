"""Rows as TCGplayer writes them; TCGCSV repeats them (vendors/tcgcsv.md section 4)."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time

from tcgtracker.sandbox.answers import dollars
from tcgtracker.sandbox.chance import key_of, share
from tcgtracker.sandbox.names import clean_name, slug
from tcgtracker.sandbox.prices import FivePrices, tcgplayer_prices
from tcgtracker.sandbox.set_plans import CATEGORY_OF, ONE_PIECE, POKEMON, POKEMON_JAPAN
from tcgtracker.sandbox.traps import Trap
from tcgtracker.sandbox.world import CONDITIONS, World, WorldCard, WorldSet

CATEGORIES = {
    POKEMON: "Pokemon",
    21: "My Little Pony",
    ONE_PIECE: "One Piece Card Game",
    69: "Marvel Comics",
    70: "DC Comics",
    POKEMON_JAPAN: "Pokemon Japan",
}
"""21 is empty, 69 and 70 have groups without files (vendors/tcgcsv.md section 5)."""

PRINTINGS = (
    "Normal",
    "Holofoil",
    "Reverse Holofoil",
    "1st Edition",
    "Unlimited",
    "1st Edition Holofoil",
    "Unlimited Holofoil",
    "Foil",
)
"""In the order of their printingId, from 1."""

_ENGLISH, _JAPANESE = 1, 7
_UNOPENED = len(CONDITIONS) + 1
_GROUPS_WITHOUT_FILES = {69: (2_690, "Issue One"), 70: (2_701, "Issue Two")}


def category_row(category_id: int) -> dict[str, object]:
    """Return a game."""
    name = CATEGORIES[category_id]
    return {
        "categoryId": category_id,
        "name": name,
        "modifiedOn": "2026-03-02T14:10:31.09",
        "displayName": name.replace("Pokemon", "Pokémon"),
        "seoCategoryName": f"{name} Singles",
        "categoryDescription": None,
        "categoryPageTitle": None,
        "sealedLabel": None,
        "nonSealedLabel": None,
        "conditionGuideUrl": f"https://store.tcgplayer.com/help/cardconditionguide/{slug(name)}",
        "isScannable": category_id in (POKEMON, POKEMON_JAPAN),
        "popularity": 1_000_000 // category_id,
        "isDirect": category_id == POKEMON,
    }


def group_rows(world: World, category_id: int) -> list[dict[str, object]]:
    """Return the groups of a category, newest first."""
    rows = [
        {
            "groupId": each.group_id,
            "name": each.name,
            "abbreviation": each.abbreviation,
            "isSupplemental": False,
            "publishedOn": f"{each.released.isoformat()}T00:00:00",
            "modifiedOn": _modified(world.seed, each.code),
            "categoryId": category_id,
        }
        for each in sorted(world.sets, key=lambda one: one.released, reverse=True)
        if each.category_id == category_id
    ]
    if category_id in _GROUPS_WITHOUT_FILES:
        group_id, name = _GROUPS_WITHOUT_FILES[category_id]
        rows.append(
            {
                "groupId": group_id,
                "name": name,
                "abbreviation": None,
                "isSupplemental": True,
                "publishedOn": "2019-05-01T00:00:00",
                "modifiedOn": "2019-05-02T09:00:00",
                "categoryId": category_id,
            }
        )
    return rows


def product_row(world: World, made: WorldSet, card: WorldCard, day: date) -> dict[str, object]:
    """Return a product with its extended fields, as listed on a day."""
    path = slug(CATEGORIES[made.category_id], made.name, card.tcgplayer_name)
    changed = card.renamed if card.renamed is not None and card.renamed[0] <= day else None
    return {
        "productId": card.product_id,
        "name": card.tcgplayer_name,
        "cleanName": None if Trap.MARKUP in card.traps else clean_name(card.tcgplayer_name),
        "imageUrl": f"https://tcgplayer-cdn.tcgplayer.com/product/{card.product_id}_200w.jpg",
        "categoryId": made.category_id,
        "groupId": made.group_id,
        "url": f"https://www.tcgplayer.com/product/{card.product_id}/{path}",
        "modifiedOn": (
            f"{changed[0].isoformat()}T11:02:09.4" if changed else _modified(world.seed, card.key)
        ),
        "imageCount": 1,
        "presaleInfo": _presale(made, day),
        "extendedData": [
            {"name": name, "displayName": shown, "value": value}
            for name, shown, value in _extended(card)
        ],
    }


def sku_rows(card: WorldCard) -> list[dict[str, object]]:
    """Return one row a printing and condition."""
    return [
        {
            "skuId": card.sku_id(printing.name, condition),
            "productId": card.product_id,
            "languageId": _JAPANESE if CATEGORY_OF[card.set_code] == POKEMON_JAPAN else _ENGLISH,
            "printingId": PRINTINGS.index(printing.name) + 1,
            "conditionId": _UNOPENED if card.sealed else CONDITIONS.index(condition) + 1,
        }
        for printing in card.printings
        for condition in card.conditions()
    ]


def price_rows(world: World, card: WorldCard, day: date) -> list[dict[str, object]]:
    """Return the rows of a product's printings; none for one without prices."""
    found = ((each.name, tcgplayer_prices(world, card, each.name, day)) for each in card.printings)
    return [price_row(card, name, prices) for name, prices in found if prices is not None]


def price_row(card: WorldCard, printing: str, prices: FivePrices) -> dict[str, object]:
    """Return the prices of a printing, in dollars."""
    return {
        "productId": card.product_id,
        "lowPrice": dollars(prices.low),
        "midPrice": dollars(prices.mid),
        "highPrice": dollars(prices.high),
        "marketPrice": dollars(prices.market),
        "directLowPrice": dollars(prices.direct_low),
        "subTypeName": printing,
    }


def _presale(made: WorldSet, day: date) -> dict[str, object]:
    coming = made.released > day
    released = f"{made.released.isoformat()}T00:00:00"
    return {"isPresale": coming, "releasedOn": released if coming else None, "note": None}


def _extended(card: WorldCard) -> Iterator[tuple[str, str, str]]:
    if card.sealed:
        yield "CardText", "Description", "Contents:<br>\r\n<ul><li>Booster packs</li></ul>"
        return
    yield "Number", "Card Number" if card.game == "pokemon" else "Number", card.number
    yield "Rarity", "Rarity", card.rarity
    key = key_of(card.key)
    if card.game == "onepiece":
        yield "Description", "Description", "[On Play] Draw 1 card.<br>\r\n<em>Once a turn</em>"
        yield "Color", "Color", ("Red", "Green", "Blue", "Purple")[int(share(key, 1) * 4)]
        yield "CardType", "Card Type", "Character"
        return
    yield "CardType", "Card Type", ("Fire", "Water", "Grass", "Psychic")[int(share(key, 1) * 4)]
    yield "HP", "HP", str(30 + 10 * int(share(key, 2) * 30))
    if share(key, 3) < 0.5:  # noqa: PLR2004 - half of them, so that columns differ by file
        yield "Attack1", "Attack 1", '[1] Tackle (20)\r\n<br>Flip a coin. If tails, "miss".'


def _modified(seed: int, what: str) -> str:
    """Return a moment of 2024 without zone, with hundredths as TCGplayer writes it."""
    start = datetime.combine(date(2024, 1, 1), time(), UTC).timestamp()
    moment = start + 300 * 86_400 * share(key_of(seed, what), 9)
    return datetime.fromtimestamp(moment, UTC).replace(tzinfo=None).isoformat()[:22]
