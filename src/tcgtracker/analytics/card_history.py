"""The price history of a card: which series speaks for it, and what that says.

The choice is made at read time (DESIGN section 4), so that changed links and orders rewrite
nothing. Every answer names the series it chose and how.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial

from sqlalchemy import Connection

from tcgtracker.analytics.card_rows import CardHead, CardTie, QuoteRow, load_card, load_quotes
from tcgtracker.analytics.speaking import newest_look, speaking_rank, speaks
from tcgtracker.analytics.windows import FRESH_S, DayWindow, SeriesWindow, series_window
from tcgtracker.database.dialects.base import DatabaseDialect
from tcgtracker.domain.catalog import printing_rank
from tcgtracker.domain.clock import DAY_S, to_epoch
from tcgtracker.domain.errors import InvalidInput, NotFound
from tcgtracker.domain.source import Source
from tcgtracker.domain.variant import parse_grade, variant_rank
from tcgtracker.operations.flags import SourceFlags, load_flags
from tcgtracker.prices.products import Series, load_series
from tcgtracker.prices.quick import Newest, ScopeLooks, SeriesReader


class Choice(StrEnum):
    """How the series was chosen."""

    HEADLINE = "headline"
    FILTERED = "filtered"


class NoSeries(StrEnum):
    """Why there is no series."""

    NO_TRUSTED_LINK = "no-trusted-link"
    NO_PRICE_YET = "no-price-yet"
    NOTHING_FITS = "nothing-fits-the-filters"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A series of one of the card's trusted links; `printing` is ours, '' when not proven."""

    series: Series
    tie: CardTie

    @property
    def printing(self) -> str:
        return self.tie.printing


@dataclass(frozen=True, slots=True)
class OtherSeries:
    """Another series of the card with its newest market price."""

    candidate: Candidate
    newest: Newest


@dataclass(frozen=True, slots=True)
class CardHistory:
    """What is known of a card's price in a window.

    Without a series `found` and `window` are None and `reason` says why.
    valid_until: epoch second at which the answer may change although no data does (a day ends, a
    price becomes stale).
    """

    card: CardHead
    days: DayWindow
    chosen_by: Choice
    reason: NoSeries | None
    found: Candidate | None
    window: SeriesWindow | None
    others: tuple[OtherSeries, ...]
    valid_until: int


@dataclass(frozen=True, slots=True)
class Filters:
    """What a reader asks for; None does not filter. `variant` is in its stored form."""

    source: Source | None = None
    printing: str | None = None
    variant: str | None = None

    @classmethod
    def of(
        cls,
        *,
        source: Source | None = None,
        printing: str | None = None,
        condition: str | None = None,
        grade: str | None = None,
    ) -> "Filters":
        """Return filters of a reader's words.

        Raises:
            InvalidInput: a condition and a grade at once, or no grade where one should be.
        """
        if condition is not None and grade is not None:
            raise InvalidInput("a graded card has no condition: give condition or grade, not both")
        variant = condition.strip().lower() if condition is not None else None
        if grade is not None:
            variant = str(parse_grade(grade))
        return cls(source, printing.strip().casefold() if printing is not None else None, variant)

    @property
    def empty(self) -> bool:
        return self.source is None and self.printing is None and self.variant is None

    def fit(self, one: Candidate) -> bool:
        names = {
            one.printing.casefold(),
            "" if one.printing else one.series.facet.sub_key.casefold(),
        }
        return (
            (self.source is None or one.series.source is self.source)
            and (self.printing is None or self.printing in names - {""})
            and (self.variant is None or one.series.facet.variant == self.variant)
        )


