"""Feature flags about sources: rows that all processes read, with the defaults of the domain."""

from functools import lru_cache

import structlog
from sqlalchemy import Connection, select

from tcgtracker.database.tables.sources import feature_flags
from tcgtracker.domain.source import FALLBACK_SOURCES, PRIMARY_SOURCE, SOURCE_ORDER, Source

log = structlog.get_logger(__name__)

PRIMARY = "pricing.primary_source"
FALLBACKS = "pricing.fallback_sources"

_FLAGS = select(feature_flags.c.name, feature_flags.c.value).where(
    feature_flags.c.name.in_([PRIMARY, FALLBACKS])
)


def source_order(connection: Connection) -> tuple[Source, ...]:
    """Return all sources, in the order in which they may speak for a card.

    A flag that names no source of ours counts as not set, and the log says so: the price that is
    shown then is one of the default order, under its own source's name. Guessing what was meant, or
    showing no price at all, would be worse.
    """
    values = {row.name: row.value for row in connection.execute(_FLAGS)}
    primary = _read(PRIMARY, [values.get(PRIMARY, PRIMARY_SOURCE)], (PRIMARY_SOURCE,))
    fallbacks = _read(FALLBACKS, values.get(FALLBACKS, list(FALLBACK_SOURCES)), FALLBACK_SOURCES)
    return tuple(dict.fromkeys((*primary, *fallbacks, *SOURCE_ORDER)))


def _read(name: str, value: object, default: tuple[Source, ...]) -> tuple[Source, ...]:
    if isinstance(value, list):
        try:
            return tuple(Source(one) for one in value)
        except ValueError:
            pass
    _warn_once(name, repr(value)[:200])
    return default


@lru_cache(maxsize=64)
def _warn_once(name: str, value: str) -> None:
    """Say it once a process and value: the flags are read with every request."""
    log.error("flag.unusable", flag=name, value=value, known=[str(source) for source in Source])
