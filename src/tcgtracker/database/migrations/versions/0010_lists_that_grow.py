"""Indexes for what pages show of tables that grow: jobs not done, newest runs, refused rows."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_NOT_DONE = sa.text("state != 'done'")


def upgrade() -> None:
    op.create_index(
        "ix_jobs_not_done",
        "jobs",
        ["state", "id"],
        sqlite_where=_NOT_DONE,
        postgresql_where=_NOT_DONE,
    )
    op.create_index("ix_collect_runs_source", "collect_runs", ["source", "id"])
    op.create_index("ix_quarantined_rows_reason", "quarantined_rows", ["source", "reason"])


def downgrade() -> None:
    op.drop_index("ix_quarantined_rows_reason", "quarantined_rows")
    op.drop_index("ix_collect_runs_source", "collect_runs")
    op.drop_index("ix_jobs_not_done", "jobs", sqlite_where=_NOT_DONE, postgresql_where=_NOT_DONE)
