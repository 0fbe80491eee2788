"""`tcgtracker demo`: a small tracker with invented prices, to look around in."""

import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from secrets import token_urlsafe
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from tcgtracker.cli.opening import open_tracker
from tcgtracker.cli.text import printable
from tcgtracker.domain.errors import InvalidInput

if TYPE_CHECKING:
    from types import FrameType

    from tcgtracker.tracker import Tracker

_SEED = 7
_EVENING_HOURS = 20


def demo(
    *,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to serve on, 0 for a free one.")
    ] = 8000,
    folder: Annotated[
        Path | None,
        typer.Option(help="Empty folder to keep it in; a temporary one otherwise."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Other invented prices.")] = _SEED,
) -> None:
    """Make a small database of invented cards and prices, and serve it.

    The files are taken in as `import` does it. Nothing of your own database is touched; without
    --folder everything is deleted at the end.
    """
    from tcgtracker.cli.serve import bind, prepare, run
    from tcgtracker.config import Settings

    with _stoppable(), ExitStack() as stack:
        if folder is None:
            place = Path(stack.enter_context(TemporaryDirectory(prefix="tcgtracker-demo-")))
        else:
            place = folder.absolute()
            place.mkdir(parents=True, exist_ok=True)
            if any(place.iterdir()):
                raise InvalidInput(f"{folder} is not empty: name another folder")
        url = f"sqlite:///{place / 'demo.db'}"
        settings = Settings(
            app={"port": port, "host": "127.0.0.1", "log_level": "WARNING"},
            database={"url": url},
            history={"url": ""},
            security={"secret_key": token_urlsafe(32)},
        )
        bound = stack.enter_context(bind(settings.app.host, port))
        tracker = stack.enter_context(open_tracker(settings, require_current=False))
        prepare(tracker.database)
        cards = fill(tracker, place, seed=seed)
        key = _make_key(tracker)

        def say(address: str) -> str:
            lines = [
                f"serving on {address} (documentation: {address}/docs)",
                *(
                    f"card: {address}/api/v1/prices/card/{card_id}?days=120 ({printable(name)})"
                    for name, card_id in list(cards.items())[:2]
                ),
                "the API wants an account; this key is the demo's:",
                f"  curl -H 'X-API-Key: {key}' '{address}/api/v1/cards'",
                "try in another terminal:",
            ]
            environment = f"DB_URL={shlex.quote(url)}"
            name = shlex.quote(next(iter(cards)))
            commands = (f"card {name}", f"history {name} --days 120", "holds list")
            lines.extend(f"  {environment} tcgtracker {words}" for words in commands)
            return "\n".join([*lines, "Ctrl-C ends it."])

        run(tracker, bound, say)


def fill(tracker: "Tracker", folder: Path, *, seed: int) -> dict[str, int]:
    """Write vendor-shaped files, take them in, seal what is old; return some cards by name."""
    from datetime import timedelta

    from tcgtracker.catalog import repository
    from tcgtracker.catalog.service import import_catalog
    from tcgtracker.cli.demo_data import write_files
    from tcgtracker.cli.imports import progress_bar
    from tcgtracker.integrations.price_files import iter_price_pages, total_bytes
    from tcgtracker.prices.seal import seal_price_history
    from tcgtracker.quotes.card_quotes import rebuild
    from tcgtracker.quotes.following import follow

    now = tracker.clock.now()
    # A day's prices are those of its evening: today's may not be there yet.
    last_day = (now - timedelta(hours=_EVENING_HOURS)).date()
    files = write_files(folder, last_day, seed=seed)
    with progress_bar() as show:
        import_catalog(
            tracker.database,
            tracker.history,
            files.catalog,
            clock=tracker.clock,
            on_progress=show,
        )
        total = total_bytes(files.prices)
        pages = iter_price_pages(files.prices, on_progress=lambda done: show("prices", done, total))
        tracker.intake.collect(pages, input_name="demo")
        show("links", 0, 0)
        follow(tracker.database, tracker.history, clock=tracker.clock)
        rebuild(tracker.database, tracker.history)
        seal_price_history(
            tracker.history, now=now, after_days=tracker.settings.history.seal_after_days
        )
    names = [files.spiked.name, *(product.name for product in files.products[1:3])]
    with tracker.database.read() as connection:
        return {name: repository.find_cards(connection, name)[0].id for name in names}


def _make_key(tracker: "Tracker") -> str:
    """Make the demo's user, whose password nobody needs, and a key that may do everything."""
    from tcgtracker.database.tables.accounts import KeyScope

    password = token_urlsafe(16)
    tracker.accounts.register("demo", password)
    pair = tracker.accounts.sign_in("demo", password)
    account = tracker.door.account(token=pair.access_token)
    return tracker.api_keys.make(account, "demo", KeyScope.WRITE)[1]


@contextmanager
def _stoppable() -> Iterator[None]:
    """Let SIGTERM end the making of files as it ends the server: cleanly, and with code 0."""

    def stop(_signal: int, _frame: "FrameType | None") -> None:
        sys.exit(0)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
