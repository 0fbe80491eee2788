"""`tcgtracker plan`: what would be fetched now and what it costs, before anything is called."""

from typing import TYPE_CHECKING, Annotated

import typer

from tcgtracker.cli.opening import open_tracker
from tcgtracker.cli.output import Cell, write_json, write_table

if TYPE_CHECKING:
    from tcgtracker.quotes.plan import Budget
    from tcgtracker.quotes.planning import DuePlan

AsJson = Annotated[bool, typer.Option("--json", help="Write JSON instead of text.")]
Limit = Annotated[
    int,
    typer.Option(min=1, max=100_000, help="Cards at most at sources that answer one card a call."),
]
DEFAULT_LIMIT = 100


def plan(*, limit: Limit = DEFAULT_LIMIT, as_json: AsJson = False) -> None:
    """Show what would be fetched now, what it costs and what it leaves out; calls nobody."""
    with open_tracker(quiet=True) as tracker:
        made = tracker.planner.plan(limit=limit)
    if as_json:
        write_json(_plan_as_dict(made))
        return
    steps = [
        (place, one.vendor, one.operation.value, one.game or None, len(one.card_ids), one.calls,
         one.why)
        for place, one in enumerate(made.plan.steps, 1)
    ]  # fmt: skip
    typer.echo(f"{made.due} cards are due; {made.plan.calls} calls are planned")
    if steps:
        headers = ("step", "vendor", "asks for", "game", "cards", "calls", "why")
        write_table(headers, steps, right=("step", "cards", "calls"))
    typer.echo()
    budgets = [row for one in made.plan.budgets for row in _budget_rows(one)]
    columns = ("vendor", "window", "calls left", "planned", "left after", "not asked")
    write_table(columns, budgets, right=("calls left", "planned", "left after"))
    left_out = _left_out(made)
    if left_out:
        typer.echo()
        write_table(("left out", "why"), [(count, why) for why, count in left_out.items()])


def _budget_rows(one: "Budget") -> list[tuple[Cell, ...]]:
    closed = one.closed or None
    if not one.left:
        return [(one.vendor, "no limit", None, one.planned, None, closed)]
    return [
        (one.vendor, window, left, one.planned, left - one.planned, closed)
        for window, left in one.left.items()
    ]


def _left_out(made: "DuePlan") -> dict[str, int]:
    fresh = {"as new as their source has them": len(made.fresh)} if made.fresh else {}
    return {**made.left_out(), **fresh}


def _plan_as_dict(made: "DuePlan") -> dict[str, object]:
    return {
        "due": made.due,
        "calls": made.plan.calls,
        "steps": [
            {
                "vendor": one.vendor,
                "operation": one.operation.value,
                "game": one.game or None,
                "cards": list(one.card_ids),
                "calls": one.calls,
                "why": one.why,
            }
            for one in made.plan.steps
        ],
        "budgets": [
            {
                "vendor": one.vendor,
                "left": dict(one.left),
                "planned": one.planned,
                "left_after": {window: left - one.planned for window, left in one.left.items()},
                "not_asked": one.closed or None,
            }
            for one in made.plan.budgets
        ],
        "left_out": _left_out(made),
    }
