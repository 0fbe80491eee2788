"""From settings to a wired tracker: the one module that chooses adapters by name."""

from tcgtracker.config import Settings
from tcgtracker.database.engine import Database
from tcgtracker.domain.clock import Clock, SystemClock
from tcgtracker.tracker import Tracker


def build_tracker(settings: Settings | None = None, *, clock: Clock | None = None) -> Tracker:
    """Wire a tracker; nothing is opened before it is used.

    Raises:
        InvalidInput: the configuration is wrong; the message names the keys.
    """
    settings = settings or Settings()
    database = Database(
        settings.database.url,
        pool_size=settings.database.pool_size,
        busy_timeout_s=settings.database.busy_timeout_s,
    )
    history = database
    if settings.history.url and settings.history.url != settings.database.url:
        history = Database(
            settings.history.url,
            pool_size=settings.database.pool_size,
            busy_timeout_s=settings.database.busy_timeout_s,
        )
    return Tracker(
        settings=settings, clock=clock or SystemClock(), database=database, history=history
    )
