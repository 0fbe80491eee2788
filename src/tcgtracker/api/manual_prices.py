"""A user's own prices: kept for that user alone."""

from decimal import Decimal
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    model_validator,
)

from tcgtracker.api import parameters
from tcgtracker.api.authentication import Asking
from tcgtracker.api.catalog_schemas import Amount, OwnPrice, Page
from tcgtracker.api.errors import RESPONSES
from tcgtracker.api.render import own_price
from tcgtracker.domain.money import Money, exact_minor
from tcgtracker.domain.variant import RAW
from tcgtracker.quotes import manual_prices
from tcgtracker.tracker import Tracker

_OWN: dict[int | str, dict[str, Any]] = {
    status: RESPONSES[status] for status in (400, 401, 403, 404, 409, 422, 503)
}
_LIST: dict[int | str, dict[str, Any]] = {
    status: RESPONSES[status] for status in (400, 401, 422, 503)
}


class NewPrice(BaseModel):
    """A price that the user keeps. Without condition and grade it is of a raw card."""

    model_config = ConfigDict(extra="forbid")

    card_id: Annotated[int, Field(ge=1, le=parameters.MAX_ID, strict=True)]
    price: Annotated[Amount, Field(pattern=r"^[0-9]{1,9}(\.[0-9]{1,3})?$")]
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$", examples=["USD"])]
    printing: Annotated[
        str | None,
        Field(min_length=1, max_length=200, examples=["Holofoil"]),
        parameters.NulFree,
    ] = None
    condition: parameters.Wording | None = None
    grade: Annotated[
        str | None, Field(max_length=40, examples=["psa-10"]), AfterValidator(parameters.grade_of)
    ] = None
    observed_at: Annotated[
        parameters.GivenMoment,
        Field(description="when it was true, with its offset; now when left out"),
    ] = None
    note: Annotated[str, Field(max_length=500), parameters.NulFree] = ""

    @model_validator(mode="after")
    def _one_state(self) -> Self:
        if self.condition is not None and self.grade is not None:
            raise ValueError("a graded card has no condition: give condition or grade")
        return self

    @property
    def variant(self) -> str:
        if self.grade is not None:
            return self.grade
        return RAW if self.condition is None else self.condition.value


OfCard = Annotated[
    int | None, Query(description="only prices of this card", ge=1, le=parameters.MAX_ID)
]


def router(tracker: Tracker) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["own prices"])

    @routes.post("/prices/", status_code=201, summary="Keep a price of one's own", responses=_OWN)
    def keep(wish: NewPrice, account: Asking) -> OwnPrice:
        """The price is the user's alone: no other user sees it, and no figure counts it."""
        now = tracker.clock.now()
        minor = exact_minor(Decimal(wish.price), wish.currency)
        with tracker.database.write() as connection:
            kept = manual_prices.add(
                connection,
                account.user_id,
                card_id=wish.card_id,
                printing=wish.printing or "",
                variant=wish.variant,
                money=Money(minor, wish.currency),
                observed_at=wish.observed_at or now,
                note=wish.note,
                now=now,
            )
        return OwnPrice(**own_price(kept))

    @routes.get("/prices/", summary="The user's own prices", responses=_LIST)
    def own(
        account: Asking,
        card_id: OfCard = None,
        limit: parameters.Limit = 50,
        cursor: parameters.Cursor = None,
    ) -> Page[OwnPrice]:
        """Those that were kept last come first."""
        with tracker.database.read() as connection:
            page = manual_prices.load(
                connection, account.user_id, card_id=card_id, limit=limit, cursor=cursor or ""
            )
        return Page(
            items=[OwnPrice(**own_price(one)) for one in page.prices],
            next_cursor=page.next_cursor or None,
        )

    @routes.delete(
        "/prices/{price_id}", status_code=204, summary="Forget a price of one's own", responses=_OWN
    )
    def forget(price_id: UUID, account: Asking) -> None:
        """Another user's price is as one that does not exist."""
        with tracker.database.write() as connection:
            manual_prices.remove(connection, account.user_id, price_id)

    return routes
