"""Decoded JSON -> the typed payloads of a vendor."""

from typing import Any, TypeVar

import msgspec

Shape = TypeVar("Shape")


class BadShape(Exception):
    """The answer is not what the vendor documents; the text says where, and quotes nothing."""


def read_shape(decoded: Any, shape: type[Shape]) -> Shape:  # noqa: ANN401 - decoded JSON
    """Return decoded JSON as what it should be.

    Raises:
        BadShape: it is not.
    """
    try:
        return msgspec.convert(decoded, shape)
    except msgspec.ValidationError as exc:
        reason = str(exc)
    except UnicodeEncodeError:  # a key with half of a surrogate pair, which JSON can write
        reason = "a name that is no valid Unicode"
    except RecursionError:
        reason = "nested too deep"
    raise BadShape(reason)  # outside of `except`: that error carries the answer with it
