"""Guides and daily files: fetched when there is something new, with what they say of products."""

from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from sqlalchemy import select

from tcgtracker.catalog.link_rows import Origin
from tcgtracker.database.engine import Database
from tcgtracker.database.tables.catalog import card_quotes
from tcgtracker.database.tables.sources import sync_marks
from tcgtracker.domain.errors import InvalidInput, SourcePaused, Unavailable
from tcgtracker.domain.source import Source
from tcgtracker.integrations.contract import Capability, StatedProduct
from tcgtracker.quotes.offers import load_offers
from tests.unit.catalog.builders import a_card, a_set, a_variant, lines, load
from tests.unit.catalog.stating import a_statement, claims, one_card, state_of
from tests.unit.quotes.sync_kit import NOON, Shelf, SyncKit, a_day, a_guide, a_shelf
from tests.unit.quotes.test_sync import enqueue, jobs_of

BASE = "Pokemon Set base4"


def guide_shelf(*stated: StatedProduct, missing: str = "") -> Shelf:
    shelf = a_shelf(Source.PRICECHARTING, Capability.BULK)
    shelf.bulk_pages = {"pokemon": [a_guide(stated, missing=missing)]}
    return shelf


def several_cards(database: Database, tmp_path: Path, count: int = 4) -> None:
    """Cards 1 ... of `Set base4`, each a Holofoil with TCGplayer's product of its number."""
    numbers = range(1, count + 1)
    cards = [a_card(str(n), f"Name{n}", variants=[a_variant(n)]) for n in numbers]
    load(database, lines(tmp_path / "s", [a_set()]), lines(tmp_path / "c", cards))


def stated(number: int, tcgplayer_id: str | None = None, **extra: str) -> StatedProduct:
    name = extra.pop("name", f"Name{number} #{number}")
    shared = str(number) if tcgplayer_id is None else tcgplayer_id
    return a_statement(str(100 + number), name, shared, **extra)


def quoted(database: Database) -> list[int | None]:
    with database.read() as connection:
        return list(
            connection.scalars(select(card_quotes.c.market_price).order_by(card_quotes.c.card_id))
        )


def test_a_guide_brings_prices_links_and_the_list_for_searches(
    database: Database, tmp_path: Path
) -> None:
    one_card(database, tmp_path)
    kit = SyncKit(database, guide_shelf(a_statement(number="1")))
    outcome = kit.bulk.pricecharting("pokemon").outcomes[0]
    assert (outcome.reason, outcome.counts["products_claimed"]) == ("", 1)
    assert quoted(database) == [500]
    kept = orjson.loads(kit.cache.get("pricecharting:pokemon:products") or b"")
    assert kept == [
        {"id": "630417", "name": "Alakazam #1", "console": BASE, "number": "1", "tcg-id": "1"}
    ]


def test_a_guide_is_fetched_once_in_24_hours_unless_forced(database: Database) -> None:
    shelf = guide_shelf(a_statement())
    kit = SyncKit(database, shelf)
    kit.bulk.pricecharting("pokemon")
    assert kit.bulk.pricecharting("pokemon").outcomes[0].unchanged
    assert shelf.calls == ["bulk pokemon"]
    kit.bulk.pricecharting("pokemon", force=True)
    kit.clock.advance(timedelta(hours=24))
    kit.bulk.pricecharting("pokemon")
    assert shelf.calls == ["bulk pokemon"] * 3


def test_a_guide_that_is_cut_off_is_fetched_again(database: Database) -> None:
    shelf = guide_shelf(a_statement(), missing="cut off")
    kit = SyncKit(database, shelf)
    outcome = kit.bulk.pricecharting("pokemon").outcomes[0]
    assert outcome.failed
    assert "cut off" in outcome.reason
    assert kit.cache.get("pricecharting:pokemon:products") is None
    kit.bulk.pricecharting("pokemon")
    assert len(shelf.calls) == 2


def test_the_new_price_of_a_reused_id_is_never_shown(database: Database, tmp_path: Path) -> None:
    one_card(database, tmp_path)
    shelf = guide_shelf(a_statement())
    kit = SyncKit(database, shelf)
    kit.bulk.pricecharting("pokemon")
    shelf.bulk_pages = {"pokemon": [a_guide([a_statement(name="Machamp #8")], day=2, price=9)]}
    outcome = kit.bulk.pricecharting("pokemon", force=True).outcomes[0]
    assert outcome.counts["links_suspended"] == 1
    assert "now pricecharting states 'Machamp #8'" in outcome.notes[0]
    assert quoted(database) == []


def test_one_game_waits_its_turn_and_is_repeated_alone(database: Database) -> None:
    shelf = guide_shelf(a_statement())
    until = NOON + timedelta(minutes=10)
    shelf.faults["onepiece"] = SourcePaused("pricecharting", "guide", "one guide", until=until)
    kit = SyncKit(database, shelf)
    enqueue(kit, "sync_pricecharting_data")
    kit.run_jobs()
    del shelf.faults["onepiece"]
    assert kit.run_jobs(minutes=9) == 0
    kit.run_jobs(minutes=1)
    assert shelf.calls == ["bulk pokemon", "bulk onepiece", "bulk onepiece"]


