"""Bearer tokens of the client-credentials grant: asked for once, shared by all calls, renewed."""

import asyncio
import re
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field

from tcgtracker.domain.clock import Clock
from tcgtracker.domain.errors import BadCredentials, RetryableVendorError, VendorError
from tcgtracker.integrations.contract import CallPolicy
from tcgtracker.integrations.http import Answer, Judge, VendorHttp, Verdict

_REFUSALS = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_OAUTH_WORD = re.compile(r"[a-z_]{1,40}")
_LONGEST = timedelta(days=365)
_AGAIN_AFTER = timedelta(minutes=5)
_MAX_ANSWER = 2**16


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """How a vendor gives tokens and how it wants to see them.

    scheme: the word before the token in the Authorization header. renew_before: how long before
    its end a token is exchanged (at most a tenth of its life).
    """

    path: str
    scheme: str
    renew_before: timedelta
    form: Mapping[str, str]
    headers: Mapping[str, str] = field(default_factory=dict)


class TokenAnswer(BaseModel):
    """RFC 6749 section 5.1; `expires_in` is in seconds from the answer on."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    access_token: str = Field(min_length=1, max_length=16_384, pattern=r"^[\x21-\x7e]+$")
    expires_in: int


@dataclass(frozen=True, slots=True, eq=False)
class _Token:
    text: str = field(repr=False)
    ends_at: datetime
    renew_at: datetime


class TokenCalls:
    """GET calls with a bearer token; used in one event loop only.

    The vendor's own moments (`.issued`, `.expires`) are not used: only `expires_in` holds when its
    clock and ours differ.
    """

    def __init__(self, http: VendorHttp, request: TokenRequest, clock: Clock) -> None:
        self._http = http
        self._request = request
        self._clock = clock
        self._lock = asyncio.Lock()
        self._token: _Token | None = None
        self._tries = 0
        self._failure: VendorError | None = None

    async def get(
        self,
        operation: str,
        path: str,
        *,
        policy: CallPolicy,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        accept: Collection[int] = (HTTPStatus.OK,),
        judge: Judge | None = None,
    ) -> Answer:
        """Return the answer; a token that the vendor refuses (401) is exchanged once.

        The deadline of a live policy is for the token too.

        Raises:
            BadCredentials: it refuses the key, or the new token too.
            VendorError: as `VendorHttp.call`.
        """
        ends_at = time.monotonic() + policy.deadline_s
        token = await self._current(_left(policy, ends_at))
        call = partial(self._http.call, operation, "GET", path, params=params, judge=judge)
        answer = await call(
            policy=_left(policy, ends_at),
            headers=self._headers(token, headers),
            accept={*accept, HTTPStatus.UNAUTHORIZED},
        )
        if answer.status != HTTPStatus.UNAUTHORIZED:
            return answer
        token = await self._exchanged(token, _left(policy, ends_at))
        return await call(
            policy=_left(policy, ends_at), headers=self._headers(token, headers), accept=accept
        )

    def _headers(self, token: _Token, headers: Mapping[str, str] | None) -> dict[str, str]:
        return {**(headers or {}), "Authorization": f"{self._request.scheme} {token.text}"}

    async def _current(self, policy: CallPolicy) -> _Token:
        token, now = self._token, self._clock.now()
        if token is not None and now < token.renew_at:
            return token
        if token is None or now >= token.ends_at:
            return await self._exchanged(token, policy)
        try:
            return await self._exchanged(token, policy)
        except RetryableVendorError:  # told to the gate; the token at hand is still good
            return self._postponed(token)

    def _postponed(self, token: _Token) -> _Token:
        if _same(self._token, token):
            again = min(self._clock.now() + _AGAIN_AFTER, token.ends_at)
            self._token = _Token(token.text, token.ends_at, again)
        return token

    async def _exchanged(self, refused: _Token | None, policy: CallPolicy) -> _Token:
        """Return a newer token than `refused`; callers that come meanwhile share the outcome."""
        tries = self._tries
        async with self._lock:
            if self._failure is not None and self._tries != tries:
                raise self._failure
            if self._token and (self._tries != tries or not _same(self._token, refused)):
                return self._token
            try:
                self._token, self._failure = await self._fetch(policy), None
            except VendorError as exc:
                self._failure = exc
                self._tries += 1
                raise
            self._tries += 1  # not when this call was cancelled: then the next one asks
            return self._token

    async def _fetch(self, policy: CallPolicy) -> _Token:
        token = await self._fetch_once(policy, last=False)
        if self._clock.now() >= token.ends_at:  # over on arrival: once more, then the judge ends it
            token = await self._fetch_once(policy, last=True)
        return token

    async def _fetch_once(self, policy: CallPolicy, *, last: bool) -> _Token:
        asked_at = self._clock.now()
        answer = await self._http.call(
            "token",
            "POST",
            self._request.path,
            policy=policy,
            headers={
                **self._request.headers,
                "Content-Type": "application/x-www-form-urlencoded",
            },
            content=urlencode(self._request.form).encode(),
            judge=partial(_judge_token, last=last),
            max_bytes=_MAX_ANSWER,
        )
        stated = _read(answer)
        before = self._token.text if self._token else ""
        self._http.conceal(stated.access_token, instead_of=before)
        life = min(timedelta(seconds=max(stated.expires_in, 0)), _LONGEST)
        ends_at = asked_at + life
        return _Token(
            stated.access_token, ends_at, ends_at - min(self._request.renew_before, life / 10)
        )


def _left(policy: CallPolicy, ends_at: float) -> CallPolicy:
    """Return the policy of the next step: of a live call the deadline is for all of them."""
    if not policy.live:
        return policy
    return replace(policy, deadline_s=max(ends_at - time.monotonic(), 0.0))


def _same(one: _Token | None, other: _Token | None) -> bool:
    return one is not None and other is not None and one.text == other.text


def _read(answer: Answer) -> TokenAnswer:
    try:
        return TokenAnswer.model_validate(answer.json())
    except (VendorError, ValueError):  # their texts quote the body, which may hold a token
        pass
    raise answer.broken("no access_token and expires_in as documented")


def _judge_token(answer: Answer, *, last: bool) -> Verdict | None:
    """Tell a refused key, and a token that is over on arrival for the second time."""
    if answer.status in _REFUSALS:
        return _refused(
            answer, f"the vendor refuses the key ({answer.status}{_oauth_word(answer)})"
        )
    if last and answer.status == HTTPStatus.OK and _read(answer).expires_in <= 0:
        return _refused(answer, "the vendor gives only tokens that have ended already")
    return None


def _refused(answer: Answer, reason: str) -> Verdict:
    return Verdict(BadCredentials(answer.vendor, answer.operation, reason, answer.request_id))


def _oauth_word(answer: Answer) -> str:
    try:
        body = answer.json()
    except VendorError:
        return ""
    word = body.get("error") if isinstance(body, dict) else None
    return f", {word}" if isinstance(word, str) and _OAUTH_WORD.fullmatch(word) else ""
