"""What a person decides on links: it moves prices at once, is kept for good, and can be undone."""

from dataclasses import replace
from pathlib import Path

import pytest

from tcgtracker.catalog.links import link_all
from tcgtracker.catalog.review_rows import LinkFilter
from tcgtracker.database.engine import Database
from tcgtracker.domain.catalog import LinkState
from tcgtracker.domain.errors import Conflict, InvalidInput, NotFound
from tcgtracker.domain.source import Source
from tcgtracker.quotes.link_choices import Choice, Reviewer
from tests.unit.catalog.builders import CLOCK, a_card, a_set, a_variant, add_products, lines, load
from tests.unit.catalog.stating import PC, a_statement, take
from tests.unit.quotes.kit import add_cards
from tests.unit.quotes.reviewing import ASH, EVERY, UNCLEAR, ReviewKit

WRONG_NUMBER = a_statement("10", "Alakazam #3")  # states product 1, whose card is number 1


@pytest.fixture
def kit(database: Database, tmp_path: Path) -> ReviewKit:
    return ReviewKit(database, tmp_path)


def test_the_dearest_uncertain_link_comes_first(kit: ReviewKit) -> None:
    kit.guide(WRONG_NUMBER, price=500)
    kit.guide(WRONG_NUMBER, a_statement("11", "Machamp #9", "2"), price=900)
    kit.guide(a_statement("11", "Machamp #9", "2"), price=800)
    page = kit.review.queue()
    assert [one.record.market_price for one in page.links] == [900, 800]
    assert page.counts == {LinkState.UNKNOWN: 2, LinkState.SUSPENDED: 0}
    first = kit.review.queue(limit=1)
    rest = kit.review.queue(limit=1, cursor=first.next_cursor or "")
    assert [one.record.id for one in (*first.links, *rest.links)] == [
        one.record.id for one in page.links
    ]
    assert rest.next_cursor is None


def test_both_sides_are_shown_with_the_reason(kit: ReviewKit) -> None:
    kit.guide(WRONG_NUMBER)
    found = kit.review.show(kit.link("10").record.id)
    parts = {one.field: (one.vendor, one.ours, one.verdict) for one in found.view.parts}
    assert parts["number"] == ("3", "1", "disagrees")
    assert parts["name"] == ("Alakazam #3", "Alakazam", "agrees")
    assert parts["set"] == ("Pokemon Set base4", "Set base4", "agrees")
    assert found.view.record.evidence.startswith("refused: pricecharting states 'Alakazam #3'")
    assert found.view.proposal == "Holofoil"
    assert [one.market_price for one in found.product_prices] == [500]
    assert found.card_prices == ()
    assert found.compared_at == kit.kit.clock.now()


def test_an_accepted_link_brings_its_whole_history_at_once(kit: ReviewKit) -> None:
    kit.guide(WRONG_NUMBER, price=500)
    kit.guide(WRONG_NUMBER, price=700)
    assert kit.quoted() == {}
    done = kit.review.accept(kit.link("10").record.id, ASH, Choice(note="a misprint"))
    assert kit.quoted() == {"1": 700}
    record = done.link.record
    assert (record.state, record.score, record.decided_by) == (LinkState.CONFIRMED, 1.0, "ash")
    assert record.rule_version == "person-1"
    assert record.evidence.startswith("ash accepted Holofoil (a misprint); pricecharting states")
    assert kit.audited() == [("link.accepted", "pricecharting:10")]
    assert kit.review.queue().links == ()


def test_an_accepted_link_outlives_fetches_and_imports(kit: ReviewKit) -> None:
    kit.guide(WRONG_NUMBER)
    kit.review.accept(kit.link("10").record.id, ASH)
    kit.guide(WRONG_NUMBER, price=600)
    link_all(kit.database, kit.database, PC, clock=CLOCK)
    assert kit.state("10") == ("1", "Holofoil", "confirmed")
    assert kit.quoted() == {"1": 600}


def test_an_accepted_product_that_becomes_another_is_suspended(kit: ReviewKit) -> None:
    kit.guide(WRONG_NUMBER)
    kit.review.accept(kit.link("10").record.id, ASH)
    kit.guide(a_statement("10", "Gengar #5", ""), price=9_000)
    assert kit.state("10") == ("1", "Holofoil", "suspended")
    assert kit.quoted() == {}
    evidence = kit.link("10").record.evidence
    assert "trusted as pricecharting states 'Alakazam #3'" in evidence
    assert "now pricecharting states 'Gengar #5'" in evidence


