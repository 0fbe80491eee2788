"""A statement ties a product to a card by a shared id and agreement, and unties it again."""

from pathlib import Path

import pytest
from sqlalchemy import select, update

from tcgtracker.catalog.link_rows import Origin
from tcgtracker.catalog.links import link_all, link_new
from tcgtracker.database.engine import Database
from tcgtracker.database.tables.catalog import product_links, stated_products
from tcgtracker.domain.catalog import LinkState
from tcgtracker.domain.source import Source
from tests.unit.catalog.builders import (
    CLOCK,
    a_card,
    a_product,
    a_set,
    a_variant,
    add_products,
    envelope,
    lines,
    links,
    load,
)
from tests.unit.catalog.stating import PC, a_statement, claims, take

JT = Source.JUSTTCG


def one_card(database: Database, tmp_path: Path, *kinds: str, name: str = "Alakazam") -> None:
    """Card 1 of `Set base4`, TCGplayer product 1, with a printing for each kind."""
    variants = [a_variant(1, kind) for kind in kinds or ("holo",)]
    load(
        database,
        lines(tmp_path / "s", [a_set()]),
        lines(tmp_path / "c", [a_card(variants=variants, name=name)]),
    )


def edition_card(database: Database, tmp_path: Path) -> None:
    """A card whose product is sold as 1st Edition and Unlimited."""
    one_card(database, tmp_path)
    with database.write() as connection:
        from sqlalchemy import delete

        from tcgtracker.database.tables.catalog import printings

        connection.execute(delete(product_links))
        connection.execute(delete(printings))
    add_products(database, [("1", "1st Edition Holofoil"), ("1", "Unlimited Holofoil")])
    link_all(database, database, Source.TCGCSV, clock=CLOCK)


def state_of(database: Database, external_id: str, sub_key: str = "") -> tuple[str, str]:
    """Return printing and state of a product's link."""
    return links(database)[external_id, sub_key][1:3]


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


# --- printings


def test_brackets_name_printings_and_the_plain_product_is_what_is_left(
    database: Database, tmp_path: Path
) -> None:
    edition_card(database, tmp_path)
    add_products(database, [("10", ""), ("11", "")], PC)
    take(database, a_statement("10"))
    assert state_of(database, "10") == ("", "unknown")  # it may be either
    take(database, a_statement("11", "Alakazam [1st Edition] #1"))
    assert state_of(database, "10") == ("Unlimited Holofoil", "derived")
    assert state_of(database, "11") == ("1st Edition Holofoil", "derived")
    assert "[1st edition] are its other printings" in links(database)["10", ""][3]


def test_a_sibling_that_is_suspended_proves_nothing_for_the_plain_product(
    database: Database, tmp_path: Path
) -> None:
    edition_card(database, tmp_path)
    add_products(database, [("10", ""), ("11", "")], PC)
    take(database, a_statement("10"), a_statement("11", "Alakazam [1st Edition] #1"))
    take(database, a_statement("11", "Machamp [1st Edition] #1"))
    assert state_of(database, "10") == ("", "unknown")


@pytest.mark.parametrize("bracket", ["Shadowless", "Alternate Art", "Staff", "Reverse Holo", ""])
def test_what_names_no_known_printing_is_unknown(
    database: Database, tmp_path: Path, bracket: str
) -> None:
    edition_card(database, tmp_path)
    add_products(database, [("12", "")], PC)
    take(database, a_statement("12", f"Alakazam [{bracket}] #1" if bracket else "Alakazam #1"))
    assert claims(database)["12"][1] == Origin.TCG_ID
    assert state_of(database, "12") == ("", "unknown")


def test_a_plain_product_is_never_the_only_known_printing_that_vendors_mark(
    database: Database, tmp_path: Path
) -> None:
    edition_card(database, tmp_path)
    with database.write() as connection:
        from sqlalchemy import delete

        from tcgtracker.database.tables.catalog import printings

        connection.execute(delete(product_links))
        connection.execute(delete(printings).where(printings.c.name == "Unlimited Holofoil"))
    add_products(database, [("10", "")], PC)
    take(database, a_statement("10"))
    assert state_of(database, "10") == ("", "unknown")


def test_two_plain_products_of_a_card_prove_neither(database: Database, tmp_path: Path) -> None:
    one_card(database, tmp_path)
    add_products(database, [("10", "")], PC)
    take(database, a_statement("10"), a_statement("13"))
    assert state_of(database, "10") == ("", "unknown")


