"""Which prices or links of two sources do not fit each other, with the evidence: pure.

A pair that departs from what is usual says that something is wrong, not what. A third source tells
the side; an earlier moment tells the kind: a price that jumped, or a product that was never this.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tcgtracker.analytics.ratios import Usual, Usuals, change, log_ratio
from tcgtracker.domain.source import Source


class Suspect(StrEnum):
    """What seems to be wrong with a side."""

    LINK = "link"
    PRICE = "price"
    EITHER = "link or price"


class Side(StrEnum):
    """Which side of a pair; both when nothing tells."""

    LEFT = "left"
    RIGHT = "right"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class PricePair:
    """Two prices of one thing in minor units of one currency, and what is known beside them.

    before: the same two at an earlier moment. others: what other sources say of it now.
    """

    left: int
    right: int
    before: tuple[int, int] | None = None
    others: Mapping[Source, int] | None = None


@dataclass(frozen=True, slots=True)
class Departure:
    """A pair that departs: how far (a factor, 1 or more), what is suspect, and why."""

    factor: float
    usual: Usual
    suspect: Suspect
    side: Side
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What was learned: the usual ratios of the pair, and of each other source to either side.

    changes: how far the ratio of a pair usually moves between the earlier moment and now. to_left,
    to_right: how right-hand prices of the side relate to the other source's on the left.
    """

    left: Source
    right: Source
    usuals: Usuals
    changes: Usuals
    to_left: Mapping[Source, Usuals]
    to_right: Mapping[Source, Usuals]


def judge(pair: PricePair, known: Knowledge) -> Departure | None:
    """Return how a pair departs from what is usual, None when it does not or nobody knows.

    Also a pair within what is usual departs when its own ratio jumped away from it.
    """
    usual = known.usuals.of(pair.left, pair.right)
    if usual is None:
        return None
    distance = log_ratio(pair.left, pair.right) - usual.center
    jumped = _jumped(pair, known, distance)
    if abs(distance) <= usual.limit and not jumped:
        return None
    side, said = _side(pair, known)
    suspect, earlier = _kind(pair, known, distance, jumped=bool(jumped))
    if suspect is Suspect.PRICE and pair.before:
        mover, moved = _moved(pair, pair.before, known)
        side = mover if side is Side.BOTH else side
        earlier = [*earlier, moved]
    ratio = math.exp(log_ratio(pair.left, pair.right))
    found = (
        f"{known.right} is {ratio:.3g} x {known.left}, usual {usual.ratio:.3g} x"
        f" (spread {100 * usual.spread_factor:.0f} %, {usual.pairs} pairs)"
    )
    factor = math.exp(max(abs(distance), abs(jumped)))
    return Departure(factor, usual, suspect, side, (found, *said, *earlier))


def _jumped(pair: PricePair, known: Knowledge, distance: float) -> float:
    """Return how far the ratio jumped away from what is usual, 0 when it did not."""
    if pair.before is None:
        return 0.0
    usual = known.changes.of(pair.left, pair.right)
    then = known.usuals.distance(*pair.before)
    if usual is None or then is None or abs(then) >= abs(distance):
        return 0.0
    moved = change(pair.before, (pair.left, pair.right)) - usual.center
    return moved if abs(moved) > usual.limit else 0.0


def _side(pair: PricePair, known: Knowledge) -> tuple[Side, list[str]]:
    """Return the side that other sources contradict while they agree with the other one."""
    votes, said = {Side.LEFT: 0, Side.RIGHT: 0}, []
    for source, price in sorted((pair.others or {}).items()):
        left = _agrees(known.to_left.get(source), price, pair.left)
        right = _agrees(known.to_right.get(source), price, pair.right)
        if left is None or right is None or left == right:
            continue
        votes[Side.RIGHT if left else Side.LEFT] += 1
        said.append(f"{source} agrees with {known.left if left else known.right}")
    if votes[Side.LEFT] == votes[Side.RIGHT]:
        return Side.BOTH, said
    return max(votes, key=lambda side: votes[side]), said


def _agrees(usuals: Usuals | None, price: int, side: int) -> bool | None:
    if usuals is None or usuals.of(price, side) is None:
        return None
    return not usuals.departs(price, side)


def _kind(
    pair: PricePair, known: Knowledge, distance: float, *, jumped: bool
) -> tuple[Suspect, list[str]]:
    if pair.before is None:
        return Suspect.EITHER, ["no earlier moment to compare with"]
    then = known.usuals.distance(*pair.before)
    if then is None:
        return Suspect.EITHER, []
    ratio = math.exp(log_ratio(*pair.before))
    if jumped or not known.usuals.departs(*pair.before):
        return Suspect.PRICE, [f"before it was {ratio:.3g} x"]
    if (then > 0) == (distance > 0):
        return Suspect.LINK, [f"before it was {ratio:.3g} x already"]
    return Suspect.EITHER, [f"before it was {ratio:.3g} x, off to the other side"]


def _moved(pair: PricePair, before: Sequence[int], known: Knowledge) -> tuple[Side, str]:
    left, right = log_ratio(before[0], pair.left), log_ratio(before[1], pair.right)
    if abs(left) > abs(right):
        return Side.LEFT, f"{known.left} moved by {math.exp(left):.3g} x since"
    return Side.RIGHT, f"{known.right} moved by {math.exp(right):.3g} x since"
