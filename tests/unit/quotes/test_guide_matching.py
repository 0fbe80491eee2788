"""A guide's products without ids, tied to a catalog's cards by what both sides say."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import select, update

from tcgtracker.catalog.match_products import MatchReport
from tcgtracker.database.engine import Database
from tcgtracker.database.tables.catalog import card_quotes, cards, product_links
from tcgtracker.database.tables.prices import vendor_products
from tcgtracker.domain.catalog import LinkState
from tcgtracker.domain.source import Source
from tcgtracker.integrations.contract import Capability, StatedProduct
from tcgtracker.quotes.guide_matching import match_guides
from tests.unit.catalog.builders import CLOCK, a_card, a_set, a_variant, lines, load
from tests.unit.catalog.stating import a_statement, claims
from tests.unit.quotes.reviewing import ASH, ReviewKit
from tests.unit.quotes.sync_kit import SyncKit, a_guide, a_shelf
from tests.unit.quotes.test_own_cards import all_links

NAMES = ("Mossling", "Emberfox", "Tidewhale", "Dawnmoth", "Empoleon")
CONSOLE = "Pokemon Ruby Dunes"
GUIDE = (
    a_statement("101", "Mossling #1", "", CONSOLE),
    a_statement("102", "Emberfox #2", "", CONSOLE),
    a_statement("103", "Tidewhale #3", "", CONSOLE),
    a_statement("104", "Dawnmoth #4", "", CONSOLE),
    a_statement("114", "Dawnmoth [Reverse Holo] #4", "", CONSOLE),
    a_statement("105", "Empoleon LV.X #5", "", CONSOLE),
    a_statement("106", "Gloomcap #6", "", CONSOLE),  # no catalog has it
)
TIED = {
    "101": ("Mossling", "Holofoil", "derived"),
    "102": ("Emberfox", "Holofoil", "derived"),
    "103": ("Tidewhale", "Holofoil", "derived"),
    "104": ("Dawnmoth", "Holofoil", "derived"),
    "114": ("Dawnmoth", "Reverse Holofoil", "derived"),
    "105": ("Empoleon", "Holofoil", "derived"),
    "106": ("Gloomcap", "Normal", "derived"),
}


@pytest.fixture
def catalog(database: Database, tmp_path: Path) -> Database:
    """Five cards of `Ruby Dunes` with TCGplayer's ids 1 to 5."""
    made = [
        a_card(
            str(number),
            name,
            variants=[
                a_variant(number, "holo"),
                *([a_variant(number, "reverse")] if name == "Dawnmoth" else []),
            ],
        )
        for number, name in enumerate(NAMES, start=1)
    ]
    named = a_set(name={"en": "Ruby Dunes"})
    load(database, lines(tmp_path / "sets", [named]), lines(tmp_path / "cards", made))
    return database


def guide(database: Database, stated: Sequence[StatedProduct] = GUIDE, *, day: int = 1) -> SyncKit:
    shelf = a_shelf(Source.PRICECHARTING, Capability.BULK)
    shelf.bulk_pages = {"pokemon": [a_guide(stated, day=day)]}
    kit = SyncKit(database, shelf)
    kit.bulk.pricecharting("pokemon", force=True).raise_failure()
    return kit


def matched(database: Database, *, dry_run: bool = False) -> MatchReport:
    (report,) = match_guides(database, database, clock=CLOCK, dry_run=dry_run)
    return report


def decide(database: Database, external_id: str, state: LinkState, by: str = "somebody") -> None:
    with database.write() as connection:
        wanted = select(vendor_products.c.id).where(vendor_products.c.external_id == external_id)
        connection.execute(
            update(product_links)
            .where(product_links.c.vendor_product_id.in_(wanted))
            .values(state=state, decided_by=by)
        )


def link_of(database: Database, external_id: str) -> tuple[float, str]:
    """Return score and evidence of a product's link."""
    with database.read() as connection:
        row = connection.execute(
            select(product_links.c.score, product_links.c.evidence)
            .join(vendor_products, vendor_products.c.id == product_links.c.vendor_product_id)
            .where(vendor_products.c.external_id == external_id)
        ).one()
    return row[0], row[1]


def test_guide_without_ids_joins_the_catalog(catalog: Database) -> None:
    kit = guide(catalog)
    assert all_links(catalog)["101"] == ("Mossling", "Normal", "derived")
    assert len(kit.cards()) == len(NAMES) + 6
    report = matched(catalog)
    assert report.counts() == {
        "products": 7,
        "known": 0,
        "kept": 0,
        "linked": 6,
        "suggested": 0,
        "unknown": 1,
        "contradicted": 0,
        "sets_learned": 1,
    }
    assert all_links(catalog) == TIED
    assert [card[3] for card in kit.cards()] == [*NAMES, "Gloomcap"]
    code, evidence = kit.aliases()[f"pricecharting:{CONSOLE}"]
    assert code == "tcgdex:intl:base4"
    assert evidence.startswith("words-1: 6 of 7 products agree with its cards")
    score, evidence = link_of(catalog, "105")
    assert 0.85 <= score < 1
    assert "words-1 0.97: number is the same (+0.30)" in evidence
    with catalog.read() as connection:
        priced = connection.execute(
            select(cards.c.name, card_quotes.c.market_price).join(
                cards, cards.c.id == card_quotes.c.card_id
            )
        ).all()
    assert sorted(tuple(row) for row in priced) == [
        (name, 500) for name in sorted([*NAMES, "Gloomcap"])
    ]


