"""What holds after every fault (I1, I2, I3, I5, I7, I10), read from database and sandbox."""

import base64
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus

from sqlalchemy import Connection, inspect, select, text

from tcgtracker.database.tables.sources import vendor_quota
from tcgtracker.domain.clock import from_epoch
from tcgtracker.domain.quote import RowState
from tcgtracker.sandbox.justtcg_meter import PLANS
from tcgtracker.sandbox.served import ServedPrice
from tcgtracker.tracker import Tracker
from tests.integration.sandboxed import options_of, tokens_of
from tests.integration.vendor_faults.stack import ASKED, CANARIES, Stack

# vendors/pricecharting.md: what the price keys mean for trading cards.
_GRADES = {
    "raw": "loose-price",
    "any-1": "condition-9-price",
    "any-2": "condition-10-price",
    "any-3": "condition-13-price",
    "any-4": "condition-14-price",
    "any-5": "condition-15-price",
    "any-6": "condition-16-price",
    "any-7": "cib-price",
    "any-8": "new-price",
    "any-9": "graded-price",
    "any-9.5": "box-only-price",
    "psa-10": "manual-only-price",
    "bgs-10": "bgs-10-price",
    "cgc-10": "condition-17-price",
    "sgc-10": "condition-18-price",
    "cgc-10-pristine": "condition-19-price",
    "bgs-10-black": "condition-20-price",
    "tag-10": "condition-21-price",
    "ace-10": "condition-22-price",
}
_BOXED = ("cib-price", "loose-price", "new-price", None, None)
_FIVE = ("marketPrice", "lowPrice", "highPrice", "midPrice", "directLowPrice")
_CONDITIONS = {
    "Near Mint": "nm",
    "Lightly Played": "lp",
    "Moderately Played": "mp",
    "Heavily Played": "hp",
    "Damaged": "dmg",
    "Sealed": "sealed",
}
_MOST = 2**31 - 1

Figures = Mapping[str, int]
"""The cents of one product in one answer, by the vendor's name of the figure."""


class Point(NamedTuple):
    """One row of the history; moments are aware UTC, prices minor units."""

    source: str
    product: str
    sub_key: str
    kind: str
    variant: str
    currency: str
    series: int
    at: datetime
    revision: int
    state: int
    values: tuple[int | None, ...]


@dataclass(frozen=True)
class Before:
    """What was acknowledged before the fault, and how the counters stood."""

    points: frozenset[Point]


def snapshot(tracker: Tracker) -> Before:
    with tracker.history.read() as connection:
        return Before(frozenset(points(connection)))


def check(stack: Stack, before: Before, said: Iterable[str]) -> None:
    """Check all invariants; `said`: what the process printed and logged."""
    with stack.tracker.history.read() as connection:
        found = list(points(connection))
        held = list(_held(connection))
        names = _natural_keys(connection)
    served = stack.seed.served.joined(Served(stack.sandbox.served()))
    check_kept(stack, before, found)
    check_unique(found, names)
    check_traceable([*found, *held], served)
    check_shown(stack, found)
    check_quota(stack)
    check_secrets(stack, said)
    check_settled(stack)


def check_kept(stack: Stack, before: Before, found: Sequence[Point]) -> None:
    """I1: what was there, and what an outcome says is stored, is there."""
    lost = lost_of(before.points, found)
    assert not lost, f"I1: {len(lost)} acknowledged points are gone: {lost[:3]}"
    by_series = defaultdict(list)
    for point in found:
        by_series[point.series].append(point)
    for outcome in stack.outcomes:
        price = outcome.price
        if price is None:
            continue
        there = any(
            point.values[0] == price.market_price and point.at <= (price.observed_at or point.at)
            for point in by_series[price.series_id]
        )
        assert there, f"I1: an outcome states a price that the history does not have: {outcome}"


def lost_of(before: Iterable[Point], found: Sequence[Point]) -> list[Point]:
    """Return the points whose series does not say the same any more at their moment.

    A row that repeats the one before it may go, when that one came later: only changes are kept.
    """
    by_series = defaultdict(list)
    for point in found:
        by_series[point.series].append(point)
    lost = []
    for point in set(before) - set(found):
        earlier = [one for one in by_series[point.series] if one.at <= point.at]
        there = max(earlier, key=lambda one: (one.at, one.revision), default=None)
        if there is None or (there.state, there.values) != (point.state, point.values):
            lost.append(point)
    return sorted(lost)


def check_unique(found: Sequence[Point], names: Counter[tuple[object, ...]]) -> None:
    """I2: no natural key twice, across all tables that hold a part of the history."""
    keys = Counter((point.series, point.at, point.revision) for point in found)
    twice = [key for key, count in (*keys.items(), *names.items()) if count > 1]
    assert not twice, f"I2: twice: {twice[:3]}"


