"""Column types that hold on both databases."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, Dialect, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

from tcgtracker.domain.clock import EPOCH, ensure_utc


class _UtcColumn(TypeDecorator[datetime]):
    """An aware UTC moment: timestamptz on PostgreSQL, an epoch integer on SQLite."""

    impl = BigInteger
    cache_ok = True
    unit = timedelta(microseconds=1)

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(DateTime(timezone=True))
        return dialect.type_descriptor(BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        moment = ensure_utc(value)
        ticks = (moment - EPOCH) // self.unit
        return EPOCH + ticks * self.unit if dialect.name == "postgresql" else ticks

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return ensure_utc(value) if dialect.name == "postgresql" else EPOCH + value * self.unit


class UtcTime(_UtcColumn):
    """To the microsecond (an epoch integer of microseconds on SQLite). Refuses naive values."""

    cache_ok = True


class UtcSeconds(_UtcColumn):
    """To the second: the hot tables, where four bytes less a row matter. Refuses naive values."""

    cache_ok = True
    unit = timedelta(seconds=1)


def checked_text(name: str, values: type[StrEnum], *, nullable: bool = False) -> Column[str]:
    """Return a text column that admits the enum's values only, by a CHECK made from the enum."""
    return Column(name, Text, one_of(name, values), nullable=nullable)


def one_of(column: str, values: Iterable[StrEnum]) -> CheckConstraint:
    """Return the CHECK that a column holds one of the values."""
    listed = ", ".join(f"'{value.value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")
