"""What the guards of a request agree on: which paths are open, and from where it comes."""

from starlette.types import Scope

OPEN_PATHS = frozenset({"/api/v1/auth/register", "/api/v1/auth/login", "/api/v1/auth/refresh"})
"""What may be asked by nobody."""
SIGN_IN_PAGES = frozenset({"/sign-in", "/sign-in/link", "/register"})
"""Of the pages: what is posted there is a try to come in."""
STATIC_FILES = "/static/"


def address_in(scope: Scope) -> str:
    """Return the address that the connection comes from, '' when it has none."""
    client = scope.get("client")
    return client[0] if client else ""
