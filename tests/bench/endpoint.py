"""The card history endpoint, 365 days with statistics, against a hello-world on the same server.

One worker. The ratio is of requests a second at 8 connections; the server's own CPU time a request
is printed too, which other work on the machine does not move (PostgreSQL's is not in it).
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tcgtracker.catalog.service import import_catalog
from tcgtracker.database.engine import Database
from tcgtracker.domain.clock import SystemClock
from tcgtracker.domain.quote import Facet
from tcgtracker.domain.source import Source
from tcgtracker.integrations.contract import PricePage
from tcgtracker.prices.seal import seal_price_history
from tcgtracker.quotes.card_quotes import rebuild
from tcgtracker.quotes.service import Intake
from tests.bench.support import emit, median_of, note, scratch_database

CARDS, DAYS = 2_000, 365
LIMITS = {
    "sqlite": {"uncached": 0.4, "cached": 0.9},
    "postgresql": {"uncached": 0.2, "cached": 0.9},
}
CONNECTIONS, SECONDS, ROUNDS = 8, 1.5, 5
_FIRST_PRODUCT = 500_001


class _Served(NamedTuple):
    port: int
    key: str
    pid: int


def run() -> None:
    """Print the ratios for both databases, cached and uncached."""
    for kind in ("sqlite", "postgresql"):
        with scratch_database(kind) as database:
            _fill(database)
            with _server(database) as served:
                _compare(served, kind)


def _compare(served: _Served, kind: str) -> None:
    numbers = iter(range(10**9))

    def uncached() -> str:
        # Windows that differ by days, in turn: more answers than the cache keeps, so none is kept.
        window, number = divmod(next(numbers), CARDS)
        days = DAYS + window % 20
        return f"/api/v1/prices/card/{1 + number * 7 % CARDS}?days={days}&shape=columns"

    def cached() -> str:
        return f"/api/v1/prices/card/{1 + next(numbers) % 50}?days=365&shape=columns"

    def hello() -> str:
        return "/api/v1/hello"

    for name, path in (("uncached", uncached), ("cached", cached)):
        rates, ratios, cpu, cpu_hello = [], [], [], []
        for _ in range(ROUNDS):
            base, base_cpu = _load(served, hello)
            rate, used = _load(served, path)
            rates.append(rate)
            ratios.append(rate / base)
            cpu.append(used)
            cpu_hello.append(base_cpu)
        limit = LIMITS[kind][name]
        emit(
            f"history_{name}_{kind}",
            median_of(rates),
            "requests/s",
            limit=limit,
            ratio=median_of(ratios),
        )
        emit(
            f"history_{name}_cpu_{kind}",
            median_of(cpu) * 1e6,
            "us of server CPU a request",
            limit=limit,
            ratio=median_of(cpu_hello) / median_of(cpu),
        )


def _fill(database: Database) -> None:
    """Make cards with a year of prices of which a share changes each day, and seal what is old."""
    start = time.perf_counter()
    rng = np.random.default_rng(3)
    with tempfile.TemporaryDirectory() as folder:
        products = Path(folder) / "products.ndjson"
        products.write_text(
            "".join(
                json.dumps(a_product(_FIRST_PRODUCT + number, number)) + "\n"
                for number in range(CARDS)
            )
        )
        import_catalog(database, database, [products], clock=SystemClock())
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    market = rng.integers(100, 50_000, CARDS)
    pages = []
    for day in range(DAYS):
        moved = rng.random(CARDS) < 0.5
        market = np.where(moved, np.maximum(market + rng.integers(-40, 41, CARDS), 20), market)
        values = np.column_stack([market, market - 10, market + 900, market + 30, market - 15])
        pages.append(
            PricePage(
                source=Source.TCGCSV,
                scope="3",
                observed_at=today - timedelta(days=DAYS - day) + timedelta(hours=20),
                external_id=np.arange(_FIRST_PRODUCT, _FIRST_PRODUCT + CARDS),
                facet=np.zeros(CARDS, np.int64),
                facets=(Facet(sub_key="Normal"),),
                values=values,
                parts=frozenset({"1"}),
            )
        )
    Intake(database, SystemClock()).collect(pages, input_name="bench", trust=True)
    from tcgtracker.catalog.links import link_new

    link_new(database, database, clock=SystemClock())
    rebuild(database, database)
    seal_price_history(database, now=datetime.now(UTC))
    if database.dialect.name == "postgresql":
        with database.engine(writes=True).connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(
                "VACUUM ANALYZE"
            )
    took = time.perf_counter() - start
    note(f"{database.dialect.name}: {CARDS} cards, {DAYS} days in {took:.0f} s")


def a_product(product_id: int, number: int) -> dict[str, object]:
    return {
        "productId": product_id,
        "name": f"Card {number}",
        "cleanName": f"Card {number}",
        "imageUrl": "",
        "categoryId": 3,
        "groupId": 1,
        "url": "",
        "extendedData": [
            {"name": "Number", "displayName": "Number", "value": f"{number:04d}/9999"}
        ],
    }


@contextmanager
def _server(database: Database) -> Iterator[_Served]:
    url = database.url.render_as_string(hide_password=False)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.endpoint_server"],
        env={**os.environ, "DB_URL": url, "APP_RATE_LIMIT": "0"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        port, key = process.stdout.readline().split()
        yield _Served(int(port), key, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def _load(served: _Served, path: object) -> tuple[float, float]:
    """Return requests a second, and the seconds of server CPU that one took."""
    before = _cpu_s(served.pid)
    start = time.perf_counter()
    count = asyncio.run(_requests(served, path))
    took = time.perf_counter() - start
    return count / took, (_cpu_s(served.pid) - before) / count


async def _requests(served: _Served, path: object) -> int:
    until = time.perf_counter() + SECONDS
    counts = await asyncio.gather(*(_connection(served, path, until) for _ in range(CONNECTIONS)))
    return sum(counts)


async def _connection(served: _Served, path: object, until: float) -> int:
    assert callable(path)
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    count = 0
    while time.perf_counter() < until:
        request = f"GET {path()} HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n"
        writer.write(f"{request}X-API-Key: {served.key}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise ValueError(head.decode("latin-1"))
        at = head.lower().index(b"content-length:") + 15
        await reader.readexactly(int(head[at : head.index(b"\r", at)]))
        count += 1
    writer.close()
    return count


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
