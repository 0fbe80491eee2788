"""Import of catalog files: sets first, then cards, then the links of the ids they name."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from sqlalchemy.exc import IntegrityError

from tcgtracker.catalog.importer import CatalogImporter, ImportCounts
from tcgtracker.catalog.links import LinkReport, link_ids
from tcgtracker.catalog.state import load_state
from tcgtracker.catalog.writer import BatchWriter
from tcgtracker.database.engine import Database
from tcgtracker.domain.clock import Clock
from tcgtracker.domain.errors import Conflict, InvalidInput
from tcgtracker.integrations.catalog_files import (
    SET_KINDS,
    CatalogFile,
    FileKind,
    open_catalog_file,
)
from tcgtracker.integrations.catalog_records import CardRecord, RowCounts, SetRecord

BATCH = 2_000
"""Records of one transaction: about 0.1 s of a SQLite writer."""

OnProgress = Callable[[str, int, int], None]
"""Is told the step (`cards`, `links`), how much of it is done, and how much there is."""

# Card lists make the cards that a product file then joins: fewer cards to merge.
_ORDER = (FileKind.TCGDEX_CARDS, FileKind.ONEPIECE_CARDS, FileKind.PRODUCTS)


@dataclass(slots=True)
class FileReport:
    """What was in one file; rows are those of the file, bad ones are counted by reason."""

    name: str
    kind: FileKind
    rows: RowCounts


@dataclass(slots=True)
class CatalogReport:
    """What an import read, wrote and tied."""

    files: list[FileReport] = field(default_factory=list)
    counts: ImportCounts = field(default_factory=ImportCounts)
    links: LinkReport = field(default_factory=LinkReport)
    grown_cards: set[int] = field(default_factory=set)

    @property
    def changed_cards(self) -> set[int]:
        """Cards whose links changed: their quotes are to be made anew."""
        return self.links.cards | self.grown_cards

    @property
    def bad_rows(self) -> int:
        return sum(file.rows.bad.total() for file in self.files)


def import_catalog(
    database: Database,
    history: Database,
    paths: Sequence[Path],
    *,
    clock: Clock,
    on_progress: OnProgress | None = None,
) -> CatalogReport:
    """Import catalog files, together and in any order; the same files again change nothing.

    Every file is read through before anything is written, so that a damaged one changes nothing.
    A batch is a transaction: after a kill, the same import again ends the same.

    Raises:
        InvalidInput: no file, or one that is no catalog file or is damaged.
        Conflict: another import changed the catalog meanwhile.
    """
    if not paths:
        raise InvalidInput("name at least one catalog file")
    files = [open_catalog_file(path) for path in paths]
    survey = _survey(files)
    with database.read() as connection:
        state = load_state(connection)
    importer = CatalogImporter(state, survey.shared_products(), survey.shared_sets())
    report = CatalogReport(counts=importer.counts, grown_cards=importer.grown_cards)
    if repeated := survey.repeated_sets():
        importer.counts.doubts["set id stated more than once in a file: the first is kept"] = (
            repeated
        )
    for file in files:
        if file.kind in SET_KINDS:
            _write_sets(database, importer, file)
    done = 0
    product_ids: set[str] = set()
    for file in sorted(
        (file for file in files if file.kind in _ORDER), key=lambda file: _ORDER.index(file.kind)
    ):
        for batch in _batches(file.cards()):
            _write_cards(database, importer, batch)
            product_ids.update(product.external_id for card in batch for product in card.products)
            done += len(batch)
            if on_progress:
                on_progress("cards", done, survey.cards)
    report.files = [FileReport(file.path.name, file.kind, file.counts) for file in files]
    report.links = link_ids(
        database,
        history,
        product_ids,
        clock=clock,
        on_progress=_links_progress(on_progress, len(product_ids)),
    )
    return report


@dataclass(slots=True)
class _Survey:
    """What the files hold, seen before anything is written."""

    cards: int = 0
    product_claims: dict[str, str] = field(default_factory=dict)
    shared: set[str] = field(default_factory=set)
    sets: Counter[str] = field(default_factory=Counter)
    set_aliases: dict[str, set[str]] = field(default_factory=dict)

    def see_card(self, card: CardRecord) -> None:
        self.cards += 1
        if card.catalog == "tcgplayer":  # its ids are its own, and unique
            return
        for product in card.products:
            if self.product_claims.setdefault(product.external_id, card.key) != card.key:
                self.shared.add(product.external_id)

    def see_set(self, record: SetRecord) -> None:
        self.sets[record.code] += 1
        for alias in record.aliases:
            self.set_aliases.setdefault(alias, set()).add(record.code)

    def shared_products(self) -> frozenset[str]:
        return frozenset(self.shared)

    def shared_sets(self) -> frozenset[str]:
        return frozenset(alias for alias, codes in self.set_aliases.items() if len(codes) > 1)

    def repeated_sets(self) -> int:
        return self.sets.total() - len(self.sets)


def _survey(files: Sequence[CatalogFile]) -> _Survey:
    survey = _Survey()
    for file in files:
        for record in file.sets():
            survey.see_set(record)
        for card in file.cards():
            survey.see_card(card)
    return survey


def _write_sets(database: Database, importer: CatalogImporter, file: CatalogFile) -> None:
    records = file.sets()
    while batch := list(islice(records, BATCH)):
        with _one_importer(), database.write() as connection:
            writer = BatchWriter(connection, database.dialect, len(batch))
            for record in batch:
                importer.apply_set(writer, record)
            writer.flush()


def _write_cards(
    database: Database, importer: CatalogImporter, batch: Sequence[CardRecord]
) -> None:
    with _one_importer(), database.write() as connection:
        writer = BatchWriter(connection, database.dialect, len(batch))
        for record in batch:
            importer.apply_card(writer, record)
        writer.flush()


def _batches(cards: Iterator[CardRecord]) -> Iterator[list[CardRecord]]:
    while batch := list(islice(cards, BATCH)):
        yield batch


@contextmanager
def _one_importer() -> Iterator[None]:
    try:
        yield
    except IntegrityError as exc:
        raise Conflict("another import changed the catalog meanwhile: run this one again") from exc


def _links_progress(on_progress: OnProgress | None, total: int) -> Callable[[int], None] | None:
    if on_progress is None:
        return None
    return lambda done: on_progress("links", done, total)
