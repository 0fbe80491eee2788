"""How a catalog's records become sets and cards, and how a second catalog joins the first.

Two catalogs meet through ids that both carry: TCGplayer's group of a set, TCGplayer's product of a
card. A joint needs the id to be claimed once, the game and region to be the same, and the collector
numbers not to contradict each other; otherwise both cards stand, and the id is claimed twice, so
that no price is shown through it.
"""

from collections import Counter
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from tcgtracker.catalog.numbers import numbers_agree, printing_label
from tcgtracker.catalog.state import CatalogState, Claim, KnownCard, KnownSet
from tcgtracker.catalog.writer import BatchWriter
from tcgtracker.domain.catalog import Game
from tcgtracker.integrations.catalog_records import CardRecord, ProductIdRecord, SetRecord

_VENDOR = "tcgplayer"
"""The catalog whose product ids the others quote."""
ECHOES = frozenset({"justtcg"})
"""Catalogs that repeat TCGplayer's ids and know nothing of the products beyond."""
VENDOR_ORIGIN = "tcgcsv"
"""The origin of claims that the vendor's own catalog makes."""


@dataclass(slots=True)
class ImportCounts:
    """What an import did. `doubts` are joints that were not made, by reason."""

    sets_created: int = 0
    sets_joined: int = 0
    sets_completed: int = 0
    set_names_added: int = 0
    cards_created: int = 0
    cards_joined: int = 0
    cards_merged: int = 0
    cards_known: int = 0
    cards_completed: int = 0
    printings_created: int = 0
    product_ids_added: int = 0
    product_ids_changed: int = 0
    doubts: Counter[str] = field(default_factory=Counter)

    @property
    def changes(self) -> int:
        """Rows that were written: 0 when the same file comes again."""
        return (
            self.sets_created
            + self.sets_joined
            + self.sets_completed
            + self.set_names_added
            + self.cards_created
            + self.cards_joined
            + self.cards_merged
            + self.cards_completed
            + self.printings_created
            + self.product_ids_added
            + self.product_ids_changed
        )