def test_again_changes_nothing(catalog: Database) -> None:
    kit = guide(catalog)
    matched(catalog)
    before = all_links(catalog), claims(catalog), kit.aliases(), kit.cards()
    for day in (2, 3):
        report = matched(catalog)
        assert (report.linked, report.sets_learned, report.links.written) == (0, 0, 0)
        assert report.known == 6
        guide(catalog, day=day)
        assert (all_links(catalog), claims(catalog), kit.aliases(), kit.cards()) == before


def test_catalog_that_comes_after_the_guide(database: Database, tmp_path: Path) -> None:
    guide(database)
    assert matched(database).linked == 0
    made = [a_card(str(n), name, variants=[a_variant(n)]) for n, name in enumerate(NAMES, start=1)]
    named = a_set(name={"en": "Ruby Dunes"})
    load(database, lines(tmp_path / "sets", [named]), lines(tmp_path / "cards", made))
    assert matched(database).linked == 6
    assert all_links(database)["105"] == TIED["105"]


def test_dry_run_writes_nothing(catalog: Database) -> None:
    kit = guide(catalog)
    before = all_links(catalog), claims(catalog), kit.aliases(), kit.cards()
    assert matched(catalog, dry_run=True).linked == 6
    assert (all_links(catalog), claims(catalog), kit.aliases(), kit.cards()) == before


@pytest.mark.parametrize(
    ("state", "by"),
    [
        (LinkState.CONFIRMED, "somebody"),
        (LinkState.REJECTED, "somebody"),
        (LinkState.REJECTED, ""),
        (LinkState.SUSPENDED, ""),
    ],
)
def test_what_was_decided_is_left_alone(catalog: Database, state: LinkState, by: str) -> None:
    guide(catalog)
    decide(catalog, "101", state, by)
    before = all_links(catalog)["101"]
    report = matched(catalog)
    assert (report.kept, report.linked) == (1, 5)
    assert all_links(catalog)["101"] == before


def test_pair_that_a_person_refused_is_never_proposed_again(
    database: Database, tmp_path: Path
) -> None:
    kit = ReviewKit(database, tmp_path)
    stated = [a_statement("11", "Alakazam #1", ""), a_statement("12", "Machamp #2", "")]
    kit.guide(*stated)
    assert matched(database).linked == 2
    refused = kit.link("11").record
    kit.review.reject(refused.id, ASH)
    for _ in range(3):
        report = matched(database)
        assert (report.linked, report.kept, report.known) == (0, 1, 1)
        link = kit.link("11").record
        # The next guide makes a card of its own of what is none of ours.
        assert link.state is LinkState.REJECTED or link.card_id != refused.card_id
        kit.guide(*stated)
    assert kit.state("12") == ("2", "Holofoil", "derived")
    with database.read() as connection:
        priced = set(connection.scalars(select(card_quotes.c.card_id)))
    assert refused.card_id not in priced


def test_product_that_becomes_another_is_suspended(catalog: Database) -> None:
    guide(catalog)
    matched(catalog)
    renamed = [
        a_statement("105", "Gallade #5", "", CONSOLE) if one.external_id == "105" else one
        for one in GUIDE
    ]
    guide(catalog, renamed, day=2)
    assert all_links(catalog)["105"] == ("Empoleon", "Holofoil", "suspended")
    report = matched(catalog)
    assert report.kept == 1
    assert all_links(catalog)["105"] == ("Empoleon", "Holofoil", "suspended")


def test_id_of_another_product_makes_it_a_suggestion(catalog: Database) -> None:
    stated = [
        *(a_statement(f"10{n}", f"{NAMES[n - 1]} #{n}", str(n), CONSOLE) for n in (1, 2, 3)),
        a_statement("104", "Dawnmoth #4", "99", CONSOLE),
    ]
    guide(catalog, stated)
    assert "104" not in all_links(catalog)
    report = matched(catalog)
    assert (report.known, report.linked, report.suggested) == (3, 0, 1)
    assert all_links(catalog)["104"] == ("Dawnmoth", "", "unknown")
    score, evidence = link_of(catalog, "104")
    assert score == 1.0
    assert "it states product 99, the card has 4; may be card" in evidence
    before = all_links(catalog), claims(catalog)
    guide(catalog, stated, day=2)
    assert (all_links(catalog), claims(catalog)) == before
    assert matched(catalog).suggested == 0
    assert (all_links(catalog), claims(catalog)) == before


def test_suggestion_goes_with_the_name_it_was_made_for(catalog: Database) -> None:
    shared = [a_statement(f"10{n}", f"{NAMES[n - 1]} #{n}", str(n), CONSOLE) for n in (1, 2, 3)]
    guide(catalog, [*shared, a_statement("104", "Dawnmoth #4", "99", CONSOLE)])
    matched(catalog)
    assert claims(catalog)["104"] == ("4", "suggested", "")
    guide(catalog, [*shared, a_statement("104", "Gloomcap #77", "99", CONSOLE)], day=2)
    assert claims(catalog).get("104", ("", "", ""))[1] != "suggested"


def test_two_products_of_one_card_stay_apart(catalog: Database) -> None:
    twins = [*GUIDE, a_statement("201", "Mossling #1", "", CONSOLE)]
    guide(catalog, twins)
    report = matched(catalog)
    assert report.linked == 5
    assert claims(catalog)["101"][1] == claims(catalog)["201"][1] == "own-id"


def test_job_tells_what_it_did(catalog: Database) -> None:
    from tcgtracker.quotes import jobs as quotes_jobs

    guide(catalog)
    (job,) = [
        one
        for one in quotes_jobs.jobs(catalog, catalog, CLOCK)
        if one.name == quotes_jobs.MATCH_PRODUCTS
    ]
    said = job.handler(None)  # type: ignore[arg-type] # it does not look at its context
    assert isinstance(said, dict)
    assert said["pricecharting pokemon"]["linked"] == 6
    assert json.dumps(said)
