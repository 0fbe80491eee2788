"""Reads of a few series in few queries: what a page about one card asks for.

The same answers as `store` and `rows`, without temporary tables and with the looks at a scope kept
between reads. Connections are of the history database.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from sqlalchemy import Connection

from tcgtracker.database.dialects.base import DatabaseDialect, HistoryRows, IntArray
from tcgtracker.domain.quote import Facet, HoldState
from tcgtracker.domain.source import REFRESH_INTERVAL, Source
from tcgtracker.domain.variant import PriceKind
from tcgtracker.prices.codec import decode_blocks
from tcgtracker.prices.holds import Hold, load_holds
from tcgtracker.prices.instants import unpack
from tcgtracker.prices.kept_out import KEPT_OUT_SQL, last_believed
from tcgtracker.prices.months import RowTables, tables_of_months
from tcgtracker.prices.products import Series
from tcgtracker.prices.reading import Looks, SeriesHistory
from tcgtracker.prices.rows import COLUMNS, columns_sql, rows_from_table

_NO_LOOKS = Looks(np.empty(0, np.int64))


class ScopeLooks:
    """The complete looks at bulk scopes, kept per version of the scope. For many threads."""

    def __init__(self, capacity: int = 512) -> None:
        self._capacity = capacity
        self._kept: OrderedDict[int, tuple[int, Looks]] = OrderedDict()
        self._lock = threading.Lock()

    def of(
        self, connection: Connection, dialect: DatabaseDialect, scope_ids: Sequence[int]
    ) -> dict[int, Looks]:
        """Return the looks at each scope."""
        if not scope_ids:
            return {}
        wanted, parameters = _listed(scope_ids)
        versions = dialect.read_history(
            connection,
            f"SELECT scope_id, version FROM scope_states WHERE scope_id IN ({wanted})",  # noqa: S608 - numbered parameters
            parameters,
        )
        return self.of_versions(connection, dialect, dict(versions))

    def of_versions(
        self, connection: Connection, dialect: DatabaseDialect, versions: dict[int, int]
    ) -> dict[int, Looks]:
        """Return the looks at each scope whose version the caller has just read."""
        found = {}
        for scope_id, version in versions.items():
            with self._lock:
                kept = self._kept.get(scope_id)
            if kept is None or kept[0] != version:
                kept = version, Looks(_looks_at(connection, dialect, scope_id))
                with self._lock:
                    self._kept[scope_id] = kept
                    while len(self._kept) > self._capacity:
                        self._kept.popitem(last=False)
            found[scope_id] = kept[1]
        return found


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest market price of a series, however old; minor units and epoch seconds.

    market_at: the last look that found it. listed: it still stands there.
    """

    market: int | None = None
    market_at: int | None = None
    listed: bool = False