# --- the vendor's own sets


def test_three_shared_ids_make_a_console_a_set_of_ours(database: Database, tmp_path: Path) -> None:
    several_cards(database, tmp_path)
    products = [stated(1), stated(2), stated(3), stated(4, "")]
    kit = SyncKit(database, guide_shelf(*products))
    outcome = kit.bulk.pricecharting("pokemon").outcomes[0]
    assert kit.aliases()[f"pricecharting:{BASE}"] == (
        "tcgdex:intl:base4",
        "3 of its products are cards of this set, none of another",
    )
    assert claims(database)["104"] == ("4", Origin.NUMBER_AND_NAME, "")
    assert state_of(database, "104") == ("Holofoil", "derived")
    assert outcome.counts["products_claimed"] == 4
    assert (len(kit.cards()), len(quoted(database))) == (4, 4)
    kit.bulk.pricecharting("pokemon", force=True)
    assert len(kit.cards()) == 4


def test_two_shared_ids_are_not_enough(database: Database, tmp_path: Path) -> None:
    several_cards(database, tmp_path)
    kit = SyncKit(database, guide_shelf(stated(1), stated(2), stated(4, "")))
    kit.bulk.pricecharting("pokemon")
    assert f"pricecharting:{BASE}" not in kit.aliases()
    assert claims(database)["104"][1] == Origin.OWN_ID
    assert kit.cards()[-1] == (f"pricecharting:{BASE}", "4", "", "Name4")


def test_a_console_of_two_sets_is_neither(database: Database, tmp_path: Path) -> None:
    several_cards(database, tmp_path)
    load(
        database,
        lines(tmp_path / "s2", [a_set("base5", name={"en": "Set base4 promos"})]),
        lines(tmp_path / "c2", [a_card("9", "Name9", set_id="base5", variants=[a_variant(9)])]),
    )
    kit = SyncKit(database, guide_shelf(stated(1), stated(2), stated(3), stated(9)))
    kit.bulk.pricecharting("pokemon")
    assert claims(database)["109"][1] == Origin.TCG_ID
    assert f"pricecharting:{BASE}" not in kit.aliases()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Name4 [Staff] #4", "unknown"),
        ("Name4 #44", "own card"),
        ("Other #4", "own card"),
        ("Name4", "waiting"),
    ],
)
def test_without_a_shared_id_number_and_name_must_fit_one_card(
    database: Database, tmp_path: Path, name: str, expected: str
) -> None:
    several_cards(database, tmp_path)
    odd = stated(4, "", name=name)
    kit = SyncKit(database, guide_shelf(stated(1), stated(2), stated(3), odd))
    outcome = kit.bulk.pricecharting("pokemon").outcomes[0]
    if expected == "waiting":
        assert outcome.counts["products_waiting"] == 1
        assert "104" not in claims(database)
    elif expected == "unknown":
        assert state_of(database, "104") == ("", "unknown")
    else:
        assert claims(database)["104"][1] == Origin.OWN_ID
        assert kit.cards()[-1][0] == "tcgdex:intl:base4"
        kit.bulk.pricecharting("pokemon", force=True)
        assert claims(database)["104"][1] == Origin.OWN_ID
        assert len(kit.cards()) == 5


def test_two_cards_that_fit_are_neither(database: Database, tmp_path: Path) -> None:
    several_cards(database, tmp_path, 3)
    twins = [a_card("4", "Name4"), a_card("04", "Name4")]
    load(database, lines(tmp_path / "c2", twins))
    kit = SyncKit(database, guide_shelf(stated(1), stated(2), stated(3), stated(4, "")))
    outcome = kit.bulk.pricecharting("pokemon").outcomes[0]
    assert outcome.counts["products_waiting"] == 1
    assert "104" not in claims(database)


def test_a_guide_without_shared_ids_makes_all_cards_by_the_vendors_own_ids(
    database: Database,
) -> None:
    products = [
        stated(1, ""),
        stated(2, "", name="Name1 [1st Edition] #1"),
        stated(3, "", name="Name1 [Staff] #1"),
        stated(4, "", name="Name4 #4"),
    ]
    kit = SyncKit(database, guide_shelf(*products))
    kit.bulk.pricecharting("pokemon")
    code = f"pricecharting:{BASE}"
    assert kit.cards() == [
        (code, "1", "", "Name1"),
        (code, "1", "staff", "Name1 [Staff]"),
        (code, "4", "", "Name4"),
    ]
    assert state_of(database, "101") == ("Normal", "derived")
    assert state_of(database, "102") == ("1st Edition", "derived")
    assert state_of(database, "103") == ("Normal", "derived")
    kit.bulk.pricecharting("pokemon", force=True)
    assert len(kit.cards()) == 3


def test_a_printing_that_comes_later_joins_its_card(database: Database) -> None:
    shelf = guide_shelf(stated(2, "", name="Name1 [1st Edition] #1"))
    kit = SyncKit(database, shelf)
    kit.bulk.pricecharting("pokemon")
    later = [stated(1, ""), stated(2, "", name="Name1 [1st Edition] #1")]
    shelf.bulk_pages = {"pokemon": [a_guide(later, day=2)]}
    kit.bulk.pricecharting("pokemon", force=True)
    assert len(kit.cards()) == 1
    assert state_of(database, "101") == ("Normal", "derived")
    assert state_of(database, "102") == ("1st Edition", "derived")


