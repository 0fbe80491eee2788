"""A statement ties a product to a card by a shared id and agreement, and unties it again."""

from pathlib import Path

import pytest
from sqlalchemy import update

from tcgtracker.catalog.link_rows import Origin
from tcgtracker.catalog.links import link_all, link_new
from tcgtracker.database.engine import Database
from tcgtracker.database.tables.catalog import product_links
from tcgtracker.domain.source import Source
from tests.unit.catalog.builders import (
    CLOCK,
    a_card,
    a_set,
    a_variant,
    add_products,
    lines,
    links,
    load,
)
from tests.unit.catalog.stating import PC, a_statement, claims, one_card, state_of, take

JT = Source.JUSTTCG


def test_a_shared_id_and_agreement_tie_a_product(database: Database, tmp_path: Path) -> None:
    one_card(database, tmp_path)
    add_products(database, [("630417", "")], PC)
    report = take(database, a_statement())
    assert (report.new, report.claimed, report.links.derived) == (1, 1, 1)
    number, printing, state, evidence = links(database)["630417", ""]
    assert (number, printing, state) == ("1", "Holofoil", "derived")
    assert "TCGplayer product '1'" in evidence
    assert "number 1 agrees with 1" in evidence
    assert "set agrees with 'Set base4'" in evidence
    assert claims(database)["630417"] == ("1", Origin.TCG_ID, "")
    assert take(database, a_statement()).links.written == 0


def test_a_product_that_is_recorded_after_its_statement_is_tied(
    database: Database, tmp_path: Path
) -> None:
    one_card(database, tmp_path)
    take(database, a_statement())
    add_products(database, [("630417", "")], PC)
    link_new(database, database, clock=CLOCK)
    assert state_of(database, "630417") == ("Holofoil", "derived")


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "Alakazam #2"},
        {"name": "Machamp #1"},
        {"name": "Alakazam ex #1"},
        {"set_name": "Pokemon Jungle"},
        {"name": "Alakazam #1/102", "number": "1/102", "set_name": "Pokemon Set base4 2"},
        {"set_name": "Pokemon Japanese Set base4"},
        {"name": "Alakazam", "set_name": ""},
        {"game": "magic"},
    ],
    ids=["number", "name", "longer name", "set", "set number", "region", "no number", "game"],
)
def test_a_wrong_tcg_id_ties_nothing(
    database: Database, tmp_path: Path, wrong: dict[str, str]
) -> None:
    one_card(database, tmp_path)
    add_products(database, [("630417", "")], PC)
    report = take(database, a_statement(**wrong))
    assert (report.claimed, report.refused) == (0, 1)
    assert claims(database)["630417"][1] == Origin.REFUSED
    assert state_of(database, "630417") == ("", "unknown")


def test_without_a_number_name_and_set_must_both_agree(database: Database, tmp_path: Path) -> None:
    one_card(database, tmp_path)
    assert take(database, a_statement(name="Alakazam")).claimed == 1


def test_an_id_that_two_cards_claim_ties_nothing(database: Database, tmp_path: Path) -> None:
    load(
        database,
        lines(
            tmp_path / "c",
            [a_card("1", variants=[a_variant(1)]), a_card("2", "Machamp", variants=[a_variant(1)])],
        ),
    )
    assert take(database, a_statement()).claimed == 0
    assert claims(database)["630417"][1] == Origin.REFUSED


def test_a_reprint_in_another_set_is_not_the_old_card(database: Database, tmp_path: Path) -> None:
    one_card(database, tmp_path, name="Charizard")
    add_products(database, [("9", "")], PC)
    take(database, a_statement("9", "Charizard #1", set_name="Pokemon Celebrations"))
    assert state_of(database, "9") == ("", "unknown")


RENAMES = {
    "name": {"name": "Machamp #1"},
    "longer": {"name": "Alakazam ex #1"},
    "number": {"name": "Alakazam #3"},
    "set": {"set_name": "Pokemon Jungle"},
    "id of no card": {"tcgplayer_id": "77"},
    "bracket": {"name": "Alakazam [1st Edition] #1"},
    "type": {"game": "onepiece"},
}


