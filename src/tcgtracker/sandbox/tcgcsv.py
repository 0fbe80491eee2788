"""TCGCSV: TCGplayer's catalog and prices as files that are rebuilt once a day.

After vendors/tcgcsv.md section 8. What it does not know or does not like answers 403, never 404.
"""

import re
from collections import Counter, deque
from datetime import datetime, time, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import blake2b
from typing import ClassVar

from tcgtracker.sandbox.answers import json_answer, text_answer, whole_number
from tcgtracker.sandbox.chance import key_of, share
from tcgtracker.sandbox.tcgcsv_tables import joined_table, table
from tcgtracker.sandbox.tcgplayer_rows import (
    CATEGORIES,
    category_row,
    group_rows,
    price_rows,
    product_row,
)
from tcgtracker.sandbox.tunable import Tunable
from tcgtracker.sandbox.wire import Request, Response
from tcgtracker.sandbox.world import World, WorldSet

_NAMED_AGENT = re.compile(r"(?P<product>[A-Za-z][\w .-]*)/\d+(\.\d+)*")
_GENERIC = re.compile(
    r"(?i)(mozilla|curl|wget|python|httpx|aiohttp|urllib|java|go-http|okhttp|axios|node)"
)
_CSV = "text/csv"
_DENIED = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
)
_BLOCKED = "<html><head><title>403 Forbidden</title></head><body><h1>403</h1></body></html>"
_PATH = re.compile(
    r"/tcgplayer/(?:(?P<all>categories|Categories\.csv)"
    r"|(?P<category>\d{1,9})/(?:(?P<groups>groups|Groups\.csv)"
    r"|(?P<group>\d{1,9})/(?P<file>products|prices|ProductsAndPrices\.csv)))"
)


class TcgcsvSandbox(Tunable):
    """The file server. Options are attributes.

    pacing: whether more than `max_per_second` requests in a second of the day clock close the
    server for `throttle_s` seconds with `throttle_status`; with a clock that stands, every request
    falls into one second. served counts answers by kind of file, `refused` by reason.
    """

    OPTIONS: ClassVar = ("pacing", "max_per_second", "throttle_s", "throttle_status")

    def __init__(self, world: World) -> None:
        self.name = "tcgcsv"
        self.world = world
        self.pacing = True
        self.max_per_second = 10
        self.throttle_s = 600
        self.throttle_status = 429
        self.reset()

    def reset(self) -> None:
        """Forget what was counted, and any throttle."""
        self.served: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self._recent: deque[datetime] = deque()
        self._closed_until: datetime | None = None

    def handle(self, request: Request, now: datetime) -> Response:
        """Answer with a file of the latest build before `now`."""
        if self._too_fast(now):
            self.refused["throttled"] += 1
            return text_answer("Too Many Requests", "text/plain", self.throttle_status)
        agent = _NAMED_AGENT.match(request.headers.get("user-agent", ""))
        if agent is None or _GENERIC.match(agent["product"]):
            self.refused["agent"] += 1
            return text_answer(_BLOCKED, "text/html", 403)
        build = self.built_at(now)
        answer = self._file(request.path, build) if request.method in ("GET", "HEAD") else None
        if answer is None:
            self.refused["path"] += 1
            return text_answer(_DENIED, "application/xml", 403)
        return _from_store(request, answer, build)

    def built_at(self, now: datetime) -> datetime:
        """Return when the files were last built: once a day, a few minutes past 20:00 UTC."""
        for day in (now.date(), now.date() - timedelta(days=1)):
            key = key_of(self.world.seed, "tcgcsv build", day)
            late = timedelta(seconds=int(180 + 360 * share(key, 0)))
            build = datetime.combine(day, time(20), now.tzinfo) + late
            if build <= now:
                break
        return build

    def _too_fast(self, now: datetime) -> bool:
        if not self.pacing:
            return False
        if self._closed_until is not None and now < self._closed_until:
            return True
        while self._recent and not timedelta() <= now - self._recent[0] < timedelta(seconds=1):
            self._recent.popleft()
        self._recent.append(now)
        if len(self._recent) <= self.max_per_second:
            return False
        self._closed_until = now + timedelta(seconds=self.throttle_s)
        self._recent.clear()
        return True

    def _file(self, path: str, build: datetime) -> Response | None:
        if path == "/last-updated.txt":
            self.served["last-updated"] += 1
            return text_answer(build.strftime("%Y-%m-%dT%H:%M:%S%z"), "text/plain")
        found = _PATH.fullmatch(path)
        if found is None:
            return None
        if found["all"]:
            return self._listing(found["all"], [category_row(each) for each in CATEGORIES])
        category = whole_number(found["category"])
        if category not in CATEGORIES:
            return None
        if found["groups"]:
            return self._listing(found["groups"], group_rows(self.world, category))
        made = self._set(category, found["group"])
        return None if made is None else self._group_file(found["file"], made, build)

    def _listing(self, file: str, rows: list[dict[str, object]]) -> Response:
        self.served[file] += 1
        if file.endswith(".csv"):
            return text_answer(table(rows), _CSV)
        return json_answer(_envelope(rows, counted=True))

    def _group_file(self, file: str, made: WorldSet, build: datetime) -> Response:
        self.served[file] += 1
        day = build.date()
        cards = self.world.listed(made.code, day)
        products = [product_row(self.world, made, card, day) for card in cards]
        if file == "products":
            return json_answer(_envelope(products, counted=True))
        prices = [row for card in cards for row in price_rows(self.world, card, day)]
        if file == "prices":
            return json_answer(_envelope(prices, counted=False))
        return text_answer(joined_table(products, prices, order=made.code), _CSV)

    def _set(self, category: int, group: str) -> WorldSet | None:
        for each in self.world.sets:
            if (each.category_id, each.group_id) == (category, int(group)):
                return each
        return None


def _envelope(rows: list[dict[str, object]], *, counted: bool) -> dict[str, object]:
    """Wrap rows; prices are not counted (vendors/tcgcsv.md section 4)."""
    total: dict[str, object] = {"totalItems": len(rows)} if counted else {}
    return total | {"success": True, "errors": [], "results": rows}


def _from_store(request: Request, answer: Response, build: datetime) -> Response:
    """Add what the object store adds, and answer 304 to a client that has this build."""
    tag = f'"{blake2b(answer.body, digest_size=16).hexdigest()}"'
    answer.headers |= {
        "ETag": tag,
        "Last-Modified": format_datetime(build.replace(microsecond=0), usegmt=True),
    }
    known = request.headers.get("if-none-match")
    same = tag in known.split(", ") if known else _since(request, build)
    if same:
        return Response(304, b"", answer.headers)
    if request.method == "HEAD":
        answer.body = b""
    return answer


def _since(request: Request, build: datetime) -> bool:
    try:
        known = parsedate_to_datetime(request.headers["if-modified-since"])
    except (KeyError, ValueError):
        return False  # absent or unreadable: HTTP says to answer in full
    return known.tzinfo is not None and build <= known
