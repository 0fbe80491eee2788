"""A process of its own that imports, seals or migrates, telling on standard output how far it is.

Run as `python -m tests.integration.history_worker ACT URL [ARGUMENT...]`. It says `ready`, waits
for a line on standard input, then says `begin N` and `done N` around each step, and `end`.
"""

import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import structlog

from tcgtracker.database.engine import Database
from tcgtracker.database.migrate import downgrade, upgrade
from tcgtracker.domain.clock import SystemClock
from tcgtracker.domain.errors import TrackerError
from tcgtracker.integrations.contract import PricePage
from tcgtracker.integrations.price_files import iter_price_pages
from tcgtracker.prices.months import load_months
from tcgtracker.prices.seal import fold_late_rows, seal_months
from tcgtracker.quotes.report import CollectReport
from tcgtracker.quotes.service import Intake


def say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def import_prices(database: Database, arguments: list[str]) -> None:
    """Import the named files, each in turn (`judge` as the first argument: without trust)."""
    trust = arguments[0] != "judge"
    paths = [Path(path) for path in arguments[1:]]

    def told(pages: Iterator[PricePage]) -> Iterator[PricePage]:
        for page in pages:
            say(f"begin {page.scope} {int(page.observed_at.timestamp())}")
            yield page

    def done(page: PricePage, _report: CollectReport) -> None:
        say(f"done {page.scope} {int(page.observed_at.timestamp())}")

    report = Intake(database, SystemClock()).collect(
        told(iter_price_pages(paths)), input_name="test", trust=trust, on_page=done
    )
    say(f"stored {report.stored} {report.history_rows}")


def seal(database: Database, arguments: list[str]) -> None:
    """Seal every month in small batches, then fold the late rows."""
    with database.read() as connection:
        months = sorted(one.month for one in load_months(connection) if one.has_table)
    for month in months:
        say(f"begin {month}")
        seal_months(database, [month], batch=int(arguments[0]))
        say(f"done {month}")
    fold_late_rows(database, batch=int(arguments[0]))


def fold(database: Database, arguments: list[str]) -> None:
    """Fold late rows over and over, for as many seconds as the argument says."""
    end = time.monotonic() + float(arguments[0])
    folded = 0
    while time.monotonic() < end:
        folded += fold_late_rows(database, batch=50)
        time.sleep(0.005)  # or SQLite's other writers starve
    say(f"folded {folded}")


def migrate(database: Database, arguments: list[str]) -> None:
    """Go to each of the named revisions in turn (`base` means down to nothing)."""
    for revision in arguments:
        say(f"begin {revision}")
        applied = downgrade(database, "base") if revision == "base" else upgrade(database, revision)
        say(f"done {revision} {applied}")


ACTS = {"import": import_prices, "seal": seal, "fold": fold, "migrate": migrate}


def main() -> int:
    """Do what the command line says; 1 with the error on standard output when it fails."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    act, url, *arguments = sys.argv[1:]
    database = Database(url, busy_timeout_s=60)
    say(f"ready {datetime.now(UTC).isoformat()}")
    sys.stdin.readline()
    try:
        ACTS[act](database, arguments)
    except TrackerError as exc:
        say(f"failed {type(exc).__name__}: {exc}")
        return 1
    finally:
        database.close()
    say("end")
    return 0


if __name__ == "__main__":
    sys.exit(main())
