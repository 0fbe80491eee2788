"""The pages with 100,000 cards on SQLite: bytes that a first visit sends, time, memory at rest.

Bytes are bodies as they are sent, compressed, with every file and every series that the page asks
for. Times are of one visitor, page after page, from request to last byte on loopback; the server's
CPU time for a page is printed too, which other work on the machine does not move. Measured once the
jobs of a first start have ended.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from random import Random

import httpx2
import numpy as np
from sqlalchemy import insert, select

from tcgtracker.catalog.links import link_new
from tcgtracker.catalog.service import import_catalog
from tcgtracker.database.engine import Database
from tcgtracker.database.tables.catalog import card_products, printings, product_links
from tcgtracker.database.tables.operations import jobs
from tcgtracker.database.tables.prices import vendor_products
from tcgtracker.domain.catalog import LinkState
from tcgtracker.domain.clock import SystemClock
from tcgtracker.domain.quote import Facet
from tcgtracker.domain.source import Source
from tcgtracker.domain.variant import PriceKind
from tcgtracker.integrations.contract import NO_PRICE, PricePage
from tcgtracker.operations.rows import IS_OPEN
from tcgtracker.prices.seal import seal_price_history
from tcgtracker.quotes.card_quotes import rebuild
from tcgtracker.quotes.following import follow
from tcgtracker.quotes.service import Intake
from tests.bench.support import emit, note, scratch_database

CARDS, SETS, GRADED = 100_000, 400, 1_000
DAYS, SAMPLES, WARM = 45, 120, 10
MAX_BYTES = 300_000
MAX_P95_MS = 50.0
MAX_MEMORY = 250.0
_GRADES = ("any-4", "any-7", "any-8", "any-9", "any-9.5", "psa-10", "bgs-10", "cgc-10", "sgc-10")
_FIRST_PRODUCT, _FIRST_GROUP = 500_001, 7_001
_CPU_CLOCK = 2  # of Linux: a process's clock is the complement of its id, and which of its clocks
_ASSET = re.compile(r'(?:src|href)="(/static/[^"]+)"')
_DRAWN = re.compile(r'data-src="([^"]+)"[^>]*data-on')
_NAMES = ("Alakazam", "Blastoise", "Charizard", "Dragonite", "Eevee", "Gengar", "Lugia", "Mewtwo")


def run() -> None:
    """Print weight and times of each page, and the memory of the server."""
    with scratch_database("sqlite") as database:
        _fill(database)
        with _served(database) as (address, cookie, process):
            _wait_for_jobs(database)
            _memory("serve_memory_after_jobs", process)
            with httpx2.Client(
                base_url=address, headers={"Cookie": cookie, "Accept-Encoding": "gzip"}, timeout=60
            ) as client:
                for name, paths in _pages(Random(5)).items():
                    _time(client, name, paths, process.pid)
                    _weigh(client, name, paths[0])
            time.sleep(3)
            _memory("serve_memory_after_use", process)


def _pages(random: Random) -> dict[str, list[str]]:
    """Return addresses of each page: of the cards some with a ladder of grades."""
    cards = random.sample(range(1, GRADED), SAMPLES // 2)
    cards += random.sample(range(GRADED, CARDS), SAMPLES // 2)
    sets = random.choices(range(1, SETS + 1), k=SAMPLES)
    words = [f"{random.choice(_NAMES)} {random.randrange(1, 251)}" for _ in range(SAMPLES)]
    typos = [f"{word[0]}{word[2:]}" for word in words]
    return {
        "card": [f"/cards/{card}" for card in cards],
        "card_year": [f"/cards/{card}?days=365" for card in cards],
        "compare": [f"/cards/{card}/compare" for card in cards],
        "dashboard": ["/"] * SAMPLES,
        "search": [f"/search?q={word}" for word in words],
        "search_typo": [f"/search?q={word}" for word in typos],
        "suggestions": [f"/search/suggestions?q={word[:6]}" for word in words],
        "games": ["/games"] * SAMPLES,
        "game": ["/games/pokemon"] * SAMPLES,
        "set": [f"/sets/{one}" for one in sets],
        "jobs": ["/jobs"] * SAMPLES,
        "sources": ["/sources"] * SAMPLES,
        "settings": ["/settings"] * SAMPLES,
    }


def _time(client: httpx2.Client, name: str, paths: list[str], pid: int) -> None:
    for path in paths[:WARM]:
        client.get(path).raise_for_status()
    took, used = [], []
    for path in paths:
        start, before = time.perf_counter(), _cpu_ns(pid)
        client.get(path).raise_for_status()
        took.append((time.perf_counter() - start) * 1e3)
        used.append((_cpu_ns(pid) - before) / 1e6)
    for what, values in (("", sorted(took)), ("_cpu", sorted(used))):
        p95 = values[len(values) * 95 // 100]
        emit(f"page_{name}{what}_p50", values[len(values) // 2], "ms")
        emit(f"page_{name}{what}_p95", p95, "ms", limit=MAX_P95_MS, ratio=p95 / MAX_P95_MS)


def _cpu_ns(pid: int) -> int:
    """Return the CPU time of a process so far, also of threads that have ended."""
    return time.clock_gettime_ns(((~pid) << 3) | _CPU_CLOCK)


def _wait_for_jobs(database: Database) -> None:
    start = time.perf_counter()
    while True:
        time.sleep(3)  # the first look of the scheduler comes at once
        with database.read() as connection:
            due = IS_OPEN & (jobs.c.run_at <= SystemClock().now())
            if connection.execute(select(jobs.c.id).where(due).limit(1)).first() is None:
                break
    note(f"the jobs of the start ended after {time.perf_counter() - start:.0f} s")


def _weigh(client: httpx2.Client, name: str, path: str) -> None:
    """Sum up what a browser without a cache gets for a page."""
    sent, html = _body(client, path)
    text = html.decode()
    assets = sorted({unescape(one) for one in _ASSET.findall(text)})
    days = re.search(r'<price-chart days="(\d+)"', text)
    series = [
        f"{unescape(one)}&days={days[1]}&shape=columns" if days else unescape(one)
        for one in _DRAWN.findall(text)
    ]
    whole = sent + sum(_body(client, one)[0] for one in (*assets, *series))
    emit(f"page_{name}_bytes", whole, f"bytes in {1 + len(assets) + len(series)} answers",
         limit=MAX_BYTES, ratio=whole / MAX_BYTES)  # fmt: skip
    emit(f"page_{name}_html_bytes", sent, "bytes")


def _body(client: httpx2.Client, path: str) -> tuple[int, bytes]:
    """Return the bytes of a body as sent, and the body itself."""
    with client.stream("GET", path) as answer:
        answer.raise_for_status()
        body = b"".join(answer.iter_bytes())
        return answer.num_bytes_downloaded, body


def _memory(name: str, process: "subprocess.Popen[str]") -> None:
    status = Path(f"/proc/{process.pid}/status").read_text()
    resident = int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024
    emit(name, resident, "MiB resident", limit=MAX_MEMORY, ratio=resident / MAX_MEMORY)


def _fill(database: Database) -> None:
    """Make cards with weeks of daily prices, some with grades of a second source."""
    start, clock = time.perf_counter(), SystemClock()
    with tempfile.TemporaryDirectory() as folder:
        groups, products = Path(folder) / "groups.json", Path(folder) / "products.ndjson"
        groups.write_text(
            json.dumps({"success": True, "errors": [], "results": [*map(_group, range(SETS))]})
        )
        products.write_text("".join(json.dumps(_product(one)) + "\n" for one in range(CARDS)))
        import_catalog(database, database, [groups, products], clock=clock)
    note(f"{CARDS} cards of {SETS} sets in {time.perf_counter() - start:.0f} s")
    intake = Intake(database, clock)
    intake.collect(_days(Source.TCGCSV, CARDS, ("raw",)), input_name="bench", trust=True)
    intake.collect(
        _days(Source.PRICECHARTING, GRADED, ("raw", *_GRADES)), input_name="bench", trust=True
    )
    link_new(database, database, clock=clock)
    _tie_grades(database, clock.now())
    rebuild(database, database)
    follow(database, database, clock=clock)  # as after any import: no change is left to a job
    seal_price_history(database, now=clock.now())
    note(f"{DAYS} days of prices in {time.perf_counter() - start:.0f} s")


def _days(source: Source, count: int, variants: tuple[str, ...]) -> Iterator[PricePage]:
    """Yield a page a day on which a third of the prices has moved."""
    rng = np.random.default_rng(len(variants))
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = count * len(variants)
    own = source is Source.PRICECHARTING
    facets = tuple(
        Facet(kind=PriceKind.GUIDE, variant=one) if own else Facet(sub_key="Normal")
        for one in variants
    )
    market = rng.integers(100, 50_000, rows)
    for back in range(DAYS, 0, -1):
        moved = rng.random(rows) < 0.3
        market = np.where(moved, np.maximum(market + rng.integers(-40, 41, rows), 20), market)
        empty = np.full(rows, NO_PRICE)
        others = [empty] * 4 if own else [market - 10, market + 900, market + 30, empty]
        yield PricePage(
            source=source,
            scope="pokemon" if own else "3",
            observed_at=today - timedelta(days=back) + timedelta(hours=0 if own else 20),
            external_id=np.repeat(np.arange(_FIRST_PRODUCT, _FIRST_PRODUCT + count), len(variants)),
            facet=np.tile(np.arange(len(variants)), count),
            facets=facets,
            values=np.column_stack([market, *others]),
            parts=frozenset({"1"}),
        )


def _tie_grades(database: Database, now: datetime) -> None:
    """Tie the second source's products to the cards of the same number."""
    with database.write() as connection:
        cards = dict(
            connection.execute(
                select(card_products.c.external_id, card_products.c.card_id).where(
                    card_products.c.source == Source.TCGCSV
                )
            )
            .tuples()
            .all()
        )
        normal = dict(
            connection.execute(select(printings.c.card_id, printings.c.id)).tuples().all()
        )
        products = connection.execute(
            select(vendor_products.c.id, vendor_products.c.external_id).where(
                vendor_products.c.source == Source.PRICECHARTING
            )
        ).tuples()
        connection.execute(
            insert(product_links),
            [
                {
                    "vendor_product_id": product,
                    "source": Source.PRICECHARTING,
                    "card_id": cards[external_id],
                    "printing_id": normal[cards[external_id]],
                    "state": LinkState.CONFIRMED,
                    "score": 1.0,
                    "evidence": "made for the bench",
                    "rule_version": "bench",
                    "checked_at": now,
                    "decided_by": "bench",
                }
                for product, external_id in products
            ],
        )