def test_a_product_moves_to_the_card_that_a_catalog_brings_later(
    database: Database, tmp_path: Path
) -> None:
    kit = SyncKit(database, guide_shelf(stated(1)))
    kit.bulk.pricecharting("pokemon")
    assert claims(database)["101"][1] == Origin.OWN_ID
    several_cards(database, tmp_path)
    kit.bulk.pricecharting("pokemon", force=True)
    assert claims(database)["101"][1] == Origin.TCG_ID
    assert state_of(database, "101") == ("Holofoil", "derived")


def test_cards_of_a_set_take_in_what_the_guide_said_before(
    database: Database, tmp_path: Path
) -> None:
    shelf = guide_shelf(stated(1))
    kit = SyncKit(database, shelf)
    kit.bulk.pricecharting("pokemon")
    several_cards(database, tmp_path)
    report = kit.catalog.cards(kit.set_id("tcgdex:intl:base4"))
    assert [one.vendor for one in report.outcomes] == ["pricecharting"]
    assert state_of(database, "101") == ("Holofoil", "derived")
    assert shelf.calls == ["bulk pokemon"]


# --- TCGCSV


def day_shelf(missing: str = "") -> Shelf:
    shelf = a_shelf(Source.TCGCSV, Capability.BULK)
    shelf.bulk_pages = {"pokemon": [a_day(missing=missing)]}
    return shelf


def marks(database: Database) -> dict[str, str]:
    with database.read() as connection:
        return dict(connection.execute(select(sync_marks.c.subject, sync_marks.c.mark)).all())


def test_an_unchanged_day_costs_one_call(database: Database, tmp_path: Path) -> None:
    one_card(database, tmp_path)
    shelf = day_shelf()
    kit = SyncKit(database, shelf)
    assert kit.bulk.tcgcsv("pokemon").outcomes[0].counts["prices_stored"] == 1
    assert quoted(database) == [100]
    shelf.calls.clear()
    assert kit.bulk.tcgcsv("pokemon").outcomes[0].unchanged
    assert shelf.calls == ["version"]
    shelf.build = "2026-05-02T20:05:00+0000"
    kit.bulk.tcgcsv("pokemon")
    assert shelf.calls == ["version", "version", "bulk pokemon"]
    assert marks(database) == {"bulk:pokemon": shelf.build}


def test_an_incomplete_day_leaves_no_mark_and_is_repeated(database: Database) -> None:
    shelf = day_shelf(missing="group 605: 502")
    kit = SyncKit(database, shelf)
    enqueue(kit, "sync_tcgcsv", game="pokemon")
    kit.run_jobs()
    assert set(marks(database)) == {"bulk-failed:pokemon"}
    assert "group 605: 502" in jobs_of(kit)["sync_tcgcsv"][2]
    shelf.bulk_pages = {"pokemon": [a_day()]}
    kit.run_jobs(minutes=5)
    assert marks(database)["bulk:pokemon"] == shelf.build


def test_a_game_that_fails_leaves_the_marks_of_the_others(database: Database) -> None:
    shelf = day_shelf()
    shelf.faults["onepiece"] = Unavailable("tcgcsv", "bulk", "502")
    kit = SyncKit(database, shelf)
    report = kit.bulk.tcgcsv()
    assert [one.game for one in report.failures] == ["onepiece"]
    assert set(marks(database)) == {"bulk:pokemon", "bulk-failed:onepiece"}


def test_a_file_that_failed_is_not_planned_until_the_sources_behind_it_had_their_turn(
    database: Database,
) -> None:
    shelf = guide_shelf(missing="cut off")
    kit = SyncKit(database, shelf)
    kit.bulk.pricecharting("pokemon")

    def closed(hours: int) -> str:
        with database.read() as connection:
            (offer,) = load_offers(
                connection,
                kit.parts.vendors,
                [Source.PRICECHARTING],
                now=NOON + timedelta(hours=hours),
                bulk={"pricecharting"},
            )
        return next(scope.closed for scope in offer.scopes if scope.game == "pokemon")

    assert closed(5).startswith("failed at ")
    assert closed(6) == ""
    shelf.bulk_pages = {"pokemon": [a_guide(())]}
    kit.bulk.pricecharting("pokemon")
    assert closed(5).startswith("fetched at ")


def test_a_disabled_vendor_is_not_asked(database: Database) -> None:
    shelf = day_shelf()
    kit = SyncKit(database, shelf, disabled="tcgcsv")
    assert kit.bulk.tcgcsv().idle == "tcgcsv is not asked: set its key"
    assert shelf.calls == []


def test_a_game_that_the_vendor_does_not_have(database: Database) -> None:
    kit = SyncKit(database, day_shelf())
    with pytest.raises(InvalidInput, match="tcgcsv has no magic"):
        kit.bulk.tcgcsv("magic")
