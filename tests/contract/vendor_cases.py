"""The vendors as the contract's tests ask them: where the world says what each should answer."""

import asyncio
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

import pytest

from tcgtracker.domain.clock import FixedClock
from tcgtracker.domain.errors import (
    VendorError,
)
from tcgtracker.integrations.contract import (
    CallPolicy,
    Capability,
    CatalogPage,
    CatalogVendor,
    ItemPage,
    ItemVendor,
    ProductRef,
    SearchVendor,
    Vendor,
)
from tcgtracker.integrations.http import VendorHttp
from tcgtracker.integrations.registry import ConfiguredVendor
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
LOOKUP = Capability.LOOKUP
SETS, CARDS = Capability.SETS, Capability.CARDS

CASES = {
    "pricecharting": Case(
        frozenset({ITEMS, BULK, SEARCH, LOOKUP}),
        ids=lambda card: [ProductRef(page) for page in card.pricecharting_ids.values()],
    ),
    "justtcg": Case(
        frozenset({ITEMS, SETS, CARDS, SEARCH, LOOKUP}),
        ids=_justtcg_ids,
        set_code=lambda made: f"justtcg:{made.justtcg_id}" if made.justtcg_id else "",
        card_key=_justtcg_key,
        asks_by_tcgplayer_id=True,
        paging_faults=frozenset({"lying_total", "endless_next"}),
    ),
    "tcgplayer": Case(
        frozenset({ITEMS, SETS, CARDS, SEARCH, LOOKUP}),
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
        world = vars(self.sandbox.vendors[self.name])["world"]
        assert isinstance(world, World)
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


def figures_of(pages: Sequence[ItemPage]) -> list[int]:
    return [
        minor
        for page in pages
        for item in page.items
        for values in item.quotes.values()
        for minor in values.as_tuple()
        if minor is not None
    ]