def test_a_refused_pair_is_never_proposed_again(
    kit: ReviewKit, database: Database, tmp_path: Path
) -> None:
    right = a_statement("10")
    kit.guide(right)
    assert kit.quoted() == {"1": 500}
    kit.review.reject(kit.link("10").record.id, ASH, Choice(note="a proxy"))
    assert kit.quoted() == {}
    assert kit.state("10") == ("1", "Holofoil", "rejected")
    evidence = kit.link("10").record.evidence
    kit.guide(right, price=600)
    link_all(database, database, PC, clock=CLOCK)
    load(database, lines(tmp_path / "c2", [a_card(variants=[a_variant(1), a_variant(3)])]))
    take(database, a_statement("10", "Alakazam #001"))
    take(database, right)
    assert kit.state("10") == ("1", "Holofoil", "rejected")
    assert kit.link("10").record.evidence == evidence
    assert kit.quoted() == {}
    with pytest.raises(Conflict, match="ash refused this pair"):
        kit.review.accept(kit.link("10").record.id, Reviewer("misty"))
    with pytest.raises(Conflict, match="refused before"):
        kit.review.reject(kit.link("10").record.id, ASH)


def test_a_refused_product_that_names_another_card_is_that_card(kit: ReviewKit) -> None:
    kit.guide(a_statement("10"))
    kit.review.reject(kit.link("10").record.id, ASH)
    kit.guide(a_statement("10", "Machamp #2", "2"), price=800)
    assert kit.state("10") == ("2", "Holofoil", "derived")
    assert kit.quoted() == {"2": 800}
    kit.guide(a_statement("10"), price=500)  # and back: what was refused stays refused
    assert kit.quoted() == {}


def test_a_refused_product_proves_nothing_for_its_siblings(kit: ReviewKit) -> None:
    add_products(kit.database, [("1", "1st Edition Holofoil")])
    link_all(kit.database, kit.database, Source.TCGCSV, clock=CLOCK)
    first = a_statement("11", "Alakazam [1st Edition] #1")
    kit.guide(a_statement("10"), first)
    assert kit.state("10") == ("1", "Holofoil", "derived")
    kit.review.reject(kit.link("11").record.id, ASH)
    assert kit.state("10") == ("1", "", "unknown")


def test_of_an_id_that_two_cards_claim_a_refusal_leaves_the_other(
    database: Database, tmp_path: Path
) -> None:
    kit = ReviewKit(database, tmp_path)
    twice = [a_card("7", "Abra", variants=[a_variant(1)])]
    load(database, lines(tmp_path / "c7", twice))
    add_products(database, [("1", "Holofoil")])
    link_all(database, database, Source.TCGCSV, clock=CLOCK)
    link = kit.link("1", Source.TCGCSV, "Holofoil").record
    assert (link.state, link.collector_number) == (LinkState.UNKNOWN, "1")
    kit.review.reject(link.id, ASH)
    now = kit.link("1", Source.TCGCSV, "Holofoil").record
    assert (now.state, now.collector_number) == (LinkState.DERIVED, "7")


def test_one_printing_can_be_refused_alone(kit: ReviewKit) -> None:
    kit.guide(a_statement("10"))
    kit.review.reject(kit.link("10").record.id, ASH, whole_card=False)
    assert kit.quoted() == {}
    with pytest.raises(Conflict, match="refused this pair"):
        kit.review.accept(kit.link("10").record.id, ASH, Choice(printing="Holofoil"))
    kit.review.accept(kit.link("10").record.id, ASH, Choice(printing="Cosmos", new_printing=True))
    assert kit.state("10") == ("1", "Cosmos", "confirmed")


def test_a_link_moves_to_another_card_and_the_old_one_is_refused(kit: ReviewKit) -> None:
    kit.guide(a_statement("10"), price=500)
    kit.guide(a_statement("10"), price=700)
    choice = Choice(card_id=kit.card_id("2"), printing="Holofoil")
    done = kit.review.accept(kit.link("10").record.id, ASH, choice)
    assert kit.quoted() == {"2": 700}
    assert set(done.cards) == {kit.card_id("1"), kit.card_id("2")}
    assert kit.audited()[-1][0] == "link.relinked"
    kit.guide(a_statement("10"), price=800)
    assert kit.quoted() == {"2": 800}
    kit.review.undo(kit.link("10").record.id, ASH)
    assert kit.quoted() == {"1": 800}
    assert kit.state("10") == ("1", "Holofoil", "derived")


