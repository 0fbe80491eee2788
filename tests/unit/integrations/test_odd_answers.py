"""Whatever JSON a vendor sends, the parsers refuse or read it, and never invent a price."""

from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tcgtracker.domain.money import MAX_MINOR
from tcgtracker.integrations.contract import ItemPage, ProductRef
from tcgtracker.integrations.justtcg.normalize import (
    catalog_page,
    item_page,
    search_answer,
    sets_page,
)
from tcgtracker.integrations.pricecharting import normalize as pricecharting
from tests.unit.integrations.justtcg_cards import a_card, a_set, a_variant
from tests.unit.integrations.test_pricecharting_api import a_hit, a_product

NOW = datetime(2026, 5, 1, 15, 30, tzinfo=UTC)
REF = ProductRef("630417")

numbers = st.integers() | st.decimals(allow_nan=True, allow_infinity=True).map(Decimal)
texts = st.text(st.characters(codec=None), max_size=30) | st.sampled_from(
    ["", "N/A", "0", "630417", "Near Mint", "Sealed", "English", "\ud800", "a\0b"]
)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)


def spoilt(row: dict[str, object]) -> st.SearchStrategy[dict[str, object]]:
    """Return rows in which some fields are something else, or gone."""
    changes = st.dictionaries(st.sampled_from(sorted(row)), values, max_size=3)
    gone = st.sets(st.sampled_from(sorted(row)), max_size=2)
    return st.builds(
        lambda more, less: {key: value for key, value in (row | more).items() if key not in less},
        changes,
        gone,
    )


def check(page: ItemPage) -> None:
    for item in page.items:
        assert item.external_id
        assert item.observed_at.tzinfo is UTC
        for facet, quote in item.quotes.items():
            assert facet.sub_key.encode() is not None
            assert all(minor is None or 0 < minor <= MAX_MINOR for minor in quote.as_tuple())
    for row in page.rejected:
        assert row.reason.isprintable()
        assert row.raw.isprintable()  # PostgreSQL keeps neither NUL nor half a surrogate pair
        assert len(row.raw) <= 500


cards = st.builds(
    lambda card, variants: card | ({"variants": variants} if "variants" in card else {}),
    spoilt(a_card()),
    st.lists(spoilt(a_variant()) | values, max_size=3),
)


@given(st.lists(cards | spoilt(a_card()) | values, max_size=3))
def test_justtcg_reads_or_refuses_any_cards(rows):
    check(item_page([ProductRef("x")], rows, NOW))
    page = catalog_page(rows, set_id="base-set-pokemon", fetched_at=NOW)
    assert page.prices is not None
    check(page.prices)
    search_answer(rows, limit=2)


@given(st.lists(spoilt(a_set()) | values, max_size=3))
def test_justtcg_reads_or_refuses_any_sets(rows):
    page = sets_page(rows)
    assert len(page.sets) + page.bad.total() == len(rows)


@given(spoilt(a_product()) | values, st.booleans())
def test_pricecharting_reads_or_refuses_any_product(decoded, boxed):
    page = pricecharting.product_page(REF, decoded, NOW, boxed=boxed)
    check(page)
    assert (REF in page.answered) != (REF in page.absent)


@given(st.lists(spoilt(a_hit(1, more={"loose-price": 5})) | values, max_size=3))
def test_pricecharting_reads_or_refuses_any_hit(found):
    answer = pricecharting.search_answer(found, game="", limit=5)
    assert len(answer.hits) + answer.skipped["bad-hit"] == len(found)
