"""The cards of the demonstration that are worth a look first."""

from dataclasses import dataclass

from tcgtracker.demo import troubles
from tcgtracker.demo.place import Demo
from tcgtracker.sandbox.traps import Trap


@dataclass(frozen=True, slots=True)
class Sight:
    """A card with what it shows."""

    card_id: int
    name: str
    what: str


def sights(demo: Demo) -> list[Sight]:
    """Return the cards, the one with the most to see first."""
    wanted = {
        "three sources, a ladder of grades, a price held back": troubles.card_of(
            demo, troubles.SWOLLEN
        ),
        "a price that could not be read": troubles.card_of(demo, troubles.NEGATIVE),
        "a link in doubt": troubles.card_of(demo, troubles.RENAMED),
        "gone from TCGplayer": demo.world.trapped(Trap.VANISHES)[0],
        "an old price": demo.world.trapped(Trap.ONLY_JUSTTCG)[0],
    }
    found = {what: troubles.our_card(demo, card) for what, card in wanted.items()}
    return [Sight(one.id, one.name, what) for what, one in found.items()]
