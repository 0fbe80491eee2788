"""The files of TCGCSV over the network. The only I/O."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus

from tcgtracker.domain.clock import Clock
from tcgtracker.domain.errors import InvalidInput, RateLimited
from tcgtracker.integrations.contract import (
    JOB_CALL,
    PAGE_CALL,
    BulkPage,
    CallPolicy,
    CatalogPage,
    VendorInfo,
)
from tcgtracker.integrations.http import Answer, VendorHttp, Verdict
from tcgtracker.integrations.tcgcsv.build import built_at
from tcgtracker.integrations.tcgcsv.groups import GroupList, group_list, unlisted
from tcgtracker.integrations.tcgcsv.pages import card_page, categories_of, group_of, set_page
from tcgtracker.integrations.tcgcsv.payloads import Envelope, read_envelope
from tcgtracker.integrations.tcgcsv.reading import CategoryReading

WITHOUT_FILES = frozenset({21, 69, 70})
"""Categories to leave out: an empty duplicate, two without files (vendors/tcgcsv.md section 5)."""

_GROUPS_FRESH = timedelta(hours=24)
_THROTTLE = timedelta(minutes=10)


class TcgcsvVendor:
    """A `BulkVendor` and `CatalogVendor`."""

    def __init__(self, info: VendorInfo, http: VendorHttp, clock: Clock) -> None:
        self.info = info
        self._http = http
        self._clock = clock
        self._groups: dict[int, tuple[datetime, GroupList]] = {}

    async def check(self) -> None:
        """Ask when the files were built."""
        await self.built_at(JOB_CALL)

    async def close(self) -> None:
        await self._http.close()

    async def version(self, *, policy: CallPolicy = PAGE_CALL) -> str:
        """Return the content of `last-updated.txt`, which is a time.

        Raises:
            ContractBroken: it is none.
        """
        answer = await self._file("last_updated", "/last-updated.txt", policy)
        built_at(answer)
        return answer.body.decode("ascii").strip()

    async def bulk(self, game: str, *, policy: CallPolicy = PAGE_CALL) -> AsyncIterator[BulkPage]:
        """Yield one page a category; what could not be read is in its `missing`.

        Raises:
            VendorError: not even the moment of the build is known, so nothing was read.
        """
        build, stop = await self.built_at(policy), ""
        for category in _with_files(game):
            reading = CategoryReading(category, build)
            if stop:
                reading.lack(f"not read after: {stop}")
            else:
                await reading.read(self, policy)
            build, stop = reading.next_build, stop or reading.stopped
            yield BulkPage(reading.page())

    async def sets(
        self, game: str, *, policy: CallPolicy = PAGE_CALL
    ) -> AsyncIterator[CatalogPage]:
        """Yield one page a category."""
        for category in _with_files(game):
            groups = await self.fetch_groups(category, policy)
            page = set_page(groups.rows, category)
            page.incomplete = groups.incomplete
            yield page

    async def cards(
        self, game: str, set_code: str, *, policy: CallPolicy = PAGE_CALL
    ) -> AsyncIterator[CatalogPage]:
        """Yield the products of a group.

        Raises:
            InvalidInput: no category of the game lists the group.
        """
        group = group_of(set_code)
        for category in _with_files(game):
            groups = await self._known_groups(category, policy)
            if group in groups.names:
                path = f"/tcgplayer/{category}/{group}/products"
                envelope = await self._json("products", path, policy)
                page = card_page(envelope.results, {category}, group, groups.names[group])
                page.incomplete = (lack := unlisted(envelope)) and f"group {group}: {lack}"
                yield page
                return
        raise InvalidInput(f"TCGCSV lists no group {group} for {game}")

    async def built_at(self, policy: CallPolicy) -> datetime:
        """Return when the files were built (aware UTC, whole seconds)."""
        return built_at(await self._file("last_updated", "/last-updated.txt", policy))

    async def fetch_groups(self, category: int, policy: CallPolicy) -> GroupList:
        """Return the groups that the vendor lists for a category."""
        envelope = await self._json("groups", f"/tcgplayer/{category}/groups", policy)
        groups = group_list(envelope, category)
        self._groups[category] = (self._clock.now(), groups)
        return groups

    async def fetch_prices(self, category: int, group: int, policy: CallPolicy) -> bytes:
        """Return the price file of a group, unread."""
        path = f"/tcgplayer/{category}/{group}/prices"
        return (await self._file("prices", path, policy)).body

    async def _known_groups(self, category: int, policy: CallPolicy) -> GroupList:
        """Return the groups as read in the last day, so that no file is read twice in it."""
        if category in self._groups:
            read_at, groups = self._groups[category]
            if self._clock.now() - read_at < _GROUPS_FRESH:
                return groups
        return await self.fetch_groups(category, policy)

    async def _json(self, operation: str, path: str, policy: CallPolicy) -> Envelope:
        return read_envelope(await self._file(operation, path, policy))

    async def _file(self, operation: str, path: str, policy: CallPolicy) -> Answer:
        return await self._http.call(operation, "GET", path, policy=policy, judge=self._judge)

    def _judge(self, answer: Answer) -> Verdict | None:
        """Read 429 without `Retry-After` as the ten minutes of the vendor's throttle."""
        if answer.status != HTTPStatus.TOO_MANY_REQUESTS or "retry-after" in answer.headers:
            return None
        return Verdict(
            RateLimited(
                answer.vendor,
                answer.operation,
                "status 429: throttled for ten minutes",
                retry_at=self._clock.now() + _THROTTLE,
                request_id=answer.request_id,
            )
        )


def _with_files(game: str) -> Sequence[int]:
    return [category for category in categories_of(game) if category not in WITHOUT_FILES]
