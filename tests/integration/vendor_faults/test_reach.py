"""V1, V2, V22: vendors that cannot be reached, or that never come to an end."""

import time
from datetime import timedelta

import pytest

from tcgtracker.domain.source import Source
from tcgtracker.integrations.contract import CallPolicy
from tcgtracker.quotes.outcomes import MissKind, Outcome
from tests.integration.vendor_faults.stack import ASKED, NOW, Stack


@pytest.mark.parametrize("fault", ["refuse", "reset_at_accept", "not_http"])
def test_v1_fallback_answers_while_the_first_vendor_is_away(each_stack: Stack, fault: str) -> None:
    (card,) = each_stack.cards()
    each_stack.sandbox.fault(fault, vendor="pricecharting")
    outcome = each_stack.update_one(card)
    assert outcome.outcome is Outcome.STORED
    assert outcome.price is not None
    assert outcome.price.source is Source.JUSTTCG
    assert outcome.fallback_reason.startswith("pricecharting: ")
    assert [miss.kind for miss in outcome.misses] == [MissKind.RETRYABLE]
    assert each_stack.fired(fault) >= 1
    each_stack.recover(card)
