"""Catalog files become sets and cards once, whatever their order, on both databases."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text

from tcgtracker.catalog import service
from tcgtracker.catalog.numbers import numbers_agree
from tcgtracker.catalog.service import import_catalog
from tcgtracker.database.engine import Database
from tcgtracker.database.tables.catalog import (
    card_products,
    cards,
    printings,
    set_aliases,
    tcg_sets,
)
from tcgtracker.domain.errors import InvalidInput
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

TABLES = ("games", "tcg_sets", "set_aliases", "cards", "card_aliases", "printings", "card_products")


def rows(database: Database, *columns: Any) -> set[tuple[Any, ...]]:
    with database.read() as connection:
        return {tuple(row) for row in connection.execute(select(*columns))}


def content(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    with database.read() as connection:
        return {
            name: sorted(tuple(row) for row in connection.execute(text(f"SELECT * FROM {name}")))  # noqa: S608
            for name in (*TABLES, "product_links")
        }


def count(database: Database) -> int:
    with database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(cards)).scalar_one())


NAMES = ["Farfetch'd", "Nidoran ♀", "100% <b>bold</b>", 'Say "hi"', "リザードン", "a\\N\tb", "\\."]


def test_names_stay_as_given(database: Database, tmp_path: Path) -> None:
    path = lines(tmp_path / "c", [a_card(str(n), name) for n, name in enumerate(NAMES, start=1)])
    load(database, path)
    assert rows(database, cards.c.name) == {(name,) for name in NAMES}


def test_a_name_with_nul_is_refused_and_counted(database: Database, tmp_path: Path) -> None:
    report = load(database, lines(tmp_path / "c", [a_card("1"), a_card("2", "a\0b")]))
    assert (count(database), report.bad_rows) == (1, 1)
    assert report.files[0].rows.bad == {"name holds a NUL character": 1}


def test_the_same_files_twice_change_nothing(database: Database, tmp_path: Path) -> None:
    paths = [
        lines(tmp_path / "c.gz", [a_card(variants=[a_variant(42444)]), a_card("2", "Bill")]),
        lines(tmp_path / "s", [a_set(thirdParty={"tcgplayer": 605})]),
        envelope(tmp_path / "p", [a_product(), a_product(8, "9/130"), a_product(9, None)]),
    ]
    add_products(database, [("42444", "Holofoil"), ("8", "Normal"), ("9", "Normal")])
    first = load(database, *paths)
    before = content(database)
    second = load(database, *reversed(paths))
    assert (first.counts.cards_created, first.counts.cards_joined) == (4, 1)
    assert (second.counts.changes, second.links.written) == (0, 0)
    assert content(database) == before


def test_sets_come_first_whatever_the_order(database: Database, tmp_path: Path) -> None:
    load(database, lines(tmp_path / "c", [a_card()]), lines(tmp_path / "s", [a_set()]))
    assert rows(database, tcg_sets.c.code, tcg_sets.c.name, tcg_sets.c.total_cards) == {
        ("tcgdex:intl:base4", "Set base4", 130)
    }


def test_a_set_not_yet_known_has_its_id_as_name_until_it_is(
    database: Database, tmp_path: Path
) -> None:
    load(database, lines(tmp_path / "c", [a_card()]))
    assert rows(database, tcg_sets.c.name) == {("base4",)}
    load(database, lines(tmp_path / "s", [a_set()]))
    assert rows(database, tcg_sets.c.name) == {("Set base4",)}


def test_the_same_id_in_two_regions_is_two_cards(database: Database, tmp_path: Path) -> None:
    load(database, lines(tmp_path / "c", [a_card(), {**a_card(), "region": "asia"}]))
    assert rows(database, tcg_sets.c.code, tcg_sets.c.region) == {
        ("tcgdex:intl:base4", ""),
        ("tcgdex:asia:base4", "asia"),
    }
    assert count(database) == 2


def test_art_of_one_piece_is_a_card_of_its_own(database: Database, tmp_path: Path) -> None:
    row = {"pack_id": "569001", "name": "Luffy", "rarity": "Leader"}
    path = lines(tmp_path / "c", [{"id": f"OP01-001{art}", **row} for art in ("", "_p1", "_r1")])
    load(database, path)
    assert rows(database, cards.c.collector_number, cards.c.art) == {
        ("OP01-001", ""),
        ("OP01-001", "p1"),
        ("OP01-001", "r1"),
    }
    assert rows(database, printings.c.name) == set()


def test_products_under_one_number_are_cards_of_their_own(
    database: Database, tmp_path: Path
) -> None:
    load(database, envelope(tmp_path / "p", [a_product(5), a_product(6), a_product(7, None)]))
    assert rows(database, cards.c.collector_number, cards.c.art, cards.c.product_type) == {
        ("001/130", "", "single"),
        ("001/130", "tcgplayer-6", "single"),
        ("7", "", "sealed"),
    }


@pytest.mark.parametrize("products_first", [False, True])
def test_two_catalogs_join_through_ids_in_both_orders(
    database: Database, tmp_path: Path, *, products_first: bool
) -> None:
    tcgdex = [
        lines(
            tmp_path / "c",
            [
                a_card(variants=[a_variant(42444), a_variant(500, "reverse", foil="pokeball")]),
                a_card("2", "Blastoise", thirdParty={"tcgplayer": 42464}),
                a_card("3", "Chansey"),
            ],
        ),
        lines(tmp_path / "s", [a_set(thirdParty={"tcgplayer": 605})]),
    ]
    products = [
        envelope(
            tmp_path / "p",
            [
                a_product(500, "001/130", "Alakazam (Poke Ball)"),
                a_product(42444),
                a_product(42464, "2", "Blastoise"),
                a_product(9, None, "Booster Box"),
            ],
        )
    ]
    add_products(database, [("42444", "Holofoil"), ("500", "Holofoil"), ("9", "Normal")])
    for paths in (products, tcgdex) if products_first else (tcgdex, products):
        load(database, *paths)
    assert count(database) == 4
    assert len(rows(database, tcg_sets.c.id)) == 1
    expected = {("tcgplayer:605",), ("tcgdex:intl:base4",)}
    known = rows(database, set_aliases.c.alias) | rows(database, tcg_sets.c.code)
    assert known == expected
    found = {key: value[1:3] for key, value in links(database).items()}
    assert found == {
        ("42444", "Holofoil"): ("Holofoil", "confirmed"),
        ("500", "Holofoil"): ("Holofoil (pokeball)", "confirmed"),
        ("9", "Normal"): ("Normal", "confirmed"),
    }
    first = links(database)["42444", "Holofoil"][0]
    assert first == ("001/130" if products_first else "1")
    assert rows(database, card_products.c.source, card_products.c.external_id) == {
        (source, product)
        for source in ("tcgcsv", "tcgplayer")
        for product in ("500", "42444", "42464", "9")
    }


@pytest.mark.parametrize("products_first", [False, True])
@pytest.mark.parametrize(
    "other",
    [
        {"number": "77/130"},
        {"categoryId": 68},
        {"categoryId": 85},
    ],
    ids=["number", "game", "region"],
)
def test_an_id_that_contradicts_the_card_joins_nothing(
    database: Database, tmp_path: Path, other: dict[str, Any], *, products_first: bool
) -> None:
    tcgdex = lines(tmp_path / "c", [a_card(variants=[a_variant(42444)])])
    product = envelope(tmp_path / "p", [a_product(42444, **other)])
    add_products(database, [("42444", "Holofoil")])
    for path in (product, tcgdex) if products_first else (tcgdex, product):
        report = load(database, path)
    assert (count(database), report.counts.doubts.total()) == (2, 1)
    assert links(database)["42444", "Holofoil"][1:3] == ("", "unknown")


@pytest.mark.parametrize("products_first", [False, True])
def test_an_id_claimed_by_two_cards_links_nothing(
    database: Database, tmp_path: Path, *, products_first: bool
) -> None:
    tcgdex = lines(
        tmp_path / "c",
        [a_card("1", variants=[a_variant(42444)]), a_card("1a", variants=[a_variant(42444)])],
    )
    product = envelope(tmp_path / "p", [a_product()])
    add_products(database, [("42444", "Holofoil")])
    for path in (product, tcgdex) if products_first else (tcgdex, product):
        load(database, path)
    assert count(database) == 3
    _, printing, state, evidence = links(database)["42444", "Holofoil"]
    assert (printing, state) == ("", "unknown")
    assert evidence.startswith("product 42444 is claimed by 3 cards: ")


def test_a_damaged_file_changes_nothing(database: Database, tmp_path: Path) -> None:
    good = lines(tmp_path / "c", [a_card()])
    whole = lines(tmp_path / "w.gz", [a_product(n) for n in range(1, 2_000)]).read_bytes()
    cut = tmp_path / "cut.gz"
    cut.write_bytes(whole[:-200])
    with pytest.raises(InvalidInput, match=r"cut\.gz"):
        load(database, good, cut)
    assert count(database) == 0
    with pytest.raises(InvalidInput, match="at least one"):
        load(database)


class _Killed(BaseException):
    pass


def test_a_kill_in_the_middle_and_a_rerun_end_the_same(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "BATCH", 3)
    path = lines(
        tmp_path / "c", [a_card(str(n), variants=[a_variant(100 + n)]) for n in range(1, 11)]
    )
    add_products(database, [(str(100 + n), "Holofoil") for n in range(1, 11)])
    seen: list[tuple[str, int, int]] = []

    def kill_at_six(step: str, done: int, total: int) -> None:
        seen.append((step, done, total))
        if done == 6:
            raise _Killed

    with pytest.raises(_Killed):
        import_catalog(database, database, [path], clock=CLOCK, on_progress=kill_at_six)
    assert (seen, count(database)) == ([("cards", 3, 10), ("cards", 6, 10)], 6)
    report = load(database, path)
    assert (report.counts.cards_created, report.counts.cards_known, count(database)) == (4, 6, 10)
    assert {link[1:3] for link in links(database).values()} == {("Holofoil", "derived")}
    assert len(links(database)) == 10
    assert load(database, path).counts.changes == 0


@pytest.mark.parametrize(
    ("left", "right", "agree"),
    [
        ("4/102", "004", True),
        ("TG12/TG30", "TG12", True),
        ("SWSH050", "50", True),
        ("TG12/TG30", "GG12", False),
        ("4/102", "40", False),
        ("?", "28", None),
        ("", "28", None),
        ("OP01-120", "OP01-120", True),
    ],
)
def test_numbers_agree(left: str, right: str, *, agree: bool | None) -> None:
    assert numbers_agree(left, right) is agree
    assert numbers_agree(right, left) is agree
