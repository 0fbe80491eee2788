"""What goes wrong in the demonstration, as it does with real vendors; each trouble has its card."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import timedelta

from tcgtracker.catalog import repository
from tcgtracker.catalog.link_rows import claims_of_products
from tcgtracker.catalog.views import CardRow
from tcgtracker.demo.place import Demo
from tcgtracker.domain.source import Source
from tcgtracker.quotes.sync_jobs import SYNC_CARDS
from tcgtracker.quotes.update_jobs import enqueue_card
from tcgtracker.sandbox.traps import Trap
from tcgtracker.sandbox.world import WorldCard

SWOLLEN = ("sv3pt5", "199/165")
"""Its newest price at PriceCharting is a hundred times too high: held back."""
NEGATIVE = ("base1", "4/102")
"""Had a price below zero on one day: unreadable."""
RENAMED = ("swsh12", "139/195")
"""PriceCharting calls its product another card now: the link is suspended."""
_PAUSE_S = 4 * 3600
"""For so long JustTCG wants no call after it was asked too much."""
_ATTEMPT = timedelta(minutes=2)
"""More than a job waits between two attempts."""


def card_of(demo: Demo, place: tuple[str, str]) -> WorldCard:
    """Return the vendors' card by set code and collector number."""
    return next(one for one in demo.world.cards() if (one.set_code, one.number) == place)


def our_card(demo: Demo, card: WorldCard) -> CardRow:
    """Return the tracker's card of a vendors' one."""
    set_name = next(one.name for one in demo.world.sets if one.code == card.set_code)
    with demo.tracker.database.read() as connection:
        return next(
            one
            for one in repository.find_cards(connection, card.number)
            if one.set_name == set_name and one.name in (card.name, card.tcgplayer_name)
        )


def card_ids(demo: Demo, cards: Collection[WorldCard]) -> list[int]:
    """Return the ids under which the tracker has these cards, as TCGCSV's products prove them."""
    products = {str(one.product_id) for one in cards if one.product_id}
    with demo.tracker.database.read() as connection:
        claims = claims_of_products(connection, Source.TCGCSV, products)
    return sorted({claim.card_id for claim in claims if claim.trusted})


@contextmanager
def price_below_zero(demo: Demo) -> Iterator[None]:
    """Let TCGCSV state prices below zero for a card."""
    product = str(card_of(demo, NEGATIVE).product_id)
    demo.sandbox.fault("price_negative", vendor="tcgcsv", params={"match": {"productId": product}})
    yield
    demo.sandbox.clear_faults(name="price_negative")


@contextmanager
def swollen_price(demo: Demo) -> Iterator[None]:
    """Let PriceCharting state an ungraded price that nobody would pay."""
    page = card_of(demo, SWOLLEN).pricecharting_ids[""]
    demo.sandbox.fault(
        "price_spike",
        vendor="pricecharting",
        params={"keys": "^loose-price$", "match": {"id": page}, "factor": 100.0},
    )
    yield
    demo.sandbox.clear_faults(name="price_spike")


def rename_a_product(demo: Demo) -> None:
    """Let PriceCharting state another card's name under a product's id from now on."""
    page = card_of(demo, RENAMED).pricecharting_ids[""]
    demo.sandbox.fault(
        "field_set",
        vendor="pricecharting",
        params={"keys": "^product-name$", "match": {"id": page}, "value": "Snorlax #143"},
    )


def take_only_justtcgs(demo: Demo) -> None:
    """Ask JustTCG for the sets with a card that nobody else lists."""
    sets = {one.set_code for one in demo.world.trapped(Trap.ONLY_JUSTTCG)}
    names = [one.name for one in demo.world.sets if one.code in sets]
    with demo.tracker.unit_of_work() as uow:
        for name in names:
            set_id = demo.tracker.catalog_sync.find_set(name)
            demo.tracker.queue.enqueue(uow, SYNC_CARDS, {"set_id": set_id, "all": True})


def forget_only_justtcgs(demo: Demo) -> None:
    """Let JustTCG list these cards no more: their prices grow old."""
    for card in demo.world.trapped(Trap.ONLY_JUSTTCG):
        demo.sandbox.fault(
            "field_set",
            vendor="justtcg",
            params={"keys": "^(id|uuid)$", "match": {"name": card.name}, "value": "withdrawn"},
        )


def leave_a_dead_letter(demo: Demo) -> None:
    """Let JustTCG fail each time when it is asked for a card that nobody else has."""
    (wanted,) = (our_card(demo, one) for one in demo.world.trapped(Trap.ONLY_JUSTTCG))
    tracker = demo.tracker
    with tracker.unit_of_work() as uow:
        enqueue_card(tracker.queue, uow, wanted.id)
    demo.sandbox.fault("server_error", vendor="justtcg")
    while tracker.runner.run_pending():
        demo.sandbox.clock.advance(_ATTEMPT)
    demo.sandbox.clear_faults(name="server_error")


def wear_justtcg_out(demo: Demo) -> None:
    """Let JustTCG refuse the next call, and one of many from now on."""
    params = {"retry_after": "seconds", "seconds": _PAUSE_S}
    demo.sandbox.fault("rate_limited", vendor="justtcg", every=25, params=params)
    demo.sandbox.fault("rate_limited", vendor="justtcg", first=1, params=params)
