"""What the faces read: pages that neither repeat nor skip, cards with their links."""

from pathlib import Path
from typing import Any

import pytest

from tcgtracker.catalog.repository import (
    card_detail,
    find_cards,
    get_card,
    get_set,
    list_cards,
    list_games,
    list_sets,
    trusted_links,
)
from tcgtracker.catalog.views import CardFilter, CardRow
from tcgtracker.database.engine import Database
from tcgtracker.domain.errors import InvalidInput, NotFound
from tcgtracker.domain.ids import CardId
from tests.unit.catalog.builders import (
    a_card,
    a_product,
    a_set,
    a_variant,
    add_products,
    envelope,
    lines,
    load,
)


@pytest.fixture
def catalog(database: Database, tmp_path: Path) -> Database:
    add_products(database, [("1", "Holofoil"), ("1", "Reverse Holofoil"), ("2", "Normal")])
    load(
        database,
        lines(tmp_path / "s", [a_set(), a_set("jungle")]),
        lines(
            tmp_path / "c",
            [
                a_card("4", "Charizard", variants=[a_variant(1)]),
                a_card("5", "Clefable", rarity="Common", variants=[a_variant(2), a_variant(3)]),
                a_card("6", "Clefable", variants=[a_variant(2)]),
                a_card("4", "100% Élan_vital", set_id="jungle"),
                a_card("TG12", "pikachu", set_id="jungle"),
            ],
        ),
        envelope(tmp_path / "p", [a_product(9, None, "Romance Dawn", categoryId=68)]),
    )
    return database


def cards(database: Database, **wanted: Any) -> list[str]:
    with database.read() as connection:
        return [row.name for row in list_cards(connection, CardFilter(**wanted)).rows]


def test_games_and_sets(catalog: Database) -> None:
    with catalog.read() as connection:
        assert [(game.slug, game.set_count) for game in list_games(connection)] == [
            ("onepiece", 1),
            ("pokemon", 2),
        ]
        page = list_sets(connection, game="pokemon")
        assert [(row.code, row.name, row.card_count) for row in page.rows] == [
            ("tcgdex:intl:base4", "Set base4", 3),
            ("tcgdex:intl:jungle", "Set jungle", 2),
        ]
        assert get_set(connection, "tcgdex:intl:jungle") == page.rows[1]
        assert get_set(connection, str(page.rows[1].id)) == page.rows[1]
        assert list_sets(connection, region="asia").rows == ()


def test_filters(catalog: Database) -> None:
    wanted: list[tuple[dict[str, str], list[str]]] = [
        ({"q": "CLEF"}, ["Clefable", "Clefable"]),
        ({"q": "PIKA"}, ["pikachu"]),
        ({"q": "TG12"}, ["pikachu"]),
        ({"q": "4", "set": "tcgdex:intl:base4"}, ["Charizard"]),
        ({"q": "%"}, ["100% Élan_vital"]),
        ({"q": "n_v"}, ["100% Élan_vital"]),
        ({"q": "Élan"}, ["100% Élan_vital"]),
        ({"q": "'; drop table cards; --"}, []),
        ({"rarity": "Common"}, ["Clefable"]),
        ({"game": "onepiece"}, ["Romance Dawn"]),
    ]
    found = [(given, cards(catalog, **given)) for given, _ in wanted]
    assert found == wanted


def test_pages_neither_repeat_nor_skip(catalog: Database) -> None:
    seen: list[CardRow] = []
    cursor = ""
    with catalog.read() as connection:
        whole = list_cards(connection, CardFilter(), limit=1000)
        while True:
            page = list_cards(connection, CardFilter(), limit=1, cursor=cursor)
            seen.extend(page.rows)
            if page.next_cursor is None:
                break
            cursor = page.next_cursor
    assert whole.next_cursor is None
    assert tuple(seen) == whole.rows
    assert len({card.id for card in seen}) == 6


def test_a_forged_cursor_or_limit_is_refused(database: Database) -> None:
    with database.read() as connection:
        for cursor in ("x", "é", "bnVsbA", "WzEsMl0", "WyJhIiwgdHJ1ZV0", "[]", "AAAA"):
            with pytest.raises(InvalidInput, match="cursor"):
                list_cards(connection, CardFilter(), cursor=cursor)
        for limit in (0, -1, 1001):
            with pytest.raises(InvalidInput, match="limit"):
                list_cards(connection, CardFilter(), limit=limit)


def test_what_is_not_there_is_named(catalog: Database) -> None:
    with catalog.read() as connection:
        with pytest.raises(NotFound, match="chess"):
            list_cards(connection, CardFilter(game="chess"))
        with pytest.raises(NotFound, match="nowhere"):
            list_cards(connection, CardFilter(set="nowhere"))
        with pytest.raises(NotFound, match="999"):
            get_card(connection, CardId(999))
        with pytest.raises(NotFound):
            get_card(connection, CardId(2**70))
        with pytest.raises(NotFound):
            get_set(connection, "9" * 5_000)
        with pytest.raises(InvalidInput, match="NUL"):
            list_cards(connection, CardFilter(q="a\0"))
        with pytest.raises(InvalidInput, match="Unicode"):
            find_cards(connection, "\ud800")


def test_a_card_with_all_that_hangs_on_it(catalog: Database) -> None:
    with catalog.read() as connection:
        (card,) = find_cards(connection, "charizard")
        detail = card_detail(connection, connection, card.id)
        trusted = trusted_links(connection, connection, card.id)
    assert detail.card == card
    assert (card.set_code, card.set_name, card.game, card.region) == (
        "tcgdex:intl:base4",
        "Set base4",
        "pokemon",
        "",
    )
    assert [printing.name for printing in detail.printings] == ["Holofoil", "Reverse Holofoil"]
    assert detail.aliases == ("tcgdex:intl:base4-4",)
    assert [(x.source, x.external_id, x.sub_key, x.printing, x.state) for x in detail.links] == [
        ("tcgcsv", "1", "Holofoil", "Holofoil", "derived"),
        ("tcgcsv", "1", "Reverse Holofoil", "Reverse Holofoil", "derived"),
    ]
    assert tuple(trusted) == detail.links


def test_an_unproven_link_is_shown_but_not_trusted(catalog: Database) -> None:
    with catalog.read() as connection:
        first = list_cards(connection, CardFilter(q="Clefable")).rows[0]
        detail = card_detail(connection, connection, first.id)
        assert [(link.external_id, link.state, link.printing) for link in detail.links] == [
            ("2", "unknown", "")
        ]
        assert trusted_links(connection, connection, first.id) == []


def test_finding_a_card_by_text(catalog: Database) -> None:
    wanted: list[tuple[str, list[str]]] = [
        ("tcgplayer:9", ["Romance Dawn"]),
        ("tcgdex:intl:base4-6", ["Clefable"]),
        (" CLEFABLE ", ["Clefable", "Clefable"]),
        ("clef", ["Clefable", "Clefable"]),
        ("TG12", ["pikachu"]),
        ("", []),
        ("nothing of it", []),
    ]
    with catalog.read() as connection:
        found = [
            (given, [card.name for card in find_cards(connection, given)]) for given, _ in wanted
        ]
    assert found == wanted


def test_finding_a_card_by_id(catalog: Database) -> None:
    with catalog.read() as connection:
        (card,) = find_cards(connection, "pikachu")
        assert find_cards(connection, str(card.id)) == [card]
