"""Every route of the API and who may ask it: the one table of the tests that prove it.

A new route is one row here. The tests are `tests/unit/api/test_who_may.py` (tokens and keys of all
kinds, empty database) and `tests/integration/test_route_matrix.py` (nobody, owner, another user,
admin, both databases, filled).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from fastapi import FastAPI

from tests.support import PASSWORD


class Who(StrEnum):
    """Who may ask: anybody, every user or key, a signed-in person, an admin."""

    ANYBODY = "anybody"
    KNOWN = "known"
    PERSON = "person"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Ids:
    """What the paths and bodies name; `own_price` and `key` are of the user `owner`.

    The defaults are of nothing: on an empty database each route says so.
    """

    card: int = 1
    set: int = 1
    job: str = "01890a5d-ac96-774b-bcce-b302099a8057"
    dead_job: str = job
    dead_letter: str = job
    own_price: str = job
    key: str = job
    hold: int = 1
    rejected_hold: int = 1
    link: int = 1
    found: str = "1"


Ask = Mapping[str, Any]
"""Arguments of a request beside method and path: json, data, headers."""


@dataclass(frozen=True, slots=True)
class Row:
    """One route. `path` may have places of `Ids` and a query; the route itself when left out.

    status: what who may ask it is answered on the filled database: the owner, or the admin of an
    admin's route. other, admin: another user's and the admin's answer where it is not that one.
    """

    route: str
    who: Who
    status: int
    path: str = ""
    ask: Callable[[Ids], Ask] = field(default=lambda _: {})
    other: int | None = None
    admin: int | None = None

    @property
    def method(self) -> str:
        return self.route.partition(" ")[0]

    def path_of(self, ids: Ids) -> str:
        path = self.path or self.route.partition(" ")[2]
        return path.format(**{name: getattr(ids, name) for name in Ids.__dataclass_fields__})


def routes_of(app: FastAPI) -> set[str]:
    """Return the routes that the application has, as `GET /api/v1/cards/{card_id}`."""
    found = {"GET /docs", "GET /openapi.json"}
    for path, methods in app.openapi()["paths"].items():
        found |= {f"{method.upper()} {path}" for method in methods}
    return found


def differences(app: FastAPI) -> str:
    """Return what table and application do not agree on, '' when they do."""
    listed, there = {row.route for row in ROUTES}, routes_of(app)
    lines = [
        *(
            f"{route}: no row. Say who may ask it: Row({route!r}, Who.KNOWN, 200)"
            for route in sorted(there - listed)
        ),
        *(f"{route}: has a row but is no route" for route in sorted(listed - there)),
    ]
    return "\n".join(["in tests/route_table.py:", *lines]) if lines else ""


def _json(**body: Any) -> Callable[[Ids], Ask]:
    return lambda _: {"json": body}


_V1 = "/api/v1"
_NOTICES = "/webhooks/ebay/account-deletion"
_ADMIN = f"{_V1}/admin"
_SOURCE = f"{_ADMIN}/sources/{{source}}"
_LINKS = f"{_ADMIN}/links"
_LINK = f"{_LINKS}/{{link_id}}"
ROUTES: tuple[Row, ...] = (
    Row("GET /livez", Who.ANYBODY, 200),
    Row("GET /readyz", Who.ANYBODY, 200),
    Row("GET /health", Who.ANYBODY, 200),
    Row(f"GET {_NOTICES}", Who.ANYBODY, 200, f"{_NOTICES}?challenge_code=x"),
    Row(f"POST {_NOTICES}", Who.ANYBODY, 400, ask=_json()),
    Row("GET /metrics", Who.ANYBODY, 200),  # from the machine itself
    Row("GET /docs", Who.ANYBODY, 200),
    Row("GET /openapi.json", Who.ANYBODY, 200),
    Row(
        f"POST {_V1}/auth/register",
        Who.ANYBODY,
        403,  # closed once there is an admin
        ask=_json(username="brock", password=PASSWORD),
    ),
    Row(
        f"POST {_V1}/auth/login",
        Who.ANYBODY,
        200,
        ask=lambda _: {"data": {"username": "admin", "password": PASSWORD}},
    ),
    Row(
        f"POST {_V1}/auth/refresh", Who.ANYBODY, 401, ask=lambda _: {"json": {"refresh_token": "x"}}
    ),
    Row(f"POST {_V1}/auth/logout", Who.PERSON, 204),
    Row(f"GET {_V1}/users/me", Who.KNOWN, 200),
    Row(
        f"PUT {_V1}/users/me/password",
        Who.PERSON,
        204,
        ask=_json(old_password=PASSWORD, new_password=f"another {PASSWORD}"),
    ),
    Row(f"GET {_V1}/users/me/api-keys", Who.KNOWN, 200),
    Row(f"POST {_V1}/users/me/api-keys", Who.PERSON, 201, ask=_json(name="phone")),
    Row(
        f"DELETE {_V1}/users/me/api-keys/{{key_id}}",
        Who.PERSON,
        204,
        f"{_V1}/users/me/api-keys/{{key}}",
        other=404,
        admin=404,
    ),
    Row(f"GET {_V1}/games", Who.KNOWN, 200),
    Row(f"GET {_V1}/sets", Who.KNOWN, 200),
    Row(f"GET {_V1}/sets/{{set_id}}", Who.KNOWN, 200, f"{_V1}/sets/{{set}}"),
    Row(f"GET {_V1}/sets/{{set_id}}/cards", Who.KNOWN, 200, f"{_V1}/sets/{{set}}/cards"),
    Row(f"GET {_V1}/cards", Who.KNOWN, 200),
    Row(f"GET {_V1}/cards/{{card_id}}", Who.KNOWN, 200, f"{_V1}/cards/{{card}}"),
    Row(f"GET {_V1}/search", Who.KNOWN, 200, f"{_V1}/search?q=x"),
    Row(f"GET {_V1}/search/suggestions", Who.KNOWN, 200, f"{_V1}/search/suggestions?q=x"),
    Row(f"POST {_V1}/search/all", Who.KNOWN, 200, ask=_json(query="charizard")),
    Row(
        f"POST {_V1}/search/import",
        Who.ADMIN,
        200,
        ask=lambda ids: {"json": {"source": "pricecharting", "external_id": ids.found}},
    ),
    Row(
        f"POST {_V1}/search/{{source}}",
        Who.KNOWN,
        200,
        f"{_V1}/search/ebay",
        ask=_json(query="charizard"),
    ),
    Row(f"GET {_V1}/prices/card/{{card_id}}", Who.KNOWN, 200, f"{_V1}/prices/card/{{card}}"),
    Row(f"GET {_V1}/prices/compare/{{card_id}}", Who.KNOWN, 200, f"{_V1}/prices/compare/{{card}}"),
    Row(
        f"GET {_V1}/prices/compare",
        Who.KNOWN,
        200,
        f"{_V1}/prices/compare?left=justtcg&right=pricecharting&game=pokemon",
    ),
    Row(
        f"GET {_V1}/prices/consensus/{{card_id}}",
        Who.KNOWN,
        200,
        f"{_V1}/prices/consensus/{{card}}",
    ),
    Row(f"GET {_V1}/prices/trends", Who.KNOWN, 200, f"{_V1}/prices/trends?game=pokemon"),
    Row(f"POST {_V1}/prices/update/{{card_id}}", Who.KNOWN, 200, f"{_V1}/prices/update/{{card}}"),
    Row(
        f"POST {_V1}/prices/update/bulk",
        Who.KNOWN,
        202,
        ask=lambda ids: {"json": {"card_ids": [ids.card]}},
    ),
    Row(
        f"POST {_V1}/prices/",
        Who.KNOWN,
        201,
        ask=lambda ids: {"json": {"card_id": ids.card, "price": "9.99", "currency": "USD"}},
    ),
    Row(f"GET {_V1}/prices/", Who.KNOWN, 200),
    Row(
        f"DELETE {_V1}/prices/{{price_id}}",
        Who.KNOWN,
        204,
        f"{_V1}/prices/{{own_price}}",
        other=404,
        admin=404,
    ),
    Row(f"GET {_V1}/jobs", Who.KNOWN, 200),
    Row(f"GET {_V1}/jobs/{{job_id}}", Who.KNOWN, 200, f"{_V1}/jobs/{{job}}"),
    Row(f"GET {_V1}/jobs/{{job_id}}/events", Who.KNOWN, 200, f"{_V1}/jobs/{{job}}/events"),
    Row(f"POST {_V1}/jobs/{{job_id}}/retry", Who.ADMIN, 202, f"{_V1}/jobs/{{dead_job}}/retry"),
    Row(f"GET {_ADMIN}/sources", Who.ADMIN, 200),
    Row(f"POST {_SOURCE}/enable", Who.ADMIN, 200, f"{_ADMIN}/sources/tcgcsv/enable"),
    Row(f"POST {_SOURCE}/disable", Who.ADMIN, 200, f"{_ADMIN}/sources/tcgcsv/disable"),
    Row(f"POST {_SOURCE}/resume", Who.ADMIN, 200, f"{_ADMIN}/sources/tcgcsv/resume"),
    Row(
        f"POST {_SOURCE}/purge",
        Who.ADMIN,
        202,
        f"{_ADMIN}/sources/tcgcsv/purge",
        ask=_json(confirm="tcgcsv"),
    ),
    Row(f"GET {_ADMIN}/quarantine", Who.ADMIN, 200),
    Row(f"GET {_ADMIN}/dead-letters", Who.ADMIN, 200),
    Row(
        f"POST {_ADMIN}/dead-letters/{{job_id}}/retry",
        Who.ADMIN,
        202,
        f"{_ADMIN}/dead-letters/{{dead_letter}}/retry",
    ),
    Row(f"GET {_ADMIN}/holds", Who.ADMIN, 200),
    Row(
        f"POST {_ADMIN}/holds/{{hold_id}}/release",
        Who.ADMIN,
        204,
        f"{_ADMIN}/holds/{{hold}}/release",
    ),
    Row(
        f"POST {_ADMIN}/holds/{{hold_id}}/reject",
        Who.ADMIN,
        204,
        f"{_ADMIN}/holds/{{rejected_hold}}/reject",
    ),
    Row(f"GET {_ADMIN}/audit", Who.ADMIN, 200),
    Row(f"GET {_ADMIN}/flags", Who.ADMIN, 200),
    Row(
        f"PUT {_ADMIN}/flags",
        Who.ADMIN,
        200,
        ask=_json(flags={"pricing.primary_source": None}),
    ),
    Row(f"GET {_LINKS}", Who.ADMIN, 200),
    Row(f"GET {_LINK}", Who.ADMIN, 200, f"{_LINKS}/{{link}}"),
    Row(f"POST {_LINK}/accept", Who.ADMIN, 200, f"{_LINKS}/{{link}}/accept", ask=_json()),
    Row(f"POST {_LINK}/reject", Who.ADMIN, 200, f"{_LINKS}/{{link}}/reject", ask=_json()),
    Row(f"POST {_LINK}/skip", Who.ADMIN, 200, f"{_LINKS}/{{link}}/skip", ask=_json()),
    Row(f"POST {_LINK}/undo", Who.ADMIN, 409, f"{_LINKS}/{{link}}/undo"),  # nothing was decided
    Row(f"POST {_LINKS}/bulk-accept", Who.ADMIN, 200, ask=_json()),
    Row(
        f"POST {_LINKS}/bulk-undo",
        Who.ADMIN,
        404,  # of a batch that was never done
        ask=_json(batch="01890a5d-ac96-774b-bcce-b302099a8057"),
    ),
)
