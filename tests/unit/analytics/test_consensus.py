"""One price out of several, and when there is none."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcgtracker.analytics.consensus import Consensus, consensus
from tcgtracker.analytics.ratios import Usual, log_ratio
from tcgtracker.analytics.source_prices import SourceQuote
from tcgtracker.domain.source import SOURCE_ORDER, Source
from tests.unit.analytics.pricing import NOW, a_quote

JT, PC, TC, TP = Source.JUSTTCG, Source.PRICECHARTING, Source.TCGCSV, Source.TCGPLAYER
RATIOS = {(JT, PC): 0.9, (JT, TC): 1.0, (TC, PC): 0.9, (JT, TP): 1.0, (TP, PC): 0.9}


def learned(one: SourceQuote, other: SourceQuote) -> Usual | None:
    if (one.source, other.source) in RATIOS:
        return Usual(log_ratio(1_000, round(1_000 * RATIOS[one.source, other.source])), 0.05, 80)
    if (other.source, one.source) in RATIOS:
        return Usual(-log_ratio(1_000, round(1_000 * RATIOS[other.source, one.source])), 0.05, 80)
    return None


def nothing(_one: SourceQuote, _other: SourceQuote) -> None:
    return None


def agreed(*quotes: SourceQuote, known: bool = True) -> Consensus:
    usual_of = learned if known else nothing
    return consensus(quotes, "USD", order=SOURCE_ORDER, usual_of=usual_of, now=NOW)


def reasons(found: Consensus) -> dict[Source, str]:
    return {one.quote.source: one.reason for one in found.voices}


def test_a_guide_is_brought_to_the_scale_of_the_market() -> None:
    found = agreed(a_quote(PC, 900), a_quote(JT, 1_000))
    assert (found.price, found.scale, found.sources) == (1_000, JT, 2)
    assert [one.adjusted for one in found.voices] == [1_000, 1_000]
    assert found.confidence == pytest.approx(0.75)
    assert found.spread == 0.0


def test_three_that_agree_are_believed_most() -> None:
    one = agreed(a_quote(JT, 1_000))
    two = agreed(a_quote(JT, 1_000), a_quote(PC, 900))
    three = agreed(a_quote(JT, 1_000), a_quote(PC, 900), a_quote(TC, 1_000))
    assert one.confidence < two.confidence < three.confidence < 1
    assert one.spread is None
    assert "one source alone" in one.reasons[-1]


def test_the_older_weighs_less() -> None:
    found = agreed(a_quote(JT, 1_000), a_quote(TC, 1_300, days=7))
    assert found.price == 1_100  # 1 part and half a part
    assert found.confidence < agreed(a_quote(JT, 1_000), a_quote(TC, 1_300)).confidence * 1.2
    old = agreed(a_quote(JT, 1_000, days=14))
    assert old.confidence == pytest.approx(0.125)
    assert "nobody saw it within 7 days" in old.reasons


def test_what_was_not_seen_for_a_month_says_nothing() -> None:
    found = agreed(a_quote(JT, 1_000, days=31), a_quote(PC, 900))
    assert found.scale is PC
    assert reasons(found)[JT] == "last seen 31 days ago"
    gone = agreed(a_quote(JT, 1_000, days=31))
    assert (gone.price, gone.confidence, gone.sources) == (None, 0.0, 0)
    assert gone.reasons == ("no source priced it within 30 days",)
    assert agreed().reasons == ("no source",)


def test_two_that_disagree_have_no_consensus() -> None:
    found = agreed(a_quote(JT, 1_000), a_quote(PC, 2_700))
    assert (found.price, found.confidence, found.sources) == (None, 0.0, 0)
    assert "disagree 3 x, and nothing tells which is right" in found.reasons[-1]
    assert {one.quote.source for one in found.voices} == {JT, PC}


def test_of_three_the_one_that_departs_is_left_out() -> None:
    found = agreed(a_quote(JT, 1_000), a_quote(PC, 900), a_quote(TC, 9_900))
    assert (found.price, found.sources) == (1_000, 2)
    assert "departs 9.9 x from the others" in reasons(found)[TC]


def test_a_guide_whose_ratio_is_not_known_is_not_mixed_in() -> None:
    found = agreed(a_quote(JT, 1_000), a_quote(PC, 600), known=False)
    assert (found.price, found.sources) == (1_000, 1)
    assert reasons(found)[PC] == "a guide price, and its usual ratio to market is not known"


def test_a_market_price_whose_ratio_is_not_known_counts_half() -> None:
    found = agreed(a_quote(JT, 1_000), a_quote(TC, 1_300), known=False)
    assert found.price == 1_100
    assert reasons(found)[TC] == "as it is: its usual ratio is not known"
    assert found.confidence < agreed(a_quote(JT, 1_000), a_quote(TC, 1_300)).confidence


def test_two_copies_of_one_market_are_one_voice() -> None:
    found = agreed(a_quote(TC, 1_000, days=1), a_quote(TP, 1_010))
    assert (found.price, found.sources) == (1_010, 1)
    assert reasons(found)[TC] == "the same market as tcgplayer"


def test_a_source_that_speaks_for_no_card_is_no_voice() -> None:
    quotes = [a_quote(JT, 1_000), a_quote(PC, 5_000)]
    found = consensus(quotes, "USD", order=(JT, TC), usual_of=learned, now=NOW)
    assert (found.price, found.sources) == (1_000, 1)
    assert reasons(found)[PC] == "fetched to be compared, speaks for no card"


def test_languages_are_not_mixed() -> None:
    found = agreed(a_quote(JT, 1_000, language="en"), a_quote(TC, 1_100, language="de"))
    assert (found.price, found.sources) == (1_000, 1)
    assert reasons(found)[TC] == "another language: de"


@given(
    st.lists(st.integers(1, 10**7), min_size=3, max_size=3),
    st.lists(st.floats(0, 40), min_size=3, max_size=3),
)
def test_the_order_of_the_quotes_is_nothing(amounts: list[int], days: list[float]) -> None:
    quotes = [
        a_quote(source, amount, days=age)
        for source, amount, age in zip((JT, PC, TC), amounts, days, strict=True)
    ]
    found = {agreed(*one) for one in permutations(quotes)}
    assert len(found) == 1
    one = found.pop()
    assert 0 <= one.confidence <= 1
    counted = [voice.adjusted for voice in one.voices if voice.weight]
    if one.price is not None:
        assert min(counted) <= one.price <= max(counted)
