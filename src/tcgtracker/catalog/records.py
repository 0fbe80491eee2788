"""Sets and cards that come from the network in pages, put beside what the catalog has."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from tcgtracker.catalog.agreement import compare
from tcgtracker.catalog.importer import ECHOES, CatalogImporter, ImportCounts
from tcgtracker.catalog.links import LinkReport, link_ids
from tcgtracker.catalog.names import read_set
from tcgtracker.catalog.state import KnownSet, load_state
from tcgtracker.catalog.statement_rows import load_facts
from tcgtracker.catalog.writer import BatchWriter
from tcgtracker.database.engine import Database
from tcgtracker.database.unit_of_work import UnitOfWork, unit_of_work
from tcgtracker.domain.clock import Clock
from tcgtracker.domain.errors import Conflict
from tcgtracker.integrations.catalog_records import CardRecord, SetRecord
from tcgtracker.integrations.contract import StatedProduct

BATCH = 2_000
_SAME_RELEASE = timedelta(days=366)
_NAMESAKES = {"justtcg": "tcgplayer", "tcgplayer": "justtcg"}
"""Catalogs that call sets the same and share no id of them: JustTCG's are TCGplayer's."""
_T = TypeVar("_T")


class CatalogIntake:
    """Applies records to the catalog, which it reads once; one transaction a batch.

    For one synchronisation: another import meanwhile makes it stop with `Conflict`.
    """

    def __init__(self, database: Database, history: Database, clock: Clock) -> None:
        self._database = database
        self._history = history
        self._clock = clock
        self._importer: CatalogImporter | None = None
        self._product_ids: set[str] = set()
        self._counts = ImportCounts()

    def take_counts(self) -> ImportCounts:
        """Return what was done since the last call."""
        done, self._counts = self._counts, ImportCounts()
        if self._importer:
            self._importer.counts = self._counts
        return done

    def take_sets(self, records: Sequence[SetRecord]) -> None:
        """Find, join or create sets. The same again changes nothing.

        Raises:
            Conflict: another import changed the catalog meanwhile; nothing of the batch is kept.
        """
        for batch in _batches(records):
            names = Counter((one.game.slug, one.region, read_set(one.name).words) for one in batch)

            def apply(importer: CatalogImporter, writer: BatchWriter, _: UnitOfWork) -> None:
                for record in batch:  # noqa: B023 - runs before the next batch
                    alone = names[record.game.slug, record.region, read_set(record.name).words] == 1  # noqa: B023
                    if alone and (known := _namesake(importer, record)):
                        importer.counts.sets_joined += 1
                        importer.alias_set(
                            writer, known, record.code, f"named as {known.name!r}, as no other set"
                        )
                    importer.apply_set(writer, record)

            self.write(len(batch), apply)

    def take_cards(self, records: Sequence[CardRecord]) -> None:
        """Find, join or create cards; an id joins two cards only when they agree.

        Raises:
            Conflict: another import changed the catalog meanwhile; nothing of the batch is kept.
        """
        for batch in _batches(records):

            def apply(importer: CatalogImporter, writer: BatchWriter, uow: UnitOfWork) -> None:
                for record in _agreeing(importer, uow.connection, batch):  # noqa: B023 - as above
                    importer.apply_card(writer, record)

            self.write(len(batch), apply)
            self._product_ids.update(
                product.external_id for record in batch for product in record.products
            )

    def make_cards(self, records: Sequence[tuple[CardRecord, Sequence[str]]]) -> None:
        """Make cards that no other catalog has, each known under more keys of its vendor.

        Raises:
            Conflict: another import changed the catalog meanwhile; nothing of the batch is kept.
        """
        for batch in _batches(records):

            def apply(importer: CatalogImporter, writer: BatchWriter, _: UnitOfWork) -> None:
                for record, keys in batch:  # noqa: B023 - as above
                    importer.apply_card(writer, record)
                    importer.name_also(writer, record.key, keys)

            self.write(len(batch), apply)

    def alias_set(self, set_id: int, alias: str, evidence: str) -> None:
        """Give a set one more name.

        Raises:
            Conflict: the name was given to another set meanwhile.
        """

        def apply(importer: CatalogImporter, writer: BatchWriter, _: UnitOfWork) -> None:
            importer.alias_set(writer, importer.state.sets[set_id], alias, evidence)

        self.write(0, apply)

    def set_of(self, game: str, alias: str) -> KnownSet | None:
        """Return the set that has this name or code."""
        state = self._loaded().state
        game_id = state.games.get(game)
        set_id = None if game_id is None else state.set_names.get((game_id, alias))
        return None if set_id is None else state.sets[set_id]

    def knows_card(self, key: str) -> bool:
        """Tell whether a card has this key."""
        return key in self._loaded().state.card_names

    def card_of(self, key: str) -> int | None:
        """Return the card that has this key."""
        return self._loaded().state.card_names.get(key)

    def link(self) -> LinkReport:
        """Decide the links of TCGplayer's product ids that the records named, once."""
        wanted, self._product_ids = self._product_ids, set()
        report = link_ids(self._database, self._history, wanted, clock=self._clock)
        report.cards |= self._loaded().grown_cards if self._importer else set()
        return report

    def _loaded(self) -> CatalogImporter:
        if self._importer is None:
            with self._database.read() as connection:
                state = load_state(connection)
            self._importer = CatalogImporter(state, frozenset(), frozenset(), counts=self._counts)
        return self._importer

    def write(
        self, records: int, apply: Callable[[CatalogImporter, BatchWriter, UnitOfWork], None]
    ) -> None:
        """Change the catalog in one transaction, in memory and in the database alike.

        records: at most as many cards and sets are made.

        Raises:
            Conflict: another import changed the catalog meanwhile; nothing is kept.
        """
        importer = self._loaded()
        try:
            with unit_of_work(self._database, self._history) as uow:
                writer = BatchWriter(uow.connection, self._database.dialect, records)
                apply(importer, writer, uow)
                writer.flush()
        except BaseException as exc:
            self._importer = None  # what it holds in memory was not written
            if isinstance(exc, IntegrityError):
                raise Conflict(
                    "another import changed the catalog meanwhile: run it again"
                ) from exc
            raise


