"""What became of asking for a card, as a value."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from tcgtracker.domain.clock import iso
from tcgtracker.domain.errors import (
    FatalVendorError,
    RetryableVendorError,
    SourcePaused,
    TrackerError,
    VendorError,
)
from tcgtracker.domain.money import format_minor
from tcgtracker.domain.source import Source
from tcgtracker.operations.errors import Postpone
from tcgtracker.operations.values import JsonValue


class Outcome(StrEnum):
    """How an update of one card ended."""

    STORED = "stored"
    UNCHANGED = "unchanged"
    HELD = "held"
    """The new price is implausible and kept back; the one shown is the previous one."""
    STALE = "stale"
    """No source had a price now; the one shown is the last known."""
    NO_TRUSTED_LINK = "no-trusted-link"
    UNKNOWN = "unknown"
    """There is no such card."""
    FAILED = "failed"
    """No source had a price now, and none is known."""


ANSWERED = frozenset({Outcome.STORED, Outcome.UNCHANGED, Outcome.HELD})


class MissKind(StrEnum):
    """Why a source gave no price for a card."""

    NO_PRODUCT = "no-product"
    """It was not asked: no product of it is known for the card."""
    FATAL = "fatal"
    PAUSED = "paused"
    RETRYABLE = "retryable"
    ABSENT = "absent"
    """It was asked and does not know the product."""
    UNTRUSTED = "untrusted"
    """It answered, but the product is not proven to be this card."""
    NO_PRICE = "no-price"
    """It answered that the product has no price."""

    @property
    def asked(self) -> bool:
        """Whether the source itself answered."""
        return self in (MissKind.ABSENT, MissKind.UNTRUSTED, MissKind.NO_PRICE)


class Verdict(StrEnum):
    """What a job does about a card."""

    SETTLED = "settled"
    REPEAT = "repeat"
    WAIT = "wait"
    FATAL = "fatal"


@dataclass(frozen=True, slots=True)
class Miss:
    """One source that gave no price; `error` where a call failed."""

    source: Source
    kind: MissKind
    message: str
    error: VendorError | None = None

    def __str__(self) -> str:
        return f"{self.source}: {self.message}"


@dataclass(frozen=True, slots=True)
class ShownPrice:
    """The price of a card's headline series at one source; minor units, aware UTC."""

    source: Source
    series_id: int
    external_id: str
    kind: str
    variant: str
    printing: str
    market_price: int | None
    currency: str
    observed_at: datetime | None


@dataclass(frozen=True, slots=True)
class CardOutcome:
    """What became of one card. `misses`: the sources before the one that answered, in order.

    age: since the price was observed; None without one.
    """

    card_id: int
    outcome: Outcome
    price: ShownPrice | None = None
    stale: bool = False
    age: timedelta | None = None
    misses: tuple[Miss, ...] = ()

    @property
    def answered(self) -> bool:
        """Whether a source has given a price now."""
        return self.outcome in ANSWERED

    @property
    def fallback_reason(self) -> str:
        """Return why it is not the first source's price, '' when it is.

        Sources that have no product for the card are named only when nothing better is to say.
        """
        told = [miss for miss in self.misses if miss.kind is not MissKind.NO_PRODUCT]
        return "; ".join(str(miss) for miss in told or self.misses)

    @property
    def verdict(self) -> "Verdict":
        """Return whether asking for the card again can help, and when.

        A source that failed in passing is worth a repetition unless another one has answered that
        there is no price. What every source that knows the card is paused for is waited for.
        """
        kinds = {miss.kind for miss in self.misses}
        if self.outcome not in (Outcome.STALE, Outcome.FAILED) or MissKind.NO_PRICE in kinds:
            return Verdict.SETTLED
        if MissKind.RETRYABLE in kinds:
            return Verdict.REPEAT
        if any(kind.asked for kind in kinds):
            return Verdict.SETTLED
        if MissKind.PAUSED in kinds:
            return Verdict.WAIT
        return Verdict.FATAL if MissKind.FATAL in kinds else Verdict.SETTLED

    @property
    def paused_until(self) -> datetime | None:
        """Return the earliest moment at which a source that is paused can be asked."""
        moments = [miss.error.until for miss in self.misses if isinstance(miss.error, SourcePaused)]
        return min(moments, default=None)

    def error(self) -> TrackerError | Postpone | None:
        """Return what a job raises for this card alone, None when it is settled."""
        verdict = self.verdict
        if verdict is Verdict.SETTLED:
            return None
        if verdict is Verdict.WAIT and (until := self.paused_until) is not None:
            return Postpone(until, self.fallback_reason)
        errors = [miss.error for miss in self.misses if miss.error is not None]
        if len(errors) == 1:
            return errors[0]
        kind = RetryableVendorError if verdict is Verdict.REPEAT else FatalVendorError
        return kind("update", f"card {self.card_id}", self.fallback_reason)

    def as_dict(self) -> dict[str, JsonValue]:
        """Return the outcome as JSON values: money as decimal text, times as ISO 8601."""
        price = self.price
        return {
            "card_id": self.card_id,
            "outcome": self.outcome.value,
            "source": price.source.value if price else None,
            "external_id": price.external_id if price else None,
            "kind": price.kind if price else None,
            "variant": price.variant if price else None,
            "printing": price.printing if price else None,
            "market_price": None
            if price is None or price.market_price is None
            else format_minor(price.market_price, price.currency),
            "currency": price.currency if price else None,
            "observed_at": iso(price.observed_at) if price and price.observed_at else None,
            "stale": self.stale,
            "age_s": None if self.age is None else int(self.age.total_seconds()),
            "fallback_reason": self.fallback_reason,
        }


def raise_for_all(outcomes: Sequence[CardOutcome]) -> None:
    """Raise what a job raises for cards of which none is settled.

    Raises:
        RetryableVendorError, Postpone, FatalVendorError: as the cards want it.
    """
    errors = [error for one in outcomes if (error := one.error()) is not None]
    first, count = errors[0], len(errors)
    if count == 1:
        raise first
    said = f"{count} cards, the first: {first}"
    if any(one.verdict is Verdict.REPEAT for one in outcomes):
        raise RetryableVendorError("update", "prices", said)
    moments = [one.paused_until for one in outcomes if one.paused_until is not None]
    if moments:
        raise Postpone(min(moments), said)
    raise FatalVendorError("update", "prices", said)
