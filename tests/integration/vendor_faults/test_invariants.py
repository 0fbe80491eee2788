"""The checks themselves: each must be able to fail."""

from collections import Counter

import pytest
from sqlalchemy import text

from tcgtracker.domain.source import Source
from tests.integration.vendor_faults import invariants
from tests.integration.vendor_faults.invariants import points
from tests.integration.vendor_faults.stack import CANARIES, Stack


def test_price_that_nobody_served_is_found(stack: Stack) -> None:
    served = stack.seed.served
    found = _points(stack)
    invariants.check_traceable(found, served)
    point = next(one for one in found if one.values[0] is not None)
    values = (1_234_567, *point.values[1:])
    for wrong in (
        point._replace(values=values),
        point._replace(product="1"),
        point._replace(source="justtcg" if point.source == "pricecharting" else "pricecharting"),
        point._replace(currency="EUR"),
        point._replace(at=stack.clock.now()),
    ):
        with pytest.raises((AssertionError, IndexError)):
            invariants.check_traceable([wrong], served)


def test_lost_point_and_doubled_point_are_found(stack: Stack) -> None:
    found = _points(stack)
    before = invariants.Before(frozenset(found))
    with pytest.raises(AssertionError, match="I1"):
        invariants.check_kept(stack, before, found[1:])
    with pytest.raises(AssertionError, match="I2"):
        invariants.check_unique([*found, found[0]], Counter())


@pytest.mark.parametrize("table", ["source_state", "jobs"])
def test_secret_in_a_row_or_in_a_log_is_found(stack: Stack, table: str) -> None:
    secret = CANARIES["justtcg"]["key"]
    with pytest.raises(AssertionError, match="I7"):
        invariants.check_secrets(stack, [f"a line with {secret}"])
    (card,) = stack.cards()
    stack.update_one(card, source=Source.JUSTTCG)
    job_id = stack.enqueue(card)
    column = {"source_state": "last_error", "jobs": "error"}[table]
    statement = f"UPDATE {table} SET {column} = :told"  # noqa: S608 - names of this test
    for told in (f"boom {secret}", ""):
        with stack.tracker.database.write() as connection:
            connection.execute(text(statement), {"told": told})
        if told:
            with pytest.raises(AssertionError, match=f"I7.*{table}"):
                invariants.check_secrets(stack, [])
    assert stack.job(job_id).state == "ready"
    invariants.check_secrets(stack, [])


def test_call_that_was_not_counted_is_found(stack: Stack) -> None:
    (card,) = stack.cards()
    stack.update_one(card, source=Source.JUSTTCG)
    invariants.check_quota(stack)
    with stack.tracker.database.write() as connection:
        connection.execute(text("UPDATE vendor_quota SET used = 0"))
    with pytest.raises(AssertionError, match="I5"):
        invariants.check_quota(stack)
    with stack.tracker.database.write() as connection:
        connection.execute(text("UPDATE vendor_quota SET used = 1"))


def test_run_that_never_ended_is_found(stack: Stack) -> None:
    with stack.tracker.database.write() as connection:
        connection.execute(text("UPDATE collect_runs SET state = 'running'"))
    with pytest.raises(AssertionError, match="I10"):
        invariants.check_settled(stack)
    with stack.tracker.database.write() as connection:
        connection.execute(text("UPDATE collect_runs SET state = 'done'"))


def test_card_that_shows_another_cards_product_is_found(stack: Stack) -> None:
    one, other = stack.cards(2)
    swap = "UPDATE card_quotes SET series_id = :series WHERE card_id = :card AND source = 'justtcg'"
    series = {
        card: stack.one(
            "SELECT series_id FROM card_quotes WHERE card_id = :card AND source = 'justtcg'",
            card=card,
        )
        for card in (one, other)
    }
    for held in ({one: series[other]}, {one: series[one]}):
        with stack.tracker.database.write() as connection:
            for card, series_id in held.items():
                connection.execute(text(swap), {"card": card, "series": series_id})
        if held[one] != series[one]:
            with pytest.raises(AssertionError, match="I3"):
                invariants.check_shown(stack, _points(stack))


def _points(stack: Stack) -> list[invariants.Point]:
    with stack.tracker.history.read() as connection:
        return list(points(connection))
