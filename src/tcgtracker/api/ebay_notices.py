"""eBay's account deletion notices (vendors/ebay.md section 5), asked by eBay without an account.

We keep nothing of any eBay user, so there is nothing to delete: a notice that eBay signed is
answered and logged without a word of whom it is about. One that eBay did not sign is a 412; while
the signature cannot be checked it is a 503, and eBay sends the notice again.
"""

from typing import Annotated, Any

import msgspec
import structlog
from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from tcgtracker.api.errors import RESPONSES
from tcgtracker.domain.errors import ContractBroken, InvalidInput, NotFound
from tcgtracker.integrations.ebay.notices import (
    NoticeRefused,
    Signature,
    challenge_response,
    check_signature,
    read_signature,
)
from tcgtracker.tracker import Tracker

log = structlog.get_logger()

PATH = "/webhooks/ebay/account-deletion"
MAX_NOTICE_BYTES = 16_384
"""A notice has some 600 bytes."""
_DELETION = "MARKETPLACE_ACCOUNT_DELETION"
_DOCUMENTED: dict[int | str, dict[str, Any]] = {
    status: RESPONSES[status] for status in (400, 404, 422, 429)
}
_NOTICE = {**_DOCUMENTED, 412: RESPONSES[412], 503: RESPONSES[503]}
_SIGNATURE = "x-ebay-signature"
_VENDOR = "ebay"


class ChallengeAnswer(BaseModel):
    """The proof that the endpoint is ours."""

    challengeResponse: str  # noqa: N815 - eBay's name


class _Metadata(msgspec.Struct):
    topic: str


class _Notification(msgspec.Struct):
    data: dict[str, object]


class _Notice(msgspec.Struct):
    metadata: _Metadata
    notification: _Notification


def router(tracker: Tracker) -> APIRouter:
    """Return the routes; both are 404 until token and endpoint are configured."""
    routes = APIRouter(tags=["webhooks"])
    settings = tracker.settings.ebay
    token, endpoint = settings.verification_token.get_secret_value(), settings.endpoint

    def must_be_configured() -> None:
        if not token or not endpoint:
            raise NotFound("there are no notices here: the operator has not configured them")

    def must_be_signed(body: bytes, signature: Signature) -> None:
        key = tracker.notice_keys.key(_VENDOR, signature.key_id)
        if key is None:
            raise NoticeRefused("eBay knows no such key")
        try:
            check_signature(body, signature, key)
        except ValueError as exc:
            raise ContractBroken(_VENDOR, "notice_key", str(exc)) from exc

    @routes.get(PATH, summary="Prove the endpoint to eBay", responses=_DOCUMENTED)
    async def challenge(
        challenge_code: Annotated[str, Query(min_length=1, max_length=200)],
    ) -> ChallengeAnswer:
        must_be_configured()
        return ChallengeAnswer(
            challengeResponse=challenge_response(challenge_code, token, endpoint)
        )

    @routes.post(
        PATH, status_code=204, summary="eBay says that an account is closed", responses=_NOTICE
    )
    async def notice(request: Request) -> Response:
        """Nothing of the user is here that could be deleted; what eBay did not sign is refused."""
        must_be_configured()
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > MAX_NOTICE_BYTES:
                raise InvalidInput(f"a notice has at most {MAX_NOTICE_BYTES} bytes")
        try:
            given = msgspec.json.decode(bytes(body), type=_Notice)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            # The reason would repeat what was sent.
            raise InvalidInput("this is no account deletion notice") from None
        if given.metadata.topic != _DELETION:
            raise InvalidInput("this is no account deletion notice")
        signature = read_signature(request.headers.get(_SIGNATURE, ""))
        await to_thread.run_sync(must_be_signed, bytes(body), signature)
        log.info("ebay.account_deletion_noticed")
        return Response(status_code=204)

    return routes
