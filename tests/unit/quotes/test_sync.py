"""Sets and cards from the network: every vendor and game stands for itself."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from tcgtracker.catalog.link_rows import Origin
from tcgtracker.database.engine import Database
from tcgtracker.database.tables.catalog import card_quotes
from tcgtracker.database.tables.operations import JobState
from tcgtracker.database.unit_of_work import unit_of_work
from tcgtracker.domain.catalog import GAMES
from tcgtracker.domain.errors import BadCredentials, InvalidInput, NotFound, Unavailable
from tcgtracker.domain.quote import Facet, PriceValues
from tcgtracker.domain.source import Source
from tcgtracker.integrations.catalog_records import CardRecord, ProductIdRecord, SetRecord
from tcgtracker.integrations.contract import Capability, CatalogPage, ItemPage, ItemQuotes
from tcgtracker.operations import repository
from tcgtracker.operations.values import JobFilter
from tests.unit.catalog.builders import a_product, add_products, envelope, load
from tests.unit.catalog.stating import a_statement, claims, one_card, state_of
from tests.unit.quotes.sync_kit import Shelf, SyncKit, a_shelf, cards_page, sets_page

POKEMON, ONEPIECE = GAMES[0], GAMES[1]
JUNGLE = SetRecord(POKEMON, "tcgplayer:635", "", "Jungle")
OWN_JUNGLE = SetRecord(POKEMON, "justtcg:jungle-pokemon", "", "Jungle")
DAWN = SetRecord(ONEPIECE, "tcgplayer:3188", "", "Romance Dawn")
NEAR = "Holofoil / Near Mint / English"
DOWN = Unavailable("tcgcsv", "sets", "502")


BOTH = (Capability.SETS, Capability.CARDS)


def two_shelves(capabilities: tuple[Capability, ...] = BOTH) -> tuple[Shelf, Shelf]:
    first = a_shelf(Source.TCGCSV, *capabilities)
    first.set_pages = {"pokemon": [sets_page(JUNGLE)], "onepiece": [sets_page(DAWN)]}
    second = a_shelf(Source.JUSTTCG, *capabilities, games={"pokemon": ("p",)})
    second.set_pages = {"pokemon": [sets_page(OWN_JUNGLE)]}
    return first, second


def test_the_second_synchronisation_inserts_nothing(database: Database) -> None:
    kit = SyncKit(database, *two_shelves())
    first = kit.catalog.sets()
    assert [(one.vendor, one.game, one.counts["sets_created"]) for one in first.outcomes] == [
        ("tcgcsv", "pokemon", 1),
        ("tcgcsv", "onepiece", 1),
        ("justtcg", "pokemon", 0),
    ]
    again = kit.catalog.sets()
    assert [one.counts.total() for one in again.outcomes] == [0, 0, 0]
    assert kit.sets() == {"tcgplayer:635": "Jungle", "tcgplayer:3188": "Romance Dawn"}


def test_a_set_of_the_same_name_is_the_same_when_it_is_the_only_one(database: Database) -> None:
    kit = SyncKit(database, *two_shelves())
    kit.catalog.sets()
    assert kit.aliases() == {
        "justtcg:jungle-pokemon": ("tcgplayer:635", "named as 'Jungle', as no other set")
    }


@pytest.mark.parametrize(
    "other",
    [
        replace(OWN_JUNGLE, region="asia"),
        replace(OWN_JUNGLE, name="Jungle 2"),
        replace(OWN_JUNGLE, game=ONEPIECE),
    ],
    ids=["region", "number", "game"],
)
def test_a_set_that_only_sounds_alike_is_another(database: Database, other: SetRecord) -> None:
    first, second = two_shelves()
    second.set_pages = {"pokemon": [sets_page(other)]}
    kit = SyncKit(database, first, second)
    kit.catalog.sets()
    assert kit.aliases() == {}


def test_a_failing_game_does_not_stop_the_others(database: Database) -> None:
    first, second = two_shelves()
    first.faults["pokemon"] = DOWN
    kit = SyncKit(database, first, second)
    report = kit.catalog.sets()
    assert [one.failed for one in report.outcomes] == [True, False, False]
    assert "502" in report.outcomes[0].as_dict()["error"]
    assert set(kit.sets()) == {"tcgplayer:3188", "justtcg:jungle-pokemon"}


def test_sets_of_an_unknown_game_are_refused(database: Database) -> None:
    with pytest.raises(InvalidInput, match="there is no game 'chess'"):
        SyncKit(database, *two_shelves()).catalog.sets("chess")


def test_a_synchronisation_of_sets_drops_their_cache(database: Database) -> None:
    kit = SyncKit(database, *two_shelves())
    kit.cache.set("sets:pokemon:all", b"old", ttl_s=60)
    kit.cache.set("sets:magic:all", b"kept", ttl_s=60)
    kit.catalog.sets("pokemon")
    assert kit.cache.get("sets:pokemon:all") is None
    assert kit.cache.get("sets:magic:all") == b"kept"


def test_without_a_vendor_it_says_so(database: Database) -> None:
    report = SyncKit(database).catalog.sets("pokemon")
    assert report.idle == "no enabled vendor names sets of pokemon"


# --- jobs


def enqueue(kit: SyncKit, name: str, **args: str | int) -> None:
    with unit_of_work(kit.database, kit.database) as uow:
        kit.queue.enqueue(uow, name, args)


def jobs_of(kit: SyncKit) -> dict[str, tuple[JobState, int, str]]:
    """Return name -> (state, attempts, error); a test has one job of a name."""
    with kit.database.read() as connection:
        found = repository.list_page(connection, JobFilter(), limit=50).jobs
    return {job.name: (job.state, job.attempts, job.error) for job in found}


def test_only_the_failed_half_is_repeated(database: Database) -> None:
    first, second = two_shelves((Capability.SETS,))
    first.faults["pokemon"] = DOWN
    kit = SyncKit(database, first, second)
    enqueue(kit, "sync_tcg_sets")
    assert kit.run_jobs() == 1
    assert jobs_of(kit)["sync_tcg_sets"][0] is JobState.DONE
    first.calls.clear()
    second.calls.clear()
    assert kit.run_jobs(minutes=4) == 0
    del first.faults["pokemon"]
    assert kit.run_jobs(minutes=1) == 1
    assert (first.calls, second.calls) == (["sets pokemon"], [])
    assert jobs_of(kit)["sync_vendor_sets"][0] is JobState.DONE
    assert kit.aliases()["tcgplayer:635"][0] == "justtcg:jungle-pokemon"


def test_the_failed_half_is_given_up_after_three_more_tries(database: Database) -> None:
    first, second = two_shelves()
    first.faults["pokemon"] = DOWN
    kit = SyncKit(database, first, second)
    enqueue(kit, "sync_tcg_sets")
    for _ in range(6):
        kit.run_jobs(minutes=5)
    assert first.calls.count("sets pokemon") == 4
    state, attempts, error = jobs_of(kit)["sync_vendor_sets"]
    assert (state, attempts) == (JobState.DEAD, 3)
    assert "502" in error


def test_what_cannot_succeed_is_not_repeated(database: Database) -> None:
    first, second = two_shelves((Capability.SETS,))
    first.faults["pokemon"] = BadCredentials("tcgcsv", "sets", "no")
    kit = SyncKit(database, first, second)
    enqueue(kit, "sync_tcg_sets")
    kit.run_jobs()
    assert set(jobs_of(kit)) == {"sync_tcg_sets"}


def test_when_nothing_works_the_whole_job_is_repeated(database: Database) -> None:
    first = two_shelves()[0]
    first.faults = {"pokemon": DOWN, "onepiece": DOWN}
    kit = SyncKit(database, first)
    enqueue(kit, "sync_tcg_sets")
    for _ in range(5):
        kit.run_jobs(minutes=5)
    assert jobs_of(kit)["sync_tcg_sets"][:2] == (JobState.DEAD, 4)


def test_a_job_for_an_unknown_game_is_not_repeated(database: Database) -> None:
    kit = SyncKit(database, *two_shelves())
    enqueue(kit, "sync_tcg_sets", game="chess")
    kit.run_jobs()
    assert jobs_of(kit)["sync_tcg_sets"][:2] == (JobState.DEAD, 1)


# --- cards of a set


def own_card(
    key: str = "u1", number: str = "1", name: str = "Alakazam", product: str = "1"
) -> CardRecord:
    return CardRecord(
        key=f"justtcg:{key}",
        set=SetRecord(POKEMON, "justtcg:base4", "", "Set base4"),
        collector_number=number,
        name=name,
        printings=("Holofoil",),
        products=(ProductIdRecord(product),) if product else (),
    )


def own_page(*records: CardRecord, price: int = 300) -> CatalogPage:
    """Return JustTCG's cards with a price of each."""
    stated = [
        a_statement(
            one.key.partition(":")[2],
            one.name,
            one.products[0].external_id if one.products else "",
            one.set.name,
            number=one.collector_number,
        )
        for one in records
    ]
    at = datetime(2026, 5, 1, tzinfo=UTC)
    quotes = {Facet(NEAR, variant="nm", language="en"): PriceValues(market_price=price)}
    items = [ItemQuotes(one.external_id, at, quotes) for one in stated]
    prices = ItemPage(Source.JUSTTCG, items=items, stated=list(stated))
    return CatalogPage(cards=list(records), stated=stated, prices=prices)


