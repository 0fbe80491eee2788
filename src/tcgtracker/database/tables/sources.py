"""Vendors as services that are called: budgets, health, switches, flags."""

from enum import StrEnum

from sqlalchemy import JSON, Boolean, Column, Integer, PrimaryKeyConstraint, Table, Text

from tcgtracker.database.tables.base import metadata
from tcgtracker.database.types import UtcTime, checked_text


class QuotaPeriod(StrEnum):
    """What a budget of calls is for, both UTC."""

    DAY = "day"
    MONTH = "month"


# Taken before each call, corrected by what the vendor reports. One row a period, moved on when it
# ends.
vendor_quota = Table(
    "vendor_quota",
    metadata,
    Column("service", Text, nullable=False),
    checked_text("period", QuotaPeriod),
    Column("starts_at", UtcTime, nullable=False),
    Column("resets_at", UtcTime, nullable=False),
    Column("allowed", Integer, nullable=False),
    Column("used", Integer, nullable=False, server_default="0"),
    PrimaryKeyConstraint("service", "period"),
)

# The breaker is open while `opened_at` is set; `probe_until` is the lease of the one call that
# tests it. `stopped` says why nothing is called until the credentials change; `credentials` is a
# keyed digest of those that were refused.
source_state = Table(
    "source_state",
    metadata,
    Column("service", Text, primary_key=True),
    Column("enabled", Boolean(create_constraint=False), nullable=False, server_default="1"),
    Column("stopped", Text, nullable=False, server_default=""),
    Column("credentials", Text, nullable=False, server_default=""),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("opened_at", UtcTime),
    Column("probe_until", UtcTime),
    Column("not_before", UtcTime),
    Column("last_ok_at", UtcTime),
    Column("last_error", Text, nullable=False, server_default=""),
    Column("last_error_at", UtcTime),
    Column("terms_accepted_at", UtcTime),
)

# What a synchronisation saw last (`last-updated.txt` of a bulk source), so that the same is not
# fetched twice.
sync_marks = Table(
    "sync_marks",
    metadata,
    Column("service", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("mark", Text, nullable=False),
    Column("marked_at", UtcTime, nullable=False),
    PrimaryKeyConstraint("service", "subject"),
)

feature_flags = Table(
    "feature_flags",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", JSON, nullable=False),
    Column("changed_at", UtcTime, nullable=False),
    Column("changed_by", Text, nullable=False, server_default=""),
)
