"""Months of prices, asked of the vendors day by day as any tracker would have."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta

from tcgtracker.demo import troubles
from tcgtracker.demo.place import Demo
from tcgtracker.domain.source import Source
from tcgtracker.integrations.contract import Capability
from tcgtracker.quotes.sync import DEFAULT_GAMES
from tcgtracker.quotes.sync_jobs import SYNC_PRICECHARTING
from tcgtracker.quotes.update_jobs import enqueue_cards

# Numbers of days are counted back from the present.
GUIDE_DAYS = 45
"""For so long PriceCharting has been asked: that subscription began later."""
CATALOG_DAYS = 10
"""For so long there is a catalog; older prices are tied to its cards by the vendors' ids."""
OFF_DAYS = range(60, 63)
"""The tracker was switched off."""
BAD_DAY = 30
WATCHED_SETS = ("base1", "sv3pt5", "OP01")
_WATCHED_OF_A_SET = 7
"""The dearest ones, which JustTCG is asked for too."""
_WATCHED_EVERY = 3
_GUIDE_PAUSE = timedelta(minutes=11)
"""PriceCharting gives one guide every 10 minutes."""
_TODAY = timedelta(minutes=30)
"""What the jobs of the last day take of it."""

OnProgress = Callable[[str, int, int], None]


def fill(demo: Demo, days: int, *, on_progress: OnProgress) -> None:
    """Live through `days` up to the present, and run on the last one what is scheduled."""
    present = demo.now() + timedelta(days=days)
    for back in range(days, 0, -1):
        demo.sandbox.clock.set(present - timedelta(days=back))
        if back == min(CATALOG_DAYS, days):
            _take_catalog(demo)
        elif back not in OFF_DAYS:
            with ExitStack() as stack:
                if back == BAD_DAY:
                    stack.enter_context(troubles.price_below_zero(demo))
                _collect(demo, guide=back <= GUIDE_DAYS)
        if back < CATALOG_DAYS and back % _WATCHED_EVERY == 0:
            enqueue_watched(demo)
            demo.tracker.runner.run_pending()
        on_progress("days", days - back, days)
    demo.sandbox.clock.set(present - _TODAY)
    _live_today(demo)
    on_progress("days", days, days)


def _run_due(demo: Demo) -> None:
    """Run every job that is due, and what these enqueue."""
    demo.tracker.scheduler.tick()
    demo.tracker.runner.run_pending()


def _take_guides(demo: Demo) -> None:
    """Take PriceCharting's guides in jobs, the second one as soon as that vendor allows it."""
    for game in DEFAULT_GAMES:
        with demo.tracker.unit_of_work() as uow:
            demo.tracker.queue.enqueue(uow, SYNC_PRICECHARTING, {"game": game})
        demo.tracker.runner.run_pending()
        demo.sandbox.clock.advance(_GUIDE_PAUSE)


def enqueue_watched(demo: Demo) -> None:
    """Ask JustTCG for the watched cards in a job."""
    with demo.tracker.unit_of_work() as uow:
        enqueue_cards(demo.tracker.queue, uow, watched(demo), source=Source.JUSTTCG)


def watched(demo: Demo) -> list[int]:
    """Return the ids of the cards that JustTCG is asked for."""
    cards = []
    for one in demo.world.sets:
        if one.code in WATCHED_SETS:
            dear = sorted(one.cards, key=lambda card: -card.printings[0].cents)
            cards += dear[:_WATCHED_OF_A_SET]
    return troubles.card_ids(demo, cards)


def _collect(demo: Demo, *, guide: bool) -> None:
    """Take in the prices of the day's files; what these say of names comes with the catalog."""
    tracker = demo.tracker
    for info in tracker.vendors.able(Capability.BULK):
        if info.source is Source.PRICECHARTING and not guide:
            continue
        for game in DEFAULT_GAMES:
            pages = (page.prices for page in tracker.vendors.bulk(info.vendor, game))
            tracker.intake.collect(pages, input_name=f"{info.vendor} {game}")
            if info.source is Source.PRICECHARTING:
                demo.sandbox.clock.advance(_GUIDE_PAUSE)


def _take_catalog(demo: Demo) -> None:
    """Run the jobs of a first start: sets, cards, links, prices."""
    _run_due(demo)
    demo.sandbox.clock.advance(_GUIDE_PAUSE)  # the second game's guide waits for that
    demo.tracker.runner.run_pending()
    troubles.take_only_justtcgs(demo)
    demo.tracker.runner.run_pending()
    troubles.forget_only_justtcgs(demo)


def _live_today(demo: Demo) -> None:
    """Run the jobs of the present day, with the troubles that are to be seen."""
    # These two need calls that the day's own jobs would use up.
    troubles.leave_a_dead_letter(demo)
    troubles.wear_justtcg_out(demo)
    enqueue_watched(demo)
    demo.tracker.runner.run_pending()
    troubles.rename_a_product(demo)
    with troubles.swollen_price(demo):
        _take_guides(demo)
        _run_due(demo)