def card_kit(database: Database, *records: CardRecord) -> SyncKit:
    shelf = two_shelves()[1]
    shelf.set_pages = {"pokemon": [sets_page(own_card().set)]}
    shelf.card_pages = {"justtcg:base4": [own_page(*records)]}
    kit = SyncKit(database, shelf)
    kit.catalog.sets("pokemon")
    return kit


def test_cards_join_those_that_are_there_with_their_prices(
    database: Database, tmp_path: Path
) -> None:
    one_card(database, tmp_path)
    kit = card_kit(database, own_card())
    report = kit.catalog.cards(kit.set_id("justtcg:base4"))
    assert report.outcomes[0].reason == ""
    assert report.outcomes[0].counts["cards_joined"] == 1
    assert len(kit.cards()) == 1
    assert state_of(database, "u1", NEAR) == ("Holofoil", "derived")
    with database.read() as connection:
        assert list(connection.scalars(select(card_quotes.c.market_price))) == [300]
    again = kit.catalog.cards(kit.set_id("justtcg:base4"))
    assert +again.outcomes[0].counts == {"cards_known": 1}


@pytest.mark.parametrize(
    "wrong",
    [
        own_card(name="Machamp"),
        own_card(number="8"),
        own_card(name="Alakazam (Staff)"),
        replace(own_card(), set=SetRecord(POKEMON, "justtcg:jungle", "", "Jungle")),
    ],
    ids=["name", "number", "stamp", "set"],
)
def test_a_card_with_a_wrong_shared_id_stays_apart(
    database: Database, tmp_path: Path, wrong: CardRecord
) -> None:
    one_card(database, tmp_path)
    add_products(database, [("1", "Holofoil")])
    kit = card_kit(database, wrong)
    report = kit.catalog.cards(kit.set_id("justtcg:base4"))
    assert report.outcomes[0].bad == {"product id of a card that does not agree": 1}
    assert len(kit.cards()) == 2
    assert claims(database) == {}
    assert claims(database, Source.JUSTTCG)["u1"][1] == Origin.OWN_ID
    assert state_of(database, "1", "Holofoil") == ("Holofoil", "derived")


