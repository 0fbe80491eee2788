"""What a check of `doctor` comes to."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How a check came out."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was looked at, what was found, what the operator does about it."""

    check: str
    level: Level
    detail: str
    mend: str = ""
