"""What the OpenAPI document says beyond the routes: problems, who may ask, what middleware answers.

Kept beside nothing by hand: a new route is described by its path and its method.
"""

from typing import Any

from fastapi import FastAPI

from tcgtracker.api.authentication import PREFIX
from tcgtracker.api.authentication_paths import OPEN_PATHS
from tcgtracker.api.errors import RESPONSES
from tcgtracker.api.problem import Problem

_SCHEMES = {
    "token": {"type": "http", "scheme": "bearer", "description": "an access token of a sign-in"},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "an API key"},
}
_WITHOUT_BODY = ("get", "head")


def complete(app: FastAPI) -> None:
    """Make `app.openapi` return the completed document."""
    build = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(build())
        return build()

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI documents this way to extend it


def _complete(document: dict[str, Any]) -> None:
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs"))
    schemas["Problem"] = problem
    components["securitySchemes"] = _SCHEMES
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            guarded = path.startswith(PREFIX) and path not in OPEN_PATHS
            if guarded:
                operation["security"] = [{name: []} for name in _SCHEMES]
            responses = operation["responses"]
            for status in _of_middleware(method, operation, path, guarded=guarded):
                responses.setdefault(str(status), RESPONSES[status])
            if "422" in responses:  # FastAPI's own has another form
                responses["422"] = RESPONSES[422]


def _of_middleware(
    method: str, operation: dict[str, Any], path: str, *, guarded: bool
) -> list[int]:
    """Return the statuses that an operation may have before its route is asked."""
    # the crowd and rate limits, the database; parameters that are not there
    found = [503, 429, 422] if path.startswith(PREFIX) else []
    if guarded:
        found.append(401)
    if method not in _WITHOUT_BODY:
        found.append(403)  # a reading key, a page of another site
        found.append(413)
    if "requestBody" in operation:
        found.append(422)
    return found
