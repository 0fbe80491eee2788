"""Whose cards are to be taken in: of sets never taken in completely, changed, or seen long ago."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, or_, select

from tcgtracker.catalog.importer import ECHOES
from tcgtracker.database.dialects.base import DatabaseDialect
from tcgtracker.database.tables.catalog import games, set_aliases, tcg_sets
from tcgtracker.database.tables.sources import sync_marks
from tcgtracker.integrations.catalog_records import SetRecord
from tcgtracker.integrations.contract import Capability, VendorInfo
from tcgtracker.quotes.sync_marks import SyncMark, save_mark

REPEAT = timedelta(days=30)
"""After which the cards of a set are looked at again."""
_CODES = {"tcgcsv": "tcgplayer"}
"""Vendors whose sets have another catalog's codes."""
_CARDS, _STATED = "cards", "set"


@dataclass(frozen=True, slots=True)
class SetPart:
    """The cards of a set at one vendor, under its code there."""

    info: VendorInfo
    code: str


@dataclass(frozen=True, slots=True)
class SetRow:
    """A set with all its codes."""

    set_id: int
    game: str
    name: str
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DueSet:
    """A set, and at which vendors its cards are due, the cheapest first."""

    known: SetRow
    parts: tuple[SetPart, ...]


def parts_of(known: SetRow, infos: Sequence[VendorInfo]) -> list[SetPart]:
    """Return where the set's cards can be asked for, vendors with whole files first.

    Vendors that only repeat another catalog's cards come last: their quota is small.
    """
    ordered = sorted(
        infos,
        key=lambda one: (one.vendor in ECHOES, Capability.BULK not in one.capabilities, one.vendor),
    )
    return [
        SetPart(info, code)
        for info in ordered
        for code in known.codes
        if code.startswith(_CODES.get(info.vendor, info.vendor) + ":") and known.game in info.games
    ]


def load_due_sets(
    connection: Connection,
    infos: Sequence[VendorInfo],
    *,
    now: datetime,
    game: str | None = None,
    set_id: int | None = None,
) -> list[DueSet]:
    """Return the sets whose cards are due, the newest release first.

    A set is due at a vendor when its cards were never taken in completely, more than 30 days ago,
    or when the vendor states another number of cards since. A code is asked for at one vendor. One
    that repeats another catalog is asked only for sets that nobody else names.
    """
    marks = _load_marks(connection)
    found = []
    for known in load_sets(connection, game=game, set_id=set_id):
        parts = parts_of(known, infos)
        first = [part for part in parts if part.info.vendor not in ECHOES]
        if first or _taken_in(known, marks):
            parts = first
        seen = {part.code for part in parts if _is_fresh(known, part, marks, now)}
        due = tuple(part for part in parts if part.code not in seen)
        if due:
            found.append(DueSet(known, due))
    return found


def load_sets(
    connection: Connection, *, game: str | None = None, set_id: int | None = None
) -> list[SetRow]:
    """Return sets with their codes, the newest release first; those without a date last."""
    statement = (
        select(tcg_sets.c.id, games.c.slug, tcg_sets.c.name, tcg_sets.c.code)
        .join(games, games.c.id == tcg_sets.c.game_id)
        .order_by(tcg_sets.c.release_date.desc().nulls_last(), tcg_sets.c.id)
    )
    others = select(set_aliases.c.set_id, set_aliases.c.alias).order_by(set_aliases.c.alias)
    if game is not None:
        statement = statement.where(games.c.slug == game)
    if set_id is not None:
        statement = statement.where(tcg_sets.c.id == set_id)
        others = others.where(set_aliases.c.set_id == set_id)
    aliases: dict[int, list[str]] = {}
    for identifier, alias in connection.execute(others):
        aliases.setdefault(identifier, []).append(alias)
    return [
        SetRow(
            row.id,
            row.slug,
            row.name,
            (row.code, *(one for one in aliases.get(row.id, ()) if one != row.code)),
        )
        for row in connection.execute(statement)
    ]


def save_stated_counts(
    connection: Connection,
    dialect: DatabaseDialect,
    vendor: str,
    records: Sequence[SetRecord],
    *,
    now: datetime,
) -> None:
    """Write down how many cards a vendor says its sets have."""
    for record in sorted(records, key=lambda one: one.code):
        if record.total_cards is not None:
            subject = f"{_STATED}:{record.game.slug}:{record.code}"
            save_mark(connection, dialect, vendor, subject, str(record.total_cards), now=now)


def save_taken_in(
    connection: Connection, dialect: DatabaseDialect, game: str, part: SetPart, *, now: datetime
) -> None:
    """Write down that a vendor's cards of a set were taken in completely."""
    count = connection.execute(
        select(sync_marks.c.mark).where(
            sync_marks.c.service == part.info.vendor,
            sync_marks.c.subject == f"{_STATED}:{game}:{part.code}",
        )
    ).scalar()
    subject = f"{_CARDS}:{game}:{part.code}"
    save_mark(connection, dialect, part.info.vendor, subject, count or "", now=now)


_Marks = dict[str, dict[str, SyncMark]]
"""By subject and vendor."""


def _load_marks(connection: Connection) -> _Marks:
    marks: _Marks = {}
    subject = sync_marks.c.subject
    for row in connection.execute(
        select(sync_marks).where(
            or_(subject.startswith(f"{_CARDS}:"), subject.startswith(f"{_STATED}:"))
        )
    ):
        marks.setdefault(row.subject, {})[row.service] = SyncMark(row.mark, row.marked_at)
    return marks


def _taken_in(known: SetRow, marks: _Marks) -> bool:
    """Tell whether a catalog that repeats no other one gave the set's cards completely."""
    return any(
        vendor not in ECHOES
        for code in known.codes
        for vendor in marks.get(f"{_CARDS}:{known.game}:{code}", ())
    )


def _is_fresh(known: SetRow, part: SetPart, marks: _Marks, now: datetime) -> bool:
    mark = marks.get(f"{_CARDS}:{known.game}:{part.code}", {}).get(part.info.vendor)
    if mark is None or now - mark.marked_at >= REPEAT:
        return False
    stated = marks.get(f"{_STATED}:{known.game}:{part.code}", {}).get(part.info.vendor)
    return not (stated and mark.mark and stated.mark != mark.mark)
