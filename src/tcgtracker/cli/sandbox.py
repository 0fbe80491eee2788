"""`tcgtracker sandbox`: the vendors on this machine, for trying things out without keys."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from tcgtracker.cli.stopping import until_told
from tcgtracker.domain.errors import Conflict, InvalidInput

if TYPE_CHECKING:
    from datetime import date

    from tcgtracker.sandbox.serving import Sandbox


_YEARS = range(2000, 2100)
_MAX_SPEED = 1_000_000


def sandbox(
    *,
    port_base: Annotated[
        int,
        typer.Option(
            min=0, max=65000, help="The control port; the vendors' follow. 0 for free ones."
        ),
    ] = 0,
    seed: Annotated[int, typer.Option(help="What cards and prices are drawn from.")] = 1,
    day: Annotated[
        str | None, typer.Option(help="Day on which the sandbox begins, today otherwise.")
    ] = None,
    speed: Annotated[
        float, typer.Option(min=0, help="Seconds of the sandbox in a real second; 0 = it stands.")
    ] = 1.0,
) -> None:
    """Serve invented prices as the vendors serve theirs, until Ctrl-C.

    Says where, and which settings point the program there.
    """
    from datetime import timedelta

    from tcgtracker.sandbox.make_sandbox import make_sandbox
    from tcgtracker.sandbox.serving import noon

    if not speed <= _MAX_SPEED:
        raise InvalidInput(f"--speed must be from 0 to {_MAX_SPEED:,}")
    first = _day(day)
    served = make_sandbox(
        seed=seed,
        first_day=first - timedelta(days=1),
        now=noon(first),
        speed=speed,
        port_base=port_base,
    )
    with until_told() as ended:  # from here on, so that no signal finds the ports half open
        try:
            served.start()
        except OSError as exc:
            raise Conflict(
                f"cannot open the sandbox's ports ({exc.strerror}): give another --port-base"
            ) from exc
        try:
            _say(served)
            ended.wait()
        finally:
            served.stop()


def _day(text: str | None) -> "date":
    from datetime import date

    from tcgtracker.domain.clock import SystemClock

    if text is None:
        return SystemClock().now().date()
    try:
        first = date.fromisoformat(text)
    except ValueError as exc:
        raise InvalidInput(f"--day {text!r}: write it as 2026-05-01") from exc
    if first.year not in _YEARS:
        raise InvalidInput(f"--day must be in the years {_YEARS[0]} to {_YEARS[-1]}")
    return first


def _say(served: "Sandbox") -> None:
    for name, url in served.urls.items():
        typer.echo(f"# {name:<14}{url}")
    typer.echo(f"# {'control':<14}{served.control_url}/_control")
    for name, value in served.environment().items():
        typer.echo(f"{name}={value}")
    sys.stdout.flush()  # whoever started us through a pipe waits for these lines
