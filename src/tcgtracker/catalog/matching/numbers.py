"""Collector numbers in one form: `TG12/TG30`, `025/165`, `OP05-119`, `SWSH050`, `G`, `%3F`."""

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

_PARTS = re.compile(r"(?P<prefix>.*?)(?P<digits>[0-9]+)(?P<suffix>[A-Za-z]?)")


@dataclass(frozen=True, slots=True)
class CardNumber:
    """A printed number in parts: `tg`, 12, `` of 30. Without digits all of it is the prefix."""

    prefix: str
    digits: int | None
    suffix: str = ""
    total: int | None = None

    @property
    def block(self) -> tuple[str, int | None, str]:
        """Return what two numbers of one card have in common."""
        return ("" if self.digits is not None else self.prefix, self.digits, self.suffix)


@lru_cache(maxsize=65_536)
def read_number(text: str) -> CardNumber | None:
    """Read a printed number, None when there is none."""
    said, _, of = unquote(text.strip().lstrip("#").strip()).partition("/")
    said = said.strip().casefold()
    if not said:
        return None
    found = _PARTS.fullmatch(said)
    total = _PARTS.fullmatch(of.strip())
    if not found:
        return CardNumber(said, None)
    return CardNumber(
        "".join(char for char in found["prefix"] if char.isalnum()),
        int(found["digits"]),
        found["suffix"],
        int(total["digits"]) if total else None,
    )
