"""Refuses parameters of the query that a route does not have.

One that is misspelled, or that we lack, must not be passed over: who asks for `currency=EUR` or
`variant=psa-10` and gets the headline price in dollars takes it for what was asked.
"""

from collections.abc import Iterator

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

_LONGEST_NAME = 60


async def refuse_unknown_parameters(request: Request) -> None:
    """Refuse names that the route does not have; a dependency of every route.

    Raises:
        RequestValidationError: there is one, told with the names that there are.
    """
    if not request.scope["query_string"]:
        return
    route: APIRoute = request.scope["route"]
    known = tuple(_names_of(route.dependant))
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


def _names_of(dependant: Dependant) -> Iterator[str]:
    yield from (one.alias for one in dependant.query_params)
    for one in dependant.dependencies:
        yield from _names_of(one)
