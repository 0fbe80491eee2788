"""Candidates out of catalog files, each with the key that the file knows it by.

The keys stand beside the candidates, never in them: the matcher sees words alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tcgtracker.catalog.matching.values import Candidate, CandidateSet
from tcgtracker.integrations.catalog_files import open_catalog_file
from tcgtracker.integrations.catalog_records import SetRecord

_HOME = {"tcgdex:intl": "tcgdex", "onepiece:en": "punk-records"}
_AWAY = {"tcgdex:asia": "tcgdex", "onepiece:ja": "punk-records", "onepiece:und": "punk-records"}


@dataclass(frozen=True, slots=True)
class Candidates:
    """Candidates and, at the same places, which card of which catalog each is."""

    candidates: tuple[Candidate, ...]
    keys: tuple[tuple[str, str], ...]


def read_candidates(paths: Iterable[Path]) -> Candidates:
    """Read the sets and cards of catalog files.

    Raises:
        InvalidInput: a file cannot be read or is no catalog file.
    """
    files = [open_catalog_file(path) for path in paths]
    sets = {record.code: _set(record) for file in files for record in file.sets()}
    candidates = []
    keys = []
    for record in (record for file in files for record in file.cards()):
        ours = sets.setdefault(record.set.code, _set(record.set))
        candidates.append(
            Candidate(
                set=ours,
                number=record.collector_number,
                names=(record.name, *record.other_names),
                art=record.art,
                rarity=record.rarity,
            )
        )
        keys.append(public_key(record.key))
    return Candidates(tuple(candidates), tuple(keys))


def public_key(key: str) -> tuple[str, str]:
    """Return source and id of a card as other people's lists name them.

    `tcgdex:intl:base3-16` is (`tcgdex`, `base3-16`); an id of another edition, which may be the
    same, keeps the edition before it.
    """
    catalog, _, rest = key.partition(":")
    edition, _, identifier = rest.partition(":")
    place = f"{catalog}:{edition}"
    if place in _HOME:
        return _HOME[place], identifier.rpartition(":")[2]
    if place in _AWAY:
        return _AWAY[place], f"{edition}:{identifier.rpartition(':')[2]}"
    return catalog, rest


def _set(record: SetRecord) -> CandidateSet:
    return CandidateSet(
        game=record.game.slug,
        names=() if record.placeholder else (record.name, *record.other_names),
        region=record.region,
        codes=record.printed_codes,
        total=record.total_cards,
    )
