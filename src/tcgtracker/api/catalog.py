"""Games, sets and cards."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Self

from fastapi import APIRouter
from pydantic import BaseModel, ValidationError

from tcgtracker.analytics.headline import Headline, headline_price
from tcgtracker.api import catalog_schemas as schemas
from tcgtracker.api import parameters
from tcgtracker.api.authentication import Asking
from tcgtracker.api.errors import RESPONSES
from tcgtracker.api.render import own_price
from tcgtracker.catalog import repository
from tcgtracker.catalog.search.store import load_version
from tcgtracker.catalog.views import CardDetail as CardRowDetail
from tcgtracker.catalog.views import CardFilter, CardLink, CardRow, PriceRange, SetRow
from tcgtracker.catalog.views import Page as Rows
from tcgtracker.domain.catalog import ProductType
from tcgtracker.domain.clock import from_epoch, to_epoch
from tcgtracker.domain.ids import CardId
from tcgtracker.domain.money import format_minor
from tcgtracker.domain.source import FRESH_FOR
from tcgtracker.operations.flags import load_flags
from tcgtracker.quotes import manual_prices
from tcgtracker.quotes.manual_prices import ManualPrice
from tcgtracker.tracker import Tracker

_LIST: dict[int | str, dict[str, Any]] = {
    status: RESPONSES[status] for status in (400, 404, 422, 503)
}
_ONE: dict[int | str, dict[str, Any]] = {status: RESPONSES[status] for status in (404, 422, 503)}


_SETS_KEPT_S = 3_600


class _KeptSets(BaseModel):
    """A page of sets under the version of the catalog that it was read from."""

    version: int
    page: schemas.Page[schemas.CardSet]

    @classmethod
    def read(cls, raw: bytes | None) -> Self | None:
        """Return what was kept, None for nothing and for another version of the program."""
        if raw is None:
            return None
        try:
            return cls.model_validate_json(raw)
        except ValidationError:
            return None


def router(tracker: Tracker) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["catalog"])

    @routes.get("/games", summary="All games", responses={503: RESPONSES[503]})
    def games() -> schemas.Games:
        with tracker.database.read() as connection:
            found = repository.list_games(connection)
        items = [
            schemas.Game(slug=row.slug, name=row.name, set_count=row.set_count) for row in found
        ]
        return schemas.Games(items=items)

    @routes.get("/sets", summary="Sets by name", responses=_LIST)
    def sets(
        game: parameters.GameSlug = None,
        region: parameters.Region = None,
        limit: parameters.Limit = 50,
        cursor: parameters.Cursor = None,
    ) -> schemas.Page[schemas.CardSet]:
        asked = repr((region, limit, cursor)).encode()
        key = f"sets:{game or '*'}:{hashlib.sha256(asked).hexdigest()[:32]}"
        with tracker.database.read() as connection:
            version = load_version(connection)
            kept = _KeptSets.read(tracker.cache.get(key))
            if kept is not None and kept.version == version:
                return kept.page
            page = repository.list_sets(
                connection, game=game or "", region=region, limit=limit, cursor=cursor or ""
            )
        found = schemas.Page(items=[_set(row) for row in page.rows], next_cursor=page.next_cursor)
        made = _KeptSets(version=version, page=found)
        tracker.cache.set(key, made.model_dump_json().encode(), ttl_s=_SETS_KEPT_S)
        return found

    @routes.get("/sets/{set_id}", summary="A set", responses=_ONE)
    def one_set(set_id: parameters.SetIdPath) -> schemas.CardSet:
        with tracker.database.read() as connection:
            return _set(repository.get_set(connection, str(set_id)))

    @routes.get("/sets/{set_id}/cards", summary="The cards of a set by name", responses=_LIST)
    def cards_of_set(
        set_id: parameters.SetIdPath,
        limit: parameters.Limit = 50,
        cursor: parameters.Cursor = None,
    ) -> schemas.Page[schemas.Card]:
        with tracker.database.read() as connection:
            wanted = CardFilter(set=str(set_id))
            return _cards(
                repository.list_cards(connection, wanted, limit=limit, cursor=cursor or "")
            )

    @routes.get("/cards", summary="Cards by name", responses=_LIST)
    def cards(
        *,
        game: parameters.GameSlug = None,
        set_id: parameters.SetId = None,
        rarity: parameters.Rarity = None,
        q: parameters.CardText = None,
        product_type: ProductType | None = None,
        min_price: parameters.LeastPrice = None,
        max_price: parameters.MostPrice = None,
        currency: parameters.CurrencyCode = "USD",
        limit: parameters.Limit = 50,
        cursor: parameters.Cursor = None,
    ) -> schemas.Page[schemas.Card]:
        """The bounds are of the headline price; one of another currency is not converted."""
        with tracker.database.read() as connection:
            price = None
            if min_price is not None or max_price is not None:
                price = PriceRange(
                    currency=currency,
                    least=parameters.minor_of(min_price, currency),
                    most=parameters.minor_of(max_price, currency),
                    flags=load_flags(connection),
                    fresh_from=tracker.clock.now() - FRESH_FOR,
                )
            wanted = CardFilter(
                game=game or "",
                set="" if set_id is None else str(set_id),
                rarity=rarity or "",
                q=q or "",
                product_type=product_type,
                price=price,
            )
            return _cards(
                repository.list_cards(connection, wanted, limit=limit, cursor=cursor or "")
            )

    @routes.get(
        "/cards/{card_id}",
        summary="A card with its printings, links and headline price",
        responses=_ONE,
    )
    def card(card_id: parameters.CardIdPath, account: Asking) -> schemas.CardDetail:
        now = tracker.clock.now()
        with tracker.reading() as (connection, history):
            found = repository.card_detail(connection, history, CardId(card_id))
            price = headline_price(
                connection,
                history,
                tracker.history.dialect,
                card_id,
                now=now,
                cache=tracker.cache,
            )
            own = manual_prices.load_of_card(connection, account.user_id, card_id)
        return detail_of(found, price, now, own)

    return routes


def detail_of(
    found: CardRowDetail,
    price: Headline | None,
    now: datetime,
    own: Sequence[ManualPrice] = (),
) -> schemas.CardDetail:
    """Return a card as it is answered; ages are those at `now`. own: of the user who asks."""
    return schemas.CardDetail(
        **card_of(found.card).model_dump(),
        aliases=list(found.aliases),
        printings=[schemas.Printing(printing_id=one.id, name=one.name) for one in found.printings],
        links=[_link(link) for link in found.links],
        price=None if price is None else _price(price, to_epoch(now)),
        own_prices=[schemas.OwnPrice(**own_price(one)) for one in own],
    )


def _set(row: SetRow) -> schemas.CardSet:
    return schemas.CardSet(
        set_id=row.id,
        game=row.game,
        code=row.code,
        region=row.region,
        name=row.name,
        series=row.series,
        release_date=row.release_date,
        total_cards=row.total_cards,
        card_count=row.card_count,
    )


def _cards(page: Rows[CardRow]) -> schemas.Page[schemas.Card]:
    return schemas.Page(items=[card_of(row) for row in page.rows], next_cursor=page.next_cursor)


def card_of(row: CardRow) -> schemas.Card:
    return schemas.Card(
        card_id=row.id,
        game=row.game,
        set_id=row.set_id,
        set_code=row.set_code,
        set_name=row.set_name,
        region=row.region,
        collector_number=row.collector_number,
        art=row.art,
        name=row.name,
        rarity=row.rarity,
        image_url=row.image_url,
        product_type=row.product_type,
        last_price_update=row.last_price_update,
    )


def _link(link: CardLink) -> schemas.Link:
    return schemas.Link(
        source=link.source,
        external_id=link.external_id,
        vendor_printing=link.sub_key,
        vendor_name=link.vendor_name,
        url=link.url,
        printing=link.printing or None,
        state=link.state,
        evidence=link.evidence,
        checked_at=link.checked_at,
    )


def _price(price: Headline, now: int) -> schemas.HeadlinePrice:
    seen = price.observed_at
    return schemas.HeadlinePrice(
        market_price=None if price.market is None else format_minor(price.market, price.currency),
        currency=price.currency,
        source=price.source,
        kind=price.kind,
        printing=price.printing or None,
        variant=price.variant,
        observed_at=None if seen is None else from_epoch(seen),
        age_s=None if seen is None else max(0, now - seen),
        listed=price.listed,
        stale=price.stale,
    )
