"""`tcgtracker demo`: a tracker with invented prices, to look around in."""

import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from secrets import token_urlsafe
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from tcgtracker.cli.text import printable
from tcgtracker.domain.errors import InvalidInput

if TYPE_CHECKING:
    from types import FrameType

    from tcgtracker.demo.place import Demo

_USER = "demo"


def demo(
    *,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to serve on, 0 for a free one.")
    ] = 8000,
    folder: Annotated[
        Path | None,
        typer.Option(help="Empty folder to keep it in; a temporary one otherwise."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Other invented prices.")] = 7,
    days: Annotated[
        int, typer.Option(min=1, max=1000, help="Days of prices up to the present.")
    ] = 120,
    speed: Annotated[
        float,
        typer.Option(min=0, max=20, help="Days that pass in a minute; 0 = time passes as always."),
    ] = 1.0,
) -> None:
    """Serve a tracker whose vendors are on this machine and invent their prices.

    Its database begins so many days ago, asks the vendors day by day as any tracker does, and goes
    on doing so while it is looked at. Nothing of your own is read or changed, neither database nor
    keys; without --folder everything is deleted at the end.
    """
    from tcgtracker.cli.imports import progress_bar
    from tcgtracker.cli.serve import bind, run
    from tcgtracker.demo.days import Days
    from tcgtracker.demo.history import fill
    from tcgtracker.demo.place import open_demo
    from tcgtracker.runtime.logging import configure_logging

    configure_logging(level="CRITICAL")  # what the vendors do wrong here is wanted
    with _stoppable(), ExitStack() as stack:
        place = _place(folder, stack)
        bound = stack.enter_context(bind("127.0.0.1", port))
        shown = stack.enter_context(open_demo(place, seed=seed, days=days))
        with progress_bar() as show:
            fill(shown, days, on_progress=show)
        say = _greeting(shown, place, days)
        shown.sandbox.clock.run(1.0)
        configure_logging(level="ERROR")
        passing = Days(shown, speed)
        passing.start()
        run(shown.tracker, bound, say, on_stop=passing.stop)


def _place(folder: Path | None, stack: ExitStack) -> Path:
    if folder is None:
        return Path(stack.enter_context(TemporaryDirectory(prefix="tcgtracker-demo-")))
    place = folder.absolute()
    place.mkdir(parents=True, exist_ok=True)
    if any(place.iterdir()):
        raise InvalidInput(f"{folder} is not empty: name another folder")
    return place


def _greeting(demo: "Demo", place: Path, days: int) -> "Callable[[str], str]":
    """Return what makes the first words from the address."""
    from tcgtracker.demo.place import DATABASE
    from tcgtracker.demo.sights import sights

    password, key = _make_user(demo)
    link = demo.tracker.accounts.make_link(_USER)
    seen = sights(demo, days)

    def say(address: str) -> str:
        environment = f"DB_URL={shlex.quote(f'sqlite:///{place / DATABASE}')}"
        history = f"{address}/api/v1/prices/card/{seen[0].card_id}?days=120"
        lines = [
            f"serving on {address} (documentation: {address}/docs)",
            f"open {address}/sign-in/link?token={link}",
            f"  (signs you in once, within half an hour; later as {_USER} with {password})",
            "worth a look:",
            *(
                f"  {address}/cards/{one.card_id}{one.query} {printable(one.name)}: {one.what}"
                for one in seen
            ),
            "for programs:",
            f"  curl -H 'X-API-Key: {key}' '{history}'",
            "in another terminal:",
            *(
                f"  {environment} tcgtracker {words}"
                for words in (
                    f"card {seen[0].card_id}",
                    f"history {seen[0].card_id} --days 120",
                    "holds list",
                )
            ),
            "Ctrl-C ends it.",
        ]
        return "\n".join(lines)

    return say


def _make_user(demo: "Demo") -> tuple[str, str]:
    """Make the admin; return the password, and a key that may do everything."""
    from tcgtracker.database.tables.accounts import KeyScope

    tracker, password = demo.tracker, token_urlsafe(9)
    tracker.accounts.register(_USER, password)
    account = tracker.door.account(token=tracker.accounts.sign_in(_USER, password).access_token)
    return password, tracker.api_keys.make(account, _USER, KeyScope.WRITE)[1]


@contextmanager
def _stoppable() -> Iterator[None]:
    """Let SIGTERM end the start as it ends the server: cleanly, and with code 0."""

    def stop(_signal: int, _frame: "FrameType | None") -> None:
        sys.exit(0)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
