"""What is asked of a price history; read by hand where it is plain, to save time."""

import re
from dataclasses import dataclass

from tcgtracker.analytics.windows import MAX_DAYS
from tcgtracker.api.parameters import MAX_ID, Shape, Wording
from tcgtracker.domain.source import Source

DAYS = 30
_PLAIN = re.compile(r"[A-Za-z0-9_.=&-]*")
_NUMBER = re.compile(r"[1-9][0-9]{0,9}")
_MAX_TEXT = 200
_SOURCES = {source.value: source for source in Source}
_SHAPES = {shape.value: shape for shape in Shape}
_WORDINGS = {wording.value: wording for wording in Wording}
_OURS = frozenset({"days", "source", "printing", "condition", "grade", "shape"})


@dataclass(frozen=True, slots=True)
class HistoryWish:
    """Checked parameters; `grade` as `psa-10`."""

    card_id: int
    days: int = DAYS
    source: Source | None = None
    printing: str | None = None
    condition: Wording | None = None
    grade: str | None = None
    shape: Shape = Shape.POINTS


def plain_wish(card_id: str, query: bytes) -> HistoryWish | None:
    """Return what is asked, None where anything is odd: then FastAPI reads it, and says what."""
    text = query.decode("latin-1")
    if not (_PLAIN.fullmatch(text) and _NUMBER.fullmatch(card_id)) or int(card_id) > MAX_ID:
        return None
    given: dict[str, str] = {}
    for pair in text.split("&") if text else ():
        name, _, value = pair.partition("=")
        if name not in _OURS or name in given or not value:
            return None
        given[name] = value
    days, printing = given.get("days", str(DAYS)), given.get("printing")
    try:
        if (
            "grade" in given
            or not _NUMBER.fullmatch(days)
            or int(days) > MAX_DAYS
            or len(printing or "") > _MAX_TEXT
        ):
            return None
        return HistoryWish(
            card_id=int(card_id),
            days=int(days),
            source=_SOURCES[given["source"]] if "source" in given else None,
            printing=printing,
            condition=_WORDINGS[given["condition"]] if "condition" in given else None,
            shape=_SHAPES[given["shape"]] if "shape" in given else Shape.POINTS,
        )
    except KeyError:
        return None
