"""A caller of the eBay sandbox with a token of its own."""

from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

from tcgtracker.sandbox.ebay import CLIENT_ID, CLIENT_SECRET, SCOPE, EbaySandbox
from tcgtracker.sandbox.wire import Response
from tcgtracker.sandbox.world import World
from tests.unit.sandbox.asking import get, post, tree

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)
SEARCH = "/buy/browse/v1/item_summary/search"
TOKEN = "/identity/v1/oauth2/token"  # noqa: S105 - a path
BASIC = f"Basic {b64encode(f'{CLIENT_ID}:{CLIENT_SECRET}'.encode()).decode()}"
FORM = {"grant_type": "client_credentials", "scope": SCOPE}


class Browser:
    def __init__(self, world: World) -> None:
        self.vendor = EbaySandbox(world)
        self.token = ""
        self.renew(NOON)

    def renew(self, now: datetime) -> None:
        """Ask for a new token."""
        request = post(TOKEN, FORM, authorization=BASIC)
        self.token = tree(self.vendor.handle(request, now))["access_token"]

    def ask(self, url: str, now: datetime = NOON, **headers: str) -> Response:
        bearer = {"authorization": f"Bearer {self.token}"}
        return self.vendor.handle(get(url, **bearer, **headers), now)

    def search(self, query: str, **headers: str) -> Any:
        """Return the body of a search that succeeds."""
        answer = self.ask(f"{SEARCH}?{query}", NOON, **headers)
        assert answer.status == 200, answer.body
        return tree(answer)
