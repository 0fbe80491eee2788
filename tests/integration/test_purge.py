"""Deleting what is stored of a source: all of it, nothing of the others, at any interruption."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, inspect, text, update

from tcgtracker.api.app import create_app
from tcgtracker.database.tables.operations import JobState
from tcgtracker.database.tables.operations import jobs as job_rows
from tcgtracker.domain.errors import NotFound
from tcgtracker.domain.ids import JobId
from tcgtracker.domain.source import Source
from tcgtracker.operations import repository as jobs
from tcgtracker.operations.audit import Actor
from tcgtracker.operations.errors import LeaseLost
from tcgtracker.prices.months import load_months
from tcgtracker.prices.seal import seal_months
from tcgtracker.quotes import purge as purging
from tcgtracker.quotes.purge import SourcePurge
from tests.integration.filled import Filled, a_filled_tracker
from tests.support import NOW, import_days, import_products
from tests.unit.api.conftest import Ask, asking

pytestmark = pytest.mark.one_engine

PURGE = "/api/v1/admin/sources/pricecharting/purge"
OF_SOURCE = {
    "vendor_products": "source = :source",
    "product_links": "source = :source",
    "card_quotes": "source = :source",
    "stated_products": "source = :source",
    "card_products": "source = :source",
    "quarantined_rows": "source = :source",
    "price_series": "vendor_product_id IN (SELECT id FROM vendor_products WHERE source = :source)",
    "observations": "scope_id IN (SELECT id FROM scopes WHERE source = :source)",
    "scope_blobs": "scope_id IN (SELECT id FROM scopes WHERE source = :source)",
    "sync_marks": "service = :source",
}


@pytest.fixture
def filled(database_url: str, tmp_path: Path) -> Iterator[Filled]:
    with a_filled_tracker(database_url, tmp_path) as filled:
        yield filled


@pytest.fixture
def ask(filled: Filled) -> Ask:
    headers = filled.people.signed_in(filled.people.admin)
    return asking(create_app(filled.tracker), headers["Authorization"])


def counts(connection: Connection, source: str) -> dict[str, int]:
    """Return how many rows each table has of a source; history rows by their series."""
    found = {
        table: connection.execute(
            text(f"SELECT count(*) FROM {table} WHERE {condition}"),  # noqa: S608 - our own words
            {"source": source},
        ).scalar_one()
        for table, condition in OF_SOURCE.items()
    }
    for table in history_tables(connection):
        rows = connection.execute(
            text(
                f"SELECT count(*) FROM {table} h JOIN price_series s ON s.id = h.series_id"  # noqa: S608 - a table's own name
                " JOIN vendor_products p ON p.id = s.vendor_product_id WHERE p.source = :source"
            ),
            {"source": source},
        )
        found[table] = rows.scalar_one()
    return found


def history_tables(connection: Connection) -> list[str]:
    names = inspect(connection).get_table_names()
    return [
        *(name for name in names if name.startswith("price_history_")),
        "price_late",
        "price_blocks",
        "price_holds",
    ]


def orphans(connection: Connection) -> dict[str, int]:
    """Return the rows of the history that are of no series any more."""
    return {
        table: connection.execute(
            text(
                f"SELECT count(*) FROM {table} WHERE series_id NOT IN"  # noqa: S608 - as above
                " (SELECT id FROM price_series)"
            )
        ).scalar_one()
        for table in history_tables(connection)
    }


def both(filled: Filled) -> None:
    """Let JustTCG state prices of the same cards."""
    for card in filled.cards.values():
        filled.tracker.updater.update([card], source=Source.JUSTTCG)


def test_over_http_by_a_job_and_nothing_of_the_others(ask: Ask, filled: Filled) -> None:
    both(filled)
    filled.hold()
    tracker = filled.tracker
    with tracker.database.read() as connection:
        before, others = counts(connection, "pricecharting"), counts(connection, "justtcg")
    assert min(before[name] for name in ("product_links", "card_quotes", "price_holds")) > 0
    assert others["card_quotes"] > 0

    for body in ({}, {"confirm": "yes"}, {"confirm": ""}):
        assert ask("POST", PURGE, json=body).status_code in (400, 422)
    assert (
        ask("POST", PURGE.replace("pricecharting", "nobody"), json={"confirm": "x"}).status_code
        == 404
    )
    with tracker.database.read() as connection:
        assert counts(connection, "pricecharting") == before

    asked = ask("POST", PURGE, json={"confirm": "pricecharting"})
    again = ask("POST", PURGE, json={"confirm": "pricecharting"})
    assert (asked.status_code, again.json()["id"]) == (202, asked.json()["id"])
    work(filled, asked.json()["id"])

    with tracker.database.read() as connection:
        assert set(counts(connection, "pricecharting").values()) == {0}
        assert set(orphans(connection).values()) == {0}
        assert counts(connection, "justtcg") == others
    card = ask("GET", f"/api/v1/cards/{filled.card}").json()
    assert card["price"]["source"] == "justtcg"
    assert {one["source"] for one in card["links"]} == {"justtcg"}
    shown = {one["source"]: one for one in ask("GET", "/api/v1/admin/sources").json()["items"]}
    assert shown["pricecharting"]["enabled"] is False
    rows = ask("GET", "/api/v1/admin/audit?action=source.purged").json()["items"]
    assert [(row["subject"], row["username"]) for row in rows] == [("pricecharting", "admin")] * 2


def work(filled: Filled, job_id: str) -> None:
    """Let the job be done by a worker."""
    tracker = filled.tracker
    tracker.runner.start()
    try:
        for _ in range(200):
            with tracker.database.read() as connection:
                job = jobs.show(connection, JobId(UUID(job_id)))
            if job.state is JobState.DONE:
                return
            time.sleep(0.05)
    finally:
        tracker.runner.stop()
    pytest.fail(f"the job is {job.state}: {job.error}")


def test_what_jobs_told_of_its_prices_is_gone(filled: Filled) -> None:
    both(filled)
    tracker = filled.tracker
    told = {
        source: [
            one.as_dict() for one in tracker.updater.update([filled.card], source=Source(source))
        ]
        for source in ("pricecharting", "justtcg")
    }
    job = filled.job(JobState.DONE)
    with tracker.database.write() as connection:
        result = {"cards": [*told["pricecharting"], *told["justtcg"]], "note": "pricecharting"}
        connection.execute(update(job_rows).where(job_rows.c.id == job).values(result=result))
    assert tracker.administration.purge("pricecharting", by=Actor()).told == 1
    with tracker.database.read() as connection:
        kept: Any = jobs.show(connection, job).result
    prices = {one["source"]: one["market_price"] for one in kept["cards"]}
    assert prices == {"pricecharting": None, "justtcg": told["justtcg"][0]["market_price"]}
    assert prices["justtcg"] is not None


def test_stopped_anywhere_it_is_run_again(filled: Filled, monkeypatch: pytest.MonkeyPatch) -> None:
    both(filled)
    monkeypatch.setattr(purging, "PRODUCTS", 1)
    monkeypatch.setattr(purging, "BATCH", 1)
    monkeypatch.setattr(purging, "RESULTS", 1)
    tracker = filled.tracker
    purge = SourcePurge(tracker.database, tracker.history, tracker.cache)
    steps = 0
    for allowed in range(200):
        steps = allowed

        def check(left: list[int] = [allowed]) -> None:  # noqa: B006 - one for each call
            if not left[0]:
                raise LeaseLost("taken over")
            left[0] -= 1

        try:
            purge.purge("pricecharting", Source.PRICECHARTING, check=check)
        except LeaseLost:
            with tracker.database.read() as connection:
                assert set(orphans(connection).values()) == {0}
            continue
        break
    assert steps > 5
    with tracker.database.read() as connection:
        assert set(counts(connection, "pricecharting").values()) == {0}
        assert counts(connection, "justtcg")["card_quotes"] > 0
    report = purge.purge("pricecharting", Source.PRICECHARTING)
    assert set(report.as_dict().values()) == {0}


def test_sealed_months_files_again_and_ids_are_not_given_twice(
    filled: Filled, tmp_path: Path
) -> None:
    tracker = filled.tracker
    import_products(tracker.database, tmp_path / "more", {901: "Mew", 902: "Lugia"})
    first = NOW.date() - timedelta(days=400)
    days: dict[Any, Any] = {
        first + timedelta(days=back): {(901, "Normal"): {"market": 1.0 + back}} for back in range(9)
    }
    import_days(tracker.database, tmp_path / "days", days)
    with tracker.history.read() as history:
        oldest = min(month.month for month in load_months(history))
    seal_months(tracker.history, [oldest])
    with tracker.database.read() as connection:
        assert counts(connection, "tcgcsv")["price_blocks"] == 1
        highest = connection.execute(text("SELECT max(id) FROM vendor_products")).scalar_one()
        series = connection.execute(text("SELECT max(id) FROM price_series")).scalar_one()

    report = tracker.administration.purge("tcgcsv", by=Actor())
    assert (report.products, report.blocks) == (1, 1)
    with tracker.database.read() as connection:
        assert set(counts(connection, "tcgcsv").values()) == {
            0,
            counts(connection, "tcgcsv")["card_products"],  # the catalogs' own ids stay
        }
        assert set(orphans(connection).values()) == {0}

    # The same files once more: everything is new, nothing is taken for what it was.
    import_days(tracker.database, tmp_path / "again", days)
    with tracker.database.read() as connection:
        made = connection.execute(
            text(
                "SELECT min(s.id) FROM price_series s JOIN vendor_products p"
                " ON p.id = s.vendor_product_id WHERE p.source = 'tcgcsv'"
            )
        ).scalar_one()
        assert made > series
        product = connection.execute(
            text("SELECT id FROM vendor_products WHERE source = 'tcgcsv'")
        ).scalar_one()
        assert product > highest
        assert counts(connection, "tcgcsv")["product_links"] == 1
        assert counts(connection, "tcgcsv")["card_quotes"] == 1


def test_only_vendors_can_be_purged(filled: Filled) -> None:
    for name in ("manual", "nobody", ""):
        with pytest.raises(NotFound):
            filled.tracker.administration.purge(name, by=Actor())


def test_what_was_found_at_a_vendor_is_forgotten(ask: Ask, filled: Filled) -> None:
    def search() -> int:
        wish = {"query": "charizard"}
        return ask("POST", "/api/v1/search/ebay", json=wish).status_code

    assert [search(), search()] == [200, 200]
    assert len(filled.sandbox.calls("ebay")) == 2  # a token and one search: the second was kept
    ask("POST", "/api/v1/admin/sources/ebay/disable")
    assert search() == 503  # what was kept is not answered while the source is off
    ask("POST", "/api/v1/admin/sources/ebay/enable")
    assert search() == 200
    filled.tracker.administration.purge("ebay", by=Actor())
    filled.tracker.administration.switch("ebay", enabled=True, by=Actor())
    assert search() == 200
    assert len(filled.sandbox.calls("ebay")) == 3
