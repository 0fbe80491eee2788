"""What every vendor's client keeps to, proven on its own server of the sandbox."""

import itertools
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal

import pytest

from tcgtracker.config import Settings
from tcgtracker.domain.errors import (
    BadCredentials,
    ContractBroken,
    InvalidInput,
    QuotaExhausted,
    RateLimited,
    RequestRefused,
    Unavailable,
    VendorError,
    VendorTimeout,
)
from tcgtracker.domain.money import MAX_MINOR
from tcgtracker.integrations.contract import (
    BulkVendor,
    IdKind,
    LookupVendor,
    ProductRef,
    SearchVendor,
    Vendor,
)
from tcgtracker.integrations.registry import configured_vendors
from tcgtracker.sandbox.make_sandbox import make_sandbox
from tests.contract.vendor_cases import (
    BULK,
    CARDS,
    CASES,
    DAY,
    GAME,
    HASTY,
    ITEMS,
    LOOKUP,
    ONCE,
    SEARCH,
    SETS,
    TWICE,
    Asked,
    all_of,
    figures_of,
    for_vendors,
    offering,
)


@pytest.fixture(scope="module")
def sandbox():
    with make_sandbox(first_day=DAY, pacing=False) as running:
        yield running


@pytest.fixture(params=CASES)
def asked(request, sandbox, monkeypatch, tmp_path) -> Asked:
    """Each vendor of the registry in turn, on a server without faults and with nothing counted."""
    name = request.param
    sandbox.clear_faults()
    sandbox.reset()
    monkeypatch.chdir(tmp_path)  # no `.env`
    for key, value in sandbox.environment().items():
        monkeypatch.setenv(key, value)
    return Asked(name, sandbox, configured_vendors(Settings())[name])