@dataclass(slots=True)
class CatalogImporter:
    """Applies records to the state and to the writer of the current batch.

    shared_products, shared_sets: ids that several cards (sets) of the files at hand claim: they
        join nothing.
    """

    state: CatalogState
    shared_products: AbstractSet[str]
    shared_sets: AbstractSet[str]
    counts: ImportCounts = field(default_factory=ImportCounts)
    grown_cards: set[int] = field(default_factory=set)
    """Cards that took others over."""

    def apply_set(self, writer: BatchWriter, record: SetRecord) -> KnownSet:
        """Find, join or create the set, and write down its other names."""
        game_id = self._game(writer, record.game)
        known = self._known_set(game_id, record.code)
        if known is None:
            known = self._joined_set(game_id, record)
            if known:
                self.counts.sets_joined += 1
                self.alias_set(writer, known, record.code, f"stated by {record.code}")
            else:
                self.counts.sets_created += 1
                known = writer.add_set(game_id, record)
                self.state.add_set(known)
        self._complete_set(writer, known, record)
        for alias in record.aliases:
            if alias in self.shared_sets:
                self.counts.doubts["id of another vendor's set claimed by several sets"] += 1
            elif (game_id, alias) not in self.state.set_names:
                self.alias_set(writer, known, alias, f"stated by {record.code}")
            elif self.state.set_names[game_id, alias] != known.id:
                self.counts.doubts["id of another vendor's set belongs to another set"] += 1
        return known

    def apply_card(self, writer: BatchWriter, record: CardRecord) -> None:
        """Find, join or create the card, and add what the record knows beyond."""
        known_id = self.state.card_names.get(record.key)
        card = self.state.cards[known_id] if known_id is not None else None
        candidates = self._candidates(record, card)
        if card:
            self.counts.cards_known += 1
        elif candidates:
            card, variant = candidates.pop(0)
            self._special(writer, card, variant)
            self.counts.cards_joined += 1
            self._name_card(writer, card, record.key)
        else:
            card = self._create(writer, record)
        for other, variant in candidates:
            self._special(writer, other, variant)
            self.counts.cards_merged += 1
            self.grown_cards.add(card.id)
            writer.merge(other.id, card.id)
            self.state.merge(other, card)
        self._complete_card(writer, card, record)
        for product in record.products:
            self._claim(writer, card, record, product)
        self._add_printings(writer, card, record)

    def alias_set(self, writer: BatchWriter, known: KnownSet, alias: str, evidence: str) -> None:
        """Give a set one more name."""
        self.counts.set_names_added += 1
        self.state.name_set(known, alias)
        writer.alias_set(known, alias, evidence)

    def name_also(self, writer: BatchWriter, key: str, others: Iterable[str]) -> None:
        """Let the card of a key be known under other keys too, where nothing is yet."""
        card = self.state.cards[self.state.card_names[key]]
        for other in others:
            if other not in self.state.card_names:
                self._name_card(writer, card, other)

    def _game(self, writer: BatchWriter, game: Game) -> int:
        if game.slug not in self.state.games:
            self.state.games[game.slug] = writer.add_game(game)
        return self.state.games[game.slug]

    def _known_set(self, game_id: int, name: str) -> KnownSet | None:
        known_id = self.state.set_names.get((game_id, name))
        return self.state.sets[known_id] if known_id is not None else None

    def _joined_set(self, game_id: int, record: SetRecord) -> KnownSet | None:
        catalog = record.code.partition(":")[0]
        for alias in record.aliases:
            known = None if alias in self.shared_sets else self._known_set(game_id, alias)
            if known and catalog not in known.catalogs and known.region == record.region:
                return known
        return None

    def _complete_set(self, writer: BatchWriter, known: KnownSet, record: SetRecord) -> None:
        before = (known.name, known.series, known.release_date, known.total_cards)
        if known.unnamed and not record.placeholder:
            known.name = record.name
        known.series = known.series or record.series
        known.release_date = known.release_date or record.release_date
        known.total_cards = known.total_cards or record.total_cards
        if before != (known.name, known.series, known.release_date, known.total_cards):
            self.counts.sets_completed += 1
            writer.change_set(known)

    def _candidates(self, record: CardRecord, own: KnownCard | None) -> list[tuple[KnownCard, str]]:
        """Return the cards of other catalogs that are this one, the plain card first.

        The text says what is special about the product that the card was made of.
        """
        if own and record.catalog == _VENDOR:
            return []
        found: dict[int, tuple[KnownCard, str]] = {}
        for product in record.products:
            claims = self.state.claims.get(product.external_id, {})
            if not claims or (own and own.id in claims):
                continue
            if product.external_id in self.shared_products or len(claims) > 1:
                self.counts.doubts["product id claimed by several cards"] += 1
                continue
            card = self.state.cards[next(iter(claims))]
            if reason := self._against(record, card):
                self.counts.doubts[reason] += 1
            elif card.id not in found:
                found[card.id] = (card, product.variant)
        return sorted(found.values(), key=lambda item: (bool(item[1]), item[0].id))

    def _special(self, writer: BatchWriter, card: KnownCard, variant: str) -> None:
        """Name the printings of a card that was made of a special product by what is special."""
        if variant and card.printings:
            card.printings = {printing_label(name, variant) for name in card.printings}
            writer.rename_printings(card.id, printing_label("", variant))

    def _against(self, record: CardRecord, card: KnownCard) -> str:
        """Return why a shared product id does not make the two one card, '' when it does."""
        known = self.state.sets[card.set_id]
        if (
            self.state.games.get(record.set.game.slug) != known.game_id
            or known.region != record.set.region
        ):
            return "product id of a card of another game or region"
        # A product may be one of several of a card; a catalog's card is one card.
        if record.catalog != _VENDOR and card.known_to(record.catalog):
            return "product id belongs to another card of this catalog"
        if numbers_agree(record.collector_number, card.number) is False:
            return "product id of a card with another collector number"
        return ""

    def _create(self, writer: BatchWriter, record: CardRecord) -> KnownCard:
        known = self._known_set(
            self._game(writer, record.set.game), record.set.code
        ) or self.apply_set(writer, record.set)
        art = record.art
        taken = (known.id, record.collector_number, art) in self.state.places
        if taken or not record.collector_number:
            # Sold separately under one number, with nothing that names the difference.
            art = record.key.replace(":", "-")
        card = writer.add_card(known.id, record, art)
        self.state.add_card(card)
        self.counts.cards_created += 1
        self._name_card(writer, card, record.key)
        return card

    def _name_card(self, writer: BatchWriter, card: KnownCard, alias: str) -> None:
        self.state.name_card(card, alias)
        writer.alias_card(card.id, alias)

    def _complete_card(self, writer: BatchWriter, card: KnownCard, record: CardRecord) -> None:
        rarity = "" if card.has_rarity else record.rarity
        image_url = "" if card.has_image else record.image_url
        if rarity or image_url:
            self.counts.cards_completed += 1
            card.has_rarity |= bool(rarity)
            card.has_image |= bool(image_url)
            writer.fill_card(card.id, rarity=rarity, image_url=image_url)

    def _claim(
        self, writer: BatchWriter, card: KnownCard, record: CardRecord, product: ProductIdRecord
    ) -> None:
        known = self.state.claims.get(product.external_id, {}).get(card.id)
        claim = self._said(card, record, product, known)
        if known == claim:
            return
        if known is None:
            self.counts.product_ids_added += 1
            writer.add_claim(product.external_id, card.id, claim)
        else:
            self.counts.product_ids_changed += 1
            writer.change_claim(product.external_id, card.id, claim)
        self.state.claim(product.external_id, card, claim)

    def _said(
        self,
        card: KnownCard,
        record: CardRecord,
        product: ProductIdRecord,
        known: Claim | None,
    ) -> Claim:
        """Return the claim with the vendor's own word above a cross reference."""
        if record.catalog == _VENDOR:
            evidence = f"TCGCSV: product {product.external_id} is {record.name!r}"
            if record.collector_number and record.collector_number != product.external_id:
                evidence += f" number {record.collector_number}"
            if known is None:
                return Claim("", "", VENDOR_ORIGIN, evidence)
            own = known.origin == VENDOR_ORIGIN
            if own or numbers_agree(record.collector_number, card.number):
                return Claim(known.printing, known.variant, VENDOR_ORIGIN, evidence)
            return known
        if known and record.catalog in ECHOES:
            return known
        evidence = f"{record.key} names product {product.external_id}"
        if product.variant:
            evidence += f" as its variant {product.variant}"
        if known and known.origin == VENDOR_ORIGIN:
            return Claim(product.printing, product.variant, known.origin, known.evidence)
        return Claim(product.printing, product.variant, record.catalog, evidence)

    def _add_printings(self, writer: BatchWriter, card: KnownCard, record: CardRecord) -> None:
        variant = ""
        if record.catalog == _VENDOR:
            variant = self.state.claims[record.products[0].external_id][card.id].variant
        for name in record.printings:
            label = printing_label(name, variant)
            if label not in card.printings:
                self.counts.printings_created += 1
                card.printings.add(label)
                writer.add_printing(card.id, label)
