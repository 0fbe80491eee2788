"""Requests as the tests of the vendors write them, and answers read back."""

import json
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tcgtracker.sandbox.wire import Request, Response


def get(url: str, **headers: str) -> Request:
    """Return a GET; header names are written with `_` for `-`."""
    return _request("GET", url, b"", headers)


def post(url: str, form: dict[str, str], **headers: str) -> Request:
    """Return a POST of a form."""
    kind = {"content_type": "application/x-www-form-urlencoded"}
    return _request("POST", url, urlencode(form).encode(), kind | headers)


def tree(response: Response) -> Any:
    """Return a JSON body."""
    assert response.headers["Content-Type"].startswith("application/json")
    return json.loads(response.body)


def _request(method: str, url: str, body: bytes, headers: dict[str, str]) -> Request:
    parts = urlsplit(url)
    query = {name: tuple(values) for name, values in parse_qs(parts.query).items()}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(method, parts.path, query, named, body)
