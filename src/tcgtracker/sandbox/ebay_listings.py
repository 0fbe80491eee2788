"""What is offered at eBay: a few sellers a printing, raw and graded, some by auction.

Asking prices only, around the true value; sellers' names are made up and there to be dropped.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from tcgtracker.sandbox.chance import key_of, share
from tcgtracker.sandbox.prices import asking_cents, ladder_cents
from tcgtracker.sandbox.world import World, WorldCard, WorldSet

CARDS_CATEGORY = ("183454", "CCG Individual Cards")
SEALED_CATEGORY = ("261044", "CCG Sealed Boxes")
PARENT_CATEGORY = ("2536", "Collectible Card Games")
GRADED, UNGRADED, NEW = ("Graded", "2750"), ("Ungraded", "4000"), ("New", "1000")
MAX_TITLE = 80

_AUCTION_DAYS = 7
_COUNTRIES = ("US", "US", "US", "GB", "DE", "JP")
_FIRST_ITEM = 110_000_000_000


@dataclass(frozen=True, slots=True)
class Listing:
    """One offer. Money of it is asked by day: `price_cents`."""

    number: int
    title: str
    card: WorldCard
    printing: str
    offer: int
    key: int
    created: datetime

    @property
    def item_id(self) -> str:
        return f"v1|{self.number}|0"

    @property
    def auction(self) -> bool:
        return share(self.key, 3) < 0.2  # noqa: PLR2004 - one in five

    @property
    def best_offer(self) -> bool:
        return not self.auction and share(self.key, 4) < 0.3  # noqa: PLR2004 - three in ten

    @property
    def buying_options(self) -> list[str]:
        if self.auction:
            return ["AUCTION"]
        return ["FIXED_PRICE", "BEST_OFFER"] if self.best_offer else ["FIXED_PRICE"]

    @property
    def graded(self) -> bool:
        return not self.card.sealed and graded(self.key)

    @property
    def condition(self) -> tuple[str, str]:
        if self.card.sealed:
            return NEW
        return GRADED if self.graded else UNGRADED

    @property
    def category(self) -> tuple[str, str]:
        return SEALED_CATEGORY if self.card.sealed else CARDS_CATEGORY

    @property
    def country(self) -> str:
        return _COUNTRIES[int(share(self.key, 6) * len(_COUNTRIES))]

    @property
    def seller(self) -> str:
        return f"made_up_seller_{int(share(self.key, 7) * 400):03}"

    @property
    def bids(self) -> int:
        return int(share(self.key, 8) * 12) if self.auction else 0

    def shipping_cents(self) -> int:
        return 0 if share(self.key, 9) < 0.4 else 99 + int(share(self.key, 10) * 500)  # noqa: PLR2004

    def price_cents(self, world: World, now: datetime) -> int:
        """Return what is asked (or bid) on the day, in US cents."""
        asked = asking_cents(world, self.card, self.printing, self.offer, now.date())
        if not self.graded:
            return asked
        ladder = ladder_cents(world, self.card, self.printing, now.date())
        factor = ladder.get("manual-only-price", 7 * ladder["loose-price"]) / ladder["loose-price"]
        return round(asked * factor)

    def ends(self, now: datetime) -> datetime:
        """Return when the auction ends: it is listed again each week."""
        span = timedelta(days=_AUCTION_DAYS)
        return self.created + span * ((now - self.created) // span + 1)


def make_listings(world: World) -> tuple[Listing, ...]:
    """Return every offer in the order of eBay's best match, which nobody can explain."""
    found = [
        each for made in world.sets for card in made.cards for each in _of_card(world, made, card)
    ]
    return tuple(sorted(found, key=lambda each: share(each.key, 11)))


def graded(key: int) -> bool:
    """Tell whether the offer with this key is of a graded copy."""
    return share(key, 5) < 0.2  # noqa: PLR2004 - one in five


def _of_card(world: World, made: WorldSet, card: WorldCard) -> Iterator[Listing]:
    start = datetime.combine(world.first_day, time(), UTC)
    for printing in card.printings:
        key = key_of(world.seed, card.key, printing.name, "ebay")
        for offer in range(int(share(key, 0) * 5)):
            own = key_of(key, offer)
            yield Listing(
                number=_FIRST_ITEM + own % 10**11,
                title=_title(made, card, printing.name, own),
                card=card,
                printing=printing.name,
                offer=offer,
                key=own,
                created=start - timedelta(seconds=int(share(own, 1) * 90 * 86_400)),
            )


def _title(made: WorldSet, card: WorldCard, printing: str, key: int) -> str:
    words = [card.name, card.number, made.name.rpartition(": ")[2], card.variant]
    words.append("One Piece TCG" if card.game == "onepiece" else "Pokemon TCG")
    if not card.sealed:
        words.append("PSA 10" if graded(key) else printing)
        words.append("" if graded(key) else ("NM", "Near Mint!!", "L@@K", "🔥")[key % 4])
    return " ".join(word for word in words if word)[:MAX_TITLE]
