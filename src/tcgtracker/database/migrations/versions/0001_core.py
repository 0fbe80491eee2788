"""The core: catalog, vendor products, price history, jobs."""

from tcgtracker.database.migrations.core import catalog, jobs, prices

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_PARTS = (prices, jobs, catalog)


def upgrade() -> None:
    for part in _PARTS:
        part.create()


def downgrade() -> None:
    for part in reversed(_PARTS):
        part.drop()