def test_every_vendor_of_the_registry_has_a_case(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # no `.env`
    assert list(CASES) == list(configured_vendors(Settings()))


class TestWhatItAnswers:
    def test_it_describes_itself_as_its_document_has_it(self, asked):
        info, case = asked.configured.info, asked.case
        assert info.capabilities == case.offers
        assert (IdKind.TCGPLAYER in info.id_kinds) is case.asks_by_tcgplayer_id
        assert bool(asked.configured.secrets) is case.keyed

    def test_check_is_one_call(self, asked):
        asked.run(lambda vendor: vendor.check())
        assert asked.calls == 1 + asked.case.takes_a_token

    def test_nothing_is_called_before_it_is_asked(self, asked):
        async def nothing(vendor: Vendor) -> None:
            assert vendor.info == asked.configured.info

        asked.run(nothing)
        assert asked.calls == 0

    @offering(ITEMS)
    def test_known_products_are_answered_in_as_few_calls_as_can_be(self, asked):
        batch = asked.configured.info.batch
        refs = asked.refs[: 2 * batch + 1]
        pages = asked.items(refs)
        calls = -(-len(refs) // batch)
        assert len(pages) == calls
        assert asked.calls == calls + asked.case.takes_a_token
        assert {ref for page in pages for ref in page.answered} == set(refs)
        assert not any(page.absent for page in pages)

    @offering(ITEMS)
    def test_every_figure_was_served_and_every_time_is_past(self, asked):
        pages = asked.items(asked.refs[:40])
        served: dict[str, set[Decimal]] = {}
        for price in asked.sandbox.served(asked.name):
            for product in price.products:
                served.setdefault(product, set()).add(Decimal(price.value))
        figures = 0
        for item in itertools.chain.from_iterable(page.items for page in pages):
            assert item.observed_at <= asked.sandbox.clock.now()
            assert len({facet.sub_key for facet in item.quotes}) == 1
            for facet, values in item.quotes.items():
                assert facet.currency == "USD"
                for minor in values.as_tuple()[:3]:
                    if minor is None:
                        continue
                    figures += 1
                    assert 0 < minor <= MAX_MINOR
                    known = served[item.external_id]
                    assert Decimal(minor) in known or Decimal(minor) / 100 in known
        assert figures > 20

    @offering(ITEMS)
    def test_asking_again_says_the_same(self, asked):
        refs = asked.refs[:20]
        assert [page.items for page in asked.items(refs)] == [
            page.items for page in asked.items(refs)
        ]

    @offering(ITEMS)
    def test_unknown_products_are_absent(self, asked):
        known, gone = asked.refs[0], ProductRef("999999999")
        pages = asked.items([gone, known])
        assert [ref for page in pages for ref in page.absent] == [gone]
        assert [ref for page in pages for ref in page.answered] == [known]

    @for_vendors(lambda case: case.asks_by_tcgplayer_id)
    def test_products_are_asked_by_every_kind_of_id_that_is_offered(self, asked):
        product = next(
            card.justtcg_product
            for made in asked.world.sets
            for card in made.cards
            if card.justtcg_product and not card.traps
        )
        ref = ProductRef(product, IdKind.TCGPLAYER)
        (page,) = asked.items([ref])
        assert list(page.answered) == [ref]
        assert page.items

    @offering(SETS)
    def test_all_sets_are_listed_under_their_codes(self, asked):
        pages = asked.listed(None)
        found = {one.code for page in pages for one in page.sets}
        assert found == {asked.case.set_code(made) for made in asked.sets}
        assert {one.game.slug for page in pages for one in page.sets} == {GAME}
        assert not any(page.incomplete or page.bad for page in pages)

    @offering(CARDS)
    def test_a_set_is_read_to_its_last_page(self, asked):
        made = max(asked.sets, key=lambda one: len(one.cards))
        pages = asked.listed(made)
        cards = [card for page in pages for card in page.cards]
        assert sorted(card.key for card in cards) == sorted(
            key for card in made.cards if (key := asked.case.card_key(card))
        )
        assert {card.set.code for card in cards} == {asked.case.set_code(made)}
        assert not any(page.incomplete for page in pages)

    @offering(SEARCH)
    def test_search_finds_and_says_where_it_comes_from(self, asked):

        async def use(vendor: Vendor):
            assert isinstance(vendor, SearchVendor)
            return await vendor.search("pikachu", game=GAME, limit=5)

        answer = asked.run(use)
        assert 0 < len(answer.hits) <= 5
        assert {hit.vendor for hit in answer.hits} == {asked.name}
        assert all(hit.external_id and hit.name for hit in answer.hits)

    @offering(SEARCH)
    def test_empty_search_is_refused_before_any_call(self, asked):

        async def use(vendor: Vendor) -> None:
            assert isinstance(vendor, SearchVendor)
            await vendor.search("  ")

        with pytest.raises(InvalidInput):
            asked.run(use)
        assert asked.calls == 0

    @offering(LOOKUP)
    def test_a_found_product_is_told_whole_by_its_id(self, asked):
        async def use(vendor: Vendor) -> None:
            assert isinstance(vendor, SearchVendor)
            assert isinstance(vendor, LookupVendor)
            answer = await vendor.search("charizard", game=GAME, limit=5, policy=ONCE)
            wanted = answer.hits[0].external_id
            page = await vendor.product(wanted, game=GAME, policy=ONCE)
            assert page is not None
            assert [one.external_id for one in page.stated] == [wanted]

        asked.run(use)

    @offering(BULK)
    def test_bulk_is_complete_and_priced(self, asked):

        async def use(vendor: Vendor):
            assert isinstance(vendor, BulkVendor)
            return await all_of(vendor.bulk(GAME))

        pages = asked.run(use)
        assert pages
        for page in pages:
            assert page.prices.missing == ()
            assert page.prices.source is asked.configured.info.source
            assert page.prices.observed_at <= asked.sandbox.clock.now()
            assert page.prices.parts
        assert sum(len(page.prices.external_id) for page in pages) > 100


class TestHowItFails:
    @for_vendors(lambda case: case.keyed)
    def test_refused_key_is_one_call_and_fatal(self, asked, monkeypatch):
        for need in asked.configured.info.needs:
            monkeypatch.setenv(need, "wrong-secret-0123456789")
        asked.configured = configured_vendors(Settings())[asked.name]
        assert isinstance(asked.failure(TWICE), BadCredentials)
        assert asked.calls == 1

    @for_vendors(lambda case: case.keyed)
    def test_401_is_one_call_and_fatal(self, asked):
        asked.fault("unauthorized")
        assert isinstance(asked.failure(TWICE), BadCredentials)
        assert asked.calls == 1

    @pytest.mark.parametrize(
        "form",
        ["seconds", "date", "past", "negative", "zero", "junk", "ten_years", "fraction", "none"],
    )
    def test_429_names_when_to_come_back_and_is_not_waited_for(self, asked, form):
        asked.fault("rate_limited", retry_after=form)
        error = asked.failure(TWICE if form in ("seconds", "date", "ten_years") else ONCE)
        assert isinstance(error, RateLimited)
        wait = error.retry_at - asked.sandbox.clock.now()
        assert timedelta(seconds=1) <= wait <= timedelta(hours=6)
        if form in ("seconds", "date"):
            assert timedelta(seconds=29) <= wait <= timedelta(seconds=31)
        assert asked.calls == 1
        assert asked.ports.left[-1].not_before == error.retry_at

    def test_429_as_text_is_too_fast_too(self, asked):
        asked.fault("rate_limited", retry_after="none", text=True, body="slow down")
        assert isinstance(asked.failure(), RateLimited)

    @pytest.mark.parametrize("code", ["DAILY_LIMIT_EXCEEDED", "REQUEST_LIMIT_EXCEEDED"])
    def test_spent_quota_is_never_repeated(self, asked, code):
        asked.fault("quota_exhausted", code=code)
        error = asked.failure(TWICE)
        assert isinstance(error, QuotaExhausted if asked.name == "justtcg" else RateLimited)
        assert asked.calls == 1

    @pytest.mark.parametrize("fault", ["slow", "stall"])
    def test_slow_answer_is_cut_at_the_deadline(self, asked, fault):
        asked.fault(fault)
        assert isinstance(asked.failure(HASTY), VendorTimeout)

    @pytest.mark.parametrize("fault", ["server_error", "html_error", "cut", "reset"])
    def test_passing_failure_is_repeated_as_often_as_allowed(self, asked, fault):
        asked.fault(fault)
        assert isinstance(asked.failure(ONCE), Unavailable)
        assert asked.calls == 1
        with suppress(VendorError):
            asked.probe(TWICE)
        assert asked.calls == 3

    def test_one_failure_is_mended_by_the_second_attempt(self, asked):
        asked.sandbox.fault("server_error", vendor=asked.name, first=1)
        asked.probe(TWICE)

    @pytest.mark.parametrize("fault", ["refuse", "reset_at_accept", "not_http"])
    def test_no_http_at_all_is_unavailable(self, asked, fault):
        asked.fault(fault)
        assert isinstance(asked.failure(), Unavailable)

    @pytest.mark.parametrize(
        "fault", ["empty", "no_content", "deep_json", "bom", "truncated", "redirect"]
    )
    def test_body_that_is_not_documented_is_no_answer(self, asked, fault):
        asked.fault(fault)
        assert isinstance(asked.failure(), ContractBroken)
        assert asked.calls == 1

    def test_bodies_are_bounded(self, asked):
        asked.fault("gzip_bomb", mb=64)
        assert isinstance(asked.failure(), ContractBroken)

    def test_4xx_is_not_repeated(self, asked):
        asked.sandbox.fault("server_error", vendor=asked.name, params={"status": 418, "body": "no"})
        assert isinstance(asked.failure(TWICE), RequestRefused)
        assert asked.calls == 1


class TestOddPrices:
    @offering(ITEMS)
    @pytest.mark.parametrize(
        "fault", ["price_negative", "price_comma", "price_huge", "price_nan", "price_infinite"]
    )
    def test_impossible_prices_are_refused_with_a_reason(self, asked, fault):
        asked.fault(fault)
        try:
            pages = asked.items(asked.refs[:5])
        except ContractBroken:
            assert fault in ("price_nan", "price_infinite"), "the others are JSON"
            return
        finally:
            asked.must_have_fired(fault)
        assert sum(len(page.rejected) for page in pages) > 0
        assert not figures_of(pages)
        assert all(row.reason for page in pages for row in page.rejected)

    @offering(ITEMS)
    @pytest.mark.parametrize("fault", ["price_zero", "price_null"])
    def test_zero_and_null_are_no_price_and_no_fault(self, asked, fault):
        asked.fault(fault)
        pages = asked.items(asked.refs[:5])
        asked.must_have_fired(fault)
        assert not figures_of(pages)
        assert not any(page.rejected for page in pages)

    @offering(ITEMS)
    def test_records_of_another_shape_are_refused_or_absent(self, asked):
        asked.fault("field_retyped", keys="^(name|product-name|productId|subTypeName)$")
        with suppress(ContractBroken):
            pages = asked.items(asked.refs[:5])
            assert not figures_of(pages)
        asked.must_have_fired("field_retyped")

    @offering(SEARCH)
    def test_markup_in_names_stays_text(self, asked):
        asked.fault("html_name")

        async def use(vendor: Vendor):
            assert isinstance(vendor, SearchVendor)
            return await vendor.search("pikachu", limit=3)

        assert "<script>" in asked.run(use).hits[0].name


class TestOddPages:
    @for_vendors(lambda case: "lying_total" in case.paging_faults)
    def test_a_total_that_lies_is_incomplete(self, asked):
        self.ends_incomplete(asked, "lying_total")

    @for_vendors(lambda case: "endless_next" in case.paging_faults)
    def test_a_next_page_without_end_is_incomplete(self, asked):
        self.ends_incomplete(asked, "endless_next")

    @for_vendors(lambda case: "endless_next" in case.paging_faults)
    def test_the_first_page_for_ever_is_incomplete(self, asked):
        self.ends_incomplete(asked, "paging_loop", "endless_next")

    def ends_incomplete(self, asked: Asked, *faults: str) -> None:
        for fault in faults:
            asked.fault(fault)
        pages = asked.listed(max(asked.sets, key=lambda one: len(one.cards)))
        asked.must_have_fired(*faults)
        assert any(page.incomplete for page in pages)
        assert asked.calls < 20
