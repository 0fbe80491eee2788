"""What the guards of a request agree on: which paths are open, and where they keep who asks."""

from starlette.types import Scope

ACCOUNT = "tcgtracker.account"
"""Of the scope: the account, once it is known."""
OPEN_PATHS = frozenset({"/api/v1/auth/register", "/api/v1/auth/login", "/api/v1/auth/refresh"})
"""What may be asked by nobody."""


def address_in(scope: Scope) -> str:
    """Return the address that the connection comes from, '' when it has none."""
    client = scope.get("client")
    return client[0] if client else ""
