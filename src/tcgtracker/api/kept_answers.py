"""Answers over a whole game, kept for some minutes; never told through a link that is gone.

What people and rules decide about links holds at once, and so does a purge, in whichever process:
so each look at a kept answer asks whether what its prices came through still stands. The prices
themselves are those of `as_of`.
"""

from collections.abc import Callable

import msgspec
from fastapi import Response
from pydantic import BaseModel

from tcgtracker.runtime.ports import Cache

KEPT_S = 600
Through = list[tuple[int, int, str]]
"""What a price came through, as whoever checks it wrote it."""


class _Kept(msgspec.Struct):
    through: Through
    body: bytes


def kept_or_made(
    cache: Cache,
    key: str,
    *,
    stands: Callable[[Through], bool],
    make: Callable[[], tuple[BaseModel, Through]],
) -> BaseModel | Response:
    """Return the answer that is kept under a key, or make and keep it."""
    kept = _read(cache.get(key))
    if kept is not None and stands(kept.through):
        return Response(kept.body, media_type="application/json")
    answer, through = make()
    made = _Kept(through, answer.model_dump_json().encode())
    cache.set(key, msgspec.msgpack.encode(made), ttl_s=KEPT_S)
    return answer


def _read(raw: bytes | None) -> _Kept | None:
    """Return what was kept, None for nothing and for what another version of the program wrote."""
    if raw is None:
        return None
    try:
        return msgspec.msgpack.decode(raw, type=_Kept)
    except msgspec.MsgspecError:
        return None
