"""Refuses parameters of the query that a route does not have.

One that is misspelled, or that we lack, must not be passed over: who asks for `currency=EUR` or
`variant=psa-10` and gets the headline price in dollars takes it for what was asked.
"""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError

_LONGEST_NAME = 60


class KnownParameters:
    """Knows what the document of the API names; a dependency of every route under `prefix`."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._known: dict[tuple[str, str], tuple[str, ...]] = {}

    def learn(self, app: FastAPI) -> None:
        """Read the document, once all routes are there."""
        for path, acts in app.openapi()["paths"].items():
            for method, act in acts.items():
                self._known[method.upper(), path] = tuple(
                    one["name"] for one in act.get("parameters", ()) if one["in"] == "query"
                )

    async def check(self, request: Request) -> None:
        """Refuse names that the route does not have.

        Raises:
            RequestValidationError: there is one, told with the names that there are.
        """
        if not request.scope["query_string"]:
            return
        path = self._prefix + request.scope["route"].path  # which knows its router's part alone
        known = self._known[request.method, path]
        wrong = sorted({name for name in request.query_params if name not in known})
        if wrong:
            said = f"it takes {', '.join(known)}" if known else "it takes none"
            raise RequestValidationError(
                [
                    {
                        "type": "value_error",
                        "loc": ("query", name[:_LONGEST_NAME]),
                        "msg": f"is no parameter of this address: {said}",
                    }
                    for name in wrong
                ]
            )
