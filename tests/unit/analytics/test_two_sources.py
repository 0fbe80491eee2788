"""Two sources of one game out of the database: coverage, usual ratio, outliers, consensus."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tcgtracker.analytics.card_consensus import CardConsensus, card_consensus
from tcgtracker.analytics.pair_comparison import PairComparison, compare_pair, median_ratio
from tcgtracker.analytics.ratios import ALL_BANDS, UNGRADED
from tcgtracker.analytics.source_prices import iter_shared_prices
from tcgtracker.analytics.suspects import Side, Suspect
from tcgtracker.analytics.usual_ratios import jobs, learn_game, load_usuals
from tcgtracker.database.engine import Database
from tcgtracker.domain.errors import InvalidInput, NotFound
from tcgtracker.domain.source import Source
from tests.unit.analytics.two_sources import CARDS, RATIO, TwoSources

PC, TC = Source.PRICECHARTING, Source.TCGCSV
TODAY = date(2026, 5, 1)


@pytest.fixture
def made(database: Database, tmp_path: Path) -> TwoSources:
    return TwoSources(database, tmp_path, TODAY)


def compared(made: TwoSources, **changes: Any) -> PairComparison:
    asked: dict[str, Any] = {
        "game": "pokemon",
        "left": TC,
        "right": PC,
        "now": made.now,
        "limit": 50,
    } | changes
    with made.database.read() as connection:
        return compare_pair(connection, connection, made.database.dialect, **asked)


def agreed(made: TwoSources, name: str) -> CardConsensus:
    with made.database.read() as connection:
        return card_consensus(
            connection, connection, made.database.dialect, made.ids[name], now=made.now
        )


def test_coverage_ratio_and_outliers_of_a_game(made: TwoSources) -> None:
    made.fill(guide={3: 9_999, 4: 200}, only=25)
    found = compared(made)
    (coverage,) = found.coverage
    assert (coverage.state, coverage.both, coverage.only_left, coverage.only_right) == (
        UNGRADED, 25, CARDS - 25, 0,
    )  # fmt: skip
    usual = median_ratio(found, UNGRADED, "USD")
    assert usual is not None
    assert usual.ratio == pytest.approx(RATIO, rel=0.02)
    assert (found.judged, found.unjudged, found.outlier_count) == (25, 0, 2)
    names = {made.ids[f"Name{n}"]: n for n in range(1, CARDS + 1)}
    by_number = {names[one.thing.card_id]: one for one in found.outliers}
    assert set(by_number) == {3, 4}
    dear = by_number[3]
    assert (dear.left.market, dear.right.market, dear.right.kind) == (1_111, 9_999, "guide")
    assert (dear.departure.suspect, dear.departure.side) == (Suspect.PRICE, Side.RIGHT)
    assert "pricecharting moved by" in dear.departure.evidence[-1]
    assert compared(made, limit=1).outliers == found.outliers[:1]


def test_a_ratio_is_the_same_from_the_other_side(made: TwoSources) -> None:
    made.fill(guide={3: 9_999})
    there, back = compared(made), compared(made, left=PC, right=TC)
    one, other = (median_ratio(found, UNGRADED, "USD") for found in (there, back))
    assert one is not None
    assert other is not None
    assert one.ratio == pytest.approx(1 / other.ratio)
    assert [o.thing for o in there.outliers] == [o.thing for o in back.outliers]


def test_what_is_old_is_not_compared(made: TwoSources) -> None:
    made.fill()
    later = made.now + timedelta(days=8)
    found = compared(made, now=later)
    (coverage,) = found.coverage
    assert (coverage.both, coverage.stale, found.judged) == (0, CARDS, 0)


def test_no_such_game_or_pair(made: TwoSources) -> None:
    with pytest.raises(NotFound, match="no game 'chess'"):
        compared(made, game="chess")
    with pytest.raises(InvalidInput, match="two different sources"):
        compared(made, right=TC)
    assert compared(made).coverage == ()


def test_a_consensus_is_on_the_scale_of_the_market(made: TwoSources) -> None:
    made.fill()
    (before,) = agreed(made, "Name1").things
    assert (before.consensus.price, before.consensus.sources) == (1_037, 1)
    assert "its usual ratio to market is not known" in before.consensus.voices[0].reason
    database = made.database
    assert learn_game(database, database, "pokemon", now=made.now) == 2  # one band, and all
    (after,) = agreed(made, "Name1").things
    assert (after.thing.printing, after.thing.state, after.thing.currency) == (
        "Holofoil", UNGRADED, "USD",
    )  # fmt: skip
    agreed_on = after.consensus
    assert agreed_on.price == pytest.approx(1_037, rel=0.03)
    assert (agreed_on.sources, agreed_on.scale) == (2, TC)
    assert 0.6 < agreed_on.confidence < 0.76


def test_sources_that_disagree_have_no_consensus(made: TwoSources) -> None:
    made.fill(guide={2: 5_000})
    learn_game(made.database, made.database, "pokemon", now=made.now)
    (found,) = agreed(made, "Name2").things
    assert (found.consensus.price, found.consensus.confidence) == (None, 0.0)
    assert "nothing tells which is right" in found.consensus.reasons[-1]


def test_an_untrusted_link_is_no_voice(made: TwoSources) -> None:
    made.fill()
    with made.database.write() as connection:
        connection.exec_driver_sql("UPDATE product_links SET state = 'suspended'")
    assert agreed(made, "Name1").things == ()


def test_learning_reads_only_cards_that_several_sources_know(made: TwoSources) -> None:
    made.fill(only=13)
    with made.database.read() as connection:
        parts = list(
            iter_shared_prices(
                connection,
                connection,
                made.database.dialect,
                now=made.now,
                game="pokemon",
                part=5,
            )
        )
    read = [{thing.card_id for thing in part.by_thing} for part in parts]
    assert [len(one) for one in read] == [5, 5, 3]
    assert set().union(*read) == {made.ids[f"Name{number}"] for number in range(1, 14)}


def test_ratios_are_learned_by_a_job_and_replaced(made: TwoSources) -> None:
    made.fill()
    (job,) = jobs(made.database, made.database, made.clock)
    for _ in range(2):
        assert job.handler(None) == {"pokemon": 2}  # type: ignore[arg-type] # it needs no context
    with made.database.read() as connection:
        usuals = load_usuals(connection, "pokemon", now=made.now)
        later = made.now + timedelta(days=31)
        assert load_usuals(connection, "pokemon", now=later) == {}
    there = usuals[PC, TC][UNGRADED, "USD"].by_band[ALL_BANDS]
    back = usuals[TC, PC][UNGRADED, "USD"].by_band[ALL_BANDS]
    assert (there.pairs, there.center) == (CARDS, -back.center)
