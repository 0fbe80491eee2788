"""Read one category group by group: what failed is named, what was not asked too."""

from datetime import UTC, datetime
from typing import Protocol

from tcgtracker.domain.errors import (
    ContractBroken,
    FatalVendorError,
    RateLimited,
    RequestRefused,
    RetryableVendorError,
    SourcePaused,
    VendorError,
)
from tcgtracker.integrations.contract import CallPolicy, PricePage
from tcgtracker.integrations.tcgcsv.groups import GroupList
from tcgtracker.integrations.tcgcsv.prices import GroupAnswer, Scope, price_page

REFUSALS_IN_A_ROW = 3
"""403 says "no such file" and "you are blocked" alike: after so many the build time is asked."""


class Files(Protocol):
    """The files of the vendor."""

    async def built_at(self, policy: CallPolicy) -> datetime: ...

    async def fetch_groups(self, category: int, policy: CallPolicy) -> GroupList: ...

    async def fetch_prices(self, category: int, group: int, policy: CallPolicy) -> bytes: ...


class CategoryReading:
    """One pass over a category, begun at the build `build` (aware UTC).

    stopped: why the vendor must not be asked on, '' when it may. next_build: which build the files
    were of at the end.
    """

    def __init__(self, category: int, build: datetime) -> None:
        self.category = category
        self.build = build
        self.next_build = build
        self.stopped = ""
        self._answers: list[GroupAnswer] = []
        self._missing: list[str] = []
        self._refused = 0

    def lack(self, reason: str) -> None:
        """Note why the category is not whole."""
        self._missing.append(reason)

    def page(self) -> PricePage:
        """Return what was read, true at the moment of the build."""
        scope = Scope(self.build.astimezone(UTC).date(), self.category)
        return price_page(scope, self._answers, self._missing, observed_at=self.build)

    async def read(self, files: Files, policy: CallPolicy) -> None:
        """Read all groups. Never raises a `VendorError`: the page says what is missing."""
        try:
            groups = await files.fetch_groups(self.category, policy)
        except VendorError as exc:
            self.lack(f"groups of category {self.category}: {exc}")
            self._stop_at(exc)
            return
        if groups.incomplete:
            self.lack(groups.incomplete)
        unread = list(groups.names)
        while unread and not self.stopped:
            await self._read_group(files, unread.pop(0), policy)
        if unread:
            self.lack(f"{len(unread)} groups not read after: {self.stopped}")
        if not self.stopped:
            await self._compare_build(files, policy)

    async def _read_group(self, files: Files, group: int, policy: CallPolicy) -> None:
        try:
            body = await files.fetch_prices(self.category, group, policy)
        except VendorError as exc:
            self.lack(f"group {group}: {exc}")
            self._stop_at(exc)
            refused = isinstance(exc, RequestRefused | ContractBroken)
            self._refused = self._refused + 1 if refused else 0
            if self._refused >= REFUSALS_IN_A_ROW:
                await self._ask_whether_blocked(files, policy)
        else:
            self._refused = 0
            place = f"tcgcsv {self.category}/{group}/prices"
            self._answers.append(GroupAnswer(group, place, body))

    def _stop_at(self, error: VendorError) -> None:
        """Go on after what concerns one file; stop where the next call would be wrong too."""
        one_file = isinstance(error, RetryableVendorError | RequestRefused | ContractBroken)
        if isinstance(error, RateLimited) or not one_file:
            self.stopped = str(error)

    async def _ask_whether_blocked(self, files: Files, policy: CallPolicy) -> None:
        self._refused = 0
        try:
            await files.built_at(policy)
        except (FatalVendorError, SourcePaused, RateLimited) as exc:
            self.stopped = str(exc)
        except RetryableVendorError:
            return  # not known; the breaker has counted it

    async def _compare_build(self, files: Files, policy: CallPolicy) -> None:
        try:
            self.next_build = await files.built_at(policy)
        except VendorError as exc:
            self.lack(f"whether the files were rebuilt meanwhile is not known: {exc}")
            self._stop_at(exc)
            return
        if self.next_build != self.build:
            # of which day each file was is not known, so none of their prices is used
            self._answers.clear()
            self.lack("the files were rebuilt while they were read; read them again")
