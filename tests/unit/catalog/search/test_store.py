"""The index on the disk: follows the catalog, is built once, and is never half there."""

import fcntl
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tcgtracker.catalog.search.store import CardSearch, iter_cards, load_version
from tcgtracker.database.engine import Database
from tcgtracker.domain.errors import StorageError
from tests.support import import_products


class Hand:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def search(database: Database, tmp_path: Path) -> tuple[CardSearch, Hand]:
    import_products(database, tmp_path / "one", {1: "Alakazam", 2: "Farfetch'd"})
    hand = Hand()
    return CardSearch(database, tmp_path / "search", hand), hand


def names(database: Database, search: CardSearch, text: str) -> list[str]:
    with database.read() as connection:
        known = {card.card_id: card.name for card in iter_cards(connection)}
    return [known[card_id] for card_id in search.search(text).card_ids]


def test_a_change_of_the_catalog_is_found_soon(
    database: Database, search: tuple[CardSearch, Hand], tmp_path: Path
) -> None:
    found, hand = search
    assert names(database, found, "alakazam") == ["Alakazam"]
    assert names(database, found, "mew") == []
    import_products(database, tmp_path / "two", {3: "Mewtwo"})
    hand.at += 2.1
    found.search("mew")
    found.finish()
    assert names(database, found, "mew") == ["Mewtwo"]
    assert found.suggest("ala") == ["Alakazam"]
    import_products(database, tmp_path / "three", {4: "Eevee"})
    hand.at += 60  # the first search after a pause is of the catalog as it is
    assert names(database, found, "eevee") == ["Eevee"]


def test_nobody_waits_for_the_index_of_a_changed_catalog(
    database: Database, search: tuple[CardSearch, Hand], tmp_path: Path
) -> None:
    found, hand = search
    assert names(database, found, "alakazam") == ["Alakazam"]
    import_products(database, tmp_path / "two", {3: "Mewtwo"})
    hand.at += 2.1
    with (tmp_path / "search" / "lock").open("w") as building:
        fcntl.flock(building, fcntl.LOCK_EX)  # as while another process builds it
        start = time.monotonic()
        for _ in range(3):
            assert names(database, found, "alakazam") == ["Alakazam"]
            hand.at += 2.1
        assert time.monotonic() - start < 5
        assert names(database, found, "mew") == []
    found.finish()
    assert names(database, found, "mew") == ["Mewtwo"]


def test_an_index_that_cannot_be_built_leaves_the_one_before(
    database: Database, search: tuple[CardSearch, Hand], tmp_path: Path
) -> None:
    found, hand = search
    assert names(database, found, "alakazam") == ["Alakazam"]
    import_products(database, tmp_path / "two", {3: "Mewtwo"})
    folder = tmp_path / "search"
    folder.rename(tmp_path / "away")
    folder.write_text("no folder")
    for _ in range(2):
        hand.at += 2.1
        assert names(database, found, "alakazam") == ["Alakazam"]
        found.finish()
    folder.unlink()
    (tmp_path / "away").rename(folder)
    hand.at += 2.1
    found.search("mew")
    found.finish()
    assert names(database, found, "mew") == ["Mewtwo"]


def test_the_same_files_again_build_nothing(
    database: Database, search: tuple[CardSearch, Hand], tmp_path: Path
) -> None:
    with database.read() as connection:
        before = load_version(connection)
    import_products(database, tmp_path / "two", {1: "Alakazam", 2: "Farfetch'd"})
    with database.read() as connection:
        assert load_version(connection) == before


def test_many_that_begin_at_once_build_one_index(
    database: Database, search: tuple[CardSearch, Hand], tmp_path: Path
) -> None:
    searches = [CardSearch(database, tmp_path / "search") for _ in range(6)]
    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda one=one: found.append(one.search("alakazam").total))
        for one in searches
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1] * 6
    assert len(list((tmp_path / "search").glob("cards-*"))) == 1
    assert list((tmp_path / "search").glob("building-*")) == []


def test_what_a_killed_builder_left_is_cleared(
    search: tuple[CardSearch, Hand], tmp_path: Path
) -> None:
    (tmp_path / "search" / "building-1-1").mkdir(parents=True)
    (tmp_path / "search" / "building-1-1" / "rubbish").write_text("x")
    assert search[0].search("alakazam").total == 1
    assert list((tmp_path / "search").glob("building-*")) == []


def test_a_folder_that_cannot_be_written_is_said(database: Database, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StorageError, match="search index"):
        CardSearch(database, tmp_path / "file").search("alakazam")
