"""Reads of a few series in few queries: what a page about one card asks for.

The same answers as `store` and `rows`, without temporary tables and with the looks at a scope kept
between reads. Connections are of the history database.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection

from tcgtracker.database.dialects.base import DatabaseDialect, HistoryRows, IntArray
from tcgtracker.database.tables.prices import MonthState, month_name
from tcgtracker.domain.quote import Facet, HoldState
from tcgtracker.domain.source import REFRESH_INTERVAL, Source
from tcgtracker.domain.variant import PriceKind
from tcgtracker.prices.codec import decode_block
from tcgtracker.prices.holds import Hold, load_holds
from tcgtracker.prices.instants import unpack
from tcgtracker.prices.months import LATE_TABLE
from tcgtracker.prices.products import Series
from tcgtracker.prices.reading import SeriesHistory
from tcgtracker.prices.rows import columns_sql, rows_from_tuples, unique_keys

_NO_LOOKS = np.empty(0, np.int64)


class ScopeLooks:
    """The complete looks at bulk scopes, kept per version of the scope. For many threads."""

    def __init__(self, capacity: int = 512) -> None:
        self._capacity = capacity
        self._kept: OrderedDict[int, tuple[int, IntArray]] = OrderedDict()
        self._lock = threading.Lock()

    def of(
        self, connection: Connection, dialect: DatabaseDialect, scope_ids: Sequence[int]
    ) -> dict[int, IntArray]:
        """Return the sorted moments (epoch seconds) of the looks at each scope."""
        if not scope_ids:
            return {}
        wanted, parameters = _listed(scope_ids)
        versions = dialect.read_history(
            connection,
            f"SELECT scope_id, version FROM scope_states WHERE scope_id IN ({wanted})",  # noqa: S608 - numbered parameters
            parameters,
        )
        found = {}
        for scope_id, version in versions:
            with self._lock:
                kept = self._kept.get(scope_id)
            if kept is None or kept[0] != version:
                kept = version, _looks_at(connection, dialect, scope_id)
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
        self._scope_looks = looks or ScopeLooks()
        self._months: list[tuple[int, MonthState]] | None = None
        self._bulk: dict[int, IntArray] = {}
        self._items: dict[int, IntArray] = {}

    def series_of_products(self, product_ids: Sequence[int]) -> list[Series]:
        """Return the series of vendor products by id, with the looks at them at hand."""
        if not product_ids:
            return []
        wanted, parameters = _listed(product_ids)
        rows = self._read(
            "SELECT s.id, s.vendor_product_id, p.source, p.external_id, p.sub_key, s.kind,"  # noqa: S608 - numbered parameters
            " s.variant, s.language, s.currency, p.scope_id, p.name FROM price_series s"
            " JOIN vendor_products p ON p.id = s.vendor_product_id"
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
        self.prepare(series)
        return series

    def prepare(self, series: Sequence[Series]) -> None:
        """Fetch the looks at some series at once."""
        scopes = sorted({one.scope_id for one in series if one.scope_id is not None})
        self._bulk |= self._scope_looks.of(self._connection, self._dialect, scopes)
        products = sorted({one.vendor_product_id for one in series})
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
        )

    def newest(self, series: Sequence[Series]) -> dict[int, Newest]:
        """Return the newest market price of each prepared series."""
        rows = self._newest_rows([one.id for one in series])
        found = {}
        for one in series:
            row = rows.get(one.id)
            if row is None:
                found[one.id] = Newest()
            elif row[3] == 0 and row[4] >= 0:
                looks = self._looks(one)
                last = max(row[1], int(looks[-1]) if len(looks) else row[1])
                found[one.id] = Newest(row[4], last, listed=True)
            else:
                market = self.history(one).last_market()
                found[one.id] = Newest(*market) if market else Newest()
        return found

    def open_holds(self, series_id: int) -> list[Hold]:
        """Return the held quotes of a series that wait for a decision, oldest first."""
        known = self._read(
            "SELECT 1 FROM price_holds WHERE state = 'held' AND series_id = :series LIMIT 1",
            {"series": series_id},
        )
        if not known:  # as for nearly every series, and much quicker than reading none
            return []
        return load_holds(self._connection, series_id=series_id, state=HoldState.HELD)

    def _newest_rows(self, series_ids: Sequence[int]) -> dict[int, tuple[Any, ...]]:
        """Return the newest row of each series, as `rows.columns_sql` lists it."""
        if not series_ids:
            return {}
        columns = columns_sql(self._dialect)
        parts, parameters = [], {}
        for place, series_id in enumerate(series_ids):
            parameters[f"s{place}"] = series_id
            parts += [
                f"SELECT * FROM (SELECT {columns} FROM {table} h WHERE h.series_id = :s{place}"  # noqa: S608 - our own names
                " ORDER BY h.observed_at DESC, h.revision DESC LIMIT 1) n"
                for table in self._tables()
            ]
        found: dict[int, tuple[Any, ...]] = {}
        for row in self._read(" UNION ALL ".join(parts), parameters):
            known = found.get(row[0])
            if known is None or row[1:3] > known[1:3]:
                found[row[0]] = row
        folded = self._folded_until()
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
        rows = decode_block(bytes(blocks[0][1]), series_id, blocks[0][0]).sorted_by_key()
        return (
            series_id,
            int(rows.observed_at[-1]),
            int(rows.revision[-1]),
            int(rows.state[-1]),
            *rows.values[-1].tolist(),
        )

    def _rows(self, series_id: int) -> HistoryRows:
        columns = columns_sql(self._dialect)
        union = " UNION ALL ".join(
            f"SELECT {columns} FROM {table} h WHERE h.series_id = :series"  # noqa: S608 - our own names
            for table in self._tables()
        )
        # In the order of time, so that mostly nothing is left to sort.
        parts = [
            decode_block(bytes(block), series_id, year)
            for year, block in self._read(
                "SELECT year, block FROM price_blocks WHERE series_id = :series ORDER BY year",
                {"series": series_id},
            )
        ]
        parts.append(rows_from_tuples(self._read(f"{union} ORDER BY 2", {"series": series_id})))
        return unique_keys(HistoryRows.concatenate(parts))

    def _looks(self, series: Series) -> IntArray:
        bulk = self._bulk.get(series.scope_id or 0, _NO_LOOKS)
        own = self._items.get(series.vendor_product_id)
        return bulk if own is None else np.union1d(bulk, own)

    def _load_months(self) -> list[tuple[int, MonthState]]:
        if self._months is None:
            rows = self._read("SELECT month, state FROM price_months ORDER BY month DESC", {})
            self._months = [(month, MonthState(state)) for month, state in rows]
        return self._months

    def _tables(self) -> list[str]:
        return [
            *(month_name(m) for m, state in self._load_months() if state is not MonthState.SEALED),
            LATE_TABLE,
        ]

    def _folded_until(self) -> int:
        """Return the end of the newest month that may lie in blocks (epoch seconds)."""
        newest = max(
            (m for m, state in self._load_months() if state is not MonthState.OPEN), default=0
        )
        if not newest:
            return 0
        months = newest // 100 * 12 + newest % 100 - 1970 * 12
        return int(np.datetime64(months, "M").astype("datetime64[s]").astype(np.int64))

    def _read(self, sql: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
        return self._dialect.read_history(self._connection, sql, parameters)


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
