"""A shared product id proves the card, never the printing."""

from pathlib import Path

import pytest
from sqlalchemy import select, update

from tcgtracker.catalog.link_rows import products_after
from tcgtracker.catalog.links import link_all, link_ids, link_new, link_products
from tcgtracker.database.engine import Database
from tcgtracker.database.tables.catalog import printings, product_links
from tcgtracker.database.unit_of_work import unit_of_work
from tcgtracker.domain.catalog import LinkState
from tcgtracker.domain.source import Source
from tests.unit.catalog.builders import (
    CLOCK,
    a_card,
    a_product,
    a_variant,
    add_products,
    envelope,
    lines,
    links,
    load,
)


def two_products(tmp_path: Path, kind: str) -> Path:
    """Product 1 is the card of that kind, product 2 its reverse."""
    card = a_card(variants=[a_variant(1, kind), a_variant(2, "reverse")])
    return lines(tmp_path / "c", [card])


def test_the_vendors_own_catalog_confirms_another_derives(
    database: Database, tmp_path: Path
) -> None:
    add_products(database, [("1", "Holofoil"), ("2", "Normal"), ("3", "Normal")])
    load(
        database,
        lines(tmp_path / "c", [a_card(variants=[a_variant(1)])]),
        envelope(tmp_path / "p", [a_product(2, "5/130", "Bill")]),
    )
    found = links(database)
    assert found == {
        ("1", "Holofoil"): (
            "1",
            "Holofoil",
            "derived",
            "tcgdex:intl:base4-1 names product 1; sub key Holofoil",
        ),
        ("2", "Normal"): (
            "5/130",
            "Normal",
            "confirmed",
            "TCGCSV: product 2 is 'Bill' number 5/130; sub key Normal",
        ),
    }


def test_a_missing_printing_is_made(database: Database, tmp_path: Path) -> None:
    load(database, lines(tmp_path / "c", [a_card(variants=[a_variant(1)])]))
    add_products(database, [("1", "Holofoil"), ("1", "Reverse Holofoil")])
    report = link_all(database, database, Source.TCGCSV, clock=CLOCK)
    with database.read() as connection:
        names = set(connection.scalars(select(printings.c.name)))
    assert (report.derived, names) == (2, {"Holofoil", "Reverse Holofoil"})


@pytest.mark.parametrize(
    ("variants", "printing", "state"),
    [
        ([a_variant(1)], "Holofoil", "derived"),
        ([a_variant(1), a_variant(1, "reverse")], "", "unknown"),
        ([], "", "unknown"),
        ([a_variant(None), a_variant(1, "reverse", foil="pokeball")], "", "unknown"),
    ],
    ids=["one", "two", "none", "special"],
)
def test_without_a_sub_key_only_the_one_printing_counts(
    database: Database,
    tmp_path: Path,
    variants: list[dict[str, object]],
    printing: str,
    state: str,
) -> None:
    card = a_card(variants=variants) if variants else a_card(thirdParty={"tcgplayer": 1})
    load(database, lines(tmp_path / "c", [card]))
    add_products(database, [("1", "")], Source.TCGPLAYER)
    link_all(database, database, Source.TCGPLAYER, clock=CLOCK)
    assert links(database)["1", ""][1:3] == (printing, state)


def test_two_products_that_say_the_same_printing_prove_neither(
    database: Database, tmp_path: Path
) -> None:
    add_products(database, [("1", "Holofoil"), ("2", "Holofoil"), ("2", "Normal")])
    load(
        database,
        two_products(tmp_path, "normal"),
    )
    found = links(database)
    assert {key: value[2] for key, value in found.items()} == {
        ("1", "Holofoil"): "unknown",
        ("2", "Holofoil"): "unknown",
        ("2", "Normal"): "derived",
    }
    assert found["1", "Holofoil"][3].endswith("products 1, 2 all say Holofoil")


def test_of_two_products_the_one_the_catalog_means_stays(
    database: Database, tmp_path: Path
) -> None:
    add_products(database, [("1", "Holofoil"), ("2", "Holofoil")])
    load(database, two_products(tmp_path, "holo"))
    assert {key[0]: value[2] for key, value in links(database).items()} == {
        "1": "derived",
        "2": "unknown",
    }


def test_a_sub_key_against_the_catalog_waits_for_the_other_product(
    database: Database, tmp_path: Path
) -> None:
    load(
        database,
        two_products(tmp_path, "normal"),
    )
    add_products(database, [("2", "Holofoil")])
    link_new(database, database, clock=CLOCK)
    assert links(database)["2", "Holofoil"][2] == "unknown"
    add_products(database, [("1", "Normal")])
    link_new(database, database, clock=CLOCK)
    assert links(database)["2", "Holofoil"][1:3] == ("Holofoil", "derived")


