"""The vendor's cards and sets -> prices, catalog records, what is stated, hits. Pure."""

from collections.abc import Sequence
from datetime import datetime

from tcgtracker.domain.catalog import GAMES, Game, ProductType
from tcgtracker.domain.money import Money
from tcgtracker.domain.source import Source
from tcgtracker.domain.variant import SEALED, variant_rank
from tcgtracker.integrations.catalog_records import (
    BadRow,
    CardRecord,
    ProductIdRecord,
    SetRecord,
    clean_text,
    iso_date,
    required_text,
)
from tcgtracker.integrations.contract import (
    CatalogPage,
    IdKind,
    ItemPage,
    ProductRef,
    RejectedRow,
    SearchAnswer,
    SearchHit,
    StatedProduct,
)
from tcgtracker.integrations.justtcg.names import game_of, is_asian, variant_of
from tcgtracker.integrations.justtcg.payloads import CardPayload, SetPayload, VariantPayload
from tcgtracker.integrations.justtcg.variants import add_variants, cents_of, read_variant
from tcgtracker.integrations.raw_text import raw_text
from tcgtracker.integrations.shapes import BadShape, read_shape

_GAMES = {game.slug: game for game in GAMES}
_NO_NUMBER = "N/A"


def external_id_of(card: CardPayload) -> str:
    """Return the vendor's stable key of a card, its slug where it sends no such key."""
    return card.uuid or card.id


def item_page(refs: Sequence[ProductRef], rows: Sequence[object], fetched_at: datetime) -> ItemPage:
    """Return the page of one batch: answers belong to what they name, whatever their order."""
    page = ItemPage(Source.JUSTTCG)
    cards = _read_cards(rows, page)
    named: dict[ProductRef, set[str]] = {}
    for card in cards.values():
        for name, kind in _names_of(card):
            named.setdefault(ProductRef(name, kind), set()).add(external_id_of(card))
    absent = []
    asked: set[str] = set()
    for ref in dict.fromkeys(refs):
        found = sorted(named.get(ref, ()))
        asked.update(found)
        if len(found) == 1:
            page.answered[ref] = found[0]
            continue
        absent.append(ref)
        if found:
            page.rejected.append(RejectedRow(ref.value, None, "several-cards", ", ".join(found)))
    page.absent = tuple(absent)
    strangers = [external_id for external_id in cards if external_id not in asked]
    if strangers:
        page.skipped["not-asked"] += len(strangers)
    _add_cards(page, {key: card for key, card in cards.items() if key in asked}, fetched_at)
    return page


def catalog_page(rows: Sequence[object], *, set_id: str, fetched_at: datetime) -> CatalogPage:
    """Return the cards of one set with their prices; a card of another set is counted."""
    prices = ItemPage(Source.JUSTTCG)
    page = CatalogPage(prices=prices)
    cards = _read_cards(rows, prices)
    for row in prices.rejected:
        page.bad[row.reason] += 1
    strangers = [key for key, card in cards.items() if card.set != set_id]
    for key in strangers:
        page.bad["card of another set"] += 1
        del cards[key]
    _add_cards(prices, cards, fetched_at)
    page.stated = list(prices.stated)
    page.cards = [card_record(card) for card in cards.values()]
    return page


def product_page(
    rows: Sequence[object], external_id: str, fetched_at: datetime
) -> CatalogPage | None:
    """Return one card with its prices, None when it is not among the rows."""
    prices = ItemPage(Source.JUSTTCG)
    cards = _read_cards(rows, prices)
    wanted = {key: card for key, card in cards.items() if external_id in (key, card.id, card.uuid)}
    if not wanted and not prices.rejected:
        return None
    _add_cards(prices, wanted, fetched_at)
    return CatalogPage(
        cards=[card_record(card) for card in wanted.values()],
        stated=list(prices.stated),
        prices=prices,
    )


def sets_page(rows: Sequence[object]) -> CatalogPage:
    """Return the sets of one answer; bad rows are counted."""
    page = CatalogPage()
    for decoded in rows:
        try:
            page.sets.append(_set_record(read_shape(decoded, SetPayload)))
        except (BadShape, BadRow) as exc:
            page.bad[str(exc)] += 1
    return page


def search_answer(rows: Sequence[object], *, limit: int) -> SearchAnswer:
    """Return the cards found, at most `limit`, each with one price to show."""
    page = ItemPage(Source.JUSTTCG)
    cards = list(_read_cards(rows, page).values())
    answer = SearchAnswer(truncated=len(cards) > limit, skipped=page.skipped)
    if page.rejected:
        answer.skipped["bad-hit"] += len(page.rejected)
    answer.hits = [_hit(card) for card in cards[:limit]]
    return answer


