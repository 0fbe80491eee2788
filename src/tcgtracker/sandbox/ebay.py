"""eBay's Browse API, after vendors/ebay.md section 7: tokens, search, one item, the quota."""

import base64
import re
from collections import Counter
from datetime import datetime, timedelta
from typing import ClassVar

from tcgtracker.sandbox.answers import json_answer, text_answer
from tcgtracker.sandbox.ebay_errors import BrowseError, failed
from tcgtracker.sandbox.ebay_items import CURRENCIES, View, item
from tcgtracker.sandbox.ebay_listings import make_listings
from tcgtracker.sandbox.ebay_search import PATH as SEARCH
from tcgtracker.sandbox.ebay_search import search
from tcgtracker.sandbox.ebay_signature import public_key_answer
from tcgtracker.sandbox.forms import form_of
from tcgtracker.sandbox.tokens import Tokens
from tcgtracker.sandbox.tunable import Tunable
from tcgtracker.sandbox.wire import Request, Response
from tcgtracker.sandbox.world import World

CLIENT_ID = "Sandbox-App-PRD-000000000"
CLIENT_SECRET = "PRD-sandbox-cert-id"  # noqa: S105 - opens nothing but the sandbox
SCOPE = "https://api.ebay.com/oauth/api_scope"
TOKEN_LIFETIME_S = 7_200

_TOKEN = "/identity/v1/oauth2/token"  # noqa: S105 - a path
_RATES = "/developer/analytics/v1_beta/rate_limit"
_PUBLIC_KEY = "/commerce/notification/v1/public_key/"
_ITEM = re.compile(r"/buy/browse/v1/item/v1(?:\||%7C|%7c)(\d{1,18})(?:\||%7C|%7c)0")
_BULK = ("/buy/browse/v1/item/", "/buy/browse/v1/item")
_UNSUPPORTED = frozenset({"EBAY_CN", "EBAY_JP", "EBAY_RU"})
_GATEWAY = "<html><head><title>Access Denied</title></head><body>Access Denied</body></html>"
_DAY_STARTS = timedelta(hours=8)


