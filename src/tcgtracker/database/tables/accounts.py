"""Who may ask: users, their sessions and keys, and what was tried at the door."""

from enum import StrEnum

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from tcgtracker.database.tables.base import metadata
from tcgtracker.database.types import UtcTime, checked_text


class Role(StrEnum):
    """What a user may do beside what is the user's own."""

    USER = "user"
    ADMIN = "admin"


class KeyScope(StrEnum):
    """What an API key may do; write includes read."""

    READ = "read"
    WRITE = "write"


# `login` is the name case-folded, so that two users never differ by case alone.
users = Table(
    "users",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("username", Text, nullable=False),
    Column("login", Text, nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    checked_text("role", Role),
    Column("disabled", Boolean(create_constraint=False), nullable=False, server_default="0"),
    Column("created_at", UtcTime, nullable=False),
    Column("password_changed_at", UtcTime, nullable=False),
)

# The one row that the first user takes: two that register at once cannot both become admin.
first_user = Table(
    "first_user",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("user_id", Uuid, ForeignKey("users.id"), nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("user_id", Uuid, ForeignKey("users.id"), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Column("ended_because", Text, nullable=False, server_default=""),
    Column("address", Text, nullable=False, server_default=""),
    Index("ix_sessions_user", "user_id"),
)

# Only a digest is kept. A used token stays, so that its use by somebody else is seen.
refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("session_id", Uuid, ForeignKey("sessions.id"), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("used_at", UtcTime),
    Index("ix_refresh_tokens_session", "session_id"),
)

# Of a link that signs somebody in once; it is deleted when it is used. Only a digest is kept.
sign_in_links = Table(
    "sign_in_links",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("user_id", Uuid, ForeignKey("users.id"), nullable=False),
    Column("expires_at", UtcTime, nullable=False),
)

# `prefix` is shown and found by; of the rest only a digest is kept.
api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("user_id", Uuid, ForeignKey("users.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("prefix", Text, nullable=False, unique=True),
    Column("digest", Text, nullable=False),
    checked_text("scope", KeyScope),
    Column("created_at", UtcTime, nullable=False),
    Column("last_used_at", UtcTime),
    Column("revoked_at", UtcTime),
    UniqueConstraint("user_id", "name"),
)

# Wrong passwords by bucket: (login, address), the login from addresses it never came from, and
# the address alone. `login` is a digest: what somebody typed may be a password.
login_failures = Table(
    "login_failures",
    metadata,
    Column("bucket", Text, nullable=False),
    Column("failed_at", UtcTime, nullable=False),
    Column("id", Uuid, nullable=False),
    PrimaryKeyConstraint("bucket", "failed_at", "id"),
    Index("ix_login_failures_failed_at", "failed_at"),
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("user_id", Uuid),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False, server_default=""),
    Column("detail", JSON, nullable=False),
    Column("address", Text, nullable=False, server_default=""),
    Index("ix_audit_log_at", "at"),
)
