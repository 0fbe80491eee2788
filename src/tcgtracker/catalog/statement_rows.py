"""SQL of what vendors state of their products, and of the cards that it is compared with."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from tcgtracker.catalog.agreement import CardFacts
from tcgtracker.catalog.link_rows import ClaimRow, chunks
from tcgtracker.database.dialects.base import DatabaseDialect
from tcgtracker.database.tables.catalog import (
    card_aliases,
    card_products,
    cards,
    games,
    product_links,
    set_aliases,
    stated_products,
    tcg_sets,
)
from tcgtracker.domain.catalog import LinkState, ProductType
from tcgtracker.domain.source import Source
from tcgtracker.integrations.contract import StatedProduct

_FIELDS = (
    "external_id",
    "game",
    "name",
    "set_name",
    "number",
    "rarity",
    "printing",
    "tcgplayer_id",
    "url",
    "product_type",
)
_COLUMNS = tuple(stated_products.c[name] for name in _FIELDS)


def load_stated(
    connection: Connection, source: Source, external_ids: Collection[str]
) -> dict[str, StatedProduct]:
    """Return what a source said last of these products, by external id."""
    return {
        row[0]: _stated(row)
        for chunk in chunks(sorted(external_ids))
        for row in connection.execute(
            select(*_COLUMNS).where(
                stated_products.c.source == source, stated_products.c.external_id.in_(chunk)
            )
        )
    }


def load_stated_of_set(
    connection: Connection, source: Source, game: str, set_name: str
) -> list[StatedProduct]:
    """Return what a source said last of the products of one of its own sets, by external id."""
    rows = connection.execute(
        select(*_COLUMNS)
        .where(
            stated_products.c.source == source,
            stated_products.c.game == game,
            stated_products.c.set_name == set_name,
        )
        .order_by(stated_products.c.external_id)
    )
    return [_stated(row) for row in rows]


def load_own_sets(
    connection: Connection, source: Source, tcgplayer_ids: Collection[str]
) -> set[str]:
    """Return the source's own sets in which a product states one of these TCGplayer ids."""
    return {
        name
        for chunk in chunks(sorted(tcgplayer_ids))
        for name in connection.scalars(
            select(stated_products.c.set_name)
            .where(
                stated_products.c.source == source,
                stated_products.c.tcgplayer_id.in_(chunk),
                stated_products.c.set_name != "",
            )
            .distinct()
        )
    }


def save_stated(
    connection: Connection,
    dialect: DatabaseDialect,
    source: Source,
    products: Sequence[StatedProduct],
    *,
    now: datetime,
) -> None:
    """Write what a source says now; when it said something first stays."""
    rows = [
        {
            "source": source,
            **{name: getattr(product, name) for name in _FIELDS},
            "first_seen_at": now,
            "seen_at": now,
        }
        # in one order for all, so that two writers cannot wait for each other
        for product in sorted(products, key=lambda one: one.external_id)
    ]
    if rows:
        changing = [*_FIELDS[1:], "seen_at"]
        connection.execute(
            dialect.upsert(stated_products, ["source", "external_id"], changing), rows
        )


def load_facts(connection: Connection, card_ids: Collection[int]) -> dict[int, CardFacts]:
    """Return what is known of cards, by their ids."""
    rows = [
        row
        for chunk in chunks(sorted(card_ids))
        for row in connection.execute(
            select(
                cards.c.id,
                games.c.slug,
                tcg_sets.c.id,
                tcg_sets.c.region,
                tcg_sets.c.name,
                tcg_sets.c.code,
                cards.c.collector_number,
                cards.c.name,
                cards.c.product_type,
            )
            .select_from(cards.join(tcg_sets).join(games, games.c.id == tcg_sets.c.game_id))
            .where(cards.c.id.in_(chunk))
        )
    ]
    aliases: dict[int, set[str]] = defaultdict(set)
    for chunk in chunks(sorted({row[2] for row in rows})):
        for set_id, alias in connection.execute(
            select(set_aliases.c.set_id, set_aliases.c.alias).where(set_aliases.c.set_id.in_(chunk))
        ):
            aliases[set_id].add(alias)
    return {
        row[0]: CardFacts(
            card_id=row[0],
            game=row[1],
            set_id=row[2],
            region=row[3],
            set_names=(row[4],),
            codes=frozenset(aliases[row[2]] | {row[5]}),
            number=row[6],
            name=row[7],
            product_type=ProductType(row[8]),
        )
        for row in rows
    }