def card_history(
    connection: Connection,
    history_connection: Connection,
    dialect: DatabaseDialect,
    card_id: int,
    *,
    days: int = 30,
    source: Source | None = None,
    printing: str | None = None,
    condition: str | None = None,
    grade: str | None = None,
    now: datetime,
    looks: ScopeLooks | None = None,
) -> CardHistory:
    """Return the history of one series of a card, the headline one when nothing is filtered.

    dialect: of the history connection. days: UTC days up to that of `now`. printing: our name or,
    where the link proves none, the vendor's, in any case. condition: nm, lp, mp, hp, dmg, raw or
    sealed. grade: as `psa-10`. looks: what is known of the scopes from earlier reads.

    Raises:
        NotFound: there is no such card.
        InvalidInput: a filter or the number of days cannot be used.
    """
    window = DayWindow.until(now, days)
    filters = Filters.of(source=source, printing=printing, condition=condition, grade=grade)
    at = to_epoch(now)
    card, ties = load_card(connection, card_id)
    reader = SeriesReader(history_connection, dialect, looks)
    candidates = candidates_of(reader, ties)
    flags = load_flags(connection)
    order = flags.order_of(card_id)
    found, turns, others = _only(candidates, filters, order)
    if found is None:
        quotes = load_quotes(connection, card_id) if candidates else []
        newest = reader.newest([one.series for one in candidates])
        found, turns = choose_series(candidates, quotes, newest, filters, order, at)
        others = tuple(
            OtherSeries(one, newest[one.series.id])
            for one in sorted(candidates, key=partial(_listing_order, flags, card_id))
            if one is not found
        )
    shown = None
    if found is not None:
        shown = series_window(
            found.series,
            reader.history(found.series),
            reader.open_holds(found.series.id),
            window,
        )
        if shown.current is not None:
            turns = (*turns, shown.current.observed_at + FRESH_S + 1)
    reason = None
    if found is None:
        fits = filters.empty or not candidates
        reason = NoSeries.NO_PRICE_YET if fits else NoSeries.NOTHING_FITS
        reason = reason if ties else NoSeries.NO_TRUSTED_LINK
    return CardHistory(
        card=card,
        days=window,
        chosen_by=Choice.HEADLINE if filters.empty else Choice.FILTERED,
        reason=reason,
        found=found,
        window=shown,
        others=others,
        valid_until=min([(at // DAY_S + 1) * DAY_S, *(turn for turn in turns if turn > at)]),
    )


def product_history(
    history_connection: Connection,
    dialect: DatabaseDialect,
    source: Source,
    external_id: str,
    *,
    days: int = 30,
    now: datetime,
) -> list[SeriesWindow]:
    """Return every series of a vendor's product, linked to a card or not.

    Raises:
        NotFound: the source never listed such a product.
        InvalidInput: the number of days cannot be used.
    """
    window = DayWindow.until(now, days)
    series = load_series(history_connection, source=source, external_id=external_id)
    if not series:
        raise NotFound(f"{source} has no product {external_id!r} that was ever priced")
    reader = SeriesReader(history_connection, dialect)
    reader.prepare(series)
    return [
        series_window(
            one,
            reader.history(one),
            reader.open_holds(one.id),
            window,
        )
        for one in series
    ]


def candidates_of(reader: SeriesReader, ties: Sequence[CardTie]) -> list[Candidate]:
    tie_of = {tie.vendor_product_id: tie for tie in ties}
    series = reader.series_of_products(sorted(tie_of))
    return [Candidate(one, tie_of[one.vendor_product_id]) for one in series]


def _only(
    candidates: Sequence[Candidate], filters: Filters, order: Sequence[Source]
) -> tuple[Candidate | None, tuple[int, ...], tuple[OtherSeries, ...]]:
    """Return the series of a card that has one alone: nothing else need be read to choose it."""
    if len(candidates) == 1 and _may_speak(candidates[0], filters):
        source = candidates[0].series.source
        if source in (filters.source, *order):
            return candidates[0], (), ()
    return None, (), ()


def choose_series(
    candidates: Sequence[Candidate],
    quotes: Sequence[QuoteRow],
    newest: dict[int, Newest],
    filters: Filters,
    order: Sequence[Source],
    at: int,
) -> tuple[Candidate | None, tuple[int, ...]]:
    """Return the series, and the moments at which another one would be chosen by age alone.

    order: the sources that may speak for the card; another one does when a reader names it.
    """
    order = order if filters.source is None else [filters.source]
    fitting = {
        one.series.id: one
        for one in candidates
        if _may_speak(one, filters) and one.series.source in order
    }
    best: dict[Source, Candidate] = {}
    # Two readers of a card, its list row and its history, name the same series.
    if filters.printing is None and filters.variant is None:
        for quote in quotes:
            if quote.series_id in fitting:
                best[quote.source] = fitting[quote.series_id]
    by_source: defaultdict[Source, list[Candidate]] = defaultdict(list)
    for one in fitting.values():
        by_source[one.series.source].append(one)
    for source, choices in by_source.items():
        if source not in best:
            last = newest_look(newest[one.series.id] for one in choices)
            best[source] = min(
                choices,
                key=lambda one: speaking_rank(
                    one.series, one.printing, newest[one.series.id], last
                ),
            )
    seen = {
        source: moment
        for source, one in best.items()
        if (moment := newest[one.series.id].market_at) is not None
    }
    turns = tuple(moment + FRESH_S + 1 for moment in seen.values())
    for source in order:
        if source in seen and at - seen[source] <= FRESH_S:
            return best[source], turns
    if seen:
        return best[max(sorted(seen, key=order.index), key=lambda source: seen[source])], turns
    return (best[min(best, key=order.index)] if best else None), turns


def _may_speak(one: Candidate, filters: Filters) -> bool:
    """Tell whether a reader may be told this series: a graded one who chooses, nobody else."""
    return filters.fit(one) and (not filters.empty or speaks(one.series))


def _listing_order(
    flags: SourceFlags, card_id: int, one: Candidate
) -> tuple[int, int, str, int, str, int]:
    return (
        flags.place_of(card_id, one.series.source),
        printing_rank(one.printing),
        one.printing,
        variant_rank(one.series.facet.variant),
        one.series.facet.variant,
        one.series.id,
    )