class Served:
    """Which figures left the sandbox: by vendor, product and series, one entry an answer."""

    def __init__(self, prices: Iterable[ServedPrice]) -> None:
        answers: dict[tuple[str, str, str, int], dict[str, int]] = defaultdict(dict)
        self._answers: dict[tuple[str, str, str], list[tuple[datetime, Figures]]] = defaultdict(
            list
        )
        moments: dict[int, datetime] = {}
        for price in prices:
            sub_key, figure = _series_of(price)
            cents = _cents(price)
            if cents is None:
                continue
            moments[price.call] = price.at
            for product in price.products:
                place = (price.vendor, product, sub_key, price.call)
                # a product twice in one answer: every figure counts as served
                name = figure
                while answers[place].get(name, cents) != cents:
                    name += "'"
                answers[place][name] = cents
        for (vendor, product, sub_key, call), figures in answers.items():
            self._answers[vendor, product, sub_key].append((moments[call], figures))

    def joined(self, later: "Served") -> "Served":
        """Return what either left."""
        both = Served(())
        both._answers = defaultdict(list, self._answers)
        for key, answers in later._answers.items():
            both._answers[key] = [*self._answers.get(key, ()), *answers]
        return both

    def has(self, point: Point) -> bool:
        """Tell whether one answer, not older than the point, states all its prices."""
        figures = _figures_of(point)
        return any(
            at >= point.at
            and all(
                value is None or (name is not None and _states(stated, name, value))
                for name, value in zip(figures, point.values, strict=True)
            )
            for at, stated in self._answers.get((point.source, point.product, point.sub_key), ())
        )


def check_traceable(found: Iterable[Point], served: Served) -> None:
    """I3: every stored price was served: this vendor, product, figure and value."""
    for point in found:
        if point.state != RowState.PRICED:
            assert set(point.values) == {None}, f"I3: a price where there is none: {point}"
            continue
        for value in point.values:
            assert value is None or 0 < value <= _MOST, f"I3: impossible: {point}"
        if set(point.values) == {None}:
            continue  # listed without a price
        assert point.currency == "USD", f"I3: no vendor of stored prices states this: {point}"
        assert served.has(point), f"I3: never served: {point}"


def check_shown(stack: Stack, found: Sequence[Point]) -> None:
    """I3 of readers: a card shows a stored price of a product with a trusted link to it."""
    priced = {(point.series, point.values[0]) for point in found if point.state == RowState.PRICED}
    rows = stack.sql(
        "SELECT q.card_id, q.series_id, q.market_price, l.card_id AS linked, l.state"
        " FROM card_quotes q JOIN price_series s ON s.id = q.series_id"
        " LEFT JOIN product_links l ON l.vendor_product_id = s.vendor_product_id"
    )
    assert rows, "no card shows anything"
    for row in rows:
        assert row.linked == row.card_id, f"I3: a card shows another card's product: {row}"
        assert row.state in ("derived", "confirmed"), f"I3: shown without trust: {row}"
        shown = row.market_price is None or (row.series_id, row.market_price) in priced
        assert shown, f"I3: shown but not stored: {row}"


def check_quota(stack: Stack) -> None:
    """I5: calls as the sandbox counts them stay within the plan, and within our own count."""
    plan = PLANS[str(options_of(stack.sandbox, "justtcg")["plan"])]
    days: Counter[tuple[str, str]] = Counter()
    for call in stack.calls():
        days[call.vendor, call.at.date().isoformat()] += 1
    for (vendor, day), count in days.items():
        if vendor == "justtcg":
            assert count <= plan.day, f"I5: {count} calls on {day}"
    assert sum(count for (vendor, _), count in days.items() if vendor == "justtcg") <= plan.month
    with stack.tracker.database.read() as connection:
        rows = connection.execute(select(vendor_quota).where(vendor_quota.c.period == "day")).all()
    for row in rows:
        made = days[row.service, row.starts_at.date().isoformat()]
        assert row.used >= made, f"I5: {row.service}: we count {row.used}, the sandbox {made}"


def check_secrets(stack: Stack, said: Iterable[str]) -> None:
    """I7: no key and no token in output, logs, errors or rows."""
    forms = _secret_forms(stack)
    texts = {f"output {n}": one for n, one in enumerate(said)}
    texts |= {f"error {n}": one for n, one in enumerate(stack.errors)}
    texts |= {f"outcome {n}": repr(one) for n, one in enumerate(stack.outcomes)}
    with stack.tracker.database.read() as connection:
        for table in inspect(connection).get_table_names():
            texts[f"table {table}"] = _dump(connection, table)
    for where, one in texts.items():
        assert not any(form in one for form in forms), f"I7: a secret in {where}"


def check_settled(stack: Stack) -> None:
    """I10: nothing is left running, leased, or half open."""
    now = stack.clock.now()
    running = stack.sql("SELECT name, state FROM jobs WHERE state = 'running'")
    assert not running, f"I10: jobs: {running}"
    leased = stack.sql("SELECT name, state FROM jobs WHERE lease_owner <> ''")
    assert not leased, f"I10: leases: {leased}"
    runs = stack.sql("SELECT id, source FROM collect_runs WHERE state = 'running'")
    assert not runs, f"I10: runs: {runs}"
    for row in stack.sql("SELECT service, probe_until FROM source_state"):
        assert row.probe_until is None, f"I10: a probe that never ended: {row} at {now}"


