"""V17, V18, V19: tokens that end, tokens that are over on arrival, keys that are revoked."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tcgtracker.domain.errors import BadCredentials, SourceDisabled, Unavailable, VendorError
from tcgtracker.domain.source import Source
from tcgtracker.quotes.outcomes import MissKind
from tcgtracker.sandbox.tcgplayer import TcgplayerSandbox
from tests.integration.vendor_faults.stack import ASKED, GAME, Stack

TOKENS = "/token"
PRICES = "/pricing"
TP = Source.TCGPLAYER


def test_v17_token_that_ends_while_running_is_renewed_once(stack: Stack) -> None:
    cards = stack.cards(6)
    stack.sandbox.tune("tcgplayer", token_lifetime_s=120)
    assert _source(stack, cards[0]) is TP
    for card in cards[1:4]:
        stack.advance(10)
        assert _source(stack, card) is TP
    assert len(stack.calls("tcgplayer", TOKENS)) == 1
    stack.advance(100)
    for card in cards:
        assert _source(stack, card) is TP
    assert len(stack.calls("tcgplayer", TOKENS)) == 2
    assert {call.status for call in stack.calls("tcgplayer", PRICES)} <= {200, 207}


def test_v17_refused_token_is_exchanged_once_for_all_who_wait(each_stack: Stack) -> None:
    stack = each_stack
    cards = stack.cards(6)
    assert _source(stack, cards[0]) is TP
    asked = len(stack.calls("tcgplayer", PRICES))
    vendor = stack.sandbox.vendors["tcgplayer"]
    assert isinstance(vendor, TcgplayerSandbox)
    vendor.tokens.revoke()
    stack.sandbox.fault("stall", vendor="tcgplayer", params={"seconds": 0.2})
    with ThreadPoolExecutor(len(cards)) as pool:
        sources = list(pool.map(lambda card: _source(stack, card), cards))
    assert set(sources) == {TP}
    assert len(stack.calls("tcgplayer", TOKENS)) == 2, "one exchange, no stampede"
    refused = [call for call in stack.calls("tcgplayer", PRICES) if call.status == 401]
    assert len(refused) > 1, "several calls met the end of the token"
    assert len(stack.calls("tcgplayer", PRICES)) - asked == len(cards) + len(refused)


def test_v17_token_address_that_is_down(stack: Stack) -> None:
    cards = stack.cards(6)
    stack.sandbox.fault("token_down", vendor="tcgplayer")
    with ThreadPoolExecutor(len(cards)) as pool:
        outcomes = list(pool.map(lambda card: stack.update_one(card, source=TP), cards))
    for outcome in outcomes:
        assert isinstance(outcome.misses[0].error, VendorError)
        assert outcome.price is not None
        assert outcome.price.source is not TP
    assert isinstance(outcomes[0].misses[0].error, Unavailable)
    assert stack.fired("token_down") == len(stack.calls("tcgplayer"))
    assert stack.fired("token_down") <= 5, "the breaker ends it"
    assert not stack.calls("tcgplayer", PRICES)
    stack.sandbox.clear_faults()
    stack.advance(61)
    assert _source(stack, cards[0]) is TP, "the run resumes"


@pytest.mark.parametrize("seconds", [0, -3600])
def test_v18_token_over_on_arrival_is_asked_for_once_more_and_then_stops(
    stack: Stack, seconds: int
) -> None:
    cards = stack.cards(3)
    stack.sandbox.fault("token_lifetime", vendor="tcgplayer", params={"value": seconds})
    outcome = stack.update_one(cards[0], source=TP)
    assert isinstance(outcome.misses[0].error, BadCredentials)
    for card in cards:
        misses = stack.update_one(card, source=TP).misses
        assert isinstance(misses[0].error, SourceDisabled)
    assert stack.fired("token_lifetime") == len(stack.calls("tcgplayer")) == 2
    assert stack.state("tcgplayer").stopped
    assert len(stack.logged("source.stopped")) == 1, "told once"


@pytest.mark.parametrize("hours", [-48, 48])
def test_v18_vendor_with_another_clock_is_understood_by_the_lifetime_alone(
    stack: Stack, hours: float
) -> None:
    cards = stack.cards(3)
    if hours < 0:
        stack.sandbox.fault("stale", vendor="tcgplayer", params={"hours": -hours})
    else:
        stack.sandbox.fault(
            "field_set",
            vendor="tcgplayer",
            pattern="token$",
            params={"keys": r"^\.issued$", "value": "Tue, 12 May 2026 12:00:00 GMT"},
        )
    assert {_source(stack, card) for card in cards} == {TP}
    assert sum(stack.sandbox.fired().values()) >= 1
    assert len(stack.calls("tcgplayer", TOKENS)) == 1


@pytest.mark.parametrize(
    ("vendor", "fault", "params"),
    [
        ("pricecharting", "unauthorized", {}),
        ("pricecharting", "forbidden", {}),
        ("justtcg", "unauthorized", {}),
        ("justtcg", "forbidden", {"body": '{"error": "API key has been disabled"}'}),
        ("tcgplayer", "forbidden", {}),
    ],
)
def test_v19_revoked_key_is_one_call_and_then_silence(
    stack: Stack, vendor: str, fault: str, params: dict[str, object]
) -> None:
    source = Source(vendor)
    cards = stack.cards(4)
    stack.sandbox.fault(fault, vendor=vendor, pattern="(?<!token)$", params=params)
    outcome = stack.update_one(cards[0], source=source)
    assert isinstance(outcome.misses[0].error, BadCredentials)
    assert outcome.price is not None, "the others go on"
    stack.sandbox.clear_faults()
    for hours in (0, 1, 24, 240):
        stack.advance(hours * 3600)
        misses = stack.update(*cards, source=source)[0].misses
        assert misses[0].kind is MissKind.FATAL
        assert isinstance(misses[0].error, SourceDisabled)
    assert len([call for call in stack.calls(vendor) if call.path != TOKENS]) == 1
    assert stack.fired(fault) == 1
    assert len(stack.logged("source.stopped")) == 1, "told once"


def test_v19_new_key_is_tried_at_once(stack: Stack) -> None:
    (card,) = stack.cards()
    stack.sandbox.tune("justtcg", key="tcg_c4naryJT1c4naryJT1c4naryJT1")
    outcome = stack.update_one(card, source=Source.JUSTTCG)
    assert isinstance(outcome.misses[0].error, BadCredentials)
    stack.restart(API_JUSTTCG_API_KEY="tcg_c4naryJT0c4naryJT0c4naryJT0")
    assert stack.update_one(card, source=Source.JUSTTCG).misses[0].kind is MissKind.FATAL
    assert len(stack.calls("justtcg")) == 1, "a restart alone is no reason"
    stack.restart()
    outcome = stack.update_one(card, source=Source.JUSTTCG)
    assert outcome.price is not None
    assert outcome.price.source is Source.JUSTTCG
    assert stack.state("justtcg").stopped == ""


@pytest.mark.parametrize("vendor", ["tcgplayer", "ebay"])
def test_v19_revoked_application_is_refused_at_its_token(stack: Stack, vendor: str) -> None:
    (card,) = stack.cards()
    stack.sandbox.tune(vendor, keys_revoked=True)
    for _ in range(3):
        if vendor == "ebay":
            with pytest.raises((BadCredentials, SourceDisabled)) as refused:
                stack.tracker.vendors.search("ebay", "Nami", game=GAME, limit=5)
            stack.tell(refused.value)
        else:
            assert stack.update_one(card, source=TP).misses[0].kind is MissKind.FATAL
    assert len(stack.calls(vendor)) == 1
    assert stack.state(vendor).stopped


def test_v19_every_key_revoked_is_a_dead_letter_after_one_attempt(stack: Stack) -> None:
    (card,) = stack.cards()
    stack.sandbox.fault("unauthorized")
    job_id = stack.enqueue(card)
    stack.run_jobs()
    stack.advance(3600)
    stack.run_jobs()
    job = stack.job(job_id)
    assert (job.state, job.attempts) == ("dead", 1)
    assert "API_PRICECHARTING_API_KEY" in job.error
    assert len(stack.calls()) == len(ASKED) == stack.fired("unauthorized")


def _source(stack: Stack, card: int) -> Source | None:
    outcome = stack.update_one(card, source=TP)
    return outcome.price.source if outcome.price else None
