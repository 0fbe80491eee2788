"""`tcgtracker links`: which products are which cards, where the rules cannot tell."""

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from tcgtracker.cli import link_matching
from tcgtracker.cli.opening import open_tracker
from tcgtracker.cli.output import write_fields, write_json, write_table
from tcgtracker.cli.text import printable
from tcgtracker.domain.catalog import LinkState
from tcgtracker.domain.clock import iso
from tcgtracker.domain.errors import InvalidInput, TrackerError
from tcgtracker.domain.source import Source

if TYPE_CHECKING:
    from tcgtracker.quotes.link_choices import Decided, Reviewer
    from tcgtracker.quotes.link_review import LinkReview
    from tcgtracker.quotes.link_views import LinkDetail, LinkView

app = typer.Typer(
    help="What ties vendors' products to cards.", no_args_is_help=True, rich_markup_mode=None
)
app.command("evaluate")(link_matching.evaluate)
app.command("export")(link_matching.export)
app.command("match")(link_matching.match)

LinkId = Annotated[
    int, typer.Argument(metavar="LINK", min=1, max=2**31 - 1, help="As `links review` shows it.")
]
States = Annotated[
    list[LinkState] | None,
    typer.Option("--state", help="Only links in this state; may be repeated."),
]
FromSource = Annotated[Source | None, typer.Option("--source", help="Only this source.")]
OfGame = Annotated[str, typer.Option("--game", help="Only cards of this game, by its slug.")]
Rule = Annotated[str, typer.Option("--rule", help="Only links that these rules decided.")]
LeastScore = Annotated[
    float | None, typer.Option("--min-score", min=0, max=1, help="Only links scored so high.")
]
Note = Annotated[str, typer.Option(help="Why; kept with the decision.")]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON instead of text.")]
_BY = "operator"
_KEYS = "[a]ccept, accept as [p]rinting, [r]eject, [s]kip, [u]ndo the last, [q]uit"