@pytest.mark.parametrize("act", ["accept", "reject", "skip"])
def test_every_decision_can_be_undone(kit: ReviewKit, act: str) -> None:
    kit.guide(WRONG_NUMBER)
    before = kit.link("10").record
    getattr(kit.review, act)(before.id, ASH)
    assert kit.link("10").record != before
    kit.review.undo(before.id, Reviewer("misty"))
    now = kit.link("10").record
    assert (now.state, now.printing, now.evidence, now.decided_by, now.skipped_at) == (
        before.state, before.printing, before.evidence, "", None,
    )  # fmt: skip
    decision = kit.review.show(before.id).decisions[0]
    assert (decision.made.decided_by, decision.undone_by) == ("ash", "misty")
    assert kit.review.show(before.id).rejections == ()
    with pytest.raises(Conflict, match="could be undone"):
        kit.review.undo(before.id, ASH)


def test_an_undone_refusal_lets_the_rules_decide_again(kit: ReviewKit) -> None:
    kit.guide(a_statement("10"))
    link = kit.link("10").record
    kit.review.reject(link.id, ASH)
    kit.review.undo(link.id, ASH)
    assert kit.state("10") == ("1", "Holofoil", "derived")
    assert kit.quoted() == {"1": 500}
    kit.guide(a_statement("10"), price=600)
    assert kit.quoted() == {"1": 600}


def test_an_undo_brings_no_trust_back_to_what_the_product_was(kit: ReviewKit) -> None:
    kit.guide(WRONG_NUMBER)
    link = kit.link("10").record
    kit.review.accept(link.id, ASH)
    kit.review.reject(link.id, ASH)
    kit.guide(a_statement("10", "Gengar #5", ""), price=9_000)
    kit.review.undo(link.id, ASH)
    assert kit.state("10") == ("1", "Holofoil", "suspended")
    assert "an undo brings no trust back" in kit.link("10").record.evidence
    assert kit.quoted() == {}


def test_what_was_skipped_comes_last_until_something_is_new(kit: ReviewKit) -> None:
    other = a_statement("11", "Machamp #9", "2")
    kit.guide(WRONG_NUMBER, price=900)
    kit.guide(WRONG_NUMBER, other, price=800)
    order = [one.product.external_id for one in kit.review.queue().links]
    kit.review.skip(kit.link(order[0]).record.id, ASH)
    assert [one.product.external_id for one in kit.review.queue().links] == order[::-1]
    kit.guide(a_statement(order[0], "Alakazam #4"), other, price=800)
    assert kit.link(order[0]).record.skipped_at is None


def test_a_second_product_of_a_printing_is_refused(kit: ReviewKit) -> None:
    other = a_statement("11", "Alakazam #4")
    kit.guide(WRONG_NUMBER, other)
    kit.review.accept(kit.link("10").record.id, ASH)
    with pytest.raises(Conflict, match=r"product 10 .*is tied to this printing"):
        kit.review.accept(kit.link("11").record.id, ASH)
    assert kit.state("11")[2] == "unknown"


def test_a_person_s_product_puts_the_rules_one_in_doubt(kit: ReviewKit) -> None:
    kit.guide(a_statement("12"), WRONG_NUMBER)
    assert kit.state("12")[2] == "derived"
    kit.review.accept(kit.link("10").record.id, ASH)
    assert kit.state("12")[2] == "unknown"
    assert "a person has tied another product" in kit.link("12").record.evidence
    kit.review.undo(kit.link("10").record.id, ASH)
    assert kit.state("12")[2] == "derived"


def test_conditions_of_one_printing_are_decided_together(kit: ReviewKit) -> None:
    keys = [f"Holofoil / {one} / English" for one in ("Near Mint", "Damaged")]
    add_products(kit.database, [("20", key) for key in keys], Source.JUSTTCG)
    add_products(kit.database, [("20", "Holofoil / Near Mint / German")], Source.JUSTTCG)
    said = a_statement("20", "Alakazam", "1", "Set base4", number="99")
    take(kit.database, said, source=Source.JUSTTCG)
    link = kit.link("20", Source.JUSTTCG, keys[0]).record
    assert kit.review.accept(link.id, ASH).changed == 2
    assert {kit.link("20", Source.JUSTTCG, key).record.state for key in keys} == {
        LinkState.CONFIRMED
    }
    german = kit.link("20", Source.JUSTTCG, "Holofoil / Near Mint / German").record
    with pytest.raises(Conflict, match="is tied to this printing"):
        kit.review.accept(german.id, ASH)
    assert kit.review.undo(link.id, ASH).changed == 2
    assert kit.review.reject(link.id, ASH).changed == 3