class EbaySandbox(Tunable):
    """The API. Options are attributes.

    daily_calls: the quota of search and item together; it starts anew at 08:00 UTC (midnight in
    California, as the dashboard shows it). base_url: scheme and host of links, '' for the host
    that was asked. served counts calls by operation, `statuses` answers by status.
    """

    OPTIONS: ClassVar = ("client_id", "client_secret", "keys_revoked", "daily_calls", "base_url")

    def __init__(self, world: World) -> None:
        self.name = "ebay"
        self.world = world
        self.client_id = CLIENT_ID
        self.client_secret = CLIENT_SECRET
        self.keys_revoked = False
        self.daily_calls = 5_000
        self.base_url = ""
        self.tokens = Tokens(self.name, world.seed, "v^1.1#i^1#p^1#r^0#I^3#f^0#t^")
        self._listings = make_listings(world)
        self._by_number = {each.number: each for each in self._listings}
        self.reset()

    def reset(self) -> None:
        """Forget what was counted, the spent quota too; tokens stay valid."""
        self.served: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self._spent: Counter[datetime] = Counter()

    def handle(self, request: Request, now: datetime) -> Response:
        """Answer with the offers of the day of `now`."""
        try:
            answer = self._answer(request, now)
        except BrowseError as refused:
            answer = refused.answer()
        self.statuses[answer.status] += 1
        return answer

    def _answer(self, request: Request, now: datetime) -> Response:
        path = request.path
        if path == _TOKEN:
            return self._token(request, now)
        if "authorization" not in request.headers:
            return _no_header(path)
        if self.keys_revoked or not self.tokens.valid(request.headers["authorization"], now):
            text = "Invalid access token. Check the value of the Authorization HTTP request header."
            return failed(401, 1001, "OAuth", "Invalid access token", text)
        if request.method != "GET":
            return failed(404, 2002, "ACCESS", "Resource not found")
        if path.rstrip("/") == _RATES:
            return self._rates(request, now)
        if path.startswith(_PUBLIC_KEY):
            self.served["public_key"] += 1
            return public_key_answer(path.removeprefix(_PUBLIC_KEY), self.world.seed)
        return self._browse(request, now)

    def _token(self, request: Request, now: datetime) -> Response:
        self.served["token"] += 1
        if self.keys_revoked or not self._known(request.headers.get("authorization", "")):
            text = "client authentication failed"
            return json_answer({"error": "invalid_client", "error_description": text}, 401)
        form = form_of(request) if request.method == "POST" else None
        if form is None or form.get("grant_type") != "client_credentials":
            text = "grant type in request is not supported by the authorization server"
            tree = {"error": "unsupported_grant_type", "error_description": text}
            return json_answer(tree, 400)
        if SCOPE not in form.get("scope", "").split():
            text = "The requested scope is invalid, unknown or malformed"
            return json_answer({"error": "invalid_scope", "error_description": text}, 400)
        return json_answer(
            {
                "access_token": self.tokens.mint(now, timedelta(seconds=TOKEN_LIFETIME_S)),
                "expires_in": TOKEN_LIFETIME_S,
                "token_type": "Application Access Token",
            }
        )

    def _known(self, authorization: str) -> bool:
        scheme, _, word = authorization.partition(" ")
        try:
            pair = base64.b64decode(word, validate=True).decode()
        except ValueError:  # no base64, or no text
            return False
        return scheme.lower() == "basic" and pair == f"{self.client_id}:{self.client_secret}"

    def _browse(self, request: Request, now: datetime) -> Response:
        found = _ITEM.fullmatch(request.path)
        if request.path in _BULK:
            return failed(403, 1100, "ACCESS", "Access denied", "Insufficient permissions.")
        if request.path != SEARCH and not request.path.startswith(_BULK[0]):
            self.served["unknown"] += 1
            return failed(404, 2002, "ACCESS", "Resource not found")
        day = _quota_day(now)
        if self._spent[day] >= self.daily_calls:
            self.served["over quota"] += 1
            text = "The request limit has been reached for the resource."
            return failed(429, 2001, "ACCESS", "Too many requests.", text)
        self._spent[day] += 1
        if request.path == SEARCH:
            self.served["search"] += 1
            return search(request, self._listings, self._view(request, now))
        self.served["item"] += 1
        listing = self._by_number.get(int(found[1])) if found is not None else None
        if listing is None:
            raise BrowseError(11001)
        return json_answer(item(listing, self._view(request, now)))

    def _view(self, request: Request, now: datetime) -> View:
        marketplace = request.headers.get("x-ebay-c-marketplace-id", "")
        if marketplace in _UNSUPPORTED:
            raise BrowseError(12019)
        base = self.base_url or f"http://{request.headers.get('host', 'api.ebay.com')}"
        extended = "EXTENDED" in request.arg("fieldgroups").split(",")
        known = marketplace if marketplace in CURRENCIES else "EBAY_US"
        return View(self.world, now, known, base, extended)

    def _rates(self, request: Request, now: datetime) -> Response:
        self.served["rate_limit"] += 1
        if request.arg("api_name", "browse").lower() != "browse":
            return json_answer({"rateLimits": []})
        day = _quota_day(now)
        reset = f"{day + timedelta(days=1):%Y-%m-%dT%H:%M:%S}.000Z"
        counts = {"buy.browse": self._spent[day], "buy.browse.item.bulk": 0}
        resources = [
            {
                "name": name,
                "rates": [
                    {
                        "count": count,
                        "limit": self.daily_calls,
                        "remaining": max(0, self.daily_calls - count),
                        "reset": reset,
                        "timeWindow": 86_400,
                    }
                ],
            }
            for name, count in counts.items()
        ]
        api = {"apiContext": "buy", "apiName": "Browse", "apiVersion": "v1"}
        return json_answer({"rateLimits": [{**api, "resources": resources}]})


def _quota_day(now: datetime) -> datetime:
    """Return when the present quota day began."""
    midnight = (now - _DAY_STARTS).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + _DAY_STARTS


def _no_header(path: str) -> Response:
    """Answer a call without Authorization: the Browse gateway sends no JSON, other APIs do."""
    if path.startswith("/buy/browse/"):
        return text_answer(_GATEWAY, "text/html", 403)
    return failed(400, 1002, "OAuth", "Missing access token")
