"""Asking one vendor for products in batches; each answer is recorded before the next call."""

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import structlog

from tcgtracker.database.engine import Database
from tcgtracker.domain.clock import Clock, iso
from tcgtracker.domain.errors import (
    BadCredentials,
    RateLimited,
    RetryableVendorError,
    SourceDisabled,
    SourcePaused,
    VendorError,
)
from tcgtracker.domain.source import Source
from tcgtracker.integrations.contract import CallPolicy, ItemPage, ProductRef, VendorInfo
from tcgtracker.quotes.asking import Asking
from tcgtracker.quotes.items_intake import ItemIntake, ItemRun, TakenItem
from tcgtracker.quotes.outcomes import Miss, MissKind
from tcgtracker.quotes.plan import batches
from tcgtracker.quotes.vendors import Vendors
from tcgtracker.runtime.metrics import Metrics

_log = structlog.get_logger()
_FAILURES_IN_A_ROW = 2
"""After so many failed calls the rest of the products is not asked for: the vendor is not well."""
_ENDS_THE_SOURCE = (SourceDisabled, BadCredentials, SourcePaused, RateLimited)


@dataclass(slots=True)
class ItemAnswers:
    """What one source said: the vendor's id of each ref, its products, and what failed.

    left: what was not asked for, since the caller wanted no more.
    """

    products: dict[ProductRef, str] = field(default_factory=dict)
    taken: dict[str, TakenItem] = field(default_factory=dict)
    failed: dict[ProductRef, VendorError] = field(default_factory=dict)
    left: set[ProductRef] = field(default_factory=set)

    def why_not(self, source: Source, refs: Collection[ProductRef]) -> Miss:
        """Return why the source gave no trusted answer for a card that these refs stand for."""
        errors = [self.failed[ref] for ref in refs if ref in self.failed]
        if errors:
            return Miss(source, _kind_of(errors[0]), _said(errors[0]), errors[0])
        products = {self.products[ref] for ref in refs if ref in self.products}
        if products and not self.taken.keys() & products:
            return Miss(source, MissKind.ABSENT, "its answer for the card could not be used")
        if products:
            return Miss(source, MissKind.UNTRUSTED, "its product is not proven to be this card")
        return Miss(source, MissKind.ABSENT, "does not know the product any more")


class ItemCalls:
    """Asks the vendors of one tracker; no database connection is held while one is waited for."""

    def __init__(
        self,
        database: Database,
        history: Database,
        vendors: Vendors,
        clock: Clock,
        metrics: Metrics | None = None,
    ) -> None:
        self._vendors = vendors
        self._intake = ItemIntake(database, history, clock, metrics)

    def ask(
        self,
        info: VendorInfo,
        refs: Sequence[ProductRef],
        *,
        policy: CallPolicy,
        enough: Callable[[], bool] = lambda: False,
        run_name: str = "update",
    ) -> ItemAnswers:
        """Ask in batches and record each answer at once; a failed batch keeps its error.

        enough: asked after each batch; True leaves the rest. run_name: of the run record.
        """
        answers = ItemAnswers()
        in_a_row = 0
        ended: VendorError | None = None
        with ExitStack() as stack:
            run: ItemRun | None = None
            for place, batch in enumerate(batches(refs, info.batch)):
                if answers.left or (place and enough()):
                    answers.left.update(batch)
                    continue
                if ended is not None:
                    answers.failed.update(dict.fromkeys(batch, ended))
                    continue
                try:
                    for page in self._vendors.items(info.vendor, batch, policy=policy):
                        if run is None:  # a run is of answers: calls that fail leave none
                            run = stack.enter_context(self._intake.run(page.source, run_name))
                        self._record(page, run, answers)
                    in_a_row = 0
                except VendorError as exc:
                    unanswered = [ref for ref in batch if ref not in answers.products]
                    answers.failed.update(dict.fromkeys(unanswered, exc))
                    in_a_row += 1
                    if isinstance(exc, _ENDS_THE_SOURCE) or in_a_row == _FAILURES_IN_A_ROW:
                        ended = exc
                    _log.warning("quotes.call_failed", vendor=info.vendor, error=str(exc))
        return answers

    def _record(self, page: ItemPage, run: ItemRun, answers: ItemAnswers) -> None:
        _log.info(
            "quotes.transformed",
            source=page.source.value,
            products=len(page.items),
            rejected=len(page.rejected),
            absent=len(page.absent),
        )
        answers.taken.update(self._intake.take(page, run).items)
        answers.products.update(page.answered)


def in_order(asking: Asking, card_ids: Iterable[int]) -> list[ProductRef]:
    """Return each ref once, in the order of the cards."""
    refs = (ref for card_id in card_ids for ref in asking.refs.get(card_id, ()))
    return list(dict.fromkeys(refs))


def _kind_of(error: VendorError) -> MissKind:
    if isinstance(error, SourcePaused):
        return MissKind.PAUSED
    if isinstance(error, RetryableVendorError):
        return MissKind.RETRYABLE
    return MissKind.FATAL


def _said(error: VendorError) -> str:
    """Return the error without the vendor's name, which stands before it."""
    text = str(error).removeprefix(f"{error.vendor}: ")
    until = f" (until {iso(error.until)})" if isinstance(error, SourcePaused) else ""
    return f"{text}{until}"
