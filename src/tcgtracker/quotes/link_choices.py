"""What reviewers of links choose, and what became of it."""

from dataclasses import dataclass, field
from uuid import UUID

from tcgtracker.domain.catalog import LinkState
from tcgtracker.quotes.link_views import LinkView

MAX_NOTE = 500


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Who decides."""

    name: str
    user_id: UUID | None = None
    address: str = ""


@dataclass(frozen=True, slots=True)
class LinkPage:
    """A part of the queue, and how many links are in each state in all."""

    links: tuple[LinkView, ...]
    next_cursor: str | None
    counts: dict[LinkState, int]


@dataclass(frozen=True, slots=True)
class Choice:
    """What a reviewer chooses. Empty: the card of the link, the printing that is proposed.

    version: of the view that was looked at; '' decides on whatever the link is now.
    """

    card_id: int | None = None
    printing: str = ""
    new_printing: bool = False
    note: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of an act: its batch for an undo, the links it changed, the link itself."""

    batch: UUID
    changed: int
    cards: tuple[int, ...]
    link: LinkView


@dataclass(slots=True)
class BulkDecided:
    """What a bulk acceptance did, or would do.

    matched: links that the rule names. unproposed: nothing tells their printing. conflicts: in
    words, why others were left.
    """

    matched: int = 0
    accepted: int = 0
    unproposed: int = 0
    refused: int = 0
    conflicts: list[str] = field(default_factory=list)
    examples: list[str] = field(default_factory=list)
    batch: UUID | None = None