@pytest.mark.parametrize(
    "decision",
    [
        {"state": LinkState.REJECTED},
        {"state": LinkState.SUSPENDED},
        {"state": LinkState.UNKNOWN, "decided_by": "somebody"},
    ],
)
def test_what_was_decided_is_never_overwritten(
    database: Database, tmp_path: Path, decision: dict[str, str]
) -> None:
    add_products(database, [("1", "Holofoil")])
    path = lines(tmp_path / "c", [a_card(variants=[a_variant(1)])])
    load(database, path)
    with database.write() as connection:
        connection.execute(update(product_links).values(**decision, evidence="looked at"))
    report = link_all(database, database, Source.TCGCSV, clock=CLOCK)
    load(database, path)
    assert (report.kept, report.written) == (1, 0)
    assert links(database)["1", "Holofoil"][2:] == (decision["state"], "looked at")


def test_a_decided_link_survives_the_merge_of_its_card(database: Database, tmp_path: Path) -> None:
    add_products(database, [("1", "Holofoil"), ("2", "Holofoil")])
    load(database, envelope(tmp_path / "p", [a_product(1), a_product(2)]))
    with database.write() as connection:
        connection.execute(update(product_links).values(decided_by="somebody", evidence="mine"))
    report = load(
        database,
        lines(tmp_path / "c", [a_card(variants=[a_variant(1), a_variant(2, foil="cosmos")])]),
    )
    assert (report.links.written, len(report.changed_cards)) == (0, 1)
    found = links(database)
    assert found["1", "Holofoil"] == ("001/130", "Holofoil", "confirmed", "mine")
    assert found["2", "Holofoil"] == ("001/130", "Holofoil (cosmos)", "confirmed", "mine")


def test_a_product_somebody_tied_keeps_others_off_its_printing(
    database: Database, tmp_path: Path
) -> None:
    add_products(database, [("1", "Holofoil")])
    load(database, two_products(tmp_path, "holo"))
    with database.write() as connection:
        connection.execute(update(product_links).values(decided_by="somebody"))
    add_products(database, [("2", "Holofoil")])
    link_new(database, database, clock=CLOCK)
    assert links(database)["2", "Holofoil"][2] == "unknown"
    assert links(database)["2", "Holofoil"][3].endswith("tied another product to this printing")


def test_link_new_goes_on_behind_its_cursor(database: Database, tmp_path: Path) -> None:
    load(database, envelope(tmp_path / "p", [a_product(1), a_product(2, "2/130")]))
    add_products(database, [("1", "Normal"), ("77", "Normal")])
    add_products(database, [("1", "")], Source.PRICECHARTING)
    first = link_new(database, database, clock=CLOCK)
    assert (first.confirmed, first.unclaimed, first.written) == (1, 2, 1)
    add_products(database, [("2", "Normal")], Source.TCGPLAYER)
    second = link_new(database, database, clock=CLOCK)
    assert (second.confirmed, second.unclaimed, second.written) == (1, 0, 1)
    assert link_new(database, database, clock=CLOCK).written == 0
    assert set(links(database)) == {("1", "Normal"), ("2", "Normal")}


def test_running_again_writes_nothing(database: Database, tmp_path: Path) -> None:
    add_products(database, [("1", "Holofoil"), ("1", "")])
    load(database, lines(tmp_path / "c", [a_card(thirdParty={"tcgplayer": 1})]))
    before = links(database)
    assert link_all(database, database, Source.TCGCSV, clock=CLOCK).written == 0
    assert link_ids(database, database, ["1"], clock=CLOCK).written == 0
    assert links(database) == before


def test_the_history_may_be_another_database(database: Database, tmp_path: Path) -> None:
    from tcgtracker.database.migrate import upgrade

    history = Database(f"sqlite:///{tmp_path / 'history.db'}")
    upgrade(history)
    load(database, lines(tmp_path / "c", [a_card(variants=[a_variant(1)])]))
    add_products(history, [("1", "Holofoil")])
    assert link_all(database, history, Source.TCGCSV, clock=CLOCK).derived == 1
    with unit_of_work(database, history) as uow:
        products = products_after(uow.history, 0, 10)
        assert link_products(uow, Source.TCGCSV, products, clock=CLOCK).written == 0
    history.close()
