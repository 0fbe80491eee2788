"""JustTCG's cards in the documented shape, all figures invented."""

from datetime import UTC, datetime
from decimal import Decimal

from tcgtracker.domain.quote import Facet
from tcgtracker.domain.variant import PriceKind

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
