"""What a vendor says in an error, fit to be shown: short, printable, without our secrets."""

from collections.abc import Iterable

_SHOWN = 120


def quoted(text: object, secrets: Iterable[str] = ()) -> str:
    """Return a vendor's text in quotes, cut to 120 characters, control characters escaped."""
    shown = str(text)
    for secret in secrets:
        if secret:
            shown = shown.replace(secret, "***")
    return ascii(shown[:_SHOWN])
