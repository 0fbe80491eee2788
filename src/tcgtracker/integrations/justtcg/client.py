"""Calls to JustTCG: cards by id in batches, sets, the cards of a set, a search by name."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence

from tcgtracker.domain.clock import Clock
from tcgtracker.domain.errors import InvalidInput
from tcgtracker.integrations.contract import (
    JOB_CALL,
    LIVE_CALL,
    PAGE_CALL,
    CallPolicy,
    CatalogPage,
    IdKind,
    ItemPage,
    ProductRef,
    SearchAnswer,
    VendorInfo,
)
from tcgtracker.integrations.http import Answer, VendorHttp, Verdict
from tcgtracker.integrations.justtcg.judge import judge
from tcgtracker.integrations.justtcg.normalize import (
    catalog_page,
    item_page,
    product_page,
    search_answer,
    sets_page,
)
from tcgtracker.integrations.justtcg.paging import Paging
from tcgtracker.integrations.justtcg.payloads import ListPayload
from tcgtracker.integrations.shapes import BadShape, read_shape

_CODE_PREFIX = "justtcg:"
_ID_NAMES = {IdKind.OWN: "cardId", IdKind.TCGPLAYER: "tcgplayerId"}
# Prices of now only. Statistics cannot be left out, the shortest window is the least.
_SHORT = {"include_price_history": "false", "include_statistics": "7d"}


class JustTcgClient:
    """The vendor behind `ItemVendor`, `CatalogVendor` and `SearchVendor`."""

    def __init__(self, http: VendorHttp, info: VendorInfo, *, key: str, clock: Clock) -> None:
        self.info = info
        self._http = http
        self._key = key
        self._clock = clock

    async def check(self) -> None:
        """Ask for the games."""
        await self._get("games", "/games", {}, LIVE_CALL)

    async def close(self) -> None:
        await self._http.close()

    async def items(
        self, refs: Sequence[ProductRef], *, policy: CallPolicy = JOB_CALL
    ) -> AsyncIterator[ItemPage]:
        """Yield one page a batch; what the vendor does not know is left out of its answer."""
        for start in range(0, len(refs), self.info.batch):
            batch = refs[start : start + self.info.batch]
            asked = [{_ID_NAMES[ref.kind]: ref.value, **_SHORT} for ref in dict.fromkeys(batch)]
            answer = await self._call(
                "cards_batch", "POST", "/cards", policy, content=json.dumps(asked).encode()
            )
            yield item_page(batch, _listed(answer).data, self._clock.now())

    async def sets(
        self, game: str, *, policy: CallPolicy = PAGE_CALL
    ) -> AsyncIterator[CatalogPage]:
        """Yield the sets of a game; the vendor sends all of them, or 20 a page."""
        for game_id in self._game_ids(game):
            paging = Paging()
            while paging.more:
                params = {"game": game_id}
                if paging.offset:
                    params["offset"] = str(paging.offset)
                listed = await self._get("sets", "/sets", params, policy)
                paging.take(_ids(listed.data), listed.meta, asked=None)
                page = sets_page(listed.data)
                page.incomplete = paging.incomplete
                yield page

    async def cards(
        self, game: str, set_code: str, *, policy: CallPolicy = PAGE_CALL
    ) -> AsyncIterator[CatalogPage]:
        """Yield the cards of one set with their prices, also the variants without one."""
        set_id = set_code.removeprefix(_CODE_PREFIX)
        params = {
            "set": set_id,
            **_SHORT,
            "include_null_prices": "true",
            "limit": str(self.info.batch),
        }
        game_id = _game_of_set(set_id, self._game_ids(game))
        if game_id:
            params["game"] = game_id
        paging = Paging()
        while paging.more:
            now_at = {**params, "offset": str(paging.offset)}
            listed = await self._get("cards", "/cards", now_at, policy)
            paging.take(_ids(listed.data), listed.meta, asked=self.info.batch)
            page = catalog_page(listed.data, set_id=set_id, fetched_at=self._clock.now())
            page.incomplete = paging.incomplete
            yield page

    async def product(
        self, external_id: str, *, game: str, policy: CallPolicy = LIVE_CALL
    ) -> CatalogPage | None:
        self._game_ids(game)
        asked = [{_ID_NAMES[IdKind.OWN]: external_id, **_SHORT}]
        answer = await self._call(
            "cards_batch", "POST", "/cards", policy, content=json.dumps(asked).encode()
        )
        return product_page(_listed(answer).data, external_id, self._clock.now())

    async def search(
        self, query: str, *, game: str = "", limit: int = 20, policy: CallPolicy = LIVE_CALL
    ) -> SearchAnswer:
        """Return what the vendor finds by name; of a game with several ids, in the first one."""
        if not query.strip():
            raise InvalidInput("what is to be searched? The query is empty")
        asked = min(limit, self.info.batch)
        params = {"q": query, **_SHORT, "limit": str(asked)}
        game_ids = self._game_ids(game) if game else ()
        if game_ids:
            params["game"] = game_ids[0]
        listed = await self._get("cards_search", "/cards", params, policy)
        answer = search_answer(listed.data, limit=limit)
        meta = listed.meta
        more = meta is not None and (meta.has_more or (meta.total or 0) > len(listed.data))
        answer.truncated = answer.truncated or bool(more) or len(game_ids) > 1
        return answer

    def _game_ids(self, game: str) -> tuple[str, ...]:
        known = self.info.games.get(game)
        if known is None:
            raise InvalidInput(
                f"JustTCG is not asked about {game!r}; known: {', '.join(self.info.games)}"
            )
        return known

    async def _get(
        self, operation: str, path: str, params: Mapping[str, str], policy: CallPolicy
    ) -> ListPayload:
        return _listed(await self._call(operation, "GET", path, policy, params=params))

    async def _call(
        self,
        operation: str,
        method: str,
        path: str,
        policy: CallPolicy,
        *,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> Answer:
        headers = {"x-api-key": self._key, "accept": "application/json"}
        if content is not None:
            headers["content-type"] = "application/json"
        return await self._http.call(
            operation,
            method,
            path,
            policy=policy,
            params=params,
            headers=headers,
            content=content,
            judge=self._judge,
        )

    def _judge(self, answer: Answer) -> Verdict | None:
        return judge(answer, self._clock.now())


def _listed(answer: Answer) -> ListPayload:
    try:
        return read_shape(answer.json(), ListPayload)
    except BadShape as exc:
        raise answer.broken(str(exc)) from exc


def _ids(rows: Sequence[object]) -> list[str]:
    """Return what tells the rows of a page apart, also of a row that cannot be used."""
    return [
        str(row.get("uuid") or row.get("id") or row) if isinstance(row, dict) else str(row)
        for row in rows
    ]


def _game_of_set(set_id: str, game_ids: Sequence[str]) -> str:
    """Return the game that a set's id ends in (`base-set-pokemon`), '' when it does not tell."""
    if len(game_ids) == 1:
        return game_ids[0]
    return next((one for one in game_ids if set_id.endswith(f"-{one}")), "")
