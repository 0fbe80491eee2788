"""Feature flags about sources: rows that all processes read, with the defaults of the domain.

They are read in the transaction that uses them, from one small table, and kept nowhere: a change
holds in every process with the next thing that it does.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import structlog
from sqlalchemy import Connection

from tcgtracker.database.engine import dialect_of
from tcgtracker.domain.source import FALLBACK_SOURCES, PRIMARY_SOURCE, SOURCE_ORDER, Source

log = structlog.get_logger(__name__)

PRIMARY = "pricing.primary_source"
FALLBACKS = "pricing.fallback_sources"
ROLLOUT_SOURCE = "pricing.rollout_source"
ROLLOUT_PERCENT = "pricing.rollout_percent"
SHADOW = "pricing.shadow_source"

BUCKETS = 100
HASH_FACTOR = 2_654_435_761
"""2^32 divided by the golden ratio: neighbouring ids fall far apart, and evenly."""
ID_RANGE, HASH_RANGE = 1 << 31, 1 << 32
_LONGEST = 200

# To the driver directly, as the reads of the history: this is read with every headline price.
_FLAGS = (
    "SELECT name, CAST(value AS TEXT) FROM feature_flags"
    " WHERE name IN (:primary, :fallbacks, :rollout_source, :rollout_percent, :shadow)"
    " ORDER BY name"
)
_NAMES = {
    "primary": PRIMARY,
    "fallbacks": FALLBACKS,
    "rollout_source": ROLLOUT_SOURCE,
    "rollout_percent": ROLLOUT_PERCENT,
    "shadow": SHADOW,
}


def bucket_of(card_id: int) -> int:
    """Return in which of 100 parts a card is, the same in every process and for ever.

    `catalog.price_filter` says the same in SQL. A card is moved to the new primary source while its
    part is below `pricing.rollout_percent`: a higher percentage moves more cards, and none back.
    """
    mixed = card_id % ID_RANGE * HASH_FACTOR % HASH_RANGE
    return mixed * BUCKETS // HASH_RANGE


@dataclass(frozen=True, slots=True)
class SourceFlags:
    """What the flags say of the sources.

    order: all sources that may speak for a card, the first one first. moved: the same for the cards
    of the first `percent` parts. shadow: fetched to be compared, speaks for no card.
    """

    order: tuple[Source, ...] = SOURCE_ORDER
    moved: tuple[Source, ...] = SOURCE_ORDER
    percent: int = 0
    shadow: Source | None = None

    def order_of(self, card_id: int) -> tuple[Source, ...]:
        """Return the sources that may speak for a card, in their order."""
        return self.moved if self.is_moved(card_id) else self.order

    def is_moved(self, card_id: int) -> bool:
        """Tell whether the card is moved to the new primary source."""
        return bucket_of(card_id) < self.percent

    def place_of(self, card_id: int, source: Source) -> int:
        """Return at which place a source is listed: those that speak for no card come last."""
        order = self.order_of(card_id)
        return order.index(source) if source in order else len(order)


DEFAULT_FLAGS = SourceFlags()


def load_flags(connection: Connection) -> SourceFlags:
    """Return what the flags say now.

    A flag that cannot be used counts as not set, and the log says so once: the price that is
    shown then is one of the default order, under its own source's name. Guessing what was meant, or
    showing no price at all, would be worse.
    """
    rows = dialect_of(connection).read_history(connection, _FLAGS, _NAMES)
    return _parse(tuple((str(row[0]), str(row[1])) for row in rows))


@lru_cache(maxsize=64)
def _parse(rows: tuple[tuple[str, str], ...]) -> SourceFlags:
    """Read each state of the table once: what cannot be used is also said once a process."""
    values = {name: json.loads(text) for name, text in rows}
    primary = _source(PRIMARY, values.get(PRIMARY)) or PRIMARY_SOURCE
    fallbacks = _sources(FALLBACKS, values.get(FALLBACKS))
    new, percent = _source(ROLLOUT_SOURCE, values.get(ROLLOUT_SOURCE)), 0
    if new is not None:
        percent = _percent(ROLLOUT_PERCENT, values.get(ROLLOUT_PERCENT))
    shadow = _source(SHADOW, values.get(SHADOW))
    if shadow in (primary, *fallbacks, *([new] if percent else [])):
        _unusable(SHADOW, values.get(SHADOW))  # it was set before another flag named it
        shadow = None

    def order(*first: Source) -> tuple[Source, ...]:
        named = dict.fromkeys((*first, primary, *fallbacks, *SOURCE_ORDER))
        return tuple(source for source in named if source is not shadow)

    usual = order()
    return SourceFlags(usual, order(new) if new is not None else usual, percent, shadow)


def _source(name: str, value: object) -> Source | None:
    if value is None or value == "":
        return None
    if isinstance(value, str) and value in set(Source):
        return Source(value)
    _unusable(name, value)
    return None


def _sources(name: str, value: object) -> Sequence[Source]:
    if value is None:
        return FALLBACK_SOURCES
    if isinstance(value, list) and all(
        isinstance(one, str) and one in set(Source) for one in value
    ):
        return [Source(one) for one in value]
    _unusable(name, value)
    return FALLBACK_SOURCES


def _percent(name: str, value: object) -> int:
    if value is None:
        return 0
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= BUCKETS:
        return value
    _unusable(name, value)
    return 0


def _unusable(name: str, value: object) -> None:
    known = [str(source) for source in Source]
    log.error("flag.unusable", flag=name, value=repr(value)[:_LONGEST], known=known)