def _batches(records: Sequence[_T]) -> list[Sequence[_T]]:
    return [records[start : start + BATCH] for start in range(0, len(records), BATCH)]


def _namesake(importer: CatalogImporter, record: SetRecord) -> KnownSet | None:
    """Return the one set of the other catalog with this very name, when the record's is new."""
    catalog = record.code.partition(":")[0]
    state = importer.state
    game_id = state.games.get(record.game.slug)
    if game_id is None or record.placeholder or (game_id, record.code) in state.set_names:
        return None
    name = read_set(record.name)
    found = [
        known
        for known in state.sets.values()
        if known.game_id == game_id
        and known.region == record.region
        and not known.unnamed
        and (read_set(known.name).words, read_set(known.name).numbers) == (name.words, name.numbers)
    ]
    if len(found) != 1 or catalog in found[0].catalogs:
        return None
    if _NAMESAKES.get(catalog) not in found[0].catalogs:
        return None
    dates = (found[0].release_date, record.release_date)
    if dates[0] and dates[1] and abs(dates[0] - dates[1]) > _SAME_RELEASE:
        return None
    return found[0]


def _agreeing(
    importer: CatalogImporter, connection: Connection, batch: Sequence[CardRecord]
) -> list[CardRecord]:
    """Return the records without the ids of cards that they do not agree with."""
    state = importer.state
    echoes = [record for record in batch if record.catalog in ECHOES]
    claimed = {
        product.external_id: state.claims[product.external_id]
        for record in echoes
        for product in record.products
        if state.claims.get(product.external_id)
    }
    facts = load_facts(connection, {card_id for group in claimed.values() for card_id in group})
    checked = []
    for record in batch:
        if record.catalog not in ECHOES:
            checked.append(record)
            continue
        own = state.card_names.get(record.key)
        kept = []
        for product in record.products:
            group = claimed.get(product.external_id, {})
            if own is not None and group and own not in group:
                importer.counts.doubts["product id of another card than before"] += 1
                continue
            if len(group) == 1 and own is None:
                card_id, claim = next(iter(group.items()))
                agreement = compare(
                    _as_stated(record), facts[card_id], vendor=record.catalog, variant=claim.variant
                )
                if not agreement.proves:
                    importer.counts.doubts["product id of a card that does not agree"] += 1
                    continue
            kept.append(product)
        checked.append(replace(record, products=tuple(kept)))
    return checked


def _as_stated(record: CardRecord) -> StatedProduct:
    return StatedProduct(
        external_id=record.key,
        game=record.set.game.slug,
        name=record.name,
        set_name="" if record.set.placeholder else record.set.name,
        number=record.collector_number,
        product_type=record.product_type,
    )
