"""V10, V15, V16: answers of another shape, of another card, of pages that do not end."""

import pytest

from tcgtracker.domain.errors import ContractBroken
from tcgtracker.domain.source import Source
from tests.integration.vendor_faults.invariants import Point, lost_of, points
from tests.integration.vendor_faults.stack import GAME, SET, Stack

FIRST = "pricecharting"


@pytest.mark.parametrize(
    ("fault", "params"),
    [
        ("field_gone", {"keys": "^(name|condition)$", "limit": 1}),
        ("field_gone", {"keys": "^variants$", "limit": 1}),
        ("field_retyped", {"keys": "^name$", "limit": 1}),
        ("field_retyped", {"keys": "^variants$", "limit": 1}),
        ("field_retyped", {"keys": "^price$", "limit": 1}),
        ("field_set", {"keys": "^condition$", "limit": 1, "value": "Slightly Chewed"}),
        ("field_set", {"keys": "^lastUpdated$", "limit": 1, "value": "yesterday"}),
    ],
)
def test_v10_one_strange_record_is_quarantined_and_the_others_go_on(
    stack: Stack, fault: str, params: dict[str, object]
) -> None:
    source = Source.JUSTTCG
    cards = stack.cards(5)
    before = _history(stack, source)
    stack.sandbox.fault(fault, vendor="justtcg", params=params)
    outcomes = stack.update(*cards, source=source)
    assert stack.fired(fault) == 1
    assert sum(stack.quarantined(source).values()) == 1
    answered = [one for one in outcomes if one.price and one.price.source is source]
    assert len(answered) >= len(cards) - 1
    assert len(_history(stack, source)) > len(before)
    (raw,) = stack.sql("SELECT raw FROM quarantined_rows")
    assert raw.raw, "a sample is kept"


@pytest.mark.parametrize(
    ("vendor", "keys"),
    [
        (FIRST, "^(product-name|id)$"),
        (FIRST, "^status$"),
        ("justtcg", "^data$"),
        ("tcgplayer", "^(results|success)$"),
    ],
)
@pytest.mark.parametrize("fault", ["field_gone", "field_retyped"])
def test_v10_answer_of_another_shape_is_refused_whole(
    stack: Stack, vendor: str, keys: str, fault: str
) -> None:
    source = Source(vendor)
    cards = stack.cards(2)
    before = _history(stack, source)
    params = {"keys": keys}
    stack.sandbox.fault(fault, vendor=vendor, pattern="(?<!token)$", params=params)
    outcomes = stack.update(*cards, source=source)
    assert stack.fired(fault) >= 1
    assert _history(stack, source) == before
    for outcome in outcomes:
        assert outcome.price is not None
        assert outcome.price.source is not source
    refused = stack.quarantined(source)
    broken = [one.misses[0].error for one in outcomes if one.misses]
    assert refused or all(isinstance(error, ContractBroken) for error in broken)
    stack.recover(cards[0])


def test_v10_price_keys_that_vanish_are_no_zero(stack: Stack) -> None:
    (card,) = stack.cards()
    shown = stack.quote(card, Source.PRICECHARTING)
    before = _history(stack, Source.PRICECHARTING)
    stack.sandbox.fault("field_gone", vendor=FIRST, params={"keys": "-price$"})
    outcome = stack.update_one(card)
    assert stack.fired("field_gone") == 1
    assert _history(stack, Source.PRICECHARTING) == before
    assert stack.quote(card, Source.PRICECHARTING) == shown
    assert outcome.price is not None
    assert outcome.price.source is Source.JUSTTCG


def test_v10_columns_of_a_file_that_change_their_name(stack: Stack) -> None:
    stack.advance(600)
    before = _history(stack, Source.PRICECHARTING)
    stack.sandbox.fault("field_gone", vendor=FIRST, params={"keys": "^loose-price$"})
    report = stack.tracker.bulk_sync.pricecharting(GAME)
    assert stack.fired("field_gone") == 1
    assert isinstance(report.outcomes[0].error, ContractBroken)
    assert _history(stack, Source.PRICECHARTING) == before


