"""What the demonstration stands on instead of the user's own settings and limits."""

import asyncio
from collections.abc import Mapping
from itertools import count

from pydantic_core import PydanticUndefined

from tcgtracker.config import GROUPS
from tcgtracker.runtime.adapters import Adapters
from tcgtracker.runtime.memory_cache import MemoryCache
from tcgtracker.runtime.memory_limiter import MemoryRateLimiter
from tcgtracker.runtime.places import Pace


def closed_environment(values: Mapping[str, str]) -> dict[str, str]:
    """Return every setting as an environment variable: the given values, defaults for all others.

    The environment wins over `.env`, so that with these no key of the user's own is used and no
    vendor but the sandbox can be asked.
    """
    whole: dict[str, str] = {}
    for group in GROUPS:
        prefix = str(group.model_config.get("env_prefix", ""))
        for name, field in group.model_fields.items():
            if field.default is not PydanticUndefined:
                default = field.default
                secret = getattr(default, "get_secret_value", None)
                whole[f"{prefix}{name}".upper()] = str(secret() if secret else default)
    return whole | dict(values)


def unhurried(_redis_url: str, paces: Mapping[str, Pace]) -> Adapters:
    """Return adapters whose rate limits hold, in a time that passes while a caller waits."""
    moments = count()

    async def wait(_seconds: float) -> None:
        await asyncio.sleep(0)

    return Adapters(
        MemoryRateLimiter(paces, monotonic=lambda: next(moments) * 60.0, sleep=wait), MemoryCache()
    )
