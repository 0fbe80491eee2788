"""What JustTCG is asked, how its pages end, and what its refusals mean."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from tcgtracker.domain.errors import (
    BadCredentials,
    ContractBroken,
    InvalidInput,
    QuotaExhausted,
    RateLimited,
    RequestRefused,
    VendorError,
)
from tcgtracker.integrations import justtcg
from tcgtracker.integrations.contract import (
    BulkVendor,
    CallPolicy,
    Capability,
    CatalogVendor,
    IdKind,
    ItemVendor,
    ProductRef,
    SearchVendor,
)
from tcgtracker.integrations.justtcg import paging
from tcgtracker.integrations.justtcg.client import JustTcgClient
from tcgtracker.runtime.ports import CallOutcome, ReportedQuota
from tcgtracker.sandbox.wire import Response
from tcgtracker.vendor_settings import JustTcgSettings
from tests.unit.integrations.calling import NOW, Wire, a_json, a_wire, drain
from tests.unit.integrations.justtcg_cards import SEEN_S, a_set

KEY = "tcg_" + "5" * 30
PATIENT = CallPolicy(deadline_s=10.0)
USAGE = {
    "apiPlan": "Free Tier",
    "apiRequestLimit": 1000,
    "apiDailyLimit": 100,
    "apiRateLimit": 10,
    "apiRequestsUsed": 4,
    "apiDailyRequestsUsed": 3,
    "apiRequestsRemaining": 996,
    "apiDailyRequestsRemaining": 97,
}


def a_row(slug: str, **changed: object) -> dict[str, object]:
    variant = {"id": f"{slug}_nm", "condition": "Near Mint", "printing": "Normal", "price": 1.25}
    card = {"id": slug, "name": slug, "game": "Pokemon", "set": "base-set-pokemon"}
    return card | {"variants": [variant | {"lastUpdated": SEEN_S}]} | changed


def a_list(*rows: object, **meta: object) -> Response:
    body: dict[str, object] = {"data": list(rows), "_metadata": USAGE}
    return a_json(body | ({"meta": meta} if meta else {}))


def a_client(wire: Wire, *, batch: int = 20) -> JustTcgClient:
    settings = JustTcgSettings(api_key=KEY, batch_size=batch)  # type: ignore[arg-type]
    return justtcg.create(wire.http("justtcg", KEY), settings, wire.clock)


def refs(*slugs: str) -> list[ProductRef]:
    return [ProductRef(slug) for slug in slugs]


def items(client: JustTcgClient, asked: list[ProductRef]):
    return drain(lambda: client.items(asked, policy=PATIENT), client.close)


def sets(client: JustTcgClient, game: str = "onepiece"):
    return drain(lambda: client.sets(game), client.close)


def cards(client: JustTcgClient, code: str = "justtcg:base-set-pokemon"):
    return drain(lambda: client.cards("pokemon", code), client.close)


def searched(client: JustTcgClient, **given):
    async def run():
        try:
            return await client.search("charizard", **given)
        finally:
            await client.close()

    return asyncio.run(run())


def test_info_names_what_the_client_can_do_and_the_plan():
    settings = JustTcgSettings(batch_size=100, rate_limit=50, daily_limit=7, monthly_limit=9)
    info = justtcg.describe(settings)
    assert info.capabilities == {
        Capability.ITEMS,
        Capability.SETS,
        Capability.CARDS,
        Capability.SEARCH,
        Capability.LOOKUP,
    }
    assert (info.batch, info.id_kinds) == (100, (IdKind.OWN, IdKind.TCGPLAYER))
    assert (info.limits.per_minute, info.limits.per_day, info.limits.per_month) == (50, 7, 9)
    with a_wire(a_list()) as wire:
        client = a_client(wire)
    assert isinstance(client, ItemVendor)
    assert isinstance(client, CatalogVendor)
    assert isinstance(client, SearchVendor)
    assert not isinstance(client, BulkVendor)


def test_batch_is_a_bare_array_of_texts_under_the_key_header():
    asked = [ProductRef("a"), ProductRef("42", IdKind.TCGPLAYER)]
    with a_wire(a_list(a_row("a"), a_row("b", tcgplayerId="42"))) as wire:
        (page,) = items(a_client(wire), asked)
    (call,) = wire.vendor.asked
    assert (call.method, call.path, dict(call.query)) == ("POST", "/cards", {})
    assert call.headers["x-api-key"] == KEY
    assert "authorization" not in call.headers
    assert call.headers["content-type"] == "application/json"
    short = {"include_price_history": "false", "include_statistics": "7d"}
    assert json.loads(call.body) == [{"cardId": "a"} | short, {"tcgplayerId": "42"} | short]
    assert page.answered == {asked[0]: "a", asked[1]: "b"}


@pytest.mark.parametrize(("asked", "calls"), [(0, 0), (1, 1), (3, 1), (4, 2), (6, 2), (7, 3)])
def test_calls_are_exactly_as_many_as_batches(asked, calls):
    with a_wire(a_list()) as wire:
        pages = items(a_client(wire, batch=3), refs(*(f"c{n}" for n in range(asked))))
    assert len(wire.vendor.asked) == len(pages) == calls
    assert sum(len(json.loads(call.body)) for call in wire.vendor.asked) == asked
    assert sum(len(page.absent) for page in pages) == asked


def test_usage_in_the_answer_is_reported():
    with a_wire(a_list()) as wire:
        items(a_client(wire), refs("a"))
    assert wire.gate.reported == [
        ReportedQuota("day", 97, 100),
        ReportedQuota("month", 996, 1000),
    ]


@pytest.mark.parametrize("usage", [None, 5, {}, {"apiDailyRequestsRemaining": "97"}])
def test_odd_usage_reports_nothing_and_spoils_nothing(usage):
    with a_wire(a_json({"data": [a_row("a")], "_metadata": usage})) as wire:
        (page,) = items(a_client(wire), refs("a"))
    assert len(page.items) == 1
    assert wire.gate.reported == []


def test_sets_in_one_answer_are_one_call():
    with a_wire(a_list(a_set(), a_set(id="b"), total=2, limit=2, offset=0, hasMore=False)) as wire:
        pages = sets(a_client(wire))
    assert [dict(call.query) for call in wire.vendor.asked] == [{"game": ("one-piece-card-game",)}]
    assert [len(page.sets) for page in pages] == [2]
    assert pages[0].incomplete == ""


def test_sets_in_pages_are_followed():
    first = a_list(a_set(id="a"), a_set(id="b"), total=3, limit=2, offset=0, hasMore=True)
    last = a_list(a_set(id="c"), total=3, limit=2, offset=2, hasMore=False)
    with a_wire(first, last) as wire:
        pages = sets(a_client(wire))
    assert [call.arg("offset") for call in wire.vendor.asked] == ["", "2"]
    assert [len(page.sets) for page in pages] == [2, 1]
    assert [page.incomplete for page in pages] == ["", ""]


def test_both_pokemon_games_are_asked_for_sets():
    with a_wire(a_list(a_set())) as wire:
        sets(a_client(wire), "pokemon")
    assert [call.arg("game") for call in wire.vendor.asked] == ["pokemon", "pokemon-japan"]


def test_cards_of_a_set_are_asked_in_pages_of_the_plan():
    first = a_list(a_row("a"), a_row("b"), total=3, limit=2, offset=0, hasMore=True)
    last = a_list(a_row("c"), total=3, limit=2, offset=2, hasMore=False)
    with a_wire(first, last) as wire:
        pages = cards(a_client(wire, batch=2))
    assert dict(wire.vendor.asked[0].query) == {
        "set": ("base-set-pokemon",),
        "game": ("pokemon",),
        "limit": ("2",),
        "offset": ("0",),
        "include_price_history": ("false",),
        "include_statistics": ("7d",),
        "include_null_prices": ("true",),
    }
    assert [call.arg("offset") for call in wire.vendor.asked] == ["0", "2"]
    assert [[card.key for card in page.cards] for page in pages] == [
        ["justtcg:a", "justtcg:b"],
        ["justtcg:c"],
    ]
    assert all(page.prices is not None and page.prices.items for page in pages)
    assert pages[-1].incomplete == ""


@pytest.mark.parametrize(
    ("code", "game"),
    [
        ("justtcg:base-set-pokemon", "pokemon"),
        ("justtcg:neo-genesis-pokemon-japan", "pokemon-japan"),
        ("justtcg:odd", ""),
    ],
)
def test_set_id_tells_which_game_to_ask(code, game):
    with a_wire(a_list()) as wire:
        cards(a_client(wire), code)
    assert wire.vendor.asked[0].arg("game") == game


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        # the same page for ever
        ([a_list(a_row("a"), total=9, offset=0, hasMore=True)], "got those from 0"),
        ([a_list(a_row("a"), total=9, hasMore=True)], "without anything new"),
        # always more, and nothing there
        ([a_list(a_row("a"), hasMore=True), a_list(hasMore=True)], "without anything new"),
        # a total that is not reached
        ([a_list(a_row("a"), total=7, offset=0, hasMore=False)], "1 of 7"),
        # a row moved while we read: one comes twice, one never
        (
            [
                a_list(a_row("a"), total=2, offset=0, hasMore=True),
                a_list(a_row("a"), total=2, offset=1, hasMore=False),
            ],
            "1 of 2",
        ),
    ],
)
def test_lying_pages_end_as_incomplete(answers, reason):
    with a_wire(*answers) as wire:
        pages = cards(a_client(wire, batch=1))
    assert reason in pages[-1].incomplete
    assert len(wire.vendor.asked) <= 2


def test_endless_list_ends_at_the_cap(monkeypatch):
    monkeypatch.setattr(paging, "MOST_PAGES", 3)
    answers = [a_list(a_row(f"c{n}"), hasMore=True) for n in range(5)]
    with a_wire(*answers) as wire:
        pages = cards(a_client(wire, batch=1))
    assert pages[-1].incomplete == "more than 3 pages"
    assert len(wire.vendor.asked) == 3


def test_list_without_meta_ends_with_a_page_that_is_not_full():
    with a_wire(a_list(a_row("a"), a_row("b")), a_list(a_row("c"))) as wire:
        pages = cards(a_client(wire, batch=2))
    assert [len(page.cards) for page in pages] == [2, 1]
    assert pages[-1].incomplete == ""


def test_search_sends_the_name_and_one_game():
    with a_wire(a_list(a_row("a"), total=1, hasMore=False)) as wire:
        answer = searched(a_client(wire), game="onepiece", limit=50)
    query = wire.vendor.asked[0].query
    assert (query["q"], query["game"], query["limit"]) == (
        ("charizard",),
        ("one-piece-card-game",),
        ("20",),
    )
    assert (len(answer.hits), answer.truncated) == (1, False)


def test_search_says_when_there_may_be_more():
    with a_wire(a_list(a_row("a"), total=40, hasMore=True)) as wire:
        assert searched(a_client(wire)).truncated
    with a_wire(a_list(a_row("a"), total=1, hasMore=False)) as wire:
        assert searched(
            a_client(wire), game="pokemon"
        ).truncated  # the Japanese cards are not asked


def test_check_is_the_list_of_games():
    with a_wire(a_list({"id": "pokemon", "last_updated": "1773037475"})) as wire:
        client = a_client(wire)

        async def run() -> None:
            try:
                await client.check()
            finally:
                await client.close()

        asyncio.run(run())
    assert [call.path for call in wire.vendor.asked] == ["/games"]


def test_unknown_game_is_refused_before_any_call():
    with a_wire(a_list()) as wire, pytest.raises(InvalidInput, match="digimon"):
        sets(a_client(wire), "digimon")
    assert wire.vendor.asked == []


def refusal(status: int, code: str = "", error: str = "no", **headers: str) -> Response:
    body = {"error": error} | ({"code": code} if code else {})
    return a_json(body | {"_metadata": USAGE}, status, **headers)


def error_of(answer: Response) -> tuple[VendorError, Wire]:
    with a_wire(answer) as wire, pytest.raises(VendorError) as told:
        items(a_client(wire), refs("a"))
    assert KEY not in str(told.value)
    assert len(wire.vendor.asked) == 1
    return told.value, wire


@pytest.mark.parametrize(
    ("status", "code", "text"),
    [
        (401, "MISSING_API_KEY", "no key"),
        (401, "INVALID_API_KEY", "bad key"),
        (401, "", ""),
        (403, "INVALID_API_KEY", "revoked"),
        (403, "", "This API key is disabled"),
    ],
)
def test_refused_key_stops(status, code, text):
    error, wire = error_of(refusal(status, code, text))
    assert isinstance(error, BadCredentials)
    assert "API_JUSTTCG_API_KEY" in str(error)
    assert wire.gate.outcomes == [CallOutcome.BAD_CREDENTIALS]


@pytest.mark.parametrize("status", [400, 403])
def test_plan_limit_names_the_setting(status):
    error, wire = error_of(refusal(status, "FORBIDDEN", f"at most 20 cards, {KEY}"))
    assert isinstance(error, RequestRefused)
    assert "API_JUSTTCG_BATCH_SIZE" in str(error)
    assert "at most 20 cards" in str(error)
    assert wire.gate.outcomes == [CallOutcome.REFUSED]


@pytest.mark.parametrize(
    ("code", "text", "until"),
    [
        ("DAILY_LIMIT_EXCEEDED", "", datetime(2026, 5, 2, tzinfo=UTC)),
        ("", "Daily limit exceeded", datetime(2026, 5, 2, tzinfo=UTC)),
        ("REQUEST_LIMIT_EXCEEDED", "", datetime(2026, 6, 1, tzinfo=UTC)),
        ("", "Total request limit exceeded", datetime(2026, 6, 1, tzinfo=UTC)),
    ],
)
def test_spent_plan_waits_for_its_reset(code, text, until):
    error, wire = error_of(refusal(429, code, text))
    assert isinstance(error, QuotaExhausted)
    assert error.until == until
    assert wire.gate.waits == [until]
    assert ReportedQuota("day", 97, 100) in wire.gate.reported


def test_month_after_december_is_january():
    with a_wire(refusal(429, "REQUEST_LIMIT_EXCEEDED")) as wire:
        wire.clock.set(datetime(2026, 12, 31, 23, 59, tzinfo=UTC))
        with pytest.raises(QuotaExhausted) as told:
            items(a_client(wire), refs("a"))
    assert told.value.until == datetime(2027, 1, 1, tzinfo=UTC)


def test_too_fast_waits_a_minute_or_what_the_vendor_says():
    error, _ = error_of(refusal(429, "RATE_LIMIT_EXCEEDED"))
    assert isinstance(error, RateLimited)
    assert error.retry_at == NOW + timedelta(minutes=1)
    error, _ = error_of(refusal(429, "RATE_LIMIT_EXCEEDED", retry_after="7"))
    assert isinstance(error, RateLimited)
    assert error.retry_at == NOW + timedelta(seconds=7)


def test_text_without_json_is_too_fast_too():
    error, _ = error_of(Response(429, b"slow down", {"Content-Type": "text/plain"}))
    assert isinstance(error, RateLimited)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"data": {}}', b'{"data": [', b"<html>"])
def test_answer_that_is_not_documented_breaks_the_contract(body):
    error, _ = error_of(Response(200, body, {"Content-Type": "application/json"}))
    assert isinstance(error, ContractBroken)
