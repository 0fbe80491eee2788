"""JSON bodies are what everybody reads the same way (RFC 7493), judged once for all routes."""

import json
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tcgtracker.api.problem import FieldProblem, Problem, problem_response, problem_type
from tcgtracker.domain.errors import InvalidInput

MAX_DEPTH = 32
"""No body asked for is deeper than three."""
_REQUEST_ID = "tcgtracker.request_id"
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKET = re.compile(rb"[\[\]{}]")


class StrictJson:
    """Answers 422 to a JSON body that two readers could take for two things."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _is_json(Headers(scope=scope).get("content-type", "")):
            await self.app(scope, receive, send)
            return
        messages = [await receive()]
        while messages[-1].get("more_body", False):
            messages.append(await receive())
        try:
            check_json(b"".join(message.get("body", b"") for message in messages))
        except InvalidInput as exc:
            problem = Problem(
                type=problem_type("malformed"),
                title="The request is malformed",
                status=422,
                request_id=str(scope.get(_REQUEST_ID, "")),
                errors=[FieldProblem(where="body", message=str(exc))],
            )
            await problem_response(problem)(scope, receive, send)
            return
        waiting = iter(messages)

        async def again() -> Message:
            return next(waiting, None) or await receive()

        await self.app(scope, again, send)


def check_json(body: bytes) -> None:
    """Refuse a body that is not JSON in the narrow sense; none at all is the route's business.

    Raises:
        InvalidInput: broken UTF-8, half a character, NaN, a key twice, too deep, or no JSON.
    """
    if not body:
        return
    if _depth(body) > MAX_DEPTH:
        raise InvalidInput(f"JSON is at most {MAX_DEPTH} levels deep here")
    try:
        found = json.loads(
            body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_refuse_constant
        )
        # An escape can name half a character, which no UTF-8 can carry.
        json.dumps(found, ensure_ascii=False).encode("utf-8")
    except UnicodeError as exc:
        raise InvalidInput("JSON is text in UTF-8") from exc
    except ValueError as exc:
        raise InvalidInput("this is no JSON") from exc


def _depth(body: bytes) -> int:
    """Return how deep brackets are nested, text left out; of broken JSON some number."""
    deepest = depth = 0
    for bracket in _BRACKET.findall(_TEXT.sub(b"", body)):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InvalidInput("an object names one key twice")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidInput(f"{name} is no number of JSON")


def _is_json(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or (
        kind.startswith("application/") and kind.endswith("+json")
    )