def _group(number: int) -> dict[str, object]:
    return {
        "groupId": _FIRST_GROUP + number,
        "categoryId": 3,
        "name": f"Set {number + 1}",
        "publishedOn": f"{2000 + number % 25}-03-01T00:00:00",
    }


def _product(number: int) -> dict[str, object]:
    group, place = divmod(number, CARDS // SETS)
    name = _NAMES[number % len(_NAMES)]
    said = {"Number": f"{place + 1:03}/{CARDS // SETS:03}", "Rarity": "Rare"}
    return {
        "productId": _FIRST_PRODUCT + number,
        "name": name,
        "cleanName": name,
        "imageUrl": "",
        "categoryId": 3,
        "groupId": _FIRST_GROUP + group,
        "url": "",
        "extendedData": [
            {"name": key, "displayName": key, "value": value} for key, value in said.items()
        ],
    }


@contextmanager
def _served(database: Database) -> Iterator[tuple[str, str, "subprocess.Popen[str]"]]:
    """Serve the database; give the address, an admin's cookie and the process."""
    environment = {
        **os.environ,
        "DB_URL": database.url.render_as_string(hide_password=False),
        "APP_RATE_LIMIT": "0",
        "APP_RATE_LIMIT_ADDRESS": "0",
        "APP_LOG_LEVEL": "ERROR",
        "APP_PORT": "0",
    }
    command = [sys.executable, "-m", "tcgtracker"]
    subprocess.run(
        [*command, "user", "add", "admin", "--password-stdin"],
        input="correct horse battery",
        env=environment,
        text=True,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    link = subprocess.run(
        [*command, "user", "link", "admin"],
        env=environment,
        text=True,
        check=True,
        stdout=subprocess.PIPE,
    ).stdout.strip()
    process = subprocess.Popen(
        [*command, "serve"], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        address = process.stdout.readline().split()[2]
        answer = httpx2.get(address + link[link.index("/sign-in") :], timeout=60)
        kept = "; ".join(f"{name}={value}" for name, value in answer.cookies.items())
        yield address, kept, process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
