"""What people type finds the card they mean."""

from pathlib import Path

import pytest

from tcgtracker.catalog.search.index import Filters, IndexedCard, SearchIndex, build_index
from tcgtracker.domain.ids import CardId

SETS = {
    "Base Set": (1, ("base1",), "pokemon"),
    "Obsidian Flames": (2, ("sv3",), "pokemon"),
    "Silver Tempest": (3, ("swsh12",), "pokemon"),
    "Romance Dawn": (4, ("OP01",), "onepiece"),
}
CARDS = [
    ("Charizard", "4/102", "Base Set", "Rare Holo"),
    ("Charizard ex", "125/197", "Obsidian Flames", "Double Rare"),
    ("Farfetch'd", "27/102", "Base Set", "Uncommon"),
    ("Nidoran ♀", "55/102", "Base Set", "Common"),
    ("100% <b>", "7", "Base Set", "Common"),
    ("Flabébé", "TG05/TG30", "Silver Tempest", "Rare"),
    ("Ruby & Sapphire", "12", "Silver Tempest", "Rare"),
    ("Roronoa Zoro", "OP01-001", "Romance Dawn", "Leader"),
    ("Monkey.D.Luffy", "OP01-003", "Romance Dawn", "Leader"),
]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> SearchIndex:
    folder: Path = tmp_path_factory.mktemp("index")
    count = build_index(
        folder,
        (
            IndexedCard(
                CardId(number),
                name,
                collector,
                *_set(set_name),
                rarity=rarity,
                product_type="single",
            )
            for number, (name, collector, set_name, rarity) in enumerate(CARDS)
        ),
    )
    assert count == len(CARDS)
    return SearchIndex(folder)


def _set(name: str) -> tuple[int, str, tuple[str, ...], str]:
    set_id, codes, game = SETS[name]
    return set_id, name, codes, game


def names(index: SearchIndex, text: str, filters: Filters | None = None) -> list[str]:
    return [CARDS[card_id][0] for card_id in index.search(text, filters).card_ids]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("Charizard", ["Charizard", "Charizard ex"]),  # the whole name first
        ("chariz", ["Charizard", "Charizard ex"]),
        ("charizard base", ["Charizard"]),
        ("charzard ex obsidian", ["Charizard ex"]),
        ("chairzard", ["Charizard", "Charizard ex"]),
        ("125/197", ["Charizard ex"]),
        ("4/102", ["Charizard"]),
        ("004/102", ["Charizard"]),
        ("OP01-001", ["Roronoa Zoro"]),
        ("op01 001", ["Roronoa Zoro"]),
        ("sv3 125", ["Charizard ex"]),
        ("tg05", ["Flabébé"]),
        ("12", ["Ruby & Sapphire"]),  # not the beginning of 125
        ("farfetchd", ["Farfetch'd"]),
        ("farfetch’d", ["Farfetch'd"]),
        ("FLABEBE", ["Flabébé"]),
        ("nidoran ♀", ["Nidoran ♀"]),
        ("nidoran female", ["Nidoran ♀"]),
        ("100% <b>", ["100% <b>"]),
        ("ruby & sapphire", ["Ruby & Sapphire"]),
        ("monkey d luffy", ["Monkey.D.Luffy"]),
        ("luffy", ["Monkey.D.Luffy"]),
        ("nothing of the kind", []),
        ("", []),
        ('\0 \ud800 " ( ) * ?', []),
        ("x" * 5000, []),
    ],
)
def test_what_is_typed_finds(index: SearchIndex, typed: str, found: list[str]) -> None:
    assert names(index, typed) == found


def test_a_mistyped_word_is_told(index: SearchIndex) -> None:
    assert index.search("charizard").corrected is False
    assert index.search("chairzard").corrected is True


def test_filters_hold(index: SearchIndex) -> None:
    assert names(index, "charizard", Filters(set_id=2)) == ["Charizard ex"]
    assert names(index, "charizard", Filters(rarity="rare holo")) == ["Charizard"]
    assert names(index, "op01", Filters(game="onepiece")) == ["Roronoa Zoro", "Monkey.D.Luffy"]
    assert names(index, "op01", Filters(game="pokemon")) == []
    assert names(index, "charizard", Filters(product_type="sealed")) == []


def test_pages_follow_each_other(index: SearchIndex) -> None:
    whole = index.search("base", limit=10)
    parts = [index.search("base", limit=1, offset=at).card_ids[0] for at in range(whole.total)]
    assert parts == whole.card_ids


def test_a_whole_word_is_found_among_many_that_begin_like_it(tmp_path: Path) -> None:
    longer = [f"pro{number:03}x" for number in range(150) for _ in range(2)]
    build_index(
        tmp_path,
        (
            IndexedCard(CardId(number), name, str(number), 1, "Set", (), "pokemon", "", "single")
            for number, name in enumerate(["Pro", *longer])
        ),
    )
    assert SearchIndex(tmp_path).search("pro").card_ids[0] == CardId(0)
