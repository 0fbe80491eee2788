"""Recognising credentials again without keeping them."""

import hashlib
import hmac
import secrets

_SALT_BYTES = 16


def digest(secret: str) -> str:
    """Return a digest under a new key, as `key$digest`, by which the secret is recognised."""
    return _digest(secrets.token_hex(_SALT_BYTES), secret)


def matches(kept: str, secret: str) -> bool:
    """Tell whether a kept digest is of this secret."""
    return hmac.compare_digest(kept, _digest(kept.partition("$")[0], secret))


def _digest(key: str, secret: str) -> str:
    found = hmac.new(key.encode(), secret.encode("utf-8", "surrogatepass"), hashlib.sha256)
    return f"{key}${found.hexdigest()}"
