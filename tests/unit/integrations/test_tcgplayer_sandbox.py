"""TCGplayer's client on the sandbox's server, and on real rows."""

import asyncio
import gzip
import json
from datetime import date
from decimal import Decimal
from itertools import islice

import pytest
from pydantic import SecretStr

from tcgtracker.domain.clock import FixedClock
from tcgtracker.domain.errors import (
    BadCredentials,
)
from tcgtracker.integrations import tcgplayer
from tcgtracker.integrations.contract import ProductRef
from tcgtracker.integrations.tcgcsv.pages import card_page
from tcgtracker.integrations.tcgcsv.prices import GroupAnswer, Scope, price_page
from tcgtracker.integrations.tcgplayer.normalize import asked_ids, item_page
from tcgtracker.sandbox.make_world import make_world
from tcgtracker.sandbox.tcgplayer import PRIVATE_KEY, PUBLIC_KEY, TcgplayerSandbox
from tcgtracker.sandbox.tokens import Tokens
from tcgtracker.vendor_settings import TcgplayerSettings
from tests.unit.integrations.asking import NOW, all_of, ask
from tests.unit.integrations.builders import values_of


def with_sandbox(do, **options):
    vendor = TcgplayerSandbox(make_world(7, date(2026, 9, 1)))
    for name, value in options.items():
        setattr(vendor, name, value)
    settings = TcgplayerSettings(client_id=PUBLIC_KEY, client_secret=SecretStr(PRIVATE_KEY))
    clock = FixedClock(NOW)
    return ask(vendor, lambda http: do(tcgplayer.create(http, settings, clock), vendor)), vendor


def test_the_sandbox_prices_what_it_lists():
    async def walk(made, vendor):
        sets = [found for page in await all_of(made.sets("pokemon")) for found in page.sets]
        pages = [page for each in sets for page in await all_of(made.cards("pokemon", each.code))]
        refs = [ProductRef(stated.external_id) for page in pages for stated in page.stated]
        found = await made.search(pages[-1].cards[0].name, game="pokemon", limit=5)
        return sets, pages, refs, found, await all_of(made.items([*refs, ProductRef("1")]))

    (sets, pages, refs, found, prices), vendor = with_sandbox(walk)

    assert sets
    assert not any(page.bad or page.incomplete for page in pages)
    assert found.hits
    assert len(prices) == -(-(len(refs) + 1) // 200)
    answered = {ref for page in prices for ref in page.answered}
    absent = {ref for page in prices for ref in page.absent}
    assert answered | absent == {*refs, ProductRef("1")}
    assert ProductRef("1") in absent
    assert len(answered) > len(refs) / 2
    assert vendor.served["token"] == 1


def test_tokens_that_the_sandbox_takes_back_are_exchanged():
    async def taken_back(made, vendor):
        await made.check()
        vendor.tokens = Tokens("anew", 1)
        await asyncio.gather(*(made.check() for _ in range(5)))

    _, vendor = with_sandbox(taken_back)

    assert vendor.served["token"] == 2


def test_a_revoked_key_ends_in_one_call():
    with pytest.raises(BadCredentials, match="invalid_client"):
        with_sandbox(lambda made, vendor: made.check(), keys_revoked=True)


@pytest.mark.data
def test_real_price_rows_read_as_the_daily_file_reads_them(real_data):
    path = real_data / "tcgcsv" / "prices" / "2025-10-01" / "3.ndjson.gz"
    with gzip.open(path) as lines:
        groups = [json.loads(line) for line in islice(lines, 40)]
    bodies = [json.dumps(group["body"]).encode() for group in groups]
    rows = [row for group in groups for row in group["body"]["results"]]
    file = price_page(
        Scope(NOW.date(), 3), [GroupAnswer(n, str(n), body) for n, body in enumerate(bodies)]
    )
    asked, _ = asked_ids(ProductRef(str(row["productId"])) for row in rows)

    page = item_page(json.loads(json.dumps(rows), parse_float=Decimal), asked, NOW)

    assert len(page.items) > 5_000
    assert {
        (int(item.external_id), facet.sub_key, facet.kind.value, facet.variant): values.as_tuple()
        for item in page.items
        for facet, values in item.quotes.items()
    } == values_of(file)


@pytest.mark.data
def test_real_products_are_cards(real_data):
    path = real_data / "tcgcsv" / "products_assembled_3.ndjson.gz"
    with gzip.open(path) as lines:
        rows = [json.loads(line) for line in islice(lines, 500)]
    first = rows[0]["groupId"]
    own = [row for row in rows if row["groupId"] == first]

    page = card_page(rows, (3,), first)

    assert len(page.cards) == len(page.stated) == len(own) > 0
    assert {stated.number for stated in page.stated if stated.number} == {
        item["value"] for row in own for item in row["extendedData"] if item["name"] == "Number"
    }
