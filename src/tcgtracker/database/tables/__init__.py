"""The tables, one definition for both databases.

Only `prices` lives in `HISTORY_URL`, all others in `DB_URL`: no foreign key and no join crosses
between the two, so that the history can move to a database of its own.
"""

from tcgtracker.database.tables import accounts, catalog, links, operations, prices, sources
from tcgtracker.database.tables.base import metadata

__all__ = ["accounts", "catalog", "links", "metadata", "operations", "prices", "sources"]