def points(connection: Connection) -> Iterator[Point]:
    """Yield every row of the history, wherever it lies."""
    tables = inspect(connection).get_table_names()
    wanted = ["price_history"] if "price_history" in tables else []
    wanted += [name for name in tables if not wanted and name.startswith("price_history_")]
    assert not connection.execute(text("SELECT 1 FROM price_blocks LIMIT 1")).first()
    for table in (*wanted, "price_late"):
        rows = connection.execute(text(f"{_COLUMNS}, h.revision, h.state FROM {table} h {_JOINS}"))
        yield from map(_point, rows)


def _held(connection: Connection) -> Iterator[Point]:
    rows = connection.execute(
        text(f"{_COLUMNS}, 0 AS revision, 0 AS state FROM price_holds h {_JOINS}")
    )
    yield from map(_point, rows)


_COLUMNS = (
    "SELECT p.source, p.external_id, p.sub_key, s.kind, s.variant, s.currency, h.series_id,"
    " h.observed_at, h.market_price, h.price_low, h.price_high, h.price_avg, h.direct_low"
)
_JOINS = (
    "JOIN price_series s ON s.id = h.series_id JOIN vendor_products p ON p.id = s.vendor_product_id"
)


def _point(row: Any) -> Point:
    at = row.observed_at
    return Point(
        row.source,
        row.external_id,
        row.sub_key,
        row.kind,
        row.variant,
        row.currency,
        row.series_id,
        from_epoch(at) if isinstance(at, int) else at,
        row.revision,
        row.state,
        (row.market_price, row.price_low, row.price_high, row.price_avg, row.direct_low),
    )


def _natural_keys(connection: Connection) -> Counter[tuple[object, ...]]:
    found: Counter[tuple[object, ...]] = Counter()
    for statement in (
        "SELECT 'product', source, external_id, sub_key FROM vendor_products",
        "SELECT 'series', vendor_product_id, kind, variant, language, currency FROM price_series",
        "SELECT 'hold', series_id, observed_at FROM price_holds",
        "SELECT 'link', vendor_product_id FROM product_links",
    ):
        found.update(tuple(row) for row in connection.execute(text(statement)))
    return found


def _series_of(price: ServedPrice) -> tuple[str, str]:
    """Return the series under its product, and the figure, as the vendor names them."""
    *parts, figure = price.facet
    if price.vendor == "justtcg":
        condition, printing, language = (*parts, "Unknown", "Unknown")[:3]
        return f"{printing} / {condition} / {language}", figure
    if price.vendor in ("tcgcsv", "tcgplayer"):
        return "".join(parts), figure
    return "", figure


def _figures_of(point: Point) -> tuple[str | None, ...]:
    if point.source in ("tcgcsv", "tcgplayer"):
        return _FIVE
    if point.source == "justtcg":
        condition = point.sub_key.split(" / ")[1]
        assert _CONDITIONS[condition] == point.variant, point
        return ("price", None, None, None, None)
    if point.kind == "boxed":
        return _BOXED
    return (_GRADES[point.variant], None, None, None, None)


def _states(stated: Figures, name: str, value: int) -> bool:
    while name in stated:
        if stated[name] == value:
            return True
        name += "'"
    return False


def _cents(price: ServedPrice) -> int | None:
    value = price.value
    try:
        if price.vendor == "pricecharting" and not set(value) & set("$.,"):  # not of the file
            return int(value)
        dollars = Decimal(value.replace("$", "").replace(",", ""))
        if not dollars.is_finite() or abs(dollars) > _MOST:
            return None
        return int((dollars * 100).quantize(Decimal(1), ROUND_HALF_EVEN))
    except (ValueError, InvalidOperation):
        return None


def _secret_forms(stack: Stack) -> set[str]:
    secrets = {value for keys in CANARIES.values() for value in keys.values()}
    secrets |= {
        str(value)
        for vendor, names in CANARIES.items()
        for name, value in options_of(stack.sandbox, vendor).items()
        if name in names
    }
    options = options_of(stack.sandbox, "ebay")
    secrets.add(
        base64.b64encode(f"{options['client_id']}:{options['client_secret']}".encode()).decode()
    )
    for vendor in ("tcgplayer", "ebay"):
        secrets |= tokens_of(stack.sandbox, vendor)
    forms = {form for one in secrets for form in (one, quote(one), quote(one, ""), quote_plus(one))}
    assert all(len(form) > len(min(ASKED, key=len)) for form in forms)
    return forms


def _dump(connection: Connection, table: str) -> str:
    rows = connection.execute(text(f'SELECT * FROM "{table}"'))  # noqa: S608 - a table's own name
    return "\n".join(
        bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)
        for row in rows
        for value in row
        if not isinstance(value, int | float | None)
    )
