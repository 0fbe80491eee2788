"""Which series speaks for a card, and as of when."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, update

from tcgtracker.analytics.card_history import (
    Choice,
    NoSeries,
)
from tcgtracker.analytics.comparison import compare_sources
from tcgtracker.analytics.headline import headline_price
from tcgtracker.analytics.source_prices import load_source_prices
from tcgtracker.analytics.statistics import Trend
from tcgtracker.analytics.trends import load_trends
from tcgtracker.catalog.writer import ID_SOURCES
from tcgtracker.database.engine import Database
from tcgtracker.database.tables.catalog import product_links
from tcgtracker.database.tables.sources import feature_flags
from tcgtracker.domain.catalog import LinkState
from tcgtracker.domain.clock import DAY_S, FixedClock, from_epoch, to_epoch
from tcgtracker.domain.errors import InvalidInput
from tcgtracker.domain.quote import Facet, PriceValues
from tcgtracker.domain.source import Source
from tcgtracker.domain.variant import PriceKind
from tcgtracker.prices.decisions import reject_hold, release_hold
from tcgtracker.prices.holds import load_holds
from tcgtracker.prices.items import ItemLook, record_item
from tcgtracker.quotes.card_quotes import rebuild
from tcgtracker.quotes.following import follow
from tcgtracker.quotes.shown_prices import load_headlines
from tests.support import NOW, Day, card_ids, import_days, import_products
from tests.unit.analytics.asking import LAST, TODAY, ask, days_back, evening


def look_at(
    database: Database, source: Source, at: datetime, quotes: dict[Facet, PriceValues]
) -> None:
    """One answer of a vendor's API about product 1."""
    with database.write() as connection:
        look = ItemLook(source, "1", at, quotes)
        record_item(connection, database.dialect, look, run_id=1, trust=True, now=NOW)
    follow(database, database, clock=FixedClock(NOW))


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
    near = Facet("Normal", variant="nm")
    quotes = {near: PriceValues(210), graded: PriceValues(9_100)}
    look_at(database, Source.TCGPLAYER, later - timedelta(hours=1), quotes)
    assert name(now=later) == ("tcgplayer", "Normal", "nm")
    much_later = NOW + timedelta(days=60)
    assert name(now=much_later) == ("tcgplayer", "Normal", "nm")
    window = ask(database, card, now=much_later).window
    assert window is not None
    assert window.current is not None
    assert window.current.is_stale(to_epoch(much_later))
    assert window.statistics.trend is Trend.NO_DATA
    with database.read() as connection:
        headline = headline_price(connection, connection, database.dialect, card, now=much_later)
    assert headline is not None
    assert (headline.market, headline.stale) == (210, True)


def headline_of(database: Database, card: int, *, now: datetime = NOW) -> tuple[str, int] | None:
    """Return variant and price of the headline, which the list, the card and its page agree on."""
    with database.read() as connection:
        price = headline_price(connection, connection, database.dialect, card, now=now)
        listed = load_headlines(connection, connection, [card], now).get(card)
    found = ask(database, card, now=now).found
    if price is None or price.market is None:
        assert listed is None
        return None
    assert listed is not None
    assert listed.price.market_price == price.market
    assert found is not None
    assert found.series.id == listed.price.series_id
    return price.variant, price.market


def test_quotes_that_are_older_than_a_decision_show_nothing(
    database: Database, tmp_path: Path
) -> None:
    """Rules suspend a link in one transaction; the quotes are made anew in the next."""
    import_products(database, tmp_path / "catalog", {1: "Alakazam"})
    days: dict[date, Day] = {
        TODAY - timedelta(days=back): {(1, "Normal"): {"market": price}}
        for back, price in ((8, 1.0), (1, 2.0))
    }
    import_days(database, tmp_path / "prices", days)
    card = card_ids(database)["Alakazam"]

    def moved() -> int:
        with database.read() as connection:
            found = load_trends(
                connection, connection, database.dialect, game="pokemon",
                source=Source.TCGCSV, currency="USD", days=7, least=1, limit=5, now=NOW,
            )  # fmt: skip
        return len(found.up)

    assert headline_of(database, card) == ("raw", 200)
    assert moved() == 1
    with database.write() as connection:
        connection.execute(update(product_links).values(state=LinkState.SUSPENDED))
    assert headline_of(database, card) is None
    assert moved() == 0


