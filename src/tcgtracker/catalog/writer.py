"""What a batch of an import writes, gathered and then written in bulk in one transaction."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Executable, bindparam, insert, text, update

from tcgtracker.catalog.state import Claim, KnownCard, KnownSet
from tcgtracker.database.dialects.base import DatabaseDialect
from tcgtracker.database.tables.catalog import (
    card_products,
    cards,
    catalog_version,
    games,
    printings,
    set_aliases,
    tcg_sets,
)
from tcgtracker.domain.catalog import Game
from tcgtracker.domain.source import Source
from tcgtracker.integrations.catalog_records import CardRecord, SetRecord

ID_SOURCES = (Source.TCGCSV, Source.TCGPLAYER)
"""The sources that name products by TCGplayer's product ids."""

# Each takes over the cards one after the other: an earlier one may bring the printing of a later.
_MERGE = (
    (
        "DELETE FROM product_links WHERE card_id = :loser"
        " AND decided_by = '' AND state NOT IN ('rejected', 'suspended')"
    ),
    (
        "UPDATE printings SET card_id = :keeper WHERE card_id = :loser AND NOT EXISTS (SELECT 1"
        " FROM printings AS own WHERE own.card_id = :keeper AND own.name = printings.name)"
    ),
    (
        "UPDATE product_links SET printing_id = (SELECT own.id FROM printings AS gone"
        " JOIN printings AS own ON own.name = gone.name AND own.card_id = :keeper"
        " WHERE gone.id = product_links.printing_id)"
        " WHERE card_id = :loser"
        " AND printing_id IN (SELECT id FROM printings WHERE card_id = :loser)"
    ),
    "UPDATE product_links SET card_id = :keeper WHERE card_id = :loser",
    "DELETE FROM printings WHERE card_id = :loser",
    (
        "DELETE FROM card_products WHERE card_id = :loser AND EXISTS (SELECT 1 FROM card_products"
        " AS own WHERE own.card_id = :keeper AND own.source = card_products.source"
        " AND own.external_id = card_products.external_id)"
    ),
    "UPDATE card_products SET card_id = :keeper WHERE card_id = :loser",
    "UPDATE card_aliases SET card_id = :keeper WHERE card_id = :loser",
    "UPDATE manual_prices SET card_id = :keeper WHERE card_id = :loser",
    (
        "DELETE FROM rejected_links WHERE card_id = :loser AND EXISTS (SELECT 1 FROM rejected_links"
        " AS own WHERE own.card_id = :keeper AND own.source = rejected_links.source"
        " AND own.external_id = rejected_links.external_id AND own.sub_key = rejected_links.sub_key"
        " AND own.printing = rejected_links.printing)"
    ),
    "UPDATE rejected_links SET card_id = :keeper WHERE card_id = :loser",
    "UPDATE link_decisions SET old_card_id = :keeper WHERE old_card_id = :loser",
    "UPDATE link_decisions SET new_card_id = :keeper WHERE new_card_id = :loser",
    "DELETE FROM link_values WHERE card_id = :loser",
    "DELETE FROM card_quotes WHERE card_id = :loser",
    "DELETE FROM cards WHERE id = :loser",
)


