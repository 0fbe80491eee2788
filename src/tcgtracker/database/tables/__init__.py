"""The tables, one definition for both databases.

`catalog`, `operations` and `sources` live in `DB_URL`, `prices` in `HISTORY_URL`: no foreign key
and no join crosses between the two, so that the history can move to a database of its own.
"""

from tcgtracker.database.tables import catalog, operations, prices, sources
from tcgtracker.database.tables.base import metadata

__all__ = ["catalog", "metadata", "operations", "prices", "sources"]
