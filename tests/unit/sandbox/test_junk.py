"""Whatever is asked, a vendor of the sandbox answers; only the server may break a connection."""

from random import Random

import pytest

from tcgtracker.sandbox.tcgcsv import TcgcsvSandbox
from tcgtracker.sandbox.tcgplayer import TcgplayerSandbox
from tcgtracker.sandbox.wire import Request, SandboxVendor
from tcgtracker.sandbox.world import World
from tests.unit.sandbox.browsing import NOON, SEARCH, Browser
from tests.unit.sandbox.test_tcgplayer import Client

_WORDS = (
    *("", "0", "-1", "x", "²", "٣", "9" * 400, "1,2", "3", "68", "604", "é\0", "[..]", "{|}"),
    *("price:[1..x],priceCurrency:USD", "itemEndDate:[2026-10-01..]", "bidCount:[..]", "((", "*"),
    *(
        "buyingOptions:{}",
        "maxDeliveryCost:x",
        "price:[NaN..1],priceCurrency:USD",
        "sellers:{a",
        "v1|1|0",
        "v1%7C1%7C0",
    ),
)
_PATHS = (
    *("/", SEARCH, "/buy/browse/v1/item/{}", "/token", "/identity/v1/oauth2/token"),
    *("/tcgplayer/{}/groups", "/tcgplayer/3/{}/prices", "/tcgplayer/{}/{}/products", "/{}"),
    *("/catalog/categories/{}/groups", "/catalog/categories/{}/rarities", "/catalog/groups"),
    *("/catalog/products", "/catalog/products/{}", "/catalog/products/{}/skus"),
    *("/pricing/group/{}", "/pricing/product/{}", "/pricing/sku/{}", "/v1.39.0/pricing/sku/{}"),
    *("/developer/analytics/v1_beta/rate_limit/", "/commerce/notification/v1/public_key/{}"),
)
_NAMES = (
    *("q", "limit", "offset", "filter", "sort", "category_ids", "fieldgroups", "aspect_filter"),
    *("categoryId", "groupId", "productName", "productTypes", "sortOrder", "sortDesc", "epid"),
)


@pytest.mark.parametrize("name", ["tcgcsv", "tcgplayer", "ebay"])
def test_junk_is_answered(world: World, name: str) -> None:
    vendor: SandboxVendor
    if name == "tcgcsv":
        vendor, token = TcgcsvSandbox(world), ""
        vendor.pacing = False
    elif name == "tcgplayer":
        client = Client(world)
        vendor, token = client.vendor, client.token
        assert isinstance(vendor, TcgplayerSandbox)
    else:
        browser = Browser(world)
        vendor, token = browser.vendor, browser.token
    chance = Random(name)
    for _ in range(600):
        words = chance.choices(_WORDS, k=2)
        request = Request(
            method=chance.choice(("GET", "GET", "GET", "HEAD", "POST", "PUT")),
            path=chance.choice(_PATHS).format(*words),
            query={each: (chance.choice(_WORDS),) for each in chance.sample(_NAMES, 3)},
            headers={
                "user-agent": chance.choice(("tcgtracker/1.0", "é", "")),
                "authorization": chance.choice((f"Bearer {token}", f"bearer {token}", "Basic é")),
                "content-type": chance.choice(("application/x-www-form-urlencoded", "text/html")),
                "if-modified-since": chance.choice(("", "yesterday", "0")),
                "host": chance.choice(("", "127.0.0.1:1", "é")),
            },
            body=chance.choice((b"", b"grant_type", b"a=1&a=2", b"\xff\0")),
        )
        answer = vendor.handle(request, NOON)
        assert 200 <= answer.status < 500
        assert answer.status == 304 or answer.body or request.method == "HEAD"
        assert "Content-Type" in answer.headers
