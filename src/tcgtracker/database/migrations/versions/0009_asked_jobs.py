"""Which jobs a person asked for: they begin before those of the schedule."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_DUE = sa.text("state IN ('ready', 'retry')")


def upgrade() -> None:
    op.add_column(
        "jobs", sa.Column("asked", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.create_index(
        "ix_jobs_asked", "jobs", ["asked", "run_at"], sqlite_where=_DUE, postgresql_where=_DUE
    )


def downgrade() -> None:
    op.drop_index("ix_jobs_asked", "jobs", sqlite_where=_DUE, postgresql_where=_DUE)
    op.drop_column("jobs", "asked")
