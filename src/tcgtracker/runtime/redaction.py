"""Takes secrets out of texts that a person or a log may see."""

import json
import re
from collections.abc import Collection
from urllib.parse import quote, quote_plus

MASK = "***"

MIN_LENGTH = 4
"""Shorter texts are no secrets, and masking them would eat every other word."""

_PATTERNS = (
    # a query parameter or form field, by the names under which our vendors take keys
    re.compile(
        r"((?:(?:[?&]|%26|%3f)(?:t|key|token)"
        r"|\b(?:api_?key|access_token|refresh_token|client_secret))(?:=|%3d))[^&\s\"'<>#]+",
        re.IGNORECASE,
    ),
    # a header as `Name: value`, in the repr of a dict or of a list, or in JSON
    re.compile(
        r"(\b(?:authorization|x-api-key)[\\\"']*\s*[:=,]\s*(?:b(?=[\\\"']))?[\\\"']*"
        r"(?:(?:bearer|basic|token)\s+)?)[^\s\"'\\,;)}\]]+",
        re.IGNORECASE,
    ),
    re.compile(r"(\bbearer\s+)[A-Za-z0-9._~+/=^#-]{16,}", re.IGNORECASE),
)


class Redactor:
    """Masks known secrets, also as URL, JSON or repr write them, and what stands where keys do."""

    def __init__(self, secrets: Collection[str] = ()) -> None:
        forms = {form for secret in secrets if len(secret) >= MIN_LENGTH for form in _forms(secret)}
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        self._known = (
            re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE) if forms else None
        )

    def text(self, text: str) -> str:
        """Return the text with every secret replaced by `***`."""
        if self._known is not None:
            text = self._known.sub(MASK, text)
        for pattern in _PATTERNS:
            text = pattern.sub(rf"\1{MASK}", text)
        return text


def one_line(text: str) -> str:
    """Return the text with control characters escaped, so that it cannot forge a line of a log."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


def _forms(secret: str) -> set[str]:
    """Return how the secret looks after one or two of the usual ways to write a text."""
    once = _written(secret)
    return once.union(*map(_written, once))


def _written(text: str) -> set[str]:
    in_repr = repr(text)[1:-1]
    return {
        text,
        quote(text, errors="surrogatepass"),
        quote(text, safe="", errors="surrogatepass"),
        quote_plus(text, errors="surrogatepass"),
        json.dumps(text)[1:-1],
        json.dumps(text, ensure_ascii=False)[1:-1],
        in_repr,
        in_repr.replace("'", "\\'"),  # which quotes repr takes depends on the text around
        repr(text.encode("utf-8", "surrogatepass"))[2:-1],
        one_line(text),
    }
