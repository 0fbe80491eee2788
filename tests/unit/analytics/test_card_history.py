"""The history of a card against a plain reference, and how its series is chosen."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import delete, insert

from tcgtracker.analytics.card_history import (
    CardHistory,
    Choice,
    NoSeries,
    card_history,
    headline_price,
    product_history,
)
from tcgtracker.analytics.statistics import Trend
from tcgtracker.analytics.windows import GapKind
from tcgtracker.catalog.writer import ID_SOURCES
from tcgtracker.database.engine import Database
from tcgtracker.database.tables.sources import feature_flags
from tcgtracker.domain.clock import DAY_S, FixedClock, from_epoch, to_epoch
from tcgtracker.domain.errors import InvalidInput, NotFound
from tcgtracker.domain.quote import Facet, PriceValues
from tcgtracker.domain.source import Source
from tcgtracker.domain.variant import PriceKind
from tcgtracker.prices.items import ItemLook, record_item
from tcgtracker.prices.quick import ScopeLooks, SeriesReader
from tcgtracker.prices.seal import seal_price_history
from tcgtracker.prices.store import load_history
from tcgtracker.quotes.card_quotes import rebuild
from tcgtracker.quotes.following import follow
from tests.support import NOW, Day, card_ids, import_days, import_products

TODAY = NOW.date()
LAST = TODAY - timedelta(days=1)


def ask(database: Database, card_id: int, **wanted: object) -> CardHistory:
    now = wanted.pop("now", NOW)
    with database.read() as connection:
        return card_history(
            connection,
            connection,
            database.dialect,
            card_id,
            now=now,  # type: ignore[arg-type]
            **wanted,  # type: ignore[arg-type]
        )


def evening(day: date) -> int:
    return to_epoch(datetime(day.year, day.month, day.day, 20, tzinfo=UTC))


def days_back(count: int, *, last: date = LAST) -> list[date]:
    return [last - timedelta(days=back) for back in range(count - 1, -1, -1)]


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


def look_at(
    database: Database, source: Source, at: datetime, quotes: dict[Facet, PriceValues]
) -> None:
    """One answer of a vendor's API about product 1."""
    with database.write() as connection:
        look = ItemLook(source, "1", at, quotes)
        record_item(connection, database.dialect, look, run_id=1, trust=True, now=NOW)
    follow(database, database, clock=FixedClock(NOW))


def _clock():
    from tcgtracker.domain.clock import FixedClock

    return FixedClock(NOW)


