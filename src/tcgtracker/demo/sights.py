"""The cards of the demonstration that are worth a look first."""

from dataclasses import dataclass

from tcgtracker.demo import troubles
from tcgtracker.demo.history import BAD_DAY
from tcgtracker.demo.place import Demo
from tcgtracker.sandbox.traps import Trap

_UNREADABLE = "?source=tcgcsv&days=365"
"""The series that had it: the headline of that card is another source's."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A card with what it shows; `query` chooses the series and the days that show it."""

    card_id: int
    query: str
    name: str
    what: str


def sights(demo: Demo, days: int) -> list[Sight]:
    """Return the cards, the one with the most to see first.

    days: that the demonstration has lived through; what lies further back was never seen.
    """
    wanted = {
        "three sources, a ladder of grades, a price held back": (
            troubles.card_of(demo, troubles.SWOLLEN),
            "",
        ),
        "a price that could not be read (every change as a table)": (
            troubles.card_of(demo, troubles.NEGATIVE),
            _UNREADABLE,
        ),
        "a link in doubt": (troubles.card_of(demo, troubles.RENAMED), ""),
        "an old price": (demo.world.trapped(Trap.ONLY_JUSTTCG)[0], ""),
    }
    found = {what: (troubles.our_card(demo, card), query) for what, (card, query) in wanted.items()}
    return [
        Sight(one.id, query, one.name, what)
        for what, (one, query) in found.items()
        if query != _UNREADABLE or days > BAD_DAY
    ]
