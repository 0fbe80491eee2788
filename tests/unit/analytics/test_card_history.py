"""The history of a card against a plain reference."""

from datetime import date, timedelta
from pathlib import Path
from random import Random

import pytest

from tcgtracker.analytics.card_history import (
    NoSeries,
    product_history,
)
from tcgtracker.analytics.headline import headline_price
from tcgtracker.analytics.windows import GapKind
from tcgtracker.database.engine import Database
from tcgtracker.domain.errors import NotFound
from tcgtracker.domain.source import Source
from tcgtracker.prices.quick import ScopeLooks, SeriesReader
from tcgtracker.prices.seal import seal_price_history
from tcgtracker.prices.store import load_history
from tests.support import NOW, Day, card_ids, import_days, import_products
from tests.unit.analytics.asking import LAST, TODAY, ask, days_back, evening


@pytest.mark.parametrize("count", [0, 1, 2, 500])
def test_exact_against_a_plain_reference(database: Database, tmp_path: Path, count: int) -> None:
    import_products(database, tmp_path / "catalog", {1: "Alakazam", 2: "Other"})
    chance = Random(count)
    days: dict[date, Day] = {}
    said: dict[date, int | None] = {}
    cents = 1_000
    for day in days_back(count):
        cents = max(500, cents + chance.randint(-40, 40))
        gone = count > 2 and chance.random() < 0.05
        said[day] = None if gone else cents
        listed = None if gone else {"market": cents / 100, "low": cents / 200}
        days[day] = {(1, "Normal"): listed, (2, "Normal"): {"market": 1.0}}
    if days:
        import_days(database, tmp_path / "prices", days, trust=True)
    if count == 500:
        seal_price_history(database, now=NOW, after_days=90)
    card = card_ids(database)["Alakazam"]
    found = ask(database, card, days=365)

    if not count:
        assert found.reason is NoSeries.NO_TRUSTED_LINK
        assert found.window is None
        return
    window = found.window
    assert window is not None
    first = TODAY - timedelta(days=364)
    expected: list[tuple[int, int, int]] = []
    before: object = "none"
    for day, value in said.items():
        if value != before and day >= first:
            expected.append(
                (evening(day), 1 if value is None else 0, -1 if value is None else value)
            )
        before = value
    assert (
        list(
            zip(
                window.rows.observed_at.tolist(),
                window.rows.state.tolist(),
                window.rows.values[:, 0].tolist(),
                strict=True,
            )
        )
        == expected
    )
    in_window = [value for day, value in said.items() if day >= first and value is not None]
    everything = [value for value in said.values() if value is not None]
    assert window.statistics.minimum == min(in_window)
    assert window.statistics.maximum == max(in_window)
    assert window.statistics.days_with_price == len(in_window)
    assert window.statistics.change == in_window[-1] - in_window[0]
    assert window.statistics.all_time_high == max(everything)
    assert window.statistics.all_time_low == min(everything)
    current = window.current
    assert current is not None
    priced = [day for day, value in said.items() if value is not None]
    assert current.observed_at == evening(priced[-1])
    assert current.values[0] == everything[-1]
    gaps = [gap for gap in window.gaps if gap.kind is GapKind.GAP]
    assert len(gaps) == sum(
        value is None and (said.get(day - timedelta(days=1)) is not None or day == first)
        for day, value in said.items()
        if day >= first
    )


def test_the_quick_reads_say_what_the_store_says(database: Database, tmp_path: Path) -> None:
    import_products(database, tmp_path / "catalog", {1: "Alakazam", 2: "Other"})
    chance = Random(7)
    days: dict[date, Day] = {
        day: {
            (product, printing): {"market": chance.randint(100, 120) / 100}
            for product in (1, 2)
            for printing in ("Normal", "Foil")
            if chance.random() > 0.2
        }
        | {(2, "Odd"): {"market": 1.0}}
        for day in days_back(130)
    }
    import_days(database, tmp_path / "prices", days, trust=True)
    seal_price_history(database, now=NOW, after_days=60)
    late = {days_back(130)[5]: {(1, "Late"): {"market": 3.0}}}
    import_days(database, tmp_path / "late", late, trust=True)
    looks = ScopeLooks()
    for turn in range(2):
        with database.read() as connection:
            reader = SeriesReader(connection, database.dialect, looks)
            products = connection.exec_driver_sql("SELECT id FROM vendor_products").scalars().all()
            series = reader.series_of_products(list(products))
            newest = reader.newest(series)
            assert len(series) == 6
            for one in series:
                mine = reader.history(one)
                stored = load_history(connection, database.dialect, one.id)
                assert mine.looks.tolist() == stored.looks.tolist()
                assert mine.rows.values.tolist() == stored.rows.values.tolist()
                assert mine.rows.observed_at.tolist() == stored.rows.observed_at.tolist()
                said = newest[one.id]
                assert (said.market, said.market_at) == (stored.last_market() or (None, None))
        # Another day: what is kept of the scope must not outlive it.
        import_days(
            database,
            tmp_path / f"more{turn}",
            {TODAY + timedelta(days=turn): {(1, "Normal"): {"market": 2.0}}},
        )


def test_a_missed_day_a_vanished_product_and_what_was_held(
    database: Database, tmp_path: Path
) -> None:
    import_products(database, tmp_path / "catalog", {1: "Alakazam", 2: "Other"})
    days: dict[date, Day] = {}
    for place, day in enumerate(days_back(20)):
        if place == 10:
            continue  # nobody looked
        price = 1_000.0 if place == 15 else 1.0
        listed = None if place in (4, 5) else {"market": price}
        days[day] = {(1, "Normal"): listed, (2, "Normal"): {"market": 2.0}}
    report = import_days(database, tmp_path / "prices", days)
    assert report.held == 1
    window = ask(database, card_ids(database)["Alakazam"], days=30).window
    assert window is not None
    every = days_back(20)
    assert [(gap.kind, gap.start, gap.end) for gap in window.gaps] == [
        (GapKind.GAP, evening(every[4]), evening(every[6])),
        (GapKind.NOT_OBSERVED, evening(every[9]), evening(every[11])),
    ]
    assert [(hold.observed_at, hold.values[0]) for hold in window.holds] == [
        (evening(every[15]), 100_000)
    ]
    assert window.statistics.maximum == 100
    assert window.statistics.all_time_high == 100
    assert window.statistics.days_with_price == 17
    # A window that begins inside the gap carries no price into it.
    later = ask(database, card_ids(database)["Alakazam"], days=(TODAY - every[5]).days + 1).window
    assert later is not None
    assert later.at_start.answer == "gap"
    assert later.gaps[0].start == later.window.start


def test_without_a_trusted_link_there_is_no_price(database: Database, tmp_path: Path) -> None:
    import_products(database, tmp_path / "catalog", {1: "Alakazam"})
    import_days(database, tmp_path / "prices", {LAST: {(99, "Normal"): {"market": 5.0}}})
    card = card_ids(database)["Alakazam"]
    found = ask(database, card)
    assert (found.reason, found.found, found.others) == (NoSeries.NO_TRUSTED_LINK, None, ())
    with database.read() as connection:
        assert headline_price(connection, connection, database.dialect, card, now=NOW) is None
        shown = product_history(connection, database.dialect, Source.TCGCSV, "99", now=NOW)
        assert shown[0].statistics.maximum == 500
        with pytest.raises(NotFound, match="100"):
            product_history(connection, database.dialect, Source.TCGCSV, "100", now=NOW)
    with pytest.raises(NotFound):
        ask(database, card + 1)