def cards_of_aliases(connection: Connection, aliases: Collection[str]) -> dict[str, int]:
    """Return the cards that catalogs know under these keys."""
    return {
        alias: card_id
        for chunk in chunks(sorted(aliases))
        for alias, card_id in connection.execute(
            select(card_aliases.c.alias, card_aliases.c.card_id).where(
                card_aliases.c.alias.in_(chunk)
            )
        )
    }


def cards_of_set(connection: Connection, set_id: int) -> list[int]:
    """Return the cards of a set."""
    statement = select(cards.c.id).where(cards.c.set_id == set_id).order_by(cards.c.id)
    return list(connection.scalars(statement))


def own_cards_of_set(connection: Connection, source: Source, set_id: int) -> set[int]:
    """Return the cards of a set that a source made of its own products."""
    statement = (
        select(card_aliases.c.card_id)
        .join(cards, cards.c.id == card_aliases.c.card_id)
        .where(cards.c.set_id == set_id, card_aliases.c.alias.startswith(f"{source}:"))
    )
    return set(connection.scalars(statement))


def write_claims(
    connection: Connection,
    source: Source,
    *,
    gone: Sequence[ClaimRow] = (),
    new: Sequence[ClaimRow] = (),
    changed: Sequence[ClaimRow] = (),
) -> None:
    """Write what ties a source's own ids to cards."""
    if gone:
        connection.execute(_DELETE, [_key(source, claim) for claim in gone])
    if changed:
        connection.execute(
            _CHANGE,
            [
                {
                    **_key(source, claim),
                    "new_printing": claim.printing,
                    "new_variant": claim.variant,
                    "new_origin": claim.origin,
                    "new_evidence": claim.evidence,
                    "new_score": claim.score,
                }
                for claim in changed
            ],
        )
    if new:
        connection.execute(
            insert(card_products),
            [
                {
                    "source": source,
                    "external_id": claim.external_id,
                    "card_id": claim.card_id,
                    "printing": claim.printing,
                    "variant": claim.variant,
                    "origin": claim.origin,
                    "evidence": claim.evidence,
                    "score": claim.score,
                }
                for claim in new
            ],
        )


def load_rule_versions(connection: Connection, product_ids: Collection[int]) -> dict[int, str]:
    """Return which rules decided the links of vendor products last."""
    return {
        product_id: version
        for chunk in chunks(sorted(product_ids))
        for product_id, version in connection.execute(
            select(product_links.c.vendor_product_id, product_links.c.rule_version).where(
                product_links.c.vendor_product_id.in_(chunk)
            )
        )
    }


def set_link_states(
    connection: Connection,
    state: LinkState,
    evidence: Mapping[int, str],
    *,
    rule_version: str,
    now: datetime,
) -> None:
    """Give links another state with its reason; card, printing and who decided it stay."""
    if evidence:
        connection.execute(
            _STATE,
            [
                {
                    "wanted": product_id,
                    "new_state": state,
                    "new_evidence": text,
                    "new_rule": rule_version,
                    "now": now,
                }
                for product_id, text in evidence.items()
            ],
        )


_OF_CLAIM = (
    (card_products.c.source == bindparam("of_source"))
    & (card_products.c.external_id == bindparam("ext"))
    & (card_products.c.card_id == bindparam("wanted"))
)
_DELETE = delete(card_products).where(_OF_CLAIM)
_CHANGE = (
    update(card_products)
    .where(_OF_CLAIM)
    .values(
        {
            name: bindparam(f"new_{name}")
            for name in ("printing", "variant", "origin", "evidence", "score")
        }
    )
)
_STATE = (
    update(product_links)
    .where(product_links.c.vendor_product_id == bindparam("wanted"))
    .values(
        state=bindparam("new_state"),
        score=0.0,
        evidence=bindparam("new_evidence"),
        rule_version=bindparam("new_rule"),
        checked_at=bindparam("now"),
        skipped_at=None,
    )
)


def _key(source: Source, claim: ClaimRow) -> dict[str, Any]:
    return {"of_source": source, "ext": claim.external_id, "wanted": claim.card_id}


def _stated(row: Sequence[Any]) -> StatedProduct:
    fields = dict(zip(_FIELDS, row, strict=True))
    return StatedProduct(**{**fields, "product_type": ProductType(fields["product_type"])})
