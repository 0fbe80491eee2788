"""The official TCGplayer API, after vendors/tcgplayer.md section 7.

The same catalog and prices as TCGCSV, of today, behind a bearer token. A path may carry a version
(`/v1.39.0/...`) or none.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from email.utils import format_datetime
from typing import ClassVar

from tcgtracker.sandbox.answers import json_answer, whole_number
from tcgtracker.sandbox.forms import form_of
from tcgtracker.sandbox.tcgplayer_catalog import Row, TcgplayerCatalog
from tcgtracker.sandbox.tcgplayer_rows import sku_rows
from tcgtracker.sandbox.tokens import Tokens
from tcgtracker.sandbox.tunable import Tunable
from tcgtracker.sandbox.wire import Request, Response
from tcgtracker.sandbox.world import World

PUBLIC_KEY = "SANDBOX-PUBLIC-KEY"
PRIVATE_KEY = "SANDBOX-PRIVATE-KEY"

MAX_IDS = 250
MAX_LIMIT = 100
_DEFAULT_LIMIT = 10
_VERSION = re.compile(r"/v\d{1,3}\.\d{1,3}\.\d{1,3}(?=/)")
_NAMES = "conditions|printings|languages|rarities"


class _Refusal(Exception):
    """A request that cannot be answered: status 400 with its text."""


class TcgplayerSandbox(Tunable):
    """The API. Options are attributes.

    keys_revoked: the key pair is refused, and so is every token. token_lifetime_s: as the vendor
    states it, 14 days. served counts calls by operation, `statuses` answers by status.
    """

    OPTIONS: ClassVar = ("public_key", "private_key", "keys_revoked", "token_lifetime_s")

    def __init__(self, world: World) -> None:
        self.name = "tcgplayer"
        self.world = world
        self.public_key = PUBLIC_KEY
        self.private_key = PRIVATE_KEY
        self.keys_revoked = False
        self.token_lifetime_s = 1_209_599
        self.tokens = Tokens(self.name, world.seed)
        self._catalog = TcgplayerCatalog(world)
        self._routes: tuple[tuple[str, Callable[[Request, list[str], date], Response]], ...] = (
            (r"/catalog/categories", self._categories),
            (r"/catalog/categories/([^/]+)/groups", self._groups),
            (rf"/catalog/categories/([^/]+)/({_NAMES})", self._names),
            (r"/catalog/groups", self._groups),
            (r"/catalog/products", self._products),
            (r"/catalog/products/([^/]+)/skus", self._skus),
            (r"/catalog/products/([^/]+)", self._products_by_id),
            (r"/pricing/group/([^/]+)", self._group_prices),
            (r"/pricing/(product|sku)/([^/]+)", self._prices),
        )
        self.reset()

    def reset(self) -> None:
        """Forget what was counted; tokens stay valid."""
        self.served: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()

    def handle(self, request: Request, now: datetime) -> Response:
        """Answer with the catalog and prices of the day of `now`."""
        path = _VERSION.sub("", request.path, count=1)
        answer = self._token(request, now) if path == "/token" else self._data(request, path, now)
        self.statuses[answer.status] += 1
        return answer

    def _token(self, request: Request, now: datetime) -> Response:
        self.served["token"] += 1
        form = form_of(request) if request.method == "POST" else None
        if form is None or form.get("grant_type") != "client_credentials":
            return json_answer({"error": "unsupported_grant_type"}, 400)
        pair = (form.get("client_id"), form.get("client_secret"))
        if self.keys_revoked or pair != (self.public_key, self.private_key):
            return json_answer({"error": "invalid_client"}, 400)
        lifetime = timedelta(seconds=self.token_lifetime_s)
        return json_answer(
            {
                "access_token": self.tokens.mint(now, lifetime),
                "token_type": "bearer",
                "expires_in": self.token_lifetime_s,
                "userName": self.public_key,
                ".issued": format_datetime(now.replace(microsecond=0), usegmt=True),
                ".expires": format_datetime((now + lifetime).replace(microsecond=0), usegmt=True),
            }
        )

    def _data(self, request: Request, path: str, now: datetime) -> Response:
        bearer = request.headers.get("authorization", "")
        if self.keys_revoked or not self.tokens.valid(bearer, now):
            self.served["unauthorized"] += 1
            return _failed(401, "Authorization has been denied for this request.")
        for pattern, answer in self._routes:
            found = re.fullmatch(pattern, path)
            if found is not None and request.method == "GET":
                self.served[pattern] += 1
                try:
                    return answer(request, list(found.groups()), now.date())
                except _Refusal as refusal:
                    return _failed(400, str(refusal))
        self.served["unknown"] += 1
        return _failed(404, "No HTTP resource was found that matches the request.")

    def _categories(self, request: Request, _: list[str], __: date) -> Response:
        return _page(request, self._catalog.categories(), "categories")

    def _groups(self, request: Request, parts: list[str], _: date) -> Response:
        category = _ids(parts[0] if parts else request.arg("categoryId"))[0]
        return _page(request, self._catalog.groups(category), "groups")

    def _names(self, _: Request, parts: list[str], __: date) -> Response:
        rows = self._catalog.names(_ids(parts[0])[0], parts[1])
        return _found(rows) if rows else _failed(404, f"No {parts[1]} were found.")

    def _products(self, request: Request, _: list[str], day: date) -> Response:
        found = self._catalog.products(
            day,
            category_id=_filter(request, "categoryId"),
            group_id=_filter(request, "groupId"),
            name=request.arg("productName"),
            singles=request.arg("productTypes") == "Cards",
        )
        cards = {row["productId"]: card for card, row in found}

        def cut(row: Row) -> Row:
            return _shown(request, row, sku_rows(cards[row["productId"]]))

        return _page(request, [row for _, row in found], "products", cut)

    def _products_by_id(self, request: Request, parts: list[str], day: date) -> Response:
        def rows(product_id: int) -> list[Row]:
            found = self._catalog.product(product_id, day)
            return [] if found is None else [_shown(request, found[1], sku_rows(found[0]))]

        return _by_ids(_ids(parts[0]), rows, "product")

    def _skus(self, _: Request, parts: list[str], day: date) -> Response:
        return _by_ids(_ids(parts[0])[:1], lambda each: self._catalog.skus(each, day), "product")

    def _group_prices(self, _: Request, parts: list[str], day: date) -> Response:
        group = _ids(parts[0])[0]
        rows = self._catalog.group_prices(group, day)
        return _found(rows) if rows else _failed(404, "No products were found.")

    def _prices(self, _: Request, parts: list[str], day: date) -> Response:
        kind = parts[0]
        source = self._catalog.product_prices if kind == "product" else self._catalog.sku_prices
        return _by_ids(_ids(parts[1]), lambda each: source(each, day), kind)


def _ids(text: str) -> list[int]:
    ids = [whole_number(part) for part in text.split(",")]
    if len(ids) > MAX_IDS:
        raise _Refusal(f"The maximum number of ids is {MAX_IDS}.")
    good = [each for each in ids if each is not None and each > 0]
    if len(good) != len(ids):
        raise _Refusal("The ids must be greater than 0.")
    return list(dict.fromkeys(good))


def _filter(request: Request, name: str) -> int:
    text = request.arg(name)
    return _ids(text)[0] if text else 0


def _by_ids(ids: Sequence[int], rows_of: Callable[[int], list[Row]], what: str) -> Response:
    """Answer 200 for all ids, 207 for a part, 404 for none."""
    found = {each: rows_of(each) for each in ids}
    rows = [row for each in found.values() for row in each]
    if not rows:
        return _failed(404, f"No {what}s were found.")
    missing = [f"No {what} found for id: {each}." for each, its in found.items() if not its]
    if missing:
        return json_answer({"success": False, "errors": missing, "results": rows}, 207)
    return _found(rows)


def _page(
    request: Request,
    rows: list[Row],
    what: str,
    cut: Callable[[Row], Row] = lambda row: row,
) -> Response:
    limit = whole_number(request.arg("limit", str(_DEFAULT_LIMIT)))
    offset = whole_number(request.arg("offset", "0"))
    if limit is None or limit < 1 or offset is None or offset < 0:
        raise _Refusal("limit and offset must be positive numbers.")
    order = request.arg("sortOrder")
    if rows and order in rows[0]:
        down = request.arg("sortDesc").lower() == "true"
        rows = sorted(rows, key=lambda row: _sortable(row[order]), reverse=down)
    shown = [cut(row) for row in rows[offset : offset + min(limit, MAX_LIMIT)]]
    if not shown:
        return _failed(404, f"No {what} were found.")
    return json_answer({"totalItems": len(rows), "success": True, "errors": [], "results": shown})


def _sortable(value: object) -> tuple[int, str]:
    return (value, "") if isinstance(value, int) else (0, str(value))


def _shown(request: Request, row: Row, skus: list[Row]) -> Row:
    """Leave out what was not asked for."""
    shown = dict(row)
    if request.arg("getExtendedFields").lower() != "true":
        del shown["extendedData"]
    if request.arg("includeSkus").lower() == "true":
        shown["skus"] = skus
    return shown


def _found(rows: list[Row]) -> Response:
    return json_answer({"success": True, "errors": [], "results": rows})


def _failed(status: int, text: str) -> Response:
    return json_answer({"success": False, "errors": [text], "results": []}, status)
