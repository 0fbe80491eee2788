"""PriceCharting: guide prices by grade, one product a call, and the guide as CSV.

After vendors/pricecharting.md section 8.
"""

import csv
import io
import time
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import ClassVar

from tcgtracker.sandbox.answers import json_answer, text_answer
from tcgtracker.sandbox.pricecharting_catalog import (
    EARLIER_KEYS,
    GRADE_KEYS,
    LATER_KEYS,
    SLUGS,
    Page,
    console_uid,
    pages,
    prices,
    stated_as_zero,
)
from tcgtracker.sandbox.tunable import Tunable
from tcgtracker.sandbox.wire import Request, Response
from tcgtracker.sandbox.world import World

TOKEN = "0" * 31 + "sandbox00"
_SEARCH_LIMIT = 20
_CALL_S = 1.0
_HEADERS = (27, 37)
_TEXT = ("id", "console-name", "product-name")
_SHOP = (
    "gamestop-price",
    "gamestop-trade-price",
    "retail-loose-buy",
    "retail-loose-sell",
    "retail-cib-buy",
    "retail-cib-sell",
    "retail-new-buy",
    "retail-new-sell",
)
_REST = ("upc", "sales-volume", "genre", "tcg-id", "asin", "epid", "release-date")
_GAME_ROWS = (
    ("1", "3DO", "Escape from Monster Manor", "$24.50", "Action & Adventure"),
    ("2", "3DO", "Gex", "$19.99", "Platformer"),
)
"""With which the all-products guide begins."""


class PriceChartingSandbox(Tunable):
    """The vendor. Options are attributes.

    columns: of the guide's header, 27 or 37. call_pause_s and csv_pause_s: between two calls of a
    token, by the real clock; 0 switches the limit off. error_status: of `status: error` answers,
    which the vendor's page leaves open. full_hits: whether search hits carry prices. token: the
    one that is accepted.
    """

    OPTIONS: ClassVar = (
        "columns",
        "call_pause_s",
        "csv_pause_s",
        "error_status",
        "full_hits",
        "token",
    )

    def __init__(self, world: World, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.name = "pricecharting"
        self.world = world
        self.columns = 37
        self.call_pause_s = _CALL_S
        self.csv_pause_s = 600.0
        self.error_status = 200
        self.full_hits = False
        self.token = TOKEN
        self._monotonic = monotonic
        self._pages = list(pages(world))
        self._by_id = {page.id: page for page in self._pages}
        self._by_upc = {page.upc: page for page in self._pages if page.upc}
        self.reset()

    def tune(self, options: Mapping[str, object]) -> None:
        """Change options.

        Raises:
            ValueError: an option does not exist or its value cannot be used; nothing was changed.
        """
        if options.get("columns", 37) not in _HEADERS:
            raise ValueError(f"columns must be one of {_HEADERS}")
        super().tune(options)

    def reset(self) -> None:
        """Forget when calls were made."""
        self._last: dict[str, float] = {}

    def handle(self, request: Request, now: datetime) -> Response:
        """Answer by the guide of the day of `now`."""
        answers: dict[str, Callable[[Request, date], Response]] = {
            "/api/product": self._product,
            "/api/products": self._products,
            "/price-guide/download-custom": self._guide,
        }
        answer = answers.get(request.path)
        if answer is None:
            return text_answer("<html><body><h1>Not Found</h1></body></html>", "text/html", 404)
        if request.method != "GET":
            return text_answer("Method Not Allowed", "text/plain", 405)
        if request.arg("t") != self.token:
            return self._error("Unknown access token")
        guide = answer == self._guide
        if self._too_soon(
            "csv" if guide else "api", self.csv_pause_s if guide else self.call_pause_s
        ):
            return text_answer("Too Many Requests", "text/plain", 429)
        return answer(request, now.date())

    def _too_soon(self, kind: str, pause_s: float) -> bool:
        now = self._monotonic()
        last = self._last.get(kind)
        if last is not None and now - last < pause_s:
            return True
        self._last[kind] = now
        return False

    def _error(self, text: str) -> Response:
        return json_answer({"status": "error", "error-message": text}, self.error_status)

    def _product(self, request: Request, day: date) -> Response:
        page: Page | None = None
        if product_id := request.arg("id"):
            page = self._by_id.get(product_id)
        elif upc := request.arg("upc"):
            page = self._by_upc.get(upc)
        elif query := request.arg("q"):
            page = next(iter(self._found(query)), None)
        else:
            return self._error("id, upc or q is needed")
        if page is None:
            return self._error("no product found")
        return json_answer({"status": "success", **self._record(page, day)})

    def _products(self, request: Request, day: date) -> Response:
        if not request.arg("q"):
            return self._error("q is needed")
        hits = []
        for page in self._found(request.arg("q"))[:_SEARCH_LIMIT]:
            record = self._record(page, day)
            hits.append(record if self.full_hits else {name: record[name] for name in _TEXT})
        return json_answer({"status": "success", "products": hits})

    def _found(self, query: str) -> list[Page]:
        """Return the pages that hold all words, those with the fewest other letters first."""
        words = query.casefold().split()
        held = [page for page in self._pages if all(word in page.words() for word in words)]
        return sorted(held, key=lambda page: (len(page.words()), page.id)) if words else []

    def _record(self, page: Page, day: date) -> dict[str, object]:
        record: dict[str, object] = {
            "id": page.id,
            "product-name": page.name,
            "console-name": page.console,
            "genre": page.genre,
            "release-date": page.released.isoformat(),
        }
        if page.tcg_id:
            record["tcg-id"] = page.tcg_id
        record |= {"upc": page.upc, "epid": "", "sales-volume": str(page.volume)}
        found = prices(self.world, page, day)
        for key in (*GRADE_KEYS, *self._later_keys(), *_SHOP):
            if key in found:
                record[key] = found[key]
            elif key.startswith("gamestop") or stated_as_zero(page, key):
                record[key] = 0  # no price, never a price of nothing
        return record

    def _later_keys(self) -> tuple[str, ...]:
        return LATER_KEYS if self.columns == max(_HEADERS) else EARLIER_KEYS

    def _guide(self, request: Request, day: date) -> Response:
        game = SLUGS.get(request.arg("category"))
        uids = set(request.arg("console-uids").split(",")) - {""}
        out = io.StringIO(newline="")
        header = (*_TEXT, *GRADE_KEYS, *self._later_keys(), *_SHOP, *_REST)
        writer = csv.DictWriter(out, header, restval="", lineterminator="\r\n")
        writer.writeheader()
        if game is None:  # an unknown category answers everything (section 2.3)
            writer.writerows(
                {
                    "id": row[0],
                    "console-name": row[1],
                    "product-name": row[2],
                    "loose-price": row[3],
                    "genre": row[4],
                }
                for row in _GAME_ROWS
            )
        for page in self._pages:
            if game in (None, page.game) and (not uids or console_uid(page.console) in uids):
                writer.writerow(self._row(page, day, header))
        return Response(200, out.getvalue().encode(), {"Content-Type": "text/csv; charset=utf-8"})

    def _row(self, page: Page, day: date, header: tuple[str, ...]) -> dict[str, str]:
        found = prices(self.world, page, day)
        row = {key: f"${cents / 100:.2f}" for key, cents in found.items() if key in header}
        return row | {
            "id": page.id,
            "console-name": page.console,
            "product-name": page.name,
            "upc": page.upc,
            "sales-volume": str(page.volume),
            "genre": page.genre,
            "tcg-id": page.tcg_id,
            "release-date": page.released.isoformat(),
        }