class SeriesReader:
    """Reads within one transaction of the history database."""

    def __init__(
        self, connection: Connection, dialect: DatabaseDialect, looks: ScopeLooks | None = None
    ) -> None:
        self._connection = connection
        self._dialect = dialect
        self._columns = columns_sql(dialect)
        self._scope_looks = looks or ScopeLooks()
        self._known_months: RowTables | None = None
        self._bulk: dict[int, Looks] = {}
        self._items: dict[int, IntArray] = {}
        self._known_kept_out: dict[int, set[int]] = {}

    def series_of_products(self, product_ids: Sequence[int]) -> list[Series]:
        """Return the series of vendor products by id, with the looks at them at hand."""
        if not product_ids:
            return []
        wanted, parameters = _listed(product_ids)
        rows = self._read(
            "SELECT s.id, s.vendor_product_id, p.source, p.external_id, p.sub_key, s.kind,"  # noqa: S608 - numbered parameters, our own words
            " s.variant, s.language, s.currency, p.scope_id, p.name, v.version,"
            " EXISTS (SELECT 1 FROM item_observations i WHERE i.vendor_product_id = p.id),"
            f" EXISTS (SELECT 1 FROM price_holds h WHERE h.series_id = s.id AND {KEPT_OUT_SQL})"
            " FROM price_series s JOIN vendor_products p ON p.id = s.vendor_product_id"
            " LEFT JOIN scope_states v ON v.scope_id = p.scope_id"
            f" WHERE s.vendor_product_id IN ({wanted}) ORDER BY s.id",
            parameters,
        )
        series = [
            Series(
                id=row[0],
                vendor_product_id=row[1],
                source=Source(row[2]),
                external_id=row[3],
                facet=Facet(row[4], PriceKind(row[5]), row[6], row[7], row[8]),
                scope_id=row[9],
                product_name=row[10],
            )
            for row in rows
        ]
        versions = {row[9]: row[11] for row in rows if row[11] is not None}
        self._bulk |= self._scope_looks.of_versions(self._connection, self._dialect, versions)
        self._read_items(sorted({row[1] for row in rows if row[12]}))
        self._known_kept_out |= {row[0]: set() for row in rows if not row[13]}
        return series

    def prepare(self, series: Sequence[Series]) -> None:
        """Fetch the looks at some series at once."""
        scopes = sorted({one.scope_id for one in series if one.scope_id is not None})
        self._bulk |= self._scope_looks.of(self._connection, self._dialect, scopes)
        self._read_items(sorted({one.vendor_product_id for one in series}))

    def _read_items(self, products: Sequence[int]) -> None:
        if not products:
            return
        wanted, parameters = _listed(products)
        packed: dict[int, list[IntArray]] = {}
        for product, instants in self._read(
            "SELECT vendor_product_id, instants FROM item_observations"  # noqa: S608 - numbered parameters
            f" WHERE vendor_product_id IN ({wanted}) ORDER BY vendor_product_id, month",
            parameters,
        ):
            packed.setdefault(product, []).append(unpack(bytes(instants)))
        self._items |= {product: np.concatenate(parts) for product, parts in packed.items()}

    def history(self, series: Series) -> SeriesHistory:
        """Return all that is known of a prepared series."""
        return SeriesHistory(
            self._rows(series.id),
            self._looks(series),
            int(REFRESH_INTERVAL[series.source].total_seconds()),
            self._kept_out([series.id])[series.id],
        )

    def newest(self, series: Sequence[Series]) -> dict[int, Newest]:
        """Return the newest market price of each prepared series."""
        rows = self._newest_rows([one.id for one in series])
        kept_out = self._kept_out([one.id for one in series])
        found = {}
        for one in series:
            row = rows.get(one.id)
            if row is None:
                found[one.id] = Newest()
            elif row[3] == 0 and row[4] >= 0:
                seen = last_believed(self._looks(one).moments, row[1], kept_out[one.id])
                found[one.id] = Newest(row[4], seen, listed=True)
            else:
                market = self.history(one).last_market()
                found[one.id] = Newest(*market) if market else Newest()
        return found

    def open_holds(self, series_id: int) -> list[Hold]:
        """Return the held quotes of a series that wait for a decision, oldest first."""
        if not self._kept_out([series_id])[series_id]:  # as of nearly every series
            return []
        return load_holds(self._connection, series_id=series_id, state=HoldState.HELD)

    def _kept_out(self, series_ids: Sequence[int]) -> dict[int, set[int]]:
        """Return the moments of each series whose quotes are not believed, asked for once."""
        missing = [one for one in series_ids if one not in self._known_kept_out]
        if missing:
            wanted, parameters = _listed(missing)
            self._known_kept_out |= {one: set() for one in missing}
            for series_id, moment in self._read(
                f"SELECT series_id, {self._dialect.epoch_of('observed_at')} FROM price_holds"  # noqa: S608 - numbered parameters
                f" WHERE series_id IN ({wanted}) AND {KEPT_OUT_SQL}",
                parameters,
            ):
                self._known_kept_out[series_id].add(moment)
        return self._known_kept_out

    def _newest_rows(self, series_ids: Sequence[int]) -> dict[int, tuple[Any, ...]]:
        """Return the newest row of each series, as `rows.columns_sql` lists it."""
        if not series_ids:
            return {}
        sql = _newest_sql(self._columns, self._months().names, len(series_ids))
        parameters = {f"s{place}": series_id for place, series_id in enumerate(series_ids)}
        found: dict[int, tuple[Any, ...]] = {}
        for row in self._read(sql, parameters):
            known = found.get(row[0])
            if known is None or row[1:3] > known[1:3]:
                found[row[0]] = row
        folded = self._months().folded_until
        for series_id in series_ids:
            newest = found.get(series_id)
            if newest is not None and newest[1] >= folded:
                continue
            sealed = self._newest_in_blocks(series_id)
            if sealed is not None and (newest is None or sealed[1:3] > newest[1:3]):
                found[series_id] = sealed
        return found

    def _newest_in_blocks(self, series_id: int) -> tuple[Any, ...] | None:
        blocks = self._read(
            "SELECT year, block FROM price_blocks WHERE series_id = :series"
            " ORDER BY year DESC LIMIT 1",
            {"series": series_id},
        )
        if not blocks:
            return None
        rows = decode_blocks([(series_id, blocks[0][0], bytes(blocks[0][1]))]).sorted_by_key()
        return (
            series_id,
            int(rows.observed_at[-1]),
            int(rows.revision[-1]),
            int(rows.state[-1]),
            *rows.values[-1].tolist(),
        )

    def _rows(self, series_id: int) -> HistoryRows:
        """Return every row of a series; what is being sealed may come twice."""
        blocks = self._read(
            "SELECT year, block FROM price_blocks WHERE series_id = :series ORDER BY year",
            {"series": series_id},
        )
        sealed = decode_blocks([(series_id, year, bytes(block)) for year, block in blocks])
        sql = _rows_sql(self._columns, self._months().names)
        # In the order of time, so that mostly nothing is left to sort.
        recent = rows_from_table(
            self._dialect.read_numbers(self._connection, sql, COLUMNS, {"series": series_id})
        )
        return HistoryRows.concatenate([part for part in (sealed, recent) if len(part)])

    def _looks(self, series: Series) -> Looks:
        bulk = self._bulk.get(series.scope_id or 0, _NO_LOOKS)
        own = self._items.get(series.vendor_product_id)
        return bulk if own is None else Looks(np.union1d(bulk.moments, own))

    def _months(self) -> RowTables:
        if self._known_months is None:
            rows = self._read("SELECT month, state FROM price_months ORDER BY month", {})
            self._known_months = tables_of_months(tuple(rows))
        return self._known_months

    def _read(self, sql: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
        return self._dialect.read_history(self._connection, sql, parameters)


# SQL that follows from the months alone is made once: it takes as long as the query itself.
@lru_cache(maxsize=8)
def _rows_sql(columns: str, tables: tuple[str, ...]) -> str:
    """Return SQL for every row of `:series`."""
    return " UNION ALL ".join(
        f"SELECT {columns} FROM {table} h WHERE h.series_id = :series"  # noqa: S608 - our own names
        for table in tables
    )


@lru_cache(maxsize=64)
def _newest_sql(columns: str, tables: tuple[str, ...], count: int) -> str:
    """Return SQL for the newest row of each of the series `:s0`, `:s1` ... in each table."""
    return " UNION ALL ".join(
        f"SELECT * FROM (SELECT {columns} FROM {table} h WHERE h.series_id = :s{place}"  # noqa: S608 - our own names
        " ORDER BY h.observed_at DESC, h.revision DESC LIMIT 1) n"
        for place in range(count)
        for table in tables
    )


def _listed(ids: Sequence[int]) -> tuple[str, dict[str, int]]:
    parameters = {f"i{place}": value for place, value in enumerate(ids)}
    return ", ".join(f":{name}" for name in parameters), parameters


def _looks_at(connection: Connection, dialect: DatabaseDialect, scope_id: int) -> IntArray:
    rows = dialect.read_history(
        connection,
        f"SELECT {dialect.epoch_of('observed_at')} FROM observations"  # noqa: S608 - our own names
        " WHERE scope_id = :scope AND complete ORDER BY observed_at",
        {"scope": scope_id},
    )
    return np.array([row[0] for row in rows], np.int64)