def test_a_decision_is_of_what_was_seen(kit: ReviewKit) -> None:
    kit.guide(WRONG_NUMBER)
    seen = kit.link("10")
    kit.guide(a_statement("10", "Alakazam #4"))
    with pytest.raises(Conflict, match="look again"):
        kit.review.accept(seen.record.id, ASH, Choice(version=seen.version))
    kit.review.accept(seen.record.id, ASH, Choice(version=kit.link("10").version))


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (Choice(printing="Gold"), "no printing 'Gold'; it has Holofoil"),
        (Choice(card_id=99, printing="Holofoil"), "there is no card 99"),
        (Choice(card_id=-1), "name the printing"),  # that of the other card
        (Choice(printing=" Gold", new_printing=True), "visible characters"),
        (Choice(note="x" * 501), "at most 500"),
    ],
)
def test_a_choice_that_cannot_be_is_refused_and_changes_nothing(
    kit: ReviewKit, choice: Choice, message: str
) -> None:
    kit.guide(WRONG_NUMBER)
    before = kit.link("10")
    if choice.card_id == -1:
        choice = replace(choice, card_id=kit.card_id("2"))
    with pytest.raises(InvalidInput, match=message):
        kit.review.accept(before.record.id, ASH, choice)
    assert kit.link("10") == before


def test_a_card_of_another_game_is_refused(kit: ReviewKit) -> None:
    kit.guide(WRONG_NUMBER)
    (other,) = add_cards(kit.database, 1, game="magic")
    with pytest.raises(InvalidInput, match="of magic, not of pokemon"):
        kit.review.accept(kit.link("10").record.id, ASH, Choice(other, "Normal"))
    with pytest.raises(NotFound, match="no link 999"):
        kit.review.show(999)


def test_a_bulk_acceptance_is_counted_first_and_undone_as_one(
    database: Database, tmp_path: Path
) -> None:
    kit = ReviewKit(database, tmp_path)
    more = [a_card("3", "Abra", variants=[a_variant(3), a_variant(3, "reverse")])]
    load(database, lines(tmp_path / "s3", [a_set()]), lines(tmp_path / "c3", more))
    stated = [
        *UNCLEAR,
        a_statement("12", "Alakazam (Prerelease) #1"),  # a second product of the printing of 10
        a_statement("13", "Abra (Staff) #3", "3"),  # nothing tells which of two printings
    ]
    kit.guide(*stated)
    rule = LinkFilter(source=PC, rule_version="ids-2")
    tried = kit.review.accept_all(rule, ASH)
    assert (tried.matched, tried.accepted, tried.unproposed, tried.refused) == (4, 2, 1, 1)
    assert tried.batch is None
    assert kit.quoted() == {}
    done = kit.review.accept_all(rule, ASH, dry_run=False)
    assert (done.matched, done.accepted, done.unproposed, done.refused) == (4, 2, 1, 1)
    assert kit.quoted() == {"1": 500, "2": 500}
    assert "is tied to this printing" in done.conflicts[0]
    assert done.batch is not None
    assert kit.review.undo_all(done.batch, ASH) == 2
    assert kit.quoted() == {}
    assert [one[0] for one in kit.audited()] == ["link.bulk_accepted", "link.bulk_undone"]
    with pytest.raises(NotFound):
        kit.review.undo_all(done.batch, ASH)


def test_what_the_vendor_disagrees_with_is_never_accepted_in_bulk(kit: ReviewKit) -> None:
    kit.guide(WRONG_NUMBER)
    done = kit.review.accept_all(LinkFilter(), ASH, dry_run=False)
    assert (done.matched, done.accepted, done.refused) == (1, 0, 1)
    assert "the vendor disagrees: number '3' is not '1'" in done.conflicts[0]
    assert kit.quoted() == {}


def test_a_bulk_acceptance_is_of_links_in_question(kit: ReviewKit) -> None:
    with pytest.raises(InvalidInput, match="unknown or suspended"):
        kit.review.accept_all(EVERY, ASH)


def test_a_score_bounds_a_bulk_acceptance(kit: ReviewKit) -> None:
    kit.guide(WRONG_NUMBER)
    assert kit.review.accept_all(LinkFilter(least_score=0.5), ASH).matched == 0
    assert kit.review.accept_all(LinkFilter(least_score=0.0), ASH).matched == 1