def card_record(card: CardPayload) -> CardRecord:
    """Return the card for the catalog. Its number is '' where the vendor says none."""
    name = card.set_name or ""
    return CardRecord(
        key=f"justtcg:{external_id_of(card)}",
        set=SetRecord(
            game=_game(card.game),
            code=f"justtcg:{card.set}",
            region=_region(card.game),
            name=name or card.set,
            placeholder=not name,
        ),
        collector_number=_number(card),
        name=card.name,
        rarity=card.rarity or "",
        product_type=_product_type(card),
        printings=tuple(dict.fromkeys(one.printing for one in _variants(card))),
        products=(ProductIdRecord(card.tcgplayer_id),) if card.tcgplayer_id else (),
    )


def _read_cards(rows: Sequence[object], page: ItemPage) -> dict[str, CardPayload]:
    """Return the cards by our external id; those that contradict one another are refused."""
    cards: dict[str, CardPayload] = {}
    refused: set[str] = set()
    for decoded in rows:
        try:
            card = _checked(read_shape(decoded, CardPayload))
        except (BadShape, BadRow) as exc:
            page.rejected.append(RejectedRow("", None, f"bad-card: {exc}", raw_text(decoded)))
            continue
        key = external_id_of(card)
        known = cards.get(key)
        if known is None:
            cards[key] = card
        elif _identity(known) == _identity(card):
            known.variants.extend(card.variants)
        else:
            refused.add(key)
            page.rejected.append(RejectedRow(key, None, "conflicting-duplicate", raw_text(decoded)))
    return {key: card for key, card in cards.items() if key not in refused}


def _checked(card: CardPayload) -> CardPayload:
    for what in ("id", "name", "set"):
        required_text(getattr(card, what), what)
    for what in ("uuid", "game", "set_name", "number", "rarity", "tcgplayer_id"):
        clean_text(getattr(card, what), what)
    return card


def _identity(card: CardPayload) -> tuple[str | None, ...]:
    return (card.id, card.name, card.game, card.set, card.number, card.tcgplayer_id)


def _names_of(card: CardPayload) -> list[tuple[str, IdKind]]:
    own = [(name, IdKind.OWN) for name in (card.id, card.uuid) if name]
    return own + ([(card.tcgplayer_id, IdKind.TCGPLAYER)] if card.tcgplayer_id else [])


def _add_cards(page: ItemPage, cards: dict[str, CardPayload], fetched_at: datetime) -> None:
    page.stated += [_stated(card) for card in cards.values()]
    add_variants(page, ((key, card.variants) for key, card in cards.items()), fetched_at)


def _stated(card: CardPayload) -> StatedProduct:
    return StatedProduct(
        external_id=external_id_of(card),
        game=game_of(card.game),
        name=card.name,
        set_name=card.set_name or card.set,
        number=_number(card),
        rarity=card.rarity or "",
        tcgplayer_id=card.tcgplayer_id or "",
        product_type=_product_type(card),
    )


def _hit(card: CardPayload) -> SearchHit:
    price, variant = _shown_price(card)
    return SearchHit(
        vendor="justtcg",
        external_id=external_id_of(card),
        name=card.name,
        set_name=card.set_name or card.set,
        number=_number(card),
        rarity=card.rarity or "",
        price=price,
        price_label=f"{variant.printing}, {variant.condition}" if variant else "",
        condition=(variant_of(variant.condition) or "") if variant else "",
        tcgplayer_id=card.tcgplayer_id or "",
    )


def _shown_price(card: CardPayload) -> tuple[Money | None, VariantPayload | None]:
    """Return the price of the best variant that has one: near mint before the others."""
    ranked = sorted(_variants(card), key=lambda one: variant_rank(variant_of(one.condition) or ""))
    for variant in ranked:
        try:
            cents = cents_of(variant.price)
        except BadRow:  # it is for showing only; the intake refuses and counts it
            continue
        if cents is not None:
            return Money(cents, "USD"), variant
    return None, None


def _variants(card: CardPayload) -> list[VariantPayload]:
    """Return the readable variants; the intake of prices counts the others."""
    found = []
    for decoded in card.variants:
        try:
            found.append(read_variant(decoded))
        except (BadShape, BadRow):
            continue
    return found


def _product_type(card: CardPayload) -> ProductType:
    variants = {variant_of(one.condition) for one in _variants(card)}
    return ProductType.SEALED if variants == {SEALED} else ProductType.SINGLE


def _number(card: CardPayload) -> str:
    return "" if card.number is None or card.number == _NO_NUMBER else card.number


def _set_record(payload: SetPayload) -> SetRecord:
    identifier = required_text(payload.id, "id")
    cards = payload.cards_count
    return SetRecord(
        game=_game(required_text(payload.game_id, "game_id")),
        code=f"justtcg:{identifier}",
        region=_region(payload.game_id),
        name=required_text(payload.name, "name"),
        release_date=iso_date(payload.release_date, "release_date"),
        total_cards=cards if cards is not None and cards > 0 else None,
    )


def _region(game: str) -> str:
    return "asia" if is_asian(game) else ""


def _game(name: str) -> Game:
    slug = game_of(name)
    return _GAMES.get(slug) or Game(slug, name)