def test_an_echo_does_not_blur_what_a_catalog_said_of_a_product(
    database: Database, tmp_path: Path
) -> None:
    from tests.unit.catalog.builders import a_card, a_set, a_variant, lines

    card = a_card(variants=[a_variant(7), a_variant(1, foil="cosmos")])
    load(database, lines(tmp_path / "s", [a_set()]), lines(tmp_path / "c", [card]))
    kit = card_kit(database, own_card())
    kit.catalog.cards(kit.set_id("justtcg:base4"))
    assert claims(database, Source.TCGCSV)["1"] == ("1", "tcgdex", "cosmos")
    assert state_of(database, "u1", NEAR) == ("Holofoil (cosmos)", "derived")


def test_cards_without_any_shared_id_are_all_made(database: Database) -> None:
    kit = card_kit(database, own_card("u1", product=""), own_card("u2", "2", "Blastoise", ""))
    kit.catalog.cards(kit.set_id("justtcg:base4"))
    assert [card[1:] for card in kit.cards()] == [("1", "", "Alakazam"), ("2", "", "Blastoise")]
    assert state_of(database, "u2", NEAR) == ("Holofoil", "derived")


def test_vendors_that_share_codes_are_both_asked(database: Database, tmp_path: Path) -> None:
    first, _ = two_shelves()
    record = CardRecord("tcgplayer:1", JUNGLE, "1/64", "Clefable", products=(ProductIdRecord("1"),))
    first.card_pages = {"tcgplayer:635": [cards_page(record)]}
    kit = SyncKit(database, first)
    kit.catalog.sets("pokemon")
    report = kit.catalog.cards(kit.set_id("tcgplayer:635"))
    assert [one.counts["cards_created"] for one in report.outcomes] == [1]
    assert kit.cards() == [("tcgplayer:635", "1/64", "", "Clefable")]


def test_a_vendor_that_fails_leaves_the_cards_of_the_others(
    database: Database, tmp_path: Path
) -> None:
    load(database, envelope(tmp_path / "p", [a_product(1)]))
    first, second = two_shelves()
    first.faults["pokemon"] = DOWN
    second.card_pages = {"justtcg:base4": [own_page(own_card())]}
    second.set_pages = {"pokemon": [sets_page(own_card().set)]}
    kit = SyncKit(database, first, second)
    kit.catalog.sets("pokemon")
    enqueue(kit, "sync_card_data", set_id=kit.set_id("justtcg:base4"))
    kit.run_jobs()
    assert jobs_of(kit)["sync_card_data"][0] is JobState.DONE


def test_cards_of_no_set(database: Database) -> None:
    with pytest.raises(NotFound, match="no set 99"):
        SyncKit(database, *two_shelves()).catalog.cards(99)
