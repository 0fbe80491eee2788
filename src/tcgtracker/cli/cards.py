"""`tcgtracker card` and `tcgtracker history`: what a card is and what it costs."""

import shutil
from typing import TYPE_CHECKING, Annotated

import typer

from tcgtracker.cli.opening import open_tracker
from tcgtracker.cli.output import write_fields, write_json, write_table
from tcgtracker.cli.text import printable
from tcgtracker.domain.clock import iso
from tcgtracker.domain.errors import InvalidInput, NotFound
from tcgtracker.domain.source import Source

if TYPE_CHECKING:
    from tcgtracker.analytics.card_history import CardHistory
    from tcgtracker.analytics.windows import CurrentPrice, SeriesWindow
    from tcgtracker.catalog.views import CardRow
    from tcgtracker.tracker import Tracker

CardText = Annotated[
    str,
    typer.Argument(metavar="CARD", help="An id, a name or part of one, or a collector number."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON instead of text.")]
_CHART_HEIGHT = 12
_WIDEST = 120


def card(card: CardText, *, as_json: AsJson = False) -> None:
    """Show a card with its links and price; when several fit the text, list them."""
    from tcgtracker.analytics.headline import headline_price
    from tcgtracker.api.catalog import detail_of
    from tcgtracker.catalog import repository

    with open_tracker(quiet=True) as tracker:
        found = _find(tracker, card)
        if len(found) > 1:
            _list(found, as_json=as_json)
            return
        now = tracker.clock.now()
        with tracker.reading() as (connection, history):
            detail = repository.card_detail(connection, history, found[0].id)
            price = headline_price(
                connection, history, tracker.history.dialect, found[0].id, now=now
            )
    shown = detail_of(detail, price, now)
    if as_json:
        write_json(shown.model_dump(mode="json"))
        return
    write_fields(
        {
            "card": shown.card_id,
            "name": shown.name,
            "set": shown.set_name,
            "number": shown.collector_number,
            "rarity": shown.rarity,
            "game": shown.game,
            "printings": ", ".join(one.name for one in shown.printings),
        }
    )
    if shown.price is None:
        typer.echo("price:     none: no trusted link leads to one")
    else:
        one = shown.price
        seen = "never" if one.observed_at is None else iso(one.observed_at)
        amount = one.market_price or "none"
        stale = ", stale" if one.stale else ""
        gone = "" if one.listed else ", no longer listed"
        printing = one.printing or "printing not proven"
        typer.echo(
            f"price:     {amount} {one.currency} ({one.source}, {one.kind}, {printable(printing)},"
            f" {one.variant}, seen {seen}{stale}{gone})"
        )
    rows = [
        (one.source, one.external_id, one.vendor_printing, one.printing, one.state, one.evidence)
        for one in shown.links
    ]
    write_table(("source", "product", "sold as", "printing", "link", "evidence"), rows)


def history(
    card: Annotated[
        str | None,
        typer.Argument(metavar="[CARD]", help="As for `card`; left out with --product."),
    ] = None,
    *,
    days: Annotated[int, typer.Option(min=1, max=3660, help="UTC days up to today.")] = 30,
    source: Annotated[Source | None, typer.Option(help="Only series of this source.")] = None,
    product: Annotated[
        str | None, typer.Option(help="A vendor's product id, with --source; needs no card.")
    ] = None,
    printing: Annotated[str | None, typer.Option(help="Only this printing.")] = None,
    condition: Annotated[
        str | None, typer.Option(help="Only this state: nm, lp, mp, hp, dmg, raw, sealed.")
    ] = None,
    grade: Annotated[str | None, typer.Option(help="Only this grade, as psa-10.")] = None,
    as_json: AsJson = False,
) -> None:
    """Chart what a card cost, with statistics."""
    with open_tracker(quiet=True) as tracker:
        if product is not None:
            if source is None or card is not None:
                raise InvalidInput("--product needs --source and no card")
            _product(tracker, source, product, days, as_json=as_json)
            return
        if card is None:
            raise InvalidInput("name a card, or give --source and --product")
        found = _find(tracker, card)
        if len(found) > 1:
            _list(found, as_json=False)
            raise InvalidInput(f"{len(found)} cards fit {card!r}: give the id of one")
        from tcgtracker.domain.clock import to_epoch

        now = to_epoch(tracker.clock.now())
        shown = _history(tracker, found[0].id, days, source, printing, condition, grade)
        if as_json:
            from tcgtracker.api.parameters import Shape
            from tcgtracker.api.render import render_history

            body = render_history(shown, Shape.POINTS, now)
            typer.echo(body.decode())
            return
    typer.echo(f"{printable(shown.card.name)} {printable(shown.card.collector_number)}")
    if shown.window is None or shown.found is None:
        typer.echo(f"no price: {shown.reason}")
    else:
        _draw(shown.window, shown.found.printing, now)
    rows = []
    for one in shown.others:
        facet = one.candidate.series.facet
        name = one.candidate.printing or facet.sub_key
        market = _money(one.newest.market, facet.currency)
        rows.append(
            (one.candidate.series.source, name, facet.kind, facet.variant, market, facet.currency)
        )
    if rows:
        typer.echo("other series:")
        headers = ("source", "printing", "kind", "variant", "market", "currency")
        write_table(headers, rows, right=("market",))


def _history(
    tracker: "Tracker",
    card_id: int,
    days: int,
    source: Source | None,
    printing: str | None,
    condition: str | None,
    grade: str | None,
) -> "CardHistory":
    from tcgtracker.analytics.card_history import card_history

    with tracker.reading() as (connection, history_connection):
        return card_history(
            connection,
            history_connection,
            tracker.history.dialect,
            card_id,
            days=days,
            source=source,
            printing=printing,
            condition=condition,
            grade=grade,
            now=tracker.clock.now(),
            looks=tracker.looks,
        )


def _product(
    tracker: "Tracker", source: Source, external_id: str, days: int, *, as_json: bool
) -> None:
    from tcgtracker.analytics.card_history import product_history
    from tcgtracker.api.render import window_body
    from tcgtracker.domain.clock import to_epoch

    now = tracker.clock.now()
    with tracker.history.read() as connection:
        shown = product_history(
            connection, tracker.history.dialect, source, external_id, days=days, now=now
        )
    if as_json:
        write_json([window_body(one, to_epoch(now)) for one in shown])
        return
    for one in shown:
        _draw(one, one.series.facet.sub_key, to_epoch(now))


def _find(tracker: "Tracker", text: str) -> "list[CardRow]":
    from tcgtracker.catalog import repository

    with tracker.database.read() as connection:
        found = repository.find_cards(connection, text)
    if not found:
        raise NotFound(f"no card fits {text!r}")
    return found


def find_one(tracker: "Tracker", text: str) -> int:
    """Return the id of the one card that fits a text.

    Raises:
        NotFound: none fits.
        InvalidInput: several fit; they are listed.
    """
    found = _find(tracker, text)
    if len(found) > 1:
        _list(found, as_json=False)
        raise InvalidInput(f"{len(found)} cards fit {text!r}: give the id of one")
    return int(found[0].id)


def _list(found: "list[CardRow]", *, as_json: bool) -> None:
    if as_json:
        write_json(
            [
                {"card_id": one.id, "name": one.name, "set_name": one.set_name,
                 "collector_number": one.collector_number, "game": one.game}
                for one in found
            ]
        )  # fmt: skip
        return
    rows = [(one.id, one.name, one.set_name, one.collector_number, one.game) for one in found]
    write_table(("id", "name", "set", "number", "game"), rows, right=("id",))


def _draw(window: "SeriesWindow", printing: str, now: int) -> None:
    from tcgtracker.cli.chart import draw_chart
    from tcgtracker.domain.clock import from_epoch

    facet, said = window.series.facet, window.statistics
    currency = facet.currency
    name = printing or "printing not proven"
    typer.echo(
        f"{window.series.source} {printable(window.series.external_id)}, {printable(name)},"
        f" {facet.kind}, {facet.variant}, {currency}"
    )
    values = [value if value >= 0 else None for value in window.daily.market.tolist()]
    points = list(enumerate(values, window.daily.first_day))
    width = min(_WIDEST, shutil.get_terminal_size((80, 24)).columns)
    typer.echo(draw_chart(points, currency=currency, width=max(width, 60), height=_CHART_HEIGHT))
    current = window.current
    fields: dict[str, str | int | None] = {
        "latest": "none" if current is None else _latest(current, currency, now),
        "seen": "never" if current is None else iso(from_epoch(current.observed_at)),
        "average": _money(said.average, currency),
        "low": _money(said.minimum, currency),
        "high": _money(said.maximum, currency),
        "change": f"{_money(said.change, currency)} ({said.change_pct or '-'} %)",
        "trend": said.trend,
        "volatility": "-" if said.volatility is None else f"{said.volatility:.6f}",
        "all time": f"{_money(said.all_time_low, currency)} to"
        f" {_money(said.all_time_high, currency)}",
        "days with a price": said.days_with_price,
        "gaps": len(window.gaps),
    }
    write_fields(fields)
    for hold in window.holds:
        amount = _money(hold.values[0], currency)
        moment = iso(from_epoch(hold.observed_at))
        typer.echo(f"held {hold.id}: {amount} of {moment}: {printable(hold.reason)}")


def _latest(current: "CurrentPrice", currency: str, now: int) -> str:
    """Return the newest price, and that it is old or gone."""
    signs = [
        word
        for word, holds in (("stale", current.is_stale(now)), ("gone", not current.listed))
        if holds
    ]
    return " ".join([_money(current.values[0], currency), *(f"({word})" for word in signs)])


def _money(minor: int | None, currency: str) -> str:
    from tcgtracker.domain.money import format_minor

    return "-" if minor is None else format_minor(minor, currency)