def test_a_price_that_no_look_believed_then_is_no_trend(database: Database, tmp_path: Path) -> None:
    import_products(database, tmp_path / "catalog", {1: "Alakazam"})
    days = days_back(30)
    doubted = [1_000 * 1.5**place // 1 for place in range(16)]  # none of them confirms another
    dollars = [10.0] * 8 + doubted + [11.0] * 6
    listed: dict[date, Day] = {
        day: {(1, "Normal"): {"market": price}} for day, price in zip(days, dollars, strict=True)
    }
    import_days(database, tmp_path / "days", listed)
    with database.read() as connection:
        assert len(load_holds(connection)) == 16
    with database.read() as connection:
        found = load_trends(
            connection, connection, database.dialect, game="pokemon",
            source=Source.TCGCSV, currency="USD", days=8, least=1, limit=5, now=NOW,
        )  # fmt: skip
    assert (found.considered, found.up) == (0, ())


@pytest.mark.parametrize("alone", [True, False])
def test_a_graded_price_never_speaks_for_a_card(
    database: Database, tmp_path: Path, *, alone: bool
) -> None:
    import_products(database, tmp_path / "catalog", {1: "Alakazam"})
    raw, graded = Facet("Normal"), Facet("Normal", PriceKind.GUIDE, "psa-10")
    quotes = {graded: PriceValues(9_000)} | ({} if alone else {raw: PriceValues(200)})
    look_at(database, Source.TCGPLAYER, NOW - timedelta(hours=2), quotes)
    card = card_ids(database)["Alakazam"]
    assert headline_of(database, card) == (None if alone else ("raw", 200))
    # The ungraded price is gone; the graded one still stands.
    quotes = {graded: PriceValues(9_100)} | ({} if alone else {raw: PriceValues()})
    look_at(database, Source.TCGPLAYER, NOW - timedelta(hours=1), quotes)
    assert headline_of(database, card) == (None if alone else ("raw", 200))
    later = NOW + timedelta(days=30)
    look_at(database, Source.TCGPLAYER, later, {graded: PriceValues(9_200)})
    assert headline_of(database, card, now=later) == (None if alone else ("raw", 200))
    assert ask(database, card).reason is (NoSeries.NO_PRICE_YET if alone else None)
    found = ask(database, card, grade="psa-10").found
    assert found is not None  # who asks for it is told


def test_no_other_printing_and_no_played_copy_speaks_for_a_price_that_is_away_for_days(
    database: Database, tmp_path: Path
) -> None:
    """A vendor without an offer for some days says nothing about the first edition."""
    import_products(database, tmp_path / "catalog", {1: "Alakazam"})
    card = card_ids(database)["Alakazam"]
    near, played = Facet("Unlimited", variant="nm"), Facet("Unlimited", variant="dmg")
    first = Facet("1st Edition", variant="nm")
    begin = NOW - timedelta(days=20)
    full = {near: PriceValues(10_000), played: PriceValues(2_000), first: PriceValues(500_000)}
    look_at(database, Source.TCGPLAYER, begin, full)
    assert headline_of(database, card, now=begin) == ("nm", 10_000)
    for day in (1, 6, 7):
        at = begin + timedelta(days=day)
        without = {near: PriceValues(), played: PriceValues(2_000), first: PriceValues(500_000)}
        look_at(database, Source.TCGPLAYER, at, without)
        assert headline_of(database, card, now=at) == ("nm", 10_000)
    at = begin + timedelta(days=9)  # nobody offers it any more: the same printing, as it is sold
    look_at(database, Source.TCGPLAYER, at, {near: PriceValues(), played: PriceValues(1_900)})
    assert headline_of(database, card, now=at) == ("dmg", 1_900)


def test_a_day_that_has_not_come_is_no_price(database: Database, tmp_path: Path) -> None:
    """A wrong year in the name of a file: it would be the newest price until then."""
    import_products(database, tmp_path / "catalog", {1: "Alakazam"})
    import_days(database, tmp_path / "now", {LAST: {(1, "Normal"): {"market": 1.0}}})
    card = card_ids(database)["Alakazam"]
    later = LAST.replace(year=LAST.year + 10)
    with pytest.raises(InvalidInput, match=f"dated {later}T20:00:00Z, in the future"):
        import_days(database, tmp_path / "later", {later: {(1, "Normal"): {"market": 9.0}}})
    assert headline_of(database, card) == ("raw", 100)
    tomorrow = TODAY + timedelta(days=1)  # where the day has begun
    import_days(database, tmp_path / "tomorrow", {tomorrow: {(1, "Normal"): {"market": 2.0}}})
    assert headline_of(database, card) == ("raw", 200)


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
    both: Day = {(1, "Normal"): {"market": 1.0}, (1, "Foil"): {"market": 2.0}}
    days: dict[date, Day] = {LAST - timedelta(days=8): both}
    days |= {
        LAST - timedelta(days=back): {(1, "Foil"): {"market": 2.5}} for back in range(7, -1, -1)
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
    assert by_quotes.series.facet.sub_key == "Foil"  # the other one is gone for over a week


def test_what_is_held_back_does_not_make_the_price_before_it_newer(
    database: Database, tmp_path: Path
) -> None:
    """Day after day the vendor says something else: nobody has seen the price that is shown."""
    import_products(database, tmp_path / "catalog", {1: "Alakazam", 2: "Other"})
    card = card_ids(database)["Alakazam"]
    every = days_back(20)
    for place, day in enumerate(every):
        price = 1.0 if place < 10 else 100.0 * 2 ** (place % 4)
        listed: Day = {(1, "Normal"): {"market": price}, (2, "Normal"): {"market": 2.0}}
        report = import_days(database, tmp_path / f"d{place}", {day: listed})
        assert report.held == (place >= 10)
    seen, end = from_epoch(evening(every[9])), from_epoch(evening(every[-1]))
    for now, stale in ((seen + timedelta(days=7), False), (end, True)):
        with database.read() as connection:
            price_now = headline_price(connection, connection, database.dialect, card, now=now)
            listed_now = load_headlines(connection, connection, [card], now)[card]
            (compared,) = compare_sources(connection, connection, card, now=now).prices
            by_thing = load_source_prices(
                connection, connection, database.dialect, now=now, card_ids=[card]
            ).by_thing
        assert price_now is not None
        assert (price_now.market, price_now.observed_at) == (100, to_epoch(seen))
        assert price_now.stale is stale
        assert (listed_now.price.observed_at, listed_now.stale) == (seen, stale)
        assert (compared.quote.observed_at, compared.stale) == (to_epoch(seen), stale)
        ((quote,),) = (one.values() for one in by_thing.values())
        assert (quote.market, quote.seen_at) == (100, to_epoch(seen))
        window = ask(database, card, now=now).window
        assert window is not None
        assert window.current is not None
        assert window.current.observed_at == to_epoch(seen)
        assert window.current.is_stale(to_epoch(now)) is stale
    # What is refused was never seen; what is believed after all was, when the vendor said it.
    with database.read() as connection:
        *_, before, last = load_holds(connection)
    with database.write() as connection:
        reject_hold(connection, before.id, by="ann", now=end)
    rebuild(database, database)
    with database.read() as connection:
        assert load_headlines(connection, connection, [card], end)[card].price.observed_at == seen
    with database.write() as connection:
        release_hold(connection, database.dialect, last.id, by="ann", now=end)
    follow(database, database, clock=FixedClock(NOW))
    with database.read() as connection:
        shown = load_headlines(connection, connection, [card], end)[card]
    assert shown.price.market_price == last.market
    assert (shown.price.observed_at, shown.stale) == (end, False)
