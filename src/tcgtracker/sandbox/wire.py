"""One HTTP exchange, as the vendors of the sandbox see it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Request:
    """What came in. Header names are lower case; query values keep their order."""

    method: str
    path: str
    query: Mapping[str, tuple[str, ...]]
    headers: Mapping[str, str]
    body: bytes = b""

    def arg(self, name: str, default: str = "") -> str:
        """Return the first value of a query parameter."""
        return self.query.get(name, (default,))[0]


@dataclass(slots=True)
class Response:
    """What goes out; Content-Length and Date are added by the server."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class SandboxVendor(Protocol):
    """One vendor: a function of request and moment, with its own counters and no I/O.

    now: the sandbox's day clock (aware UTC), which the control port can set and let run.
    """

    name: str

    def handle(self, request: Request, now: datetime) -> Response: ...


@runtime_checkable
class TunableVendor(SandboxVendor, Protocol):
    """A vendor with options (plan, header form, pacing ...) that the control port can change."""

    def options(self) -> dict[str, object]:
        """Return the options with their present values."""
        ...

    def tune(self, options: Mapping[str, object]) -> None:
        """Change options.

        Raises:
            ValueError: an option does not exist or its value cannot be used; nothing was changed.
        """
        ...

    def reset(self) -> None:
        """Forget what was counted; options stay."""
        ...
