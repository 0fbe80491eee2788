"""The cards of a set are taken in once, where it costs least, and again in time."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import insert, select

from tcgtracker.database.engine import Database
from tcgtracker.database.tables.catalog import set_aliases, tcg_sets
from tcgtracker.database.tables.operations import JobState
from tcgtracker.domain.catalog import GAMES
from tcgtracker.domain.errors import InvalidInput, QuotaExhausted, Unavailable
from tcgtracker.domain.source import Source
from tcgtracker.integrations.catalog_records import SetRecord
from tcgtracker.integrations.contract import Capability
from tcgtracker.operations import repository
from tcgtracker.operations.values import JobFilter
from tcgtracker.quotes import sync_jobs
from tests.unit.quotes.sync_kit import NOON, Shelf, SyncKit, a_shelf, sets_page
from tests.unit.quotes.test_sync import enqueue

JUNGLE = SetRecord(GAMES[0], "tcgplayer:635", "", "Jungle", release_date=date(1999, 6, 16))
FOSSIL = SetRecord(GAMES[0], "tcgplayer:630", "", "Fossil", release_date=date(1999, 10, 10))
OWN_JUNGLE = SetRecord(GAMES[0], "justtcg:jungle", "", "Jungle", total_cards=64)
ONLY_OWN = SetRecord(GAMES[0], "justtcg:promos", "", "Promos", total_cards=9)


def files(*records: SetRecord) -> Shelf:
    shelf = a_shelf(Source.TCGCSV, Capability.SETS, Capability.CARDS, Capability.BULK)
    shelf.info = replace(shelf.info, games={"pokemon": ("3",)})
    shelf.set_pages = {"pokemon": [sets_page(*records)]}
    return shelf


def justtcg(*records: SetRecord) -> Shelf:
    shelf = a_shelf(Source.JUSTTCG, Capability.SETS, Capability.CARDS, games={"pokemon": ("p",)})
    shelf.set_pages = {"pokemon": [sets_page(*records)]}
    return shelf


def due(kit: SyncKit) -> list[tuple[str, list[str]]]:
    """Return name and vendors of each due set."""
    return [
        (one.known.name, [part.info.vendor for part in one.parts]) for one in kit.catalog.due_sets()
    ]


def card_calls(shelf: Shelf) -> list[str]:
    return [call.removeprefix("cards ") for call in shelf.calls if call.startswith("cards ")]


def test_the_newest_release_comes_first_and_small_quotas_only_where_nobody_else_is(
    database: Database,
) -> None:
    kit = SyncKit(database, justtcg(OWN_JUNGLE, ONLY_OWN), files(JUNGLE, FOSSIL))
    kit.catalog.sets("pokemon")
    assert due(kit) == [
        ("Fossil", ["tcgcsv"]),
        ("Jungle", ["tcgcsv"]),
        ("Promos", ["justtcg"]),
    ]


def test_all_due_sets_are_taken_in_once(database: Database) -> None:
    shelves = justtcg(OWN_JUNGLE, ONLY_OWN), files(JUNGLE, FOSSIL)
    kit = SyncKit(database, *shelves)
    kit.catalog.sets("pokemon")
    steps: list[tuple[int, int]] = []
    done = kit.catalog.due_cards(on_progress=lambda _step, at, of: steps.append((at, of)))
    assert {(one.vendor, one.game) for one in done.outcomes} == {
        ("tcgcsv", "pokemon"),
        ("justtcg", "pokemon"),
    }
    assert steps == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert [card_calls(one) for one in shelves] == [["justtcg:promos"], [FOSSIL.code, JUNGLE.code]]
    again = kit.catalog.due_cards()
    assert (again.outcomes, again.idle) == ([], "")


def test_a_set_that_failed_stays_due_and_the_others_are_done(database: Database) -> None:
    first, second = justtcg(ONLY_OWN), files(JUNGLE)
    first.faults["pokemon"] = Unavailable("justtcg", "cards", "502")
    kit = SyncKit(database, files(JUNGLE))
    kit.catalog.sets("pokemon")
    good = SyncKit(database, justtcg(ONLY_OWN))
    good.catalog.sets("pokemon")
    report = SyncKit(database, first, second).catalog.due_cards()
    assert [one.vendor for one in report.failures] == ["justtcg"]
    assert due(SyncKit(database, first, second)) == [("Promos", ["justtcg"])]


def test_a_set_is_due_again_after_30_days_and_when_its_count_changes(database: Database) -> None:
    shelf = justtcg(ONLY_OWN)
    kit = SyncKit(database, shelf)
    kit.catalog.sets("pokemon")
    kit.catalog.due_cards()
    kit.catalog.sets("pokemon")
    assert due(kit) == []
    shelf.set_pages = {"pokemon": [sets_page(replace(ONLY_OWN, total_cards=10))]}
    kit.catalog.sets("pokemon")
    assert due(kit) == [("Promos", ["justtcg"])]
    kit.catalog.due_cards()
    kit.clock.advance(timedelta(days=29, hours=23))
    assert due(kit) == []
    kit.clock.advance(timedelta(hours=1))
    assert due(kit) == [("Promos", ["justtcg"])]


def test_cards_that_a_catalog_gave_are_not_asked_of_one_that_repeats_it(
    database: Database,
) -> None:
    kit = SyncKit(database, files(JUNGLE), justtcg(OWN_JUNGLE))
    kit.catalog.sets("pokemon")
    kit.catalog.due_cards()
    kit.clock.advance(timedelta(days=60))
    assert due(SyncKit(database, justtcg(OWN_JUNGLE))) == []


# --- jobs


def jobs_of(kit: SyncKit) -> list[tuple[JobState, object]]:
    with kit.database.read() as connection:
        wanted = JobFilter(name=sync_jobs.SYNC_CARDS)
        return [
            (job.state, job.args["set_id"])
            for job in repository.list_page(connection, wanted, limit=500).jobs
        ]


def test_sets_are_followed_by_their_cards_some_at_a_time(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync_jobs, "MOST_SETS", 1)
    shelf = files(JUNGLE, FOSSIL)
    kit = SyncKit(database, shelf)
    for expected in ([FOSSIL.code], [FOSSIL.code, JUNGLE.code], [FOSSIL.code, JUNGLE.code]):
        enqueue(kit, "sync_tcg_sets")
        kit.run_jobs()
        assert card_calls(shelf) == expected


def test_what_an_open_or_just_failed_job_does_is_not_asked_for_again(database: Database) -> None:
    shelf = files(JUNGLE)
    kit = SyncKit(database, shelf)
    kit.catalog.sets("pokemon")
    shelf.faults["pokemon"] = Unavailable("tcgcsv", "cards", "502")
    other = a_shelf(Source.TCGPLAYER, Capability.SETS, games={"pokemon": ("3",)})
    kit = SyncKit(database, shelf, other)
    for _ in range(5):  # four attempts, then it is dead
        enqueue(kit, "sync_tcg_sets", game="pokemon")
        kit.run_jobs(minutes=5)
        assert len(jobs_of(kit)) == 1
    assert jobs_of(kit)[0][0] is JobState.DEAD
    kit.clock.advance(timedelta(days=4))
    enqueue(kit, "sync_tcg_sets", game="pokemon")
    kit.run_jobs()
    assert len(jobs_of(kit)) == 2


def test_a_spent_quota_postpones_only_what_is_left(database: Database) -> None:
    shelf = files(JUNGLE)
    kit = SyncKit(database, shelf)
    kit.catalog.sets("pokemon")
    set_id = kit.set_id(JUNGLE.code)
    second_code(database, set_id, "tcgplayer:999")
    until = NOON + timedelta(hours=12)
    spent = QuotaExhausted("tcgcsv", "cards", "spent", until=until)
    shelf.faults["cards tcgplayer:999"] = spent
    enqueue(kit, "sync_card_data", set_id=set_id)
    kit.run_jobs()
    assert card_calls(shelf) == [JUNGLE.code, "tcgplayer:999"]
    del shelf.faults["cards tcgplayer:999"]
    assert kit.run_jobs(minutes=60 * 12 - 1) == 0
    kit.run_jobs(minutes=1)
    assert card_calls(shelf) == [JUNGLE.code, "tcgplayer:999", "tcgplayer:999"]
    assert jobs_of(kit) == [(JobState.DONE, set_id)]


def second_code(database: Database, set_id: int, code: str) -> None:
    """Let a set have two codes of one catalog: each is asked for and stands for itself."""
    with database.write() as connection:
        game_id = connection.scalar(select(tcg_sets.c.game_id).where(tcg_sets.c.id == set_id))
        connection.execute(insert(set_aliases).values(game_id=game_id, alias=code, set_id=set_id))


# --- names


def test_a_set_is_found_by_its_exact_name_when_only_one_has_it(database: Database) -> None:
    kit = SyncKit(database, files(JUNGLE, replace(FOSSIL, name="Pokémon GO")))
    kit.catalog.sets("pokemon")
    assert kit.catalog.find_set("jungle") == kit.set_id(JUNGLE.code)
    assert kit.catalog.find_set("POKÉMON go") == kit.set_id(FOSSIL.code)


def test_of_several_sets_of_a_name_the_numbers_are_given(database: Database) -> None:
    kit = SyncKit(database, files(JUNGLE, replace(FOSSIL, name="JUNGLE")))
    kit.catalog.sets("pokemon")
    numbers = kit.set_id(FOSSIL.code), kit.set_id(JUNGLE.code)
    with pytest.raises(InvalidInput, match=f"{numbers[0]} .*{numbers[1]} "):
        kit.catalog.find_set("Jungle")
    assert kit.catalog.find_set(JUNGLE.code) == numbers[1]


def test_cards_of_one_set_are_asked_at_every_vendor(database: Database) -> None:
    shelves = justtcg(OWN_JUNGLE), files(JUNGLE)
    kit = SyncKit(database, *shelves)
    kit.catalog.sets("pokemon")
    report = kit.catalog.cards(kit.catalog.find_set(JUNGLE.code))
    assert {one.vendor for one in report.outcomes} == {"justtcg", "tcgcsv"}