class BatchWriter:
    """Rows of one batch. `flush` writes them; ids of cards and sets are handed out before."""

    def __init__(self, connection: Connection, dialect: DatabaseDialect, records: int) -> None:
        """Reserve ids for as many cards and sets as there are records: none makes more."""
        self._connection = connection
        self._dialect = dialect
        self._card_ids: Iterator[int] = iter(dialect.reserve_ids(connection, cards, records))
        self._set_ids: Iterator[int] = iter(dialect.reserve_ids(connection, tcg_sets, records))
        self._sets: list[dict[str, Any]] = []
        self._set_changes: list[dict[str, Any]] = []
        self._set_aliases: list[dict[str, Any]] = []
        self._cards: list[tuple[Any, ...]] = []
        self._fills: list[dict[str, Any]] = []
        self._renames: list[dict[str, Any]] = []
        self._merges: list[dict[str, int]] = []
        self._aliases: list[tuple[str, int]] = []
        self._printings: list[tuple[int, str]] = []
        self._claims: dict[tuple[str, int], Claim] = {}
        self._claim_changes: dict[tuple[str, int], Claim] = {}

    def add_game(self, game: Game) -> int:
        """Write a game at once: there are few, and its id is needed."""
        statement = insert(games).values(slug=game.slug, name=game.name).returning(games.c.id)
        return int(self._connection.execute(statement).scalar_one())

    def add_set(self, game_id: int, record: SetRecord) -> KnownSet:
        known = KnownSet(
            next(self._set_ids),
            game_id,
            record.code,
            record.region,
            record.name,
            record.series,
            record.release_date,
            record.total_cards,
        )
        self._sets.append(
            {
                "id": known.id,
                "game_id": game_id,
                "code": known.code,
                "region": known.region,
                **_set_facts(known.name, known.series, known.release_date, known.total_cards),
            }
        )
        return known

    def change_set(self, known: KnownSet) -> None:
        facts = _set_facts(known.name, known.series, known.release_date, known.total_cards)
        self._set_changes.append({"set_id": known.id, **facts})

    def alias_set(self, known: KnownSet, alias: str, evidence: str) -> None:
        self._set_aliases.append(
            {
                "game_id": known.game_id,
                "alias": alias,
                "set_id": known.id,
                "evidence": evidence,
            }
        )

    def add_card(self, set_id: int, record: CardRecord, art: str) -> KnownCard:
        identifier = next(self._card_ids)
        self._cards.append(
            (
                identifier,
                set_id,
                record.collector_number,
                art,
                record.name,
                record.rarity,
                record.image_url,
                record.product_type.value,
            )
        )
        return KnownCard(
            identifier,
            set_id,
            record.collector_number,
            art,
            bool(record.rarity),
            bool(record.image_url),
        )

    def fill_card(self, card_id: int, *, rarity: str, image_url: str) -> None:
        """Write what the card lacks; an empty text leaves the column alone."""
        self._fills.append({"wanted": card_id, "new_rarity": rarity, "new_image": image_url})

    def rename_printings(self, card_id: int, suffix: str) -> None:
        """Add to the names of all printings of a card of an earlier batch."""
        self._renames.append({"wanted": card_id, "suffix": suffix})

    def merge(self, loser: int, keeper: int) -> None:
        """Let `keeper` take over all that hangs on `loser`, both of earlier batches."""
        self._merges.append({"loser": loser, "keeper": keeper})

    def alias_card(self, card_id: int, alias: str) -> None:
        self._aliases.append((alias, card_id))

    def add_printing(self, card_id: int, name: str) -> None:
        self._printings.append((card_id, name))

    def add_claim(self, external_id: str, card_id: int, claim: Claim) -> None:
        self._claims[external_id, card_id] = claim

    def change_claim(self, external_id: str, card_id: int, claim: Claim) -> None:
        if (external_id, card_id) in self._claims:
            self._claims[external_id, card_id] = claim
        else:
            self._claim_changes[external_id, card_id] = claim

    def note_change(self) -> None:
        """Let search and lists know of a change that was written past this writer."""
        self._connection.execute(_NEXT_VERSION)

    def flush(self) -> None:
        """Write everything; merges first, as they concern only cards of earlier batches."""
        connection = self._connection
        if self._searched():
            connection.execute(_NEXT_VERSION)
        _execute(connection, _RENAME, self._renames)
        self.flush_merges()
        _execute(connection, insert(tcg_sets), self._sets)
        _execute(connection, _CHANGE_SET, self._set_changes)
        _execute(connection, insert(set_aliases), self._set_aliases)
        self._bulk(
            "cards",
            (
                "id",
                "set_id",
                "collector_number",
                "art",
                "name",
                "rarity",
                "image_url",
                "product_type",
            ),
            self._cards,
        )
        _execute(connection, _FILL_RARITY, [f for f in self._fills if f["new_rarity"]])
        _execute(connection, _FILL_IMAGE, [f for f in self._fills if f["new_image"]])
        self._bulk("card_aliases", ("alias", "card_id"), self._aliases)
        self._bulk("printings", ("card_id", "name"), self._printings)
        self._bulk(
            "card_products",
            ("source", "external_id", "card_id", "printing", "variant", "origin", "evidence"),
            [
                (source.value, external_id, card_id, *_said(claim))
                for (external_id, card_id), claim in self._claims.items()
                for source in ID_SOURCES
            ],
        )
        _execute(
            connection,
            _CHANGE_CLAIM,
            [
                {"of_source": source, "ext": external_id, "wanted": card_id, **_new(claim)}
                for (external_id, card_id), claim in self._claim_changes.items()
                for source in ID_SOURCES
            ],
        )

    def _searched(self) -> bool:
        """Tell whether anything changes that search or lists show."""
        return any(
            (
                self._sets,
                self._set_changes,
                self._set_aliases,
                self._cards,
                self._fills,
            )
        )

    def flush_merges(self) -> None:
        """Merge the cards, for what reads them in the same transaction."""
        if not self._merges:
            return
        self._connection.execute(_NEXT_VERSION)
        for statement in _MERGE:
            self._connection.execute(text(statement), self._merges)
        self._merges.clear()

    def _bulk(self, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        if rows:
            self._dialect.bulk_insert(self._connection, table, columns, rows)


_NEXT_VERSION = update(catalog_version).values(version=catalog_version.c.version + 1)
_RENAME = (
    update(printings)
    .where(printings.c.card_id == bindparam("wanted"))
    .values(name=printings.c.name + bindparam("suffix"))
)
_CHANGE_SET = (
    update(tcg_sets)
    .where(tcg_sets.c.id == bindparam("set_id"))
    .values({name: bindparam(name) for name in ("name", "series", "release_date", "total_cards")})
)
_FILL_RARITY = (
    update(cards).where(cards.c.id == bindparam("wanted")).values(rarity=bindparam("new_rarity"))
)
_FILL_IMAGE = (
    update(cards).where(cards.c.id == bindparam("wanted")).values(image_url=bindparam("new_image"))
)
_CHANGE_CLAIM = (
    update(card_products)
    .where(
        card_products.c.source == bindparam("of_source"),
        card_products.c.external_id == bindparam("ext"),
        card_products.c.card_id == bindparam("wanted"),
    )
    .values(
        {name: bindparam(f"new_{name}") for name in ("printing", "variant", "origin", "evidence")}
    )
)


def _set_facts(
    name: str, series: str, release_date: date | None, total_cards: int | None
) -> dict[str, Any]:
    return {
        "name": name,
        "series": series,
        "release_date": release_date,
        "total_cards": total_cards,
    }


def _said(claim: Claim) -> tuple[str, str, str, str]:
    return claim.printing, claim.variant, claim.origin, claim.evidence


def _new(claim: Claim) -> dict[str, str]:
    return {
        "new_printing": claim.printing,
        "new_variant": claim.variant,
        "new_origin": claim.origin,
        "new_evidence": claim.evidence,
    }


def _execute(connection: Connection, statement: Executable, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(statement, rows)
