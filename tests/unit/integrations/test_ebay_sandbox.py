"""eBay's client on the sandbox's server."""

from datetime import UTC, date, datetime

import pytest
from pydantic import SecretStr

from tcgtracker.domain.clock import FixedClock
from tcgtracker.domain.errors import (
    BadCredentials,
    QuotaExhausted,
)
from tcgtracker.integrations import ebay
from tcgtracker.sandbox.ebay import CLIENT_ID, CLIENT_SECRET, EbaySandbox
from tcgtracker.sandbox.make_world import make_world
from tcgtracker.sandbox.tokens import Tokens
from tcgtracker.vendor_settings import EbaySettings
from tests.unit.integrations.asking import NOW, ask


def with_sandbox(do, **options):
    vendor = EbaySandbox(make_world(7, date(2026, 9, 1)))
    for name, value in options.items():
        setattr(vendor, name, value)
    settings = EbaySettings(client_id=CLIENT_ID, client_secret=SecretStr(CLIENT_SECRET))
    return ask(
        vendor, lambda http: do(ebay.create(http, settings, FixedClock(NOW)), vendor)
    ), vendor


def test_the_sandbox_finds_listings_with_a_price_and_what_it_is():
    found, vendor = with_sandbox(
        lambda made, _: made.search("charizard", game="pokemon", limit=250)
    )

    assert len(found.hits) > 10
    assert not found.skipped
    labels = {hit.price_label for hit in found.hits}
    assert (
        {"asking price", "current bid"}
        <= labels
        <= {"asking price", "current bid", "starting price", "asking price of one variation"}
    )
    assert all(hit.price is not None and hit.price.minor > 0 for hit in found.hits)
    assert all("charizard" in hit.name.lower() for hit in found.hits)
    assert vendor.served["token"] == 1


def test_the_quota_of_the_sandbox_is_believed_until_its_reset():
    async def spend(made, vendor):
        await made.search("charizard")
        await made.check()
        with pytest.raises(QuotaExhausted) as caught:
            await made.search("charizard")
        return caught.value.until

    until, vendor = with_sandbox(spend, daily_calls=1)

    assert until == datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert vendor.served["rate_limit"] == 1


def test_a_token_that_the_sandbox_takes_back_is_exchanged():
    async def taken_back(made, vendor):
        await made.search("charizard")
        vendor.tokens = Tokens("anew", 1)
        return await made.search("charizard")

    found, vendor = with_sandbox(taken_back)

    assert found.hits
    assert vendor.served["token"] == 2


def test_a_revoked_key_ends_in_one_call():
    with pytest.raises(BadCredentials, match="invalid_client"):
        with_sandbox(lambda made, _: made.search("charizard"), keys_revoked=True)
