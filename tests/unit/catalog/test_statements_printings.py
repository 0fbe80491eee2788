"""Which printing a stated product proves, and which none."""

from pathlib import Path

import pytest
from sqlalchemy import select

from tcgtracker.catalog.link_rows import Origin
from tcgtracker.catalog.links import link_new
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
from tests.unit.catalog.stating import (
    PC,
    a_statement,
    claims,
    edition_card,
    one_card,
    state_of,
    take,
)

JT = Source.JUSTTCG

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


@pytest.mark.parametrize("bracket", ["Alternate Art", "Staff", "Reverse Holo", ""])
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


def test_another_language_alone_is_not_the_english_card(database: Database, tmp_path: Path) -> None:
    """The first answer of a vendor may hold the German copies alone."""
    one_card(database, tmp_path)
    german, unsaid = "Holofoil / Near Mint / German", "Holofoil / Near Mint / Unknown"
    add_products(database, [("20", german)], JT)
    take(database, a_statement("20", "Alakazam", "1", "Set base4", number="1"), source=JT)
    assert state_of(database, "20", german) == ("", "unknown")
    add_products(database, [("20", unsaid)], JT)
    link_new(database, database, clock=CLOCK)
    assert state_of(database, "20", unsaid) == ("", "unknown")  # who knows in which
    add_products(database, [("20", "Holofoil / Near Mint / English")], JT)
    link_new(database, database, clock=CLOCK)
    assert state_of(database, "20", "Holofoil / Near Mint / English") == ("Holofoil", "derived")
    assert state_of(database, "20", german) == ("", "unknown")


def test_of_a_japanese_set_the_japanese_one_is_tied(database: Database, tmp_path: Path) -> None:
    game_set, card = a_set(region="asia"), a_card(region="asia", variants=[a_variant(1)])
    load(database, lines(tmp_path / "s", [game_set]), lines(tmp_path / "c", [card]))
    keys = [f"Holofoil / Near Mint / {one}" for one in ("Japanese", "English")]
    add_products(database, [("20", keys[0])], JT)
    said = a_statement("20", "Alakazam", "1", "Pokemon Japanese Set base4", number="1")
    take(database, said, source=JT)
    assert state_of(database, "20", keys[0]) == ("Holofoil", "derived")
    add_products(database, [("20", keys[1])], JT)
    link_new(database, database, clock=CLOCK)
    assert state_of(database, "20", keys[0]) == ("Holofoil", "derived")
    assert state_of(database, "20", keys[1]) == ("", "unknown")


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
