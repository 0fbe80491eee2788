"""Where the demonstration happens: the sandbox, and a tracker that knows no other vendor."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from secrets import token_urlsafe

from tcgtracker.bootstrap import build_tracker
from tcgtracker.config import Settings
from tcgtracker.database.migrate import upgrade
from tcgtracker.demo.surroundings import closed_environment, unhurried
from tcgtracker.domain.clock import SystemClock
from tcgtracker.sandbox.make_sandbox import make_sandbox
from tcgtracker.sandbox.serving import Sandbox
from tcgtracker.sandbox.tcgcsv import TcgcsvSandbox
from tcgtracker.sandbox.world import World
from tcgtracker.tracker import Tracker

DATABASE = "demo.db"
SETS = (
    "base1",
    "base1s",
    "neo1",
    "cel25",
    "cel25c",
    "swsh12",
    "swshp",
    "sv3pt5",
    "SV2a",
    "OP01",
    "OP02",
    "ST01",
)
"""Enough to look around in, few enough to start fast."""
_JUSTTCG_PLAN = {
    "API_JUSTTCG_BATCH_SIZE": "5",
    "API_JUSTTCG_DAILY_LIMIT": "12",
    "API_JUSTTCG_MONTHLY_LIMIT": "360",
}
"""Less than its free plan, as for a key that other programs use too: a budget that one can see."""


@dataclass(frozen=True, slots=True)
class Demo:
    """The vendors, the tracker, and their common clock, which is the sandbox's."""

    sandbox: Sandbox
    tracker: Tracker

    @property
    def world(self) -> World:
        shop = self.sandbox.vendors["tcgcsv"]
        assert isinstance(shop, TcgcsvSandbox)  # noqa: S101 - make_sandbox made it
        return shop.world

    def now(self) -> datetime:
        return self.tracker.clock.now()


@contextmanager
def open_demo(folder: Path, *, seed: int, days: int) -> Iterator[Demo]:
    """Give vendors and a tracker on a new database in `folder`, `days` before the present.

    TCGplayer's own API is left without a key, as it is for most people. Sets environment variables
    of this process: each setting of the tracker has its default or points at the sandbox.

    Raises:
        StorageError: the folder cannot be written to.
    """
    start = SystemClock().now().replace(microsecond=0) - timedelta(days=days)
    sandbox = make_sandbox(seed=seed, first_day=start.date(), now=start, pacing=False, codes=SETS)
    with sandbox:
        vendors = {
            name: value
            for name, value in sandbox.environment().items()
            if not name.startswith("API_TCGPLAYER_CLIENT")
        }
        os.environ.update(
            closed_environment(
                {
                    **vendors,
                    **_JUSTTCG_PLAN,
                    "DB_URL": f"sqlite:///{folder.absolute() / DATABASE}",
                    "SECURITY_SECRET_KEY": token_urlsafe(32),
                }
            )
        )
        tracker = build_tracker(
            Settings(), clock=sandbox.clock, accounts_clock=SystemClock(), adapt=unhurried
        )
        try:
            upgrade(tracker.database)
            yield Demo(sandbox, tracker)
        finally:
            tracker.close()
