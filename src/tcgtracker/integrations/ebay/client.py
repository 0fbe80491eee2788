"""Paths and paging of eBay's Browse API. The only I/O."""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import quote

from pydantic import BaseModel, ValidationError

from tcgtracker.domain.clock import Clock, start_of_day
from tcgtracker.domain.errors import BadCredentials, QuotaExhausted, VendorError
from tcgtracker.integrations.contract import (
    JOB_CALL,
    LIVE_CALL,
    CallPolicy,
    NoticeKey,
    SearchAnswer,
    VendorInfo,
)
from tcgtracker.integrations.ebay.normalize import add_hits, search_quota
from tcgtracker.integrations.ebay.payloads import Failure, PublicKey, RateLimits, SearchResult
from tcgtracker.integrations.ebay.words import search_words
from tcgtracker.integrations.http import Answer, VendorHttp, Verdict
from tcgtracker.integrations.tokens import TokenCalls
from tcgtracker.runtime.ports import ReportedQuota

SINGLES = "183454"
"""The category of trading card game singles."""

MAX_LIMIT = 200
MAX_REACH = 10_000
"""Items of one result set that can be paged to."""

_QUOTA_SPENT = 2001
_UNKNOWN_RESET = timedelta(hours=1)
_LONGEST_WINDOW = timedelta(days=1)
_FILTER = "buyingOptions:{FIXED_PRICE|AUCTION}"  # without it eBay leaves auctions out
_MARKETPLACE = {"X-EBAY-C-MARKETPLACE-ID": "EBAY_US"}

P = TypeVar("P", bound=BaseModel)


class EbayVendor:
    """A `SearchVendor` and `NoticeVendor`."""

    def __init__(self, info: VendorInfo, http: VendorHttp, calls: TokenCalls, clock: Clock) -> None:
        self.info = info
        self._http = http
        self._calls = calls
        self._clock = clock
        self._resets_at: datetime | None = None

    async def check(self) -> None:
        """Ask what is left of the day, which costs no search."""
        await self._calls.get(
            "rate_limit",
            "/developer/analytics/v1_beta/rate_limit/",
            policy=JOB_CALL,
            params={"api_name": "browse", "api_context": "buy"},
            judge=self._judge_limits,
        )

    async def close(self) -> None:
        await self._http.close()

    async def search(
        self, query: str, *, game: str = "", limit: int = 20, policy: CallPolicy = LIVE_CALL
    ) -> SearchAnswer:
        """Return active listings of singles, auctions too, best match first.

        Raises:
            QuotaExhausted: the searches of the day are spent.
        """
        found = SearchAnswer()
        words = search_words(query, game)
        size = max(1, min(limit, MAX_LIMIT))
        for offset in range(0, min(limit, MAX_REACH), size):  # `next` itself is not followed
            page = await self._page(words, size, offset, policy)
            for warning in page.warnings or ():
                found.skipped[f"warning {warning.error_id}"] += 1
            new = add_hits(found, self.info.vendor, page.item_summaries or (), limit)
            if not page.next or not new or len(found.hits) >= limit:
                found.truncated |= page.next is not None
                break
        return found

    async def notice_key(self, key_id: str, *, policy: CallPolicy = LIVE_CALL) -> NoticeKey | None:
        """Return the key with which eBay signs account notices, None when it knows none."""
        answer = await self._calls.get(
            "notice_key",
            f"/commerce/notification/v1/public_key/{quote(key_id, safe='')}",
            policy=policy,
            accept=(HTTPStatus.OK, HTTPStatus.NOT_FOUND),
        )
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        key = _read(answer, PublicKey)
        return NoticeKey(key.key, key.digest)

    async def _page(self, words: str, size: int, offset: int, policy: CallPolicy) -> SearchResult:
        answer = await self._calls.get(
            "search",
            "/buy/browse/v1/item_summary/search",
            policy=policy,
            params={
                "q": words,
                "category_ids": SINGLES,
                "filter": _FILTER,
                "limit": str(size),
                "offset": str(offset),
            },
            headers=_MARKETPLACE,
            judge=self._judge,
        )
        return _read(answer, SearchResult)

    def _judge(self, answer: Answer) -> Verdict | None:
        """Read a spent quota (429 with 2001) and a refused key (403)."""
        where = (answer.vendor, answer.operation)
        if answer.status == HTTPStatus.FORBIDDEN:
            reason = "eBay refuses this key (403): is it enabled for the Buy APIs?"
            return Verdict(BadCredentials(*where, reason, answer.request_id))
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS and _spent(answer):
            until = self._reset_or_guess()
            return Verdict(QuotaExhausted(*where, "the calls of the day are spent", until=until))
        return None

    def _reset_or_guess(self) -> datetime:
        """Return the reset that `check` was told, an hour from now when that says nothing."""
        now, told = self._clock.now(), self._resets_at
        if told is not None and now < told <= now + _LONGEST_WINDOW:
            return told
        return now + _UNKNOWN_RESET

    def _judge_limits(self, answer: Answer) -> Verdict | None:
        """Report what eBay says is left, and remember when that ends."""
        if answer.status != HTTPStatus.OK:
            return self._judge(answer)
        quota = search_quota(_read(answer, RateLimits))
        if quota is None:
            return None
        self._resets_at = quota.resets_at
        midnight = start_of_day(self._clock.now().date() + timedelta(days=1))
        if quota.resets_at is not None and quota.resets_at < midnight:
            return None  # eBay's day ends before ours, which is the one that is counted here
        return Verdict(reported=(ReportedQuota("day", quota.remaining, quota.limit),))


def _spent(answer: Answer) -> bool:
    try:
        failure = _read(answer, Failure)
    except VendorError:
        return False
    return any(problem.error_id == _QUOTA_SPENT for problem in failure.errors)


def _read(answer: Answer, payload: type[P]) -> P:
    try:
        return payload.model_validate(answer.json())
    except ValidationError as exc:
        faults = exc.errors(include_url=False, include_input=False)
        where = "; ".join(".".join(map(str, fault["loc"])) for fault in faults[:3])
        raise answer.broken(f"not as documented: {where}") from None
