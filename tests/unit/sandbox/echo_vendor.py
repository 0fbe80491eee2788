"""A vendor that answers every path with the same small catalog, and says when it was asked."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from tcgtracker.domain.clock import to_epoch
from tcgtracker.sandbox.serving import Sandbox
from tcgtracker.sandbox.wire import Request, Response

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
CSV = "id,product-name,loose-price\r\n1,Pikachu #1,$12.50\r\n2,Mew #2,\r\n"


class EchoVendor:
    name = "echo"

    def handle(self, request: Request, now: datetime) -> Response:
        if request.path == "/crash":
            raise RuntimeError("a bug of the sandbox")
        if request.path == "/csv":
            return Response(200, CSV.encode(), {"Content-Type": "text/csv"})
        rows = [
            {"id": "1", "name": "Pikachu", "price": 12.5, "currency": "USD", "avgPrice": None},
            {"id": "2", "name": "Mew", "price": 7, "currency": "USD", "lastUpdated": to_epoch(now)},
        ]
        body = {
            "data": rows[int(request.arg("offset", "0")) :],
            "meta": {"total": 2, "hasMore": False},
            "expires_in": 3600,
            "path": request.path,
            "query": {name: list(values) for name, values in request.query.items()},
            "method": request.method,
            "sent": request.body.decode(),
            "at": (now - timedelta()).isoformat(),
        }
        return Response(200, json.dumps(body).encode(), {"Content-Type": "application/json"})


@contextmanager
def echo_sandbox(**options: object) -> Iterator[Sandbox]:
    sandbox = Sandbox([EchoVendor()], now=NOON, **options)  # type: ignore[arg-type]
    sandbox.start()
    try:
        yield sandbox
    finally:
        sandbox.stop()
