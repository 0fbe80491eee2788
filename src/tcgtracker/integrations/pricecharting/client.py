"""Calls to PriceCharting: one product, a search, the price guide of a category."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from tcgtracker.domain.clock import Clock, start_of_day
from tcgtracker.domain.errors import (
    InvalidInput,
    RequestRefused,
    SourceDisabled,
    SourcePaused,
    VendorError,
)
from tcgtracker.integrations.contract import (
    JOB_CALL,
    LIVE_CALL,
    PAGE_CALL,
    BulkPage,
    CallPolicy,
    CatalogPage,
    IdKind,
    ItemPage,
    ProductRef,
    SearchAnswer,
    VendorInfo,
)
from tcgtracker.integrations.http import Answer, VendorHttp, Verdict
from tcgtracker.integrations.pricecharting.csv import MAX_GUIDE, OtherCategory, PriceGuide
from tcgtracker.integrations.pricecharting.judge import (
    GUIDE_INTERVAL,
    error_of,
    judge,
    judge_guide,
    says_unknown_product,
)
from tcgtracker.integrations.pricecharting.normalize import (
    absent_page,
    product_page,
    search_answer,
)
from tcgtracker.integrations.pricecharting.payloads import SUCCESS, AnswerPayload
from tcgtracker.integrations.shapes import BadShape, read_shape

_MAX_ANSWER = 2**20  # twenty products have some 20 kB
_OK = 200
_NOT_FOUND = 404
_GUIDE_DEADLINE_S = 300.0  # about 10 MB, made on demand


class PriceChartingClient:
    """The vendor behind `ItemVendor`, `BulkVendor` and `SearchVendor`."""

    def __init__(
        self, http: VendorHttp, info: VendorInfo, *, token: str, boxed: bool, clock: Clock
    ) -> None:
        self.info = info
        self._http = http
        self._token = token
        self._boxed = boxed
        self._clock = clock
        self._next_guide_at: datetime | None = None

    async def check(self) -> None:
        """Search for a card that exists."""
        await self._search("charizard", LIVE_CALL)

    async def close(self) -> None:
        await self._http.close()

    async def items(
        self, refs: Sequence[ProductRef], *, policy: CallPolicy = JOB_CALL
    ) -> AsyncIterator[ItemPage]:
        """Yield one page a product: the API has no batch."""
        for ref in refs:
            if ref.kind is not IdKind.OWN:
                raise InvalidInput("PriceCharting is asked by its own product ids only")
            yield await self._item(ref, policy)

    async def product(
        self, external_id: str, *, game: str, policy: CallPolicy = LIVE_CALL
    ) -> CatalogPage | None:
        if game not in self.info.games:
            raise InvalidInput(f"PriceCharting is not asked about {game!r}")
        page = await self._item(ProductRef(external_id), policy)
        if page.absent and not page.rejected:
            return None
        return CatalogPage(stated=list(page.stated), prices=page)

    async def search(
        self, query: str, *, game: str = "", limit: int = 20, policy: CallPolicy = LIVE_CALL
    ) -> SearchAnswer:
        if not query.strip():
            raise InvalidInput("what is to be searched? The query is empty")
        return search_answer(await self._search(query, policy), game=game, limit=limit)

    async def version(self, *, policy: CallPolicy = PAGE_CALL) -> str:  # noqa: ARG002 - the contract's
        """Return '': the vendor does not say when a guide was made, only that it is daily."""
        return ""

    async def bulk(self, game: str, *, policy: CallPolicy = PAGE_CALL) -> AsyncIterator[BulkPage]:
        """Yield the guide of a game's category, true on the UTC day on which it is fetched.

        Raises:
            SourcePaused: another guide was fetched less than 10 minutes ago.
            ContractBroken: it is no guide, or that of another category.
        """
        if game not in self.info.games:
            known = ", ".join(self.info.games)
            raise InvalidInput(f"PriceCharting has no guide of {game!r}; it has {known}")
        for category in self.info.games[game]:
            observed_at = start_of_day(self._clock.now().date())
            with tempfile.TemporaryDirectory(prefix="tcgtracker-") as folder:
                path = Path(folder) / f"{category}.csv"
                answer = await self._fetch_guide(category, path, policy)
                pages = await asyncio.to_thread(
                    self._read_guide, answer, path, category, observed_at
                )
            for page in pages:
                yield page

    async def _item(self, ref: ProductRef, policy: CallPolicy) -> ItemPage:
        observed_at = start_of_day(self._clock.now().date())
        answer = await self._call(
            "product", "/api/product", {"id": ref.value}, policy, accept=(_OK, _NOT_FOUND)
        )
        said = error_of(answer)
        if said is not None and says_unknown_product(said):
            return absent_page(ref)
        return product_page(ref, self._success(answer), observed_at, boxed=self._boxed)

    async def _search(self, query: str, policy: CallPolicy) -> list[object]:
        answer = await self._call("products", "/api/products", {"q": query}, policy)
        products = read_shape(self._success(answer), AnswerPayload).products
        if products is None:
            raise answer.broken("a search without products")
        return products

    async def _fetch_guide(self, category: str, path: Path, policy: CallPolicy) -> Answer:
        now, before = self._clock.now(), self._next_guide_at
        if before is not None and now < before:
            message = "one price guide every 10 minutes"
            raise SourcePaused(self.info.vendor, "price_guide", message, until=before)
        self._next_guide_at = now + GUIDE_INTERVAL

        def judge_it(answer: Answer) -> Verdict | None:
            return judge_guide(answer, now)

        try:
            answer = await self._http.call_to_file(
                "price_guide",
                "GET",
                "/price-guide/download-custom",
                path,
                # never repeated at once: the second call would be refused
                policy=replace(
                    policy, attempts=1, deadline_s=max(policy.deadline_s, _GUIDE_DEADLINE_S)
                ),
                params={"t": self._token, "category": category},
                judge=judge_it,
                max_bytes=MAX_GUIDE,
            )
        except (SourcePaused, SourceDisabled):  # not called
            self._next_guide_at = before
            raise
        if error_of(answer) is not None:
            self._success(answer)
        return answer

    def _read_guide(
        self, answer: Answer, path: Path, category: str, observed_at: datetime
    ) -> list[BulkPage]:
        guide = PriceGuide(observed_at, category, boxed=self._boxed, stated=True)
        try:
            guide.add(path)
        except OtherCategory as exc:
            message = f"asked for the guide of {category}, answered that of other products"
            raise answer.broken(message) from exc
        except InvalidInput as exc:
            raise answer.broken(str(exc).replace(str(path), path.name)) from exc
        return list(guide.bulk_pages())

    async def _call(
        self,
        operation: str,
        path: str,
        params: dict[str, str],
        policy: CallPolicy,
        *,
        accept: Sequence[int] = (_OK,),
    ) -> Answer:
        return await self._http.call(
            operation,
            "GET",
            path,
            policy=policy,
            params={"t": self._token, **params},
            accept=accept,
            judge=judge,
            max_bytes=_MAX_ANSWER,
        )

    def _success(self, answer: Answer) -> object:
        """Return the decoded answer when it says success.

        Raises:
            RequestRefused: it says error, or the path is unknown.
            ContractBroken: it is no JSON or has no status.
        """
        if answer.status == _NOT_FOUND and error_of(answer) is None:
            raise self._refused(answer, "no such path; correct API_PRICECHARTING_BASE_URL")
        decoded = answer.json()
        try:
            said = read_shape(decoded, AnswerPayload)
        except BadShape as exc:
            raise answer.broken(str(exc)) from exc
        if said.status != SUCCESS:
            raise self._refused(answer, f"status {said.status[:20]!r}{answer.quoted()}")
        return decoded

    def _refused(self, answer: Answer, message: str) -> VendorError:
        return RequestRefused(answer.vendor, answer.operation, message, answer.request_id)
