"""Problem details (RFC 9457), the one form of every error answer."""

from html import escape
from http import HTTPStatus
from typing import Annotated

import orjson
from pydantic import BaseModel, Field
from starlette.responses import HTMLResponse, Response

MEDIA_TYPE = "application/problem+json"
_LONGEST_DETAIL = 500


class FieldProblem(BaseModel):
    """What is wrong with one part of a request. The value itself is never repeated."""

    where: Annotated[str, Field(description="place in the request, as `query.limit`")]
    message: Annotated[str, Field(description="what is wrong with it")]


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: Annotated[
        str, Field(description="what kind it is; `about:blank` when the status says all")
    ] = "about:blank"
    title: Annotated[str, Field(description="the kind in words, the same for every occurrence")]
    status: Annotated[int, Field(description="the HTTP status")]
    detail: Annotated[str, Field(description="this occurrence, and what to do next")] = ""
    request_id: Annotated[str, Field(description="as in the X-Request-Id header and the log")] = ""
    errors: Annotated[
        list[FieldProblem], Field(description="the parts of the request that are wrong")
    ] = []


def problem_type(name: str) -> str:
    """Return the type URI of a problem of ours: `urn:tcgtracker:problem:not-found`."""
    return f"urn:tcgtracker:problem:{name}"


def problem_response(problem: Problem, headers: dict[str, str] | None = None) -> Response:
    """Return the answer; empty members are left out."""
    body = problem.model_dump(exclude_defaults=True)
    body["detail"] = text_of(problem.detail)[:_LONGEST_DETAIL]
    return Response(
        orjson.dumps({key: value for key, value in body.items() if value not in ("", [])}),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def problem_page(problem: Problem, headers: dict[str, str] | None = None) -> Response:
    """Return a problem for whoever reads it in a browser: a refusal before any page is made."""
    title, detail = escape(problem.title), escape(text_of(problem.detail)[:_LONGEST_DETAIL])
    return HTMLResponse(
        "<!doctype html><html lang='en'><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{title}</title><h1>{title}</h1><p>{detail}</p>"
        f"<p>Request {escape(problem.request_id)}</p></html>",
        status_code=problem.status,
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def text_of(text: str) -> str:
    """Return the text without lone surrogates, which no UTF-8 answer can carry."""
    return text.encode("utf-8", "replace").decode("utf-8")


def title_of(status: int) -> str:
    """Return the words for a status: `404` is `Not Found`."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
