"""The review of links between vendors' products and cards: admins only."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request

from tcgtracker.accounts.values import Account
from tcgtracker.api import link_schemas as schemas
from tcgtracker.api import parameters
from tcgtracker.api.accounts import address_of
from tcgtracker.api.authentication import AskingAdmin
from tcgtracker.api.errors import RESPONSES
from tcgtracker.catalog.decision_rows import Decision
from tcgtracker.catalog.review_rows import UNCERTAIN, LinkFilter
from tcgtracker.domain.catalog import LinkState
from tcgtracker.domain.money import format_minor
from tcgtracker.quotes.link_choices import BulkDecided, Choice, Decided, Reviewer
from tcgtracker.quotes.link_views import LinkDetail, LinkView
from tcgtracker.tracker import Tracker

_LIST: dict[int | str, dict[str, Any]] = {
    status: RESPONSES[status] for status in (400, 401, 403, 422, 503)
}
_ONE: dict[int | str, dict[str, Any]] = {
    status: RESPONSES[status] for status in (400, 401, 403, 404, 409, 422, 503)
}
LinkId = Annotated[int, Path(description="id of a link", ge=1, le=parameters.MAX_ID, examples=[1])]
States = Annotated[
    list[LinkState] | None,
    Query(
        description="several may be given; unknown and suspended when left out",
        max_length=len(LinkState),
    ),
]
RuleVersion = Annotated[
    str, Query(description="decided by these rules", max_length=100), parameters.NulFree
]
LeastScore = Annotated[float | None, Query(ge=0, le=1, allow_inf_nan=False)]


def router(tracker: Tracker) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["links"])
    review = tracker.link_review

    @routes.get("/admin/links", summary="Links in question", responses=_LIST)
    def queue(
        _admin: AskingAdmin,
        *,
        state: States = None,
        source: parameters.SourceName = None,
        game: parameters.GameSlug = None,
        rule_version: RuleVersion = "",
        min_score: LeastScore = None,
        limit: parameters.Limit = 50,
        cursor: parameters.Cursor = None,
    ) -> schemas.Queue:
        """The most valuable uncertain link first, what was skipped last.

        Prices of different currencies are ordered by their amounts: nothing is converted.
        """
        wanted = LinkFilter(tuple(state or UNCERTAIN), source, game or "", rule_version, min_score)
        page = review.queue(wanted, limit=limit, cursor=cursor or "")
        return schemas.Queue(
            items=[link_of(one) for one in page.links],
            next_cursor=page.next_cursor,
            counts=page.counts,
        )

    @routes.post("/admin/links/bulk-accept", summary="Accept all links of a rule", responses=_LIST)
    def bulk_accept(
        wish: schemas.BulkAccept, admin: AskingAdmin, request: Request
    ) -> schemas.BulkDecided:
        """Count them first: `dry_run` is on unless it is switched off."""
        wanted = LinkFilter(
            tuple(wish.state), wish.source, wish.game, wish.rule_version, wish.min_score
        )
        by = _reviewer(admin, request)
        done = review.accept_all(wanted, by, note=wish.note, dry_run=wish.dry_run)
        return bulk_of(done, dry_run=wish.dry_run)

    @routes.post("/admin/links/bulk-undo", summary="Take a whole act back", responses=_ONE)
    def bulk_undo(wish: schemas.BulkUndo, admin: AskingAdmin, request: Request) -> schemas.Undone:
        return schemas.Undone(links_changed=review.undo_all(wish.batch, _reviewer(admin, request)))

    @routes.get("/admin/links/{link_id}", summary="A link with both sides", responses=_ONE)
    def show(link_id: LinkId, _admin: AskingAdmin) -> schemas.LinkDetail:
        return detail_of(review.show(link_id))

    @routes.post("/admin/links/{link_id}/accept", summary="Accept a link", responses=_ONE)
    def accept(
        link_id: LinkId, wish: schemas.Accept, admin: AskingAdmin, request: Request
    ) -> schemas.Decided:
        """The history moves with the product at once; another card refuses the one before."""
        choice = Choice(wish.card_id, wish.printing, wish.new_printing, wish.note, wish.version)
        return _decided(review.accept(link_id, _reviewer(admin, request), choice))

    @routes.post("/admin/links/{link_id}/reject", summary="Refuse a pair", responses=_ONE)
    def reject(
        link_id: LinkId, wish: schemas.Reject, admin: AskingAdmin, request: Request
    ) -> schemas.Decided:
        """It is never proposed again, by whatever fetch or import."""
        choice = Choice(printing=wish.printing, note=wish.note, version=wish.version)
        by = _reviewer(admin, request)
        return _decided(review.reject(link_id, by, choice, whole_card=wish.whole_card))

    @routes.post("/admin/links/{link_id}/skip", summary="Leave a link for later", responses=_ONE)
    def skip(
        link_id: LinkId, wish: schemas.Skip, admin: AskingAdmin, request: Request
    ) -> schemas.Decided:
        choice = Choice(note=wish.note, version=wish.version)
        return _decided(review.skip(link_id, _reviewer(admin, request), choice))

    @routes.post("/admin/links/{link_id}/undo", summary="Take a decision back", responses=_ONE)
    def undo(link_id: LinkId, admin: AskingAdmin, request: Request) -> schemas.Decided:
        """The last decision that holds; rules decide again what is theirs to decide."""
        return _decided(review.undo(link_id, _reviewer(admin, request)))

    return routes


def link_of(view: LinkView) -> schemas.LinkInReview:
    """Return a link as it is answered."""
    record, product, stated = view.record, view.product, view.stated
    market = record.market_price
    return schemas.LinkInReview(
        link_id=record.id,
        source=product.source,
        external_id=product.external_id,
        vendor_printing=product.sub_key,
        state=record.state,
        score=record.score,
        rule_version=record.rule_version,
        checked_at=record.checked_at,
        decided_by=record.decided_by or None,
        skipped_at=record.skipped_at,
        evidence=record.evidence,
        stated=None
        if stated is None
        else schemas.StatedSide(
            name=stated.name,
            set_name=stated.set_name,
            number=stated.number,
            rarity=stated.rarity,
            printing=stated.printing,
            tcgplayer_id=stated.tcgplayer_id,
            url=stated.url,
            game=stated.game,
            product_type=stated.product_type,
        ),
        card=schemas.CardSide(
            card_id=record.card_id,
            name=record.card_name,
            collector_number=record.collector_number,
            rarity=record.rarity,
            set_name=record.set_name,
            game=record.game,
            printing=record.printing or None,
            printings=list(view.printings),
        ),
        parts=[
            schemas.EvidencePart(
                field=one.field, vendor=one.vendor, ours=one.ours, verdict=one.verdict
            )
            for one in view.parts
        ],
        proposed_printing=view.proposal or None,
        market_price=None if market is None else format_minor(market, record.currency),
        currency=record.currency or None,
        priced_at=record.priced_at,
        value=record.value,
        version=view.version,
    )


def detail_of(found: LinkDetail) -> schemas.LinkDetail:
    """Return a link with prices and decisions as it is answered."""
    return schemas.LinkDetail(
        **dict(link_of(found.view)),
        compared_at=found.compared_at,
        product_prices=[
            schemas.ProductPrice(
                kind=one.facet.kind,
                variant=one.facet.variant,
                language=one.facet.language,
                market_price=_amount(one.market_price, one.facet.currency),
                currency=one.facet.currency,
                since=one.since,
            )
            for one in found.product_prices
        ],
        card_prices=[
            schemas.CardPrice(
                source=one.source,
                market_price=_amount(one.market_price, one.currency),
                currency=one.currency,
                observed_at=one.observed_at,
            )
            for one in found.card_prices
        ],
        decisions=[_decision(one) for one in found.decisions],
        rejected=[
            schemas.RefusedPair(
                card_id=one.card_id,
                printing=one.printing or None,
                decided_by=one.decided_by,
                batch=one.batch,
            )
            for one in found.rejections
        ],
    )


def bulk_of(done: BulkDecided, *, dry_run: bool) -> schemas.BulkDecided:
    """Return a bulk acceptance as it is answered."""
    return schemas.BulkDecided(
        dry_run=dry_run,
        matched=done.matched,
        accepted=done.accepted,
        without_proposal=done.unproposed,
        refused=done.refused,
        examples=done.examples,
        conflicts=done.conflicts,
        batch=done.batch,
    )


def _decided(done: Decided) -> schemas.Decided:
    return schemas.Decided(
        batch=done.batch,
        links_changed=done.changed,
        card_ids=list(done.cards),
        link=link_of(done.link),
    )


def _decision(one: Decision) -> schemas.LinkDecision:
    made = one.made
    return schemas.LinkDecision(
        batch=made.batch,
        action=made.action,
        decided_by=made.decided_by,
        decided_at=made.decided_at,
        note=made.note,
        stated=made.stated,
        from_state=made.old.state,
        from_card_id=made.old.card_id,
        from_printing=made.old.printing,
        from_evidence=made.old.evidence,
        to_state=made.new_state,
        to_card_id=made.new_card_id,
        to_printing=made.new_printing,
        undone_at=one.undone_at,
        undone_by=one.undone_by or None,
    )


def _reviewer(admin: Account, request: Request) -> Reviewer:
    return Reviewer(admin.username, admin.user_id, address_of(request))


def _amount(minor: int | None, currency: str) -> str | None:
    return None if minor is None else format_minor(minor, currency)
