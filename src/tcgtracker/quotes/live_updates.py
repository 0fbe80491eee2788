"""Updates that a person waits for: a few at a time, beside everything else that goes on."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from tcgtracker.domain.errors import TrackerError
from tcgtracker.domain.source import Source
from tcgtracker.integrations.contract import LIVE_CALL
from tcgtracker.quotes.outcomes import CardOutcome, Verdict
from tcgtracker.quotes.update import CardUpdater

AT_ONCE = 8
MOST_WAITING = 200
RETRY_AFTER_S = 10


class TooManyWaiting(TrackerError):
    """As many people wait for vendors as we let wait."""


class LiveUpdates:
    """Updates cards in threads of its own, so that waiting for a vendor takes none from reads.

    Those who ask for the same card at the same time share one answer. Used in one event loop.

    ask_shadow: lets a source that is only compared be asked for the cards, by somebody else.
    """

    def __init__(
        self, updater: CardUpdater, ask_shadow: Callable[[Sequence[int], Source], None]
    ) -> None:
        self._updater = updater
        self._ask_shadow = ask_shadow
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="live-update")
        self._open: dict[tuple[int, Source | None], asyncio.Future[CardOutcome]] = {}
        self._waiting = 0

    async def update(self, card_id: int, source: Source | None) -> CardOutcome:
        """Return what became of the card.

        Raises:
            TooManyWaiting: `MOST_WAITING` others wait already, beside those that are asked for.
            InvalidInput: `source` cannot be asked for single cards.
        """
        if self._waiting >= AT_ONCE + MOST_WAITING:
            raise TooManyWaiting(f"{MOST_WAITING} updates are waiting: try again in a while")
        key = (card_id, source)
        answer = self._open.get(key)
        if answer is None:
            loop = asyncio.get_running_loop()
            answer = asyncio.ensure_future(
                loop.run_in_executor(self._threads, self._update, card_id, source)
            )
            self._open[key] = answer
            answer.add_done_callback(lambda _done: self._open.pop(key, None))
        self._waiting += 1
        try:
            return await asyncio.shield(answer)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Take no more; what is under way ends by its own deadlines."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _update(self, card_id: int, source: Source | None) -> CardOutcome:
        outcome = self._updater.update([card_id], source=source, policy=LIVE_CALL)[0]
        if outcome.verdict is Verdict.SETTLED and (shadow := self._updater.shadow()) is not None:
            self._ask_shadow([card_id], shadow)
        return outcome
