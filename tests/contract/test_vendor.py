"""What every vendor's client keeps to, proven on its own server of the sandbox."""

import asyncio
import itertools
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import TypeVar

import pytest

from tcgtracker.config import Settings
from tcgtracker.domain.clock import FixedClock
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
    CallPolicy,
    Capability,
    CatalogPage,
    CatalogVendor,
    IdKind,
    ItemPage,
    ItemVendor,
    ProductRef,
    SearchVendor,
    Vendor,
)
from tcgtracker.integrations.http import VendorHttp
from tcgtracker.integrations.registry import ConfiguredVendor, configured_vendors
from tcgtracker.sandbox.make_sandbox import make_sandbox
from tcgtracker.sandbox.serving import Sandbox
from tcgtracker.sandbox.world import World, WorldCard, WorldSet
from tests.unit.integrations.vendor_ports import Ports

T = TypeVar("T")
DAY = date(2026, 5, 1)
GAME = "pokemon"
ONCE = CallPolicy(attempts=1, deadline_s=10.0)
TWICE = CallPolicy(attempts=2, deadline_s=10.0)
HASTY = CallPolicy(attempts=1, deadline_s=0.4)


@dataclass(frozen=True)
class Case:
    """Where the world says what a vendor should answer.

    ids: of a card, under which the vendor can be asked; set_code: of a set, and card_key: of a
    card in the catalog, '' where the vendor does not list it. offers: what the vendor's document
    lets us ask. paging_faults: by which its lists can lie; keyed: whether it knows us by a secret.
    """

    offers: frozenset[Capability]
    ids: Callable[[WorldCard], Sequence[ProductRef]] = lambda _: ()
    set_code: Callable[[WorldSet], str] = lambda _: ""
    card_key: Callable[[WorldCard], str] = lambda _: ""
    takes_a_token: bool = False
    asks_by_tcgplayer_id: bool = False
    paging_faults: frozenset[str] = frozenset()
    keyed: bool = True


def _tcgplayer_ids(card: WorldCard) -> Sequence[ProductRef]:
    return [ProductRef(str(card.product_id))] if card.product_id else ()


def _justtcg_ids(card: WorldCard) -> Sequence[ProductRef]:
    own = card.justtcg_uuid or card.justtcg_id
    return [ProductRef(own)] if own else ()


def _justtcg_key(card: WorldCard) -> str:
    return next((f"justtcg:{ref.value}" for ref in _justtcg_ids(card)), "")


def _product_key(card: WorldCard) -> str:
    return f"tcgplayer:{card.product_id}" if card.product_id else ""


def _group_code(made: WorldSet) -> str:
    return f"tcgplayer:{made.group_id}" if made.group_id else ""


ITEMS, BULK, SEARCH = Capability.ITEMS, Capability.BULK, Capability.SEARCH
SETS, CARDS = Capability.SETS, Capability.CARDS

CASES = {
    "pricecharting": Case(
        frozenset({ITEMS, BULK, SEARCH}),
        ids=lambda card: [ProductRef(page) for page in card.pricecharting_ids.values()],
    ),
    "justtcg": Case(
        frozenset({ITEMS, SETS, CARDS, SEARCH}),
        ids=_justtcg_ids,
        set_code=lambda made: f"justtcg:{made.justtcg_id}" if made.justtcg_id else "",
        card_key=_justtcg_key,
        asks_by_tcgplayer_id=True,
        paging_faults=frozenset({"lying_total", "endless_next"}),
    ),
    "tcgplayer": Case(
        frozenset({ITEMS, SETS, CARDS, SEARCH}),
        ids=_tcgplayer_ids,
        set_code=_group_code,
        card_key=_product_key,
        takes_a_token=True,
        asks_by_tcgplayer_id=True,  # they are its own
        paging_faults=frozenset({"lying_total"}),
    ),
    "tcgcsv": Case(
        frozenset({BULK, SETS, CARDS}), set_code=_group_code, card_key=_product_key, keyed=False
    ),
    "ebay": Case(frozenset({SEARCH}), takes_a_token=True),
}