@app.command()
def review(
    *,
    state: States = None,
    source: FromSource = None,
    game: OfGame = "",
    rule: Rule = "",
    min_score: LeastScore = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Go through uncertain links, the most valuable first, and decide on each.

    With --json list them instead.
    """
    from tcgtracker.catalog.review_rows import UNCERTAIN, LinkFilter

    wanted = LinkFilter(tuple(state or UNCERTAIN), source, game, rule, min_score)
    with open_tracker(quiet=True) as tracker:
        service = tracker.link_review
        page = service.queue(wanted, limit=limit)
        if as_json:
            from tcgtracker.api.links import link_of

            write_json(
                {
                    "items": [link_of(one).model_dump(mode="json") for one in page.links],
                    "counts": page.counts,
                }
            )
            return
        counted = ", ".join(f"{count} {name}" for name, count in page.counts.items())
        typer.echo(f"links in question: {counted}")
        last: int | None = None
        for place, view in enumerate(page.links, 1):
            typer.echo(f"\n{place} of {len(page.links)}")
            last = _ask(service, view, last)
            if last is None:
                return


@app.command()
def show(link: LinkId, *, as_json: AsJson = False) -> None:
    """Show both sides of a link, their prices, and what was decided before."""
    with open_tracker(quiet=True) as tracker:
        found = tracker.link_review.show(link)
    if as_json:
        from tcgtracker.api.links import detail_of

        write_json(detail_of(found).model_dump(mode="json"))
        return
    _write(found.view)
    _write_prices(found)
    for one in found.decisions:
        made = one.made
        undone = "" if one.undone_at is None else f", undone by {printable(one.undone_by)}"
        typer.echo(
            f"{iso(made.decided_at)} {printable(made.decided_by)}: {made.action},"
            f" {made.old.state} to {made.new_state} {printable(made.new_printing)}{undone}"
        )
    for pair in found.rejections:
        what = printable(pair.printing) or "the whole card"
        typer.echo(f"refused: card {pair.card_id}, {what}, by {printable(pair.decided_by)}")


@app.command()
def accept(
    link: LinkId,
    *,
    card: Annotated[int | None, typer.Option(help="Another card, by its id.")] = None,
    printing: Annotated[str, typer.Option(help="Which printing; the proposed one else.")] = "",
    new_printing: Annotated[
        bool, typer.Option("--new-printing", help="The card may gain this printing.")
    ] = False,
    note: Note = "",
) -> None:
    """Tie a product to a printing of a card, with its whole history."""
    from tcgtracker.quotes.link_choices import Choice

    with open_tracker(quiet=True) as tracker:
        choice = Choice(card, printing, new_printing, note)
        _said(tracker.link_review.accept(link, _reviewer(), choice), "accepted")


@app.command()
def reject(
    link: LinkId,
    *,
    printing: Annotated[
        str, typer.Option(help="Refuse this printing alone, not the whole card.")
    ] = "",
    note: Note = "",
) -> None:
    """Refuse a pair for good: it is never proposed again."""
    from tcgtracker.quotes.link_choices import Choice

    with open_tracker(quiet=True) as tracker:
        choice = Choice(printing=printing, note=note)
        done = tracker.link_review.reject(link, _reviewer(), choice, whole_card=not printing)
        _said(done, "refused")


@app.command()
def skip(link: LinkId) -> None:
    """Leave a link for later: it comes after all others."""
    with open_tracker(quiet=True) as tracker:
        _said(tracker.link_review.skip(link, _reviewer()), "skipped")


@app.command()
def undo(
    link: Annotated[
        int | None, typer.Argument(metavar="[LINK]", min=1, max=2**31 - 1, help="A link.")
    ] = None,
    *,
    batch: Annotated[str, typer.Option(help="A whole act, as it was printed.")] = "",
) -> None:
    """Take the last decision on a link back, or all of one act."""
    if (link is None) == (not batch):
        raise InvalidInput("name a link, or an act with --batch")
    with open_tracker(quiet=True) as tracker:
        if link is not None:
            _said(tracker.link_review.undo(link, _reviewer()), "undone")
            return
        try:
            act = UUID(batch)
        except ValueError as exc:
            raise InvalidInput(f"{batch!r} is not the id of an act") from exc
        typer.echo(f"undone: {tracker.link_review.undo_all(act, _reviewer())} links")


@app.command("accept-all")
def accept_all(
    *,
    state: States = None,
    source: FromSource = None,
    game: OfGame = "",
    rule: Rule = "",
    min_score: LeastScore = None,
    note: Note = "",
    really: Annotated[bool, typer.Option("--yes", help="Do it; else only count.")] = False,
    as_json: AsJson = False,
) -> None:
    """Accept all links of a rule whose printing is proposed; without --yes only count them."""
    from tcgtracker.api.links import bulk_of
    from tcgtracker.catalog.review_rows import LinkFilter

    wanted = LinkFilter(tuple(state or [LinkState.UNKNOWN]), source, game, rule, min_score)
    with open_tracker(quiet=True) as tracker:
        done = tracker.link_review.accept_all(wanted, _reviewer(), note=note, dry_run=not really)
    if as_json:
        write_json(bulk_of(done, dry_run=not really).model_dump(mode="json"))
        return
    write_fields(
        {
            "matched": done.matched,
            "accepted" if really else "would accept": done.accepted,
            "no printing proposed": done.unproposed,
            "refused": done.refused,
            "act": str(done.batch) if done.batch else None,
        }
    )
    for text in (*done.examples, *done.conflicts):
        typer.echo(f"  {printable(text)}")


def _ask(service: "LinkReview", view: "LinkView", last: int | None) -> int | None:
    """Ask until a link is decided; return the link decided last, None to stop."""
    from tcgtracker.quotes.link_choices import Choice

    detail = service.show(view.record.id)
    _write(detail.view)
    _write_prices(detail)
    while True:
        answer = typer.prompt(_KEYS, default="s", show_default=False).strip().lower()
        printing = typer.prompt("printing") if answer == "p" else ""
        choice = Choice(printing=printing, new_printing=bool(printing), version=detail.view.version)
        identifier = view.record.id
        try:
            if answer in ("a", "p"):
                _said(service.accept(identifier, _reviewer(), choice), "accepted")
            elif answer == "r":
                _said(service.reject(identifier, _reviewer(), choice), "refused")
            elif answer == "s":
                service.skip(identifier, _reviewer(), choice)
            elif answer == "u" and last:
                _said(service.undo(last, _reviewer()), "undone")
                continue
            elif answer == "q":
                return None
            else:
                continue
        except TrackerError as exc:  # said, and asked again: the reviewer goes on
            typer.echo(f"not done: {printable(str(exc))}")
            continue
        return identifier


def _write(view: "LinkView") -> None:
    record, stated = view.record, view.stated
    fields: dict[str, str | int | None] = {
        "link": record.id,
        "product": f"{view.product.source} {view.product.external_id} {view.product.sub_key}",
        "card": f"{record.card_id}: {record.card_name} {record.collector_number}",
        "state": f"{record.state}, score {record.score:.3f}, {record.rule_version}",
        "checked": iso(record.checked_at),
        "decided by": record.decided_by or "rules",
        "printing": record.printing or None,
        "proposed": view.proposal or None,
        "the card has": ", ".join(view.printings),
        "url": stated.url if stated else None,
    }
    write_fields(fields)
    rows = [(one.field, one.vendor, one.ours, one.verdict) for one in view.parts]
    if stated:
        rows.append(("rarity", stated.rarity, record.rarity, ""))
        write_table(("field", "the vendor says", "our card", ""), rows)
    typer.echo(f"evidence: {printable(record.evidence)}")


def _write_prices(found: "LinkDetail") -> None:
    from tcgtracker.domain.money import format_minor

    for price in found.product_prices:
        if price.market_price is None:
            continue
        facet = price.facet
        amount = format_minor(price.market_price, facet.currency)
        typer.echo(
            f"product: {amount} {facet.currency}, {facet.kind}, {facet.variant},"
            f" since {iso(price.since)}"
        )
    for one in found.card_prices:
        if one.market_price is not None:
            amount = format_minor(one.market_price, one.currency)
            typer.echo(f"card: {amount} {one.currency} by {one.source}")


def _said(done: "Decided", what: str) -> None:
    record = done.link.record
    place = f"{printable(record.card_name)} {printable(record.collector_number)}".strip()
    typer.echo(
        f"{what}: {done.changed} links; link {record.id} is {record.state},"
        f" {place}, {printable(record.printing) or 'no printing'} (act {done.batch})"
    )


def _reviewer() -> "Reviewer":
    from tcgtracker.quotes.link_choices import Reviewer

    return Reviewer(_BY)
