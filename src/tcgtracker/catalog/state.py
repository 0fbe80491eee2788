"""The catalog as an import needs it: every look-up in memory, filled from the database once."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Connection, select

from tcgtracker.database.tables.catalog import (
    card_aliases,
    card_products,
    cards,
    games,
    printings,
    set_aliases,
    tcg_sets,
)
from tcgtracker.domain.source import Source


@dataclass(slots=True)
class KnownSet:
    """A set and every name it has (`tcgdex:intl:base4`, `tcgplayer:605`)."""

    id: int
    game_id: int
    code: str
    region: str
    name: str
    series: str
    release_date: date | None
    total_cards: int | None
    catalogs: set[str] = field(default_factory=set)

    @property
    def unnamed(self) -> bool:
        """Whether the vendor's id still stands in for the name."""
        return self.code.endswith(f":{self.name}")


@dataclass(slots=True)
class KnownCard:
    """A card, and under which keys catalogs know it."""

    id: int
    set_id: int
    number: str
    art: str
    has_rarity: bool
    has_image: bool
    printings: set[str] = field(default_factory=set)
    aliases: set[str] = field(default_factory=set)
    products: set[str] = field(default_factory=set)

    def known_to(self, catalog: str) -> bool:
        return any(alias.startswith(f"{catalog}:") for alias in self.aliases)


@dataclass(slots=True)
class Claim:
    """What is said of one product id and one card."""

    printing: str
    variant: str
    origin: str
    evidence: str


@dataclass(slots=True)
class CatalogState:
    """All look-ups; the importer changes them together with what it writes."""

    games: dict[str, int] = field(default_factory=dict)
    sets: dict[int, KnownSet] = field(default_factory=dict)
    set_names: dict[tuple[int, str], int] = field(default_factory=dict)
    cards: dict[int, KnownCard] = field(default_factory=dict)
    card_names: dict[str, int] = field(default_factory=dict)
    places: dict[tuple[int, str, str], int] = field(default_factory=dict)
    claims: dict[str, dict[int, Claim]] = field(default_factory=dict)

    def add_card(self, card: KnownCard) -> None:
        self.cards[card.id] = card
        self.places[card.set_id, card.number, card.art] = card.id

    def add_set(self, known: KnownSet) -> None:
        self.sets[known.id] = known
        self.name_set(known, known.code)

    def name_set(self, known: KnownSet, alias: str) -> None:
        self.set_names[known.game_id, alias] = known.id
        known.catalogs.add(alias.partition(":")[0])

    def claim(self, external_id: str, card: KnownCard, claim: Claim) -> None:
        self.claims.setdefault(external_id, {})[card.id] = claim
        card.products.add(external_id)

    def merge(self, loser: KnownCard, keeper: KnownCard) -> None:
        """Let `keeper` be what `loser` was; its own claims win."""
        for alias in loser.aliases:
            self.name_card(keeper, alias)
        for external_id in loser.products:
            claims = self.claims[external_id]
            moved = claims.pop(loser.id)
            claims.setdefault(keeper.id, moved)
        keeper.products |= loser.products
        keeper.printings |= loser.printings
        del self.cards[loser.id], self.places[loser.set_id, loser.number, loser.art]

    def name_card(self, card: KnownCard, alias: str) -> None:
        self.card_names[alias] = card.id
        card.aliases.add(alias)


def load_state(connection: Connection) -> CatalogState:
    """Read the whole catalog: about 1.5 kB of memory a card."""
    state = CatalogState()
    state.games = {
        slug: identifier
        for identifier, slug in connection.execute(select(games.c.id, games.c.slug))
    }
    for row in connection.execute(
        select(
            tcg_sets.c.id,
            tcg_sets.c.game_id,
            tcg_sets.c.code,
            tcg_sets.c.region,
            tcg_sets.c.name,
            tcg_sets.c.series,
            tcg_sets.c.release_date,
            tcg_sets.c.total_cards,
        )
    ):
        state.add_set(KnownSet(*row))
    for alias, set_id in connection.execute(select(set_aliases.c.alias, set_aliases.c.set_id)):
        state.name_set(state.sets[set_id], alias)
    for row in connection.execute(
        select(
            cards.c.id,
            cards.c.set_id,
            cards.c.collector_number,
            cards.c.art,
            cards.c.rarity != "",
            cards.c.image_url != "",
        )
    ):
        state.add_card(KnownCard(*row))
    for alias, card_id in connection.execute(select(card_aliases.c.alias, card_aliases.c.card_id)):
        state.name_card(state.cards[card_id], alias)
    for card_id, name in connection.execute(select(printings.c.card_id, printings.c.name)):
        state.cards[card_id].printings.add(name)
    for external_id, card_id, claim in _claims(connection):
        state.claim(external_id, state.cards[card_id], claim)
    return state


def _claims(connection: Connection) -> Iterator[tuple[str, int, Claim]]:
    # Claims of the two sources of TCGplayer ids are written together and equal; one is read.
    for external_id, card_id, *said in connection.execute(
        select(
            card_products.c.external_id,
            card_products.c.card_id,
            card_products.c.printing,
            card_products.c.variant,
            card_products.c.origin,
            card_products.c.evidence,
        ).where(card_products.c.source == Source.TCGCSV)
    ):
        yield external_id, card_id, Claim(*said)