def for_vendors(fits: Callable[[Case], bool]) -> pytest.MarkDecorator:
    """Run a test for the vendors whose case fits."""
    names = [name for name, case in CASES.items() if fits(case)]
    return pytest.mark.parametrize("asked", names, indirect=True)


def offering(capability: Capability) -> pytest.MarkDecorator:
    return for_vendors(lambda case: capability in case.offers)


@dataclass
class Asked:
    """One vendor, its server, and the ports of its client."""

    name: str
    sandbox: Sandbox
    configured: ConfiguredVendor
    ports: Ports = field(default_factory=Ports)

    @property
    def case(self) -> Case:
        return CASES[self.name]

    @property
    def world(self) -> World:
        world: World = self.sandbox.vendors[self.name].world  # type: ignore[attr-defined]
        return world

    @property
    def sets(self) -> list[WorldSet]:
        return [made for made in self.world.sets if made.game == GAME and self.case.set_code(made)]

    @property
    def refs(self) -> list[ProductRef]:
        """Ids of cards that the vendor has, of sets without a trap."""
        found = [
            ref
            for made in self.world.sets
            if made.game == GAME
            for card in made.cards
            for ref in self.case.ids(card)
        ]
        return list(dict.fromkeys(found))

    @property
    def calls(self) -> int:
        return len(self.sandbox.calls(self.name))

    def fault(self, name: str, **params: object) -> None:
        self.sandbox.fault(name, vendor=self.name, params=params)

    def must_have_fired(self, *faults: str) -> None:
        fired = self.sandbox.fired()
        assert {f"{self.name} {fault}" for fault in faults} <= fired.keys(), fired

    def run(self, use: Callable[[Vendor], Awaitable[T]]) -> T:
        """Return what `use` makes of the vendor, its connections closed in the same loop."""
        clock = FixedClock(self.sandbox.clock.now())

        async def with_vendor() -> T:
            http = VendorHttp(
                self.name,
                self.configured.base_url,
                limiter=self.ports,
                gate=self.ports,
                clock=clock,
                secrets=self.configured.secrets,
                backoff_s=0.001,
            )
            vendor = self.configured.create(http, clock)
            try:
                return await use(vendor)
            finally:
                await vendor.close()

        return asyncio.run(with_vendor())

    def probe(self, policy: CallPolicy = ONCE) -> object:
        """Ask something small that the vendor can answer."""

        async def use(vendor: Vendor) -> object:
            if isinstance(vendor, ItemVendor):
                return await all_of(vendor.items(self.refs[:1], policy=policy))
            if isinstance(vendor, CatalogVendor):
                return await all_of(vendor.sets(GAME, policy=policy))
            assert isinstance(vendor, SearchVendor)
            return await vendor.search("charizard", game=GAME, policy=policy)

        return self.run(use)

    def failure(self, policy: CallPolicy = ONCE) -> VendorError:
        """Return the error of a probe, which must not tell a secret."""
        with pytest.raises(VendorError) as told:
            self.probe(policy)
        text = "".join(traceback.format_exception(told.value)) + repr(told.value.__dict__)
        assert told.value.vendor == self.name
        for secret in self.configured.secrets:
            assert secret not in text
            assert all(secret not in left.message for left in self.ports.left)
        return told.value

    def items(self, refs: Sequence[ProductRef]) -> list[ItemPage]:
        async def use(vendor: Vendor) -> list[ItemPage]:
            assert isinstance(vendor, ItemVendor)
            return await all_of(vendor.items(refs, policy=ONCE))

        return self.run(use)

    def listed(self, made: WorldSet | None) -> list[CatalogPage]:
        """Return the pages of the sets, or of the cards of one set."""

        async def use(vendor: Vendor) -> list[CatalogPage]:
            assert isinstance(vendor, CatalogVendor)
            if made is None:
                return await all_of(vendor.sets(GAME))
            return await all_of(vendor.cards(GAME, self.case.set_code(made)))

        return self.run(use)


async def all_of(pages: AsyncIterator[T]) -> list[T]:
    return [page async for page in pages]


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


def figures_of(pages: Sequence[ItemPage]) -> list[int]:
    return [
        minor
        for page in pages
        for item in page.items
        for values in item.quotes.values()
        for minor in values.as_tuple()
        if minor is not None
    ]