def test_which_series_speaks_for_the_card(database: Database, tmp_path: Path) -> None:
    import_products(database, tmp_path / "catalog", {1: "Alakazam", 2: "Other"})
    assert set(ID_SOURCES) >= {Source.TCGCSV, Source.TCGPLAYER}
    prices: Day = {(1, "Holofoil"): {"market": 3.0}, (1, "Normal"): {"market": 1.0}}
    import_days(database, tmp_path / "prices", {LAST: prices})
    api = datetime(LAST.year, LAST.month, LAST.day, 22, tzinfo=UTC)
    graded = Facet("Normal", PriceKind.GUIDE, "psa-10")
    look_at(
        database,
        Source.TCGPLAYER,
        api,
        {Facet("Normal", variant="nm"): PriceValues(200), graded: PriceValues(9_000)},
    )
    card = card_ids(database)["Alakazam"]

    def name(**wanted: object) -> tuple[str, str, str] | None:
        found = ask(database, card, **wanted).found
        if found is None:
            return None
        facet = found.series.facet
        return found.series.source.value, facet.sub_key, facet.variant

    assert name() == ("tcgcsv", "Normal", "raw")
    assert name(printing="HOLOFOIL") == ("tcgcsv", "Holofoil", "raw")
    assert name(source=Source.TCGPLAYER) == ("tcgplayer", "Normal", "nm")
    assert name(condition="nm") == ("tcgplayer", "Normal", "nm")
    assert name(grade="PSA 10") == ("tcgplayer", "Normal", "psa-10")
    assert name(grade="psa-10", source=Source.TCGCSV) is None
    assert ask(database, card, condition="lp").reason is NoSeries.NOTHING_FITS
    assert ask(database, card).chosen_by is Choice.HEADLINE
    others = ask(database, card).others
    assert [(one.candidate.series.facet.sub_key, one.newest.market) for one in others] == [
        ("Holofoil", 300),
        ("Normal", 200),
        ("Normal", 9_000),
    ]
    with pytest.raises(InvalidInput, match="not both"):
        ask(database, card, condition="nm", grade="psa-10")
    with pytest.raises(InvalidInput, match="not a grade"):
        ask(database, card, grade="shiny")
    for days in (0, 3661):
        with pytest.raises(InvalidInput, match="3660"):
            ask(database, card, days=days)

    with database.write() as connection:
        flag = insert(feature_flags).values(
            name="pricing.primary_source", value="tcgplayer", changed_at=NOW
        )
        connection.execute(flag)
    assert name() == ("tcgplayer", "Normal", "nm")
    assert ask(database, card).others[0].candidate.series.source is Source.TCGPLAYER
    with database.read() as connection:
        headline = headline_price(connection, connection, database.dialect, card, now=NOW)
    assert headline is not None
    assert headline.market == 200
    with database.write() as connection:
        connection.execute(delete(feature_flags))

    # The first source is old: the next one that is fresh speaks, then the one seen last.
    later = NOW + timedelta(days=7)
    look_at(database, Source.TCGPLAYER, later - timedelta(hours=1), {graded: PriceValues(9_100)})
    assert name(now=later) == ("tcgplayer", "Normal", "psa-10")
    much_later = NOW + timedelta(days=60)
    assert name(now=much_later) == ("tcgplayer", "Normal", "psa-10")
    window = ask(database, card, now=much_later).window
    assert window is not None
    assert window.current is not None
    assert window.current.is_stale(to_epoch(much_later))
    assert window.statistics.trend is Trend.NO_DATA
    with database.read() as connection:
        headline = headline_price(connection, connection, database.dialect, card, now=much_later)
    assert headline is not None
    assert (headline.market, headline.stale) == (9_100, True)


def test_an_answer_holds_until_time_alone_changes_it(database: Database, tmp_path: Path) -> None:
    import_products(database, tmp_path / "catalog", {1: "Alakazam"})
    import_days(database, tmp_path / "prices", {LAST: {(1, "Normal"): {"market": 1.0}}})
    card = card_ids(database)["Alakazam"]
    midnight = (to_epoch(NOW) // DAY_S + 1) * DAY_S
    assert ask(database, card).valid_until == midnight
    stale_at = evening(LAST) + 7 * DAY_S + 1
    for moment, stale in ((stale_at - 1, False), (stale_at, True)):
        window = ask(database, card, now=from_epoch(moment)).window
        assert window is not None
        assert window.current is not None
        assert window.current.is_stale(moment) is stale
    assert ask(database, card, now=from_epoch(stale_at - 60)).valid_until == stale_at


def test_the_list_and_the_history_choose_the_same(database: Database, tmp_path: Path) -> None:
    import_products(database, tmp_path / "catalog", {1: "Alakazam"})
    days: dict[date, Day] = {
        LAST - timedelta(days=1): {(1, "Normal"): {"market": 1.0}, (1, "Foil"): {"market": 2.0}},
        LAST: {(1, "Foil"): {"market": 2.5}},
    }
    import_days(database, tmp_path / "prices", days)
    card = card_ids(database)["Alakazam"]
    by_quotes = ask(database, card).found
    rebuild(database, database)
    with database.write() as connection:
        connection.exec_driver_sql("DELETE FROM card_quotes")
    without = ask(database, card).found
    assert by_quotes is not None
    assert without is not None
    assert by_quotes.series == without.series
    assert by_quotes.series.facet.sub_key == "Foil"  # the other one is gone