@pytest.mark.parametrize("change", RENAMES.values(), ids=RENAMES)
def test_a_product_that_is_given_to_something_else_is_suspended_until_it_is_back(
    database: Database, tmp_path: Path, change: dict[str, str]
) -> None:
    one_card(database, tmp_path)
    add_products(database, [("630417", "")], PC)
    take(database, a_statement())
    report = take(database, a_statement(**change))
    assert (report.renamed, report.suspended, len(report.cards)) == (1, 1, 1)
    assert state_of(database, "630417") == ("Holofoil", "suspended")
    evidence = links(database)["630417", ""][3]
    assert evidence.startswith("trusted as pricecharting states 'Alakazam #1' of")
    assert "; now pricecharting states" in evidence
    assert take(database, a_statement(**change)).links.written == 0
    link_all(database, database, PC, clock=CLOCK)
    assert state_of(database, "630417")[1] == "suspended"
    back = take(database, a_statement())
    assert (back.restored, len(back.cards)) == (1, 1)
    assert state_of(database, "630417") == ("Holofoil", "derived")


def test_a_suspended_product_is_not_restored_by_a_third_statement(
    database: Database, tmp_path: Path
) -> None:
    one_card(database, tmp_path)
    add_products(database, [("630417", "")], PC)
    take(database, a_statement())
    take(database, a_statement(name="Machamp #1"))
    # It would agree, yet it is not what the product was trusted for.
    assert take(database, a_statement(name="ALAKAZAM #001")).restored == 0
    assert state_of(database, "630417")[1] == "suspended"


def test_an_id_that_moves_to_another_card_is_not_followed(
    database: Database, tmp_path: Path
) -> None:
    load(
        database,
        lines(tmp_path / "s", [a_set()]),
        lines(
            tmp_path / "c",
            [a_card("1", variants=[a_variant(1)]), a_card("2", "Machamp", variants=[a_variant(2)])],
        ),
    )
    add_products(database, [("630417", "")], PC)
    take(database, a_statement())
    take(database, a_statement(name="Machamp #2", tcgplayer_id="2"))
    assert links(database)["630417", ""][:3] == ("1", "Holofoil", "suspended")


def test_another_spelling_of_the_same_changes_no_link(database: Database, tmp_path: Path) -> None:
    one_card(database, tmp_path)
    add_products(database, [("630417", "")], PC)
    take(database, a_statement())
    report = take(database, a_statement(name="ALAKAZAM #001", set_name="Pokemon: Set Base4"))
    assert report.suspended == 0
    assert state_of(database, "630417") == ("Holofoil", "derived")


def test_an_id_that_is_stated_no_more_takes_no_trust_away(
    database: Database, tmp_path: Path
) -> None:
    one_card(database, tmp_path)
    add_products(database, [("630417", "")], PC)
    take(database, a_statement())
    take(database, a_statement(tcgplayer_id=""))
    assert state_of(database, "630417") == ("Holofoil", "derived")


@pytest.mark.parametrize("restored_by", ["the rule", "a person"])
def test_only_what_a_rule_suspended_comes_back(
    database: Database, tmp_path: Path, restored_by: str
) -> None:
    one_card(database, tmp_path)
    add_products(database, [("630417", "")], PC)
    take(database, a_statement())
    take(database, a_statement(name="Machamp #1"))
    if restored_by == "a person":
        with database.write() as connection:
            connection.execute(
                update(product_links)
                .where(product_links.c.source == PC)
                .values(decided_by="somebody")
            )
    take(database, a_statement())
    expected = "derived" if restored_by == "the rule" else "suspended"
    assert state_of(database, "630417")[1] == expected


def test_a_person_s_link_is_suspended_when_the_product_becomes_another(
    database: Database, tmp_path: Path
) -> None:
    one_card(database, tmp_path)
    add_products(database, [("630417", "")], PC)
    take(database, a_statement())
    with database.write() as connection:
        connection.execute(
            update(product_links).where(product_links.c.source == PC).values(decided_by="somebody")
        )
    take(database, a_statement(name="Machamp #1"))
    assert state_of(database, "630417")[1] == "suspended"


def test_a_tcgplayer_product_that_is_renamed_is_suspended_and_comes_back(
    database: Database, tmp_path: Path
) -> None:
    one_card(database, tmp_path)
    add_products(database, [("1", "Holofoil")])
    link_new(database, database, clock=CLOCK)
    said = a_statement("1", "Alakazam", "", "Set base4", number="001/130")
    take(database, said, source=Source.TCGCSV)
    reused = a_statement("1", "Machamp", "", "Set base4", number="008/130")
    assert take(database, reused, source=Source.TCGCSV).suspended == 1
    assert state_of(database, "1", "Holofoil") == ("Holofoil", "suspended")
    take(database, said, source=Source.TCGCSV)
    assert state_of(database, "1", "Holofoil") == ("Holofoil", "derived")
