"""What an answer says beyond its status: the vendor reports a refused token in the body."""

from datetime import datetime, timedelta
from http import HTTPStatus

from tcgtracker.domain.errors import BadCredentials, ContractBroken, RateLimited
from tcgtracker.integrations.http import Answer, Verdict
from tcgtracker.integrations.pricecharting.payloads import AnswerPayload
from tcgtracker.integrations.shapes import BadShape, read_shape

GUIDE_INTERVAL = timedelta(minutes=10)
"""Between two downloads of a price guide, of any category (vendor)."""

_REFUSED = frozenset({401, 403})
_TOO_FAST = 429
_MAX_ERROR_BODY = 4096


def error_of(answer: Answer) -> AnswerPayload | None:
    """Return what the vendor says went wrong, at whatever HTTP status; None when nothing."""
    if len(answer.body) > _MAX_ERROR_BODY:  # errors are one line; products and guides are not
        return None
    try:
        said = read_shape(answer.json(), AnswerPayload)
    except (ContractBroken, BadShape):
        return None
    return said if said.status == "error" else None


def judge(answer: Answer) -> Verdict | None:
    """Tell a refused token, which may come as 200.

    Raises:
        ContractBroken: a success that is no JSON.
    """
    if answer.status == HTTPStatus.OK:
        answer.json()
    return _refused(answer)


def _refused(answer: Answer) -> Verdict | None:
    said = error_of(answer)
    token = said is not None and "access token" in said.error_message.casefold()
    if answer.status in _REFUSED or token:
        message = "the token is refused; correct API_PRICECHARTING_API_KEY"
        error = BadCredentials(answer.vendor, answer.operation, message, answer.request_id)
        return Verdict(error=error)
    return None


def judge_guide(answer: Answer, now: datetime) -> Verdict | None:
    """Tell a refused token; too soon after another guide, without a word on how long, is 10 min."""
    if answer.status == _TOO_FAST and "retry-after" not in answer.headers:
        return Verdict(
            error=RateLimited(
                answer.vendor,
                answer.operation,
                "one price guide every 10 minutes",
                retry_at=now + GUIDE_INTERVAL,
                request_id=answer.request_id,
            )
        )
    return _refused(answer)


def says_unknown_product(said: AnswerPayload) -> bool:
    """Tell whether a lookup by id failed because there is no such product.

    The vendor does not document the text. One that speaks of the product or of finding it is
    taken for that; any other (an outage, a limit) must not look like a product that is gone.
    """
    words = said.error_message.casefold()
    return any(word in words for word in ("product", "found", "no such", "unknown id"))