@pytest.mark.parametrize("vendor", [FIRST, "justtcg"])
@pytest.mark.parametrize(
    ("fault", "params"),
    [
        ("id_reused", {}),
        ("html_name", {}),
        ("renamed", {"after": " (Renamed)"}),
        ("field_set", {"keys": "^(name|product-name)$", "value": "Blue-Eyes White Dragon #001"}),
    ],
)
def test_v15_product_that_is_no_longer_the_card_is_not_shown_for_it(
    stack: Stack, vendor: str, fault: str, params: dict[str, object]
) -> None:
    source = Source(vendor)
    cards = stack.cards(2)
    products = {card: stack.product(card, source) for card in cards}
    before = {card: _shown(stack, card, source) for card in cards}
    names = stack.sql("SELECT id, name FROM cards ORDER BY id")
    stack.advance(24 * 3600)
    stack.sandbox.fault(fault, vendor=vendor, params=params)
    outcomes = stack.update(*cards, source=source)
    assert stack.fired(fault) >= 1
    for card, outcome in zip(cards, outcomes, strict=True):
        shown = _shown(stack, card, source)
        assert shown in ({}, before[card]), f"{products[card]}'s new price is shown for {card}"
        assert outcome.price is None or outcome.price.source is not source
    states = {row.state for row in stack.sql("SELECT state FROM product_links")}
    assert "suspended" in states
    assert stack.sql("SELECT id, name FROM cards ORDER BY id") == names, "no card was renamed"
    stack.sandbox.clear_faults()
    again = stack.update(*cards, source=source)
    assert {one.price.source for one in again if one.price} == {source}, "trusted again"


def test_v15_swapped_ids_in_a_file(each_stack: Stack) -> None:
    stack, source = each_stack, Source.PRICECHARTING
    stack.advance(24 * 3600)
    stack.sandbox.fault("id_reused", vendor=FIRST)
    report = stack.tracker.bulk_sync.pricecharting(GAME)
    assert stack.fired("id_reused") == 1
    assert report.outcomes[0].counts["links_suspended"] == 2
    suspended = stack.sql(
        "SELECT l.card_id FROM product_links l WHERE l.source = :s AND l.state = 'suspended'",
        s=source.value,
    )
    for row in suspended:
        assert _shown(stack, row.card_id, source) == {}


@pytest.mark.parametrize(
    ("vendor", "faults"),
    [
        ("justtcg", ("paging_loop", "endless_next")),
        ("justtcg", ("paging_loop",)),
        ("justtcg", ("lying_total",)),
        ("justtcg", ("shifted_pages",)),
        # the set is one page of TCGplayer's 100, and TCGCSV has no pages
        ("tcgplayer", ("endless_next",)),
        ("tcgplayer", ("lying_total",)),
        ("tcgcsv", ("lying_total",)),
    ],
)
def test_v16_pages_that_lie_end_incomplete_and_nothing_is_gone(
    stack: Stack, vendor: str, faults: tuple[str, ...]
) -> None:
    set_id = stack.one("SELECT id FROM tcg_sets WHERE code = :code", code=f"justtcg:{SET}")
    cards = stack.one("SELECT count(*) FROM cards")
    before = _history(stack, Source.JUSTTCG)
    since = len(stack.calls(vendor))
    for fault in faults:
        stack.sandbox.fault(fault, vendor=vendor, pattern="(?<!token)$")
    stack.advance(24 * 3600)
    report = stack.tracker.catalog_sync.cards(set_id)
    (outcome,) = [one for one in report.outcomes if one.vendor == vendor]
    for fault in faults:
        assert stack.fired(fault) >= 1
    assert outcome.incomplete, outcome
    assert outcome.failed
    assert len(stack.calls(vendor)) - since <= 6, "it does not go round and round"
    assert stack.one("SELECT count(*) FROM cards") >= cards
    after = _history(stack, Source.JUSTTCG)
    assert not lost_of(before, list(after))
    assert not [point for point in after - before if point.state == 1], "gapped"


def test_v16_pages_that_shift_while_sets_are_read(stack: Stack) -> None:
    sets = stack.one("SELECT count(*) FROM tcg_sets")
    stack.sandbox.fault("lying_total")
    report = stack.tracker.catalog_sync.sets(GAME)
    assert stack.fired("lying_total") >= 2
    assert len(report.failures) >= 2
    assert stack.one("SELECT count(*) FROM tcg_sets") == sets


def _shown(stack: Stack, card: int, source: Source) -> dict[str, object]:
    rows = stack.sql(
        "SELECT series_id, market_price, listed FROM card_quotes"
        " WHERE card_id = :card AND source = :source",
        card=card,
        source=source.value,
    )
    return {"series": rows[0].series_id, "price": rows[0].market_price} if rows else {}


def _history(stack: Stack, source: Source) -> set[Point]:
    with stack.tracker.history.read() as connection:
        return {point for point in points(connection) if point.source == source}
