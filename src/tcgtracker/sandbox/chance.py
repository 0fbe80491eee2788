"""Chance that is the same on every machine and in every process: for made-up data, not secrets."""

from functools import lru_cache
from hashlib import blake2b
from random import Random

_MASK = (1 << 64) - 1
_TOP = float(1 << 64)


def dice(*parts: object) -> Random:
    """Return a generator that depends on the parts alone."""
    return Random(_joined(parts))  # noqa: S311 - repeatable on purpose


@lru_cache(maxsize=65_536)
def key_of(*parts: object) -> int:
    """Return 64 bits that stand for the parts."""
    return int.from_bytes(blake2b(_joined(parts).encode(), digest_size=8).digest(), "big")


def share(key: int, index: int) -> float:
    """Return an even draw from 0 to 1 for a place in the stream of a key, without state.

    The mixing is that of splitmix64: well spread, and far cheaper than a hash of text.
    """
    word = (key + index * 0x9E3779B97F4A7C15) & _MASK
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & _MASK
    return (word ^ (word >> 31)) / _TOP


def _joined(parts: tuple[object, ...]) -> str:
    return "\x1f".join(str(part) for part in parts)
