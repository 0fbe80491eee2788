"""A worker process for the tests: `python -m tests.integration.jobs_worker URL`.

Its one job says `started` on standard output, waits for a line on standard input, and then tries to
write under its lease. What came of it is said on standard output.
"""

import sys

from sqlalchemy import text

from tcgtracker.database.engine import Database
from tcgtracker.domain.clock import SystemClock
from tcgtracker.operations.context import JobContext
from tcgtracker.operations.errors import LeaseLost
from tcgtracker.operations.registry import Job, JobRegistry
from tcgtracker.operations.runner import LocalRunner
from tcgtracker.runtime.logging import configure_logging

MARK = "INSERT INTO change_cursors (consumer, change_set_id) VALUES (:who, 1)"
LEASE_S = 1.5


def main(url: str) -> None:
    configure_logging(level="ERROR")
    database = Database(url)

    def handler(context: JobContext) -> str:
        say("started")
        sys.stdin.readline()
        try:
            with database.write() as connection:
                connection.execute(text(MARK), {"who": "first"})
                context.hold(connection)
        except LeaseLost:
            say("refused")
            raise
        say("written")
        return "first"

    registry = JobRegistry([Job(name="work", handler=handler)])
    LocalRunner(database, registry, SystemClock(), lease_s=LEASE_S).run_pending(limit=1)
    database.close()
    say("ended")


def say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
