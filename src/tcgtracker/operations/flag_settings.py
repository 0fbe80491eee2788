"""Changing feature flags: what each means, what it may hold, and who changed it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import Connection, delete, select

from tcgtracker.database.dialects.base import DatabaseDialect
from tcgtracker.database.tables.sources import feature_flags
from tcgtracker.domain.errors import InvalidInput
from tcgtracker.domain.source import FALLBACK_SOURCES, PRIMARY_SOURCE, Source
from tcgtracker.operations.audit import AuditFilter, AuditRow, add_audit, load_page
from tcgtracker.operations.flags import (
    BUCKETS,
    FALLBACKS,
    PRIMARY,
    ROLLOUT_PERCENT,
    ROLLOUT_SOURCE,
    SHADOW,
)
from tcgtracker.operations.values import JsonValue

log = structlog.get_logger(__name__)

CHANGED = "flag.changed"
_SPEAKERS = tuple(source for source in Source if source is not Source.MANUAL)
"""A user's own prices are nobody's market."""


@dataclass(frozen=True, slots=True)
class FlagKind:
    """One flag: its default, what it does, and what makes a value of it or refuses it."""

    name: str
    default: JsonValue
    about: str
    check: Callable[[str, object], JsonValue]


@dataclass(frozen=True, slots=True)
class FlagRow:
    """A flag as it stands; `changed_at` (aware UTC) is None while it has its default."""

    name: str
    value: JsonValue
    default: JsonValue
    about: str
    changed_at: datetime | None
    changed_by: str

    @property
    def is_set(self) -> bool:
        return self.changed_at is not None

    @property
    def sources(self) -> list[Source]:
        """The sources that it names."""
        named = self.value if isinstance(self.value, list) else [self.value]
        return [Source(one) for one in named if one in set(Source)]


@dataclass(frozen=True, slots=True)
class ChangedBy:
    """Who changes a flag: a name to show, and the account when there is one."""

    name: str
    user_id: UUID | None = None
    address: str = ""


def list_flags(connection: Connection) -> list[FlagRow]:
    """Return all flags with their values."""
    rows = {row.name: row for row in connection.execute(select(feature_flags))}
    found = []
    for kind in KINDS.values():
        row = rows.get(kind.name)
        found.append(
            FlagRow(
                name=kind.name,
                value=kind.default if row is None else row.value,
                default=kind.default,
                about=kind.about,
                changed_at=None if row is None else row.changed_at,
                changed_by="" if row is None else row.changed_by,
            )
        )
    return found


def change_flags(
    connection: Connection,
    dialect: DatabaseDialect,
    changes: Mapping[str, object],
    *,
    by: ChangedBy,
    now: datetime,
) -> list[FlagRow]:
    """Change flags together, all or none; None gives a flag its default back. Return all flags.

    A value that stands already is no change. Each change is in the audit log with both values.

    Raises:
        InvalidInput: no such flag, no such value, or flags that contradict one another.
    """
    dialect.order_commits(connection)  # two that change at once are judged one after the other
    before = {row.name: row for row in list_flags(connection)}
    wanted = {name: _checked(name, value) for name, value in changes.items()}
    after = {name: row.value for name, row in before.items()}
    after |= {name: KINDS[name].default if new is None else new for name, new in wanted.items()}
    _judge_together(after)
    for name, new in wanted.items():
        old = before[name]
        if new is None:
            connection.execute(delete(feature_flags).where(feature_flags.c.name == name))
        elif not old.is_set or old.value != new:
            connection.execute(
                dialect.upsert(feature_flags, ("name",), ("value", "changed_at", "changed_by")),
                {"name": name, "value": new, "changed_at": now, "changed_by": by.name},
            )
        if old.value != after[name]:
            detail = {"old": old.value, "new": after[name], "by": by.name}
            add_audit(
                connection,
                CHANGED,
                now=now,
                user_id=by.user_id,
                subject=name,
                detail=detail,
                address=by.address,
            )
            log.info("flag.changed", flag=name, **detail)
    return list_flags(connection)


def flag_changes(connection: Connection, *, limit: int = 50) -> list[AuditRow]:
    """Return who changed which flag, the newest first."""
    return list(load_page(connection, AuditFilter(CHANGED), limit=limit).rows)


def parse_value(name: str, text: str) -> JsonValue:
    """Return what a command line means by a value: sources are separated by commas.

    Raises:
        InvalidInput: no such flag.
    """
    default = _kind(name).default
    if isinstance(default, Sequence) and not isinstance(default, str):
        return [part for one in text.split(",") if (part := one.strip())]
    if isinstance(default, int):
        try:
            return int(text.strip().removesuffix("%"))
        except ValueError:
            return text  # the check says what is wrong with it
    return text.strip()


def require_flag(name: str) -> None:
    """Refuse a name that is no flag's.

    Raises:
        InvalidInput: the message names the flags.
    """
    _kind(name)


def _kind(name: str) -> FlagKind:
    if name not in KINDS:
        raise InvalidInput(f"there is no flag {name!r}; known: {', '.join(KINDS)}")
    return KINDS[name]


def _checked(name: str, value: object) -> JsonValue:
    kind = _kind(name)
    return None if value is None else kind.check(name, value)


def _judge_together(values: Mapping[str, JsonValue]) -> None:
    new, percent, shadow = values[ROLLOUT_SOURCE], values[ROLLOUT_PERCENT], values[SHADOW]
    if percent and not new:
        raise InvalidInput(
            f"{ROLLOUT_PERCENT} moves cards to {ROLLOUT_SOURCE}, which is not set: set that first"
        )
    if not shadow:
        return
    fallbacks = values[FALLBACKS]
    assert isinstance(fallbacks, Sequence)  # noqa: S101 - as its check leaves it
    speaks = {PRIMARY: [values[PRIMARY]], FALLBACKS: fallbacks, ROLLOUT_SOURCE: [new]}
    for name, sources in speaks.items():
        if shadow in sources:
            raise InvalidInput(
                f"{shadow} is named in {name}: a shadow speaks for no card, so it cannot be both"
            )


def _source(name: str, value: object) -> JsonValue:
    if not isinstance(value, str) or value not in _SPEAKERS:
        raise InvalidInput(f"{name}: {_short(value)} is no source: {', '.join(_SPEAKERS)}")
    return value


def _source_or_none(name: str, value: object) -> JsonValue:
    return "" if value == "" else _source(name, value)


def _sources(name: str, value: object) -> JsonValue:
    if not isinstance(value, list):
        raise InvalidInput(f"{name}: {_short(value)} is no list of sources")
    sources = [_source(name, one) for one in value]
    if len({str(one) for one in sources}) < len(sources):
        raise InvalidInput(f"{name}: {_short(value)} names a source twice")
    return sources


def _percent(name: str, value: object) -> JsonValue:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= BUCKETS:
        raise InvalidInput(f"{name}: {_short(value)} is no whole number from 0 to {BUCKETS}")
    return value


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 100 else text[:97] + "..."  # noqa: PLR2004


KINDS = {
    kind.name: kind
    for kind in (
        FlagKind(
            PRIMARY, PRIMARY_SOURCE.value, "the source that is asked and shown first", _source
        ),
        FlagKind(
            FALLBACKS,
            [source.value for source in FALLBACK_SOURCES],
            "the sources that follow when the first has no price; all others come after them",
            _sources,
        ),
        FlagKind(
            ROLLOUT_SOURCE,
            "",
            "the new primary source of the cards that pricing.rollout_percent moves; empty = none",
            _source_or_none,
        ),
        FlagKind(
            ROLLOUT_PERCENT, 0, "the share of cards moved to pricing.rollout_source", _percent
        ),
        FlagKind(
            SHADOW,
            "",
            "a source that is fetched too, to be compared, and speaks for no card; empty = none",
            _source_or_none,
        ),
    )
}