def test_a_new_printing_of_the_card_unties_its_plain_product(
    database: Database, tmp_path: Path
) -> None:
    one_card(database, tmp_path)
    add_products(database, [("10", "")], PC)
    take(database, a_statement("10"))
    assert state_of(database, "10") == ("Holofoil", "derived")
    add_products(database, [("1", "Holofoil"), ("1", "1st Edition Holofoil")])
    link_new(database, database, clock=CLOCK)
    assert state_of(database, "10") == ("", "unknown")


def test_a_special_product_s_variant_is_kept(database: Database, tmp_path: Path) -> None:
    card = a_card(variants=[a_variant(1), a_variant(2, foil="cosmos")])
    load(database, lines(tmp_path / "s", [a_set()]), lines(tmp_path / "c", [card]))
    add_products(database, [("20", "Holofoil / Near Mint / English")], JT)
    add_products(database, [("21", "")], PC)
    take(database, a_statement("20", "Alakazam", "2", "Set base4", number="1"), source=JT)
    take(database, a_statement("21", tcgplayer_id="2"))
    assert state_of(database, "20", "Holofoil / Near Mint / English") == (
        "Holofoil (cosmos)",
        "derived",
    )
    assert state_of(database, "21") == ("", "unknown")


def test_conditions_of_one_product_are_no_rivals_and_two_products_are(
    database: Database, tmp_path: Path
) -> None:
    one_card(database, tmp_path)
    near, played = "Holofoil / Near Mint / English", "Holofoil / Lightly Played / English"
    add_products(database, [("20", near), ("20", played)], JT)
    take(database, a_statement("20", "Alakazam", "1", "Set base4", number="1"), source=JT)
    assert state_of(database, "20", near) == ("Holofoil", "derived")
    assert state_of(database, "20", played) == ("Holofoil", "derived")
    add_products(database, [("22", near)], JT)
    take(database, a_statement("22", "Alakazam", "1", "Set base4", number="1"), source=JT)
    assert state_of(database, "20", near) == ("", "unknown")
    assert state_of(database, "22", near) == ("", "unknown")


def test_of_several_languages_the_english_one_is_tied(database: Database, tmp_path: Path) -> None:
    one_card(database, tmp_path)
    english, german = "Holofoil / Near Mint / English", "Holofoil / Near Mint / German"
    add_products(database, [("20", english), ("20", german)], JT)
    take(database, a_statement("20", "Alakazam", "1", "Set base4", number="1"), source=JT)
    assert state_of(database, "20", english) == ("Holofoil", "derived")
    assert state_of(database, "20", german) == ("", "unknown")


def test_a_stamp_in_the_name_needs_a_card_that_has_it(database: Database, tmp_path: Path) -> None:
    one_card(database, tmp_path)
    sub_key = "Holofoil / Near Mint / English"
    add_products(database, [("20", sub_key)], JT)
    take(database, a_statement("20", "Alakazam (Staff)", "1", "Set base4", number="1"), source=JT)
    assert state_of(database, "20", sub_key) == ("", "unknown")


def test_a_plain_product_is_not_the_stamped_card(database: Database, tmp_path: Path) -> None:
    load(database, envelope(tmp_path / "p", [a_product(1, "001/130", "Alakazam (Staff)")]))
    assert take(database, a_statement()).claimed == 0


def test_what_was_said_first_and_last_is_kept(database: Database) -> None:
    take(database, a_statement(tcgplayer_id=""))
    take(database, a_statement(tcgplayer_id="", name="Alakazam #1 (new)"))
    with database.read() as connection:
        row = connection.execute(select(stated_products)).one()
    assert (row.name, row.product_type, row.source) == ("Alakazam #1 (new)", "single", PC)


def test_links_of_other_sources_stay(database: Database, tmp_path: Path) -> None:
    one_card(database, tmp_path)
    add_products(database, [("1", "Holofoil")])
    link_new(database, database, clock=CLOCK)
    add_products(database, [("1", "")], PC)
    take(database, a_statement("1", "Machamp #8"))
    assert state_of(database, "1", "Holofoil") == ("Holofoil", "derived")
    with database.read() as connection:
        states = set(connection.scalars(select(product_links.c.state)))
    assert states == {LinkState.DERIVED, LinkState.UNKNOWN}
