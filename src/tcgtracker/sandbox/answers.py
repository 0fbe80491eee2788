"""Bodies as the vendors write them."""

import json
from collections.abc import Mapping

from tcgtracker.sandbox.wire import Response


def json_answer(
    tree: object, status: int = 200, *, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a JSON body, with accents as they are and no blanks."""
    body = json.dumps(tree, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(status, body, {"Content-Type": "application/json", **(headers or {})})


def text_answer(text: str, content_type: str, status: int = 200) -> Response:
    """Return a body of another kind."""
    return Response(status, text.encode(), {"Content-Type": content_type})


def dollars(cents: int | None) -> float | None:
    """Return cents as the JSON number a vendor sends: the shortest, so 2 decimals at most."""
    return None if cents is None else cents / 100


def whole_number(text: str) -> int | None:
    """Return a plain decimal integer, None for anything else."""
    digits = text.removeprefix("-")
    plain = digits.isascii() and digits.isdigit() and len(digits) <= 18  # noqa: PLR2004 - 64 bits
    return int(text) if plain else None
