"""The vendors of one tracker, asked from plain threads. Each is made when it is first asked."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tcgtracker.domain.errors import InvalidInput, SourceDisabled, VendorError, VendorTimeout
from tcgtracker.domain.source import Source
from tcgtracker.integrations.contract import (
    LIVE_CALL,
    PAGE_CALL,
    BulkPage,
    BulkVendor,
    CallPolicy,
    Capability,
    CatalogPage,
    CatalogVendor,
    ItemPage,
    ItemVendor,
    LookupVendor,
    NoticeKey,
    NoticeVendor,
    ProductRef,
    SearchAnswer,
    SearchVendor,
    Vendor,
    VendorInfo,
)
from tcgtracker.runtime.loop import LoopRunner


@dataclass(frozen=True, slots=True)
class VendorEntry:
    """One vendor as configured: `disabled` says why it is not asked, '' when it is."""

    info: VendorInfo
    disabled: str
    make: Callable[[], Vendor]


class Vendors:
    """Asks vendors through the one event loop; every error is a `VendorError`."""

    def __init__(
        self,
        entries: Mapping[str, VendorEntry],
        runner: LoopRunner,
        close_limiter: Callable[[], Coroutine[object, object, None]] | None = None,
    ) -> None:
        self._entries = dict(entries)
        self._close_limiter = close_limiter
        self._runner = runner
        self._made: dict[str, Vendor] = {}
        self._lock = threading.Lock()

    def entries(self) -> list[VendorEntry]:
        """Return all vendors, in the order in which they are configured."""
        return list(self._entries.values())

    def able(self, capability: Capability) -> list[VendorInfo]:
        """Return the vendors that are configured and can do this."""
        return [
            entry.info
            for entry in self._entries.values()
            if not entry.disabled and capability in entry.info.capabilities
        ]

    def of_source(self, source: Source) -> VendorEntry | None:
        """Return the vendor whose prices stand under this source; None for a source of files."""
        for entry in self._entries.values():
            if entry.info.source is source:
                return entry
        return None

    def items(
        self, vendor: str, refs: Sequence[ProductRef], *, policy: CallPolicy
    ) -> Iterator[ItemPage]:
        """Yield what the vendor answers for these products, one page a call."""
        asked = self._asked(vendor)
        if not isinstance(asked, ItemVendor):
            raise InvalidInput(f"{vendor} does not answer for single products")
        return self._runner.iterate(asked.items(refs, policy=policy))

    def version(self, vendor: str) -> str:
        """Return what changes when the vendor has a new bulk file, '' when it does not say."""
        return self._runner.run(self._bulk(vendor).version())

    def bulk(self, vendor: str, game: str) -> Iterator[BulkPage]:
        """Yield the pages of the vendor's bulk files for a game."""
        return self._runner.iterate(self._bulk(vendor).bulk(game, policy=PAGE_CALL))

    def sets(self, vendor: str, game: str) -> Iterator[CatalogPage]:
        """Yield the sets of a game."""
        return self._runner.iterate(self._catalog(vendor).sets(game, policy=PAGE_CALL))

    def cards(self, vendor: str, game: str, set_code: str) -> Iterator[CatalogPage]:
        """Yield the cards of one set by the vendor's code of it."""
        return self._runner.iterate(self._catalog(vendor).cards(game, set_code, policy=PAGE_CALL))

    def product(self, vendor: str, external_id: str, *, game: str) -> CatalogPage | None:
        """Return all that the vendor says of one product, None when it knows none."""
        asked = self._asked(vendor)
        if not isinstance(asked, LookupVendor):
            raise InvalidInput(f"{vendor} does not tell about single products")
        return self._runner.run(asked.product(external_id, game=game))

    def search(
        self, vendor: str, query: str, *, game: str, limit: int, policy: CallPolicy = LIVE_CALL
    ) -> SearchAnswer:
        """Return what the vendor finds."""
        asked = self._search(vendor)
        return self._runner.run(asked.search(query, game=game, limit=limit, policy=policy))

    def search_each(
        self,
        names: Sequence[str],
        query: str,
        *,
        game: str,
        limit: int,
        policy: CallPolicy = LIVE_CALL,
    ) -> dict[str, SearchAnswer | VendorError | InvalidInput]:
        """Ask vendors at the same time; each has the whole deadline, and fails for itself."""
        found: dict[str, SearchAnswer | VendorError | InvalidInput] = {}
        able: dict[str, SearchVendor] = {}
        for name in names:
            try:
                able[name] = self._search(name)
            except (VendorError, InvalidInput) as exc:
                found[name] = exc
        if not able:
            return found

        async def one(name: str, vendor: SearchVendor) -> SearchAnswer | VendorError | InvalidInput:
            try:
                async with asyncio.timeout(policy.deadline_s):
                    return await vendor.search(query, game=game, limit=limit, policy=policy)
            except TimeoutError:
                late = f"no answer within {policy.deadline_s:g} s"
                return VendorTimeout(name, "search", late)
            except (VendorError, InvalidInput) as exc:
                return exc

        async def all_of_them() -> list[SearchAnswer | VendorError | InvalidInput]:
            return await asyncio.gather(*(one(*pair) for pair in able.items()))

        return found | dict(zip(able, self._runner.run(all_of_them()), strict=True))

    def notice_key(self, vendor: str, key_id: str) -> NoticeKey | None:
        """Return the key with which the vendor signs its notices, None for an unknown id."""
        asked = self._asked(vendor)
        if not isinstance(asked, NoticeVendor):
            raise InvalidInput(f"{vendor} signs no notices")
        return self._runner.run(asked.notice_key(key_id))

    def check(self, vendor: str) -> None:
        """Make the cheapest call that proves key and reach."""
        self._runner.run(self._asked(vendor).check())

    def close(self) -> None:
        """Close the connections and end the event loop."""
        with self._lock:
            made, self._made = self._made, {}
        for vendor in made.values():
            self._runner.run(vendor.close())
        if made and self._close_limiter is not None:
            self._runner.run(self._close_limiter())
        self._runner.close()

    def _bulk(self, vendor: str) -> BulkVendor:
        asked = self._asked(vendor)
        if not isinstance(asked, BulkVendor):
            raise InvalidInput(f"{vendor} publishes no bulk file")
        return asked

    def _catalog(self, vendor: str) -> CatalogVendor:
        asked = self._asked(vendor)
        if not isinstance(asked, CatalogVendor):
            raise InvalidInput(f"{vendor} does not name sets and cards")
        return asked

    def _search(self, vendor: str) -> SearchVendor:
        asked = self._asked(vendor)
        if not isinstance(asked, SearchVendor):
            raise InvalidInput(f"{vendor} cannot be searched")
        return asked

    def _asked(self, vendor: str) -> Vendor:
        entry = self._entries.get(vendor)
        if entry is None:
            known = ", ".join(sorted(self._entries))
            raise InvalidInput(f"there is no vendor {vendor!r}; known: {known}")
        if entry.disabled:
            raise SourceDisabled(vendor, "call", entry.disabled)
        with self._lock:
            if vendor not in self._made:
                self._made[vendor] = entry.make()
            return self._made[vendor]
