"""What a file of pairs must reach at least, and which of its labels are shown to be wrong."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from tcgtracker.catalog.matching.evaluation import Figures
from tcgtracker.domain.errors import InvalidInput

MOST_WRONG = 0.01
"""Part of a file's pairs that may be left out as wrongly labelled."""


class Floor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The least figures of one kind of pairs, each 0 to 1, and the fewest pairs it must have."""

    precision: float
    recall: float
    pairs: int = 0


class Demand(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked of one file. wrong_labels: the names of pairs, each with the reason."""

    floors: dict[str, Floor]
    wrong_labels: dict[str, str] = {}


def read_demand(path: Path, name: str) -> Demand:
    """Read what a file of floors asks of the file of that name; nothing when it is not in it.

    Raises:
        InvalidInput: it cannot be read or has another form.
    """
    try:
        demands = msgspec.json.decode(path.read_bytes(), type=dict[str, Demand])
    except OSError as exc:
        raise InvalidInput(f"{path.name} cannot be read: {exc.strerror or exc}") from exc
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise InvalidInput(f"{path.name} is no file of floors: {exc}") from exc
    return demands.get(name, Demand({}))


def shortfalls(figures: Mapping[str, Figures], demand: Demand) -> list[str]:
    """Return in words what is not reached."""
    found = []
    for kind, floor in demand.floors.items():
        got = figures.get(kind, Figures())
        for what, least, value in (
            ("pairs", floor.pairs, got.pairs),
            ("precision", floor.precision, got.precision),
            ("recall", floor.recall, got.recall),
        ):
            if value < least:
                found.append(f"{kind}: {what} {value:.4g} is below {least:.4g}")
    every = sum(one.pairs + one.absent + one.disputed for one in figures.values())
    if len(demand.wrong_labels) > MOST_WRONG * every:
        found.append(f"{len(demand.wrong_labels)} labels are called wrong, of {every} pairs")
    return found
