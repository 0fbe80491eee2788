"""Find the parts of a job by their parent.

A job that is shared out looks at its parts every few seconds.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_PART = sa.text("parent_id IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        "ix_jobs_parent", "jobs", ["parent_id"], sqlite_where=_PART, postgresql_where=_PART
    )


def downgrade() -> None:
    op.drop_index("ix_jobs_parent", "jobs", sqlite_where=_PART, postgresql_where=_PART)
