"""From settings to a wired tracker: the one module that chooses adapters by name."""

from datetime import timedelta

from tcgtracker.accounts.door import Door
from tcgtracker.accounts.keys import ApiKeys
from tcgtracker.accounts.passwords import PasswordHasher
from tcgtracker.accounts.secret import load_secret
from tcgtracker.accounts.service import Accounts
from tcgtracker.accounts.tokens import TokenMaker
from tcgtracker.catalog.search.store import CardSearch, search_folder
from tcgtracker.config import Settings, data_folder
from tcgtracker.database.engine import Database
from tcgtracker.domain.clock import Clock, SystemClock
from tcgtracker.operations.bell import Bell
from tcgtracker.operations.queue import JobQueue
from tcgtracker.operations.registry import JobRegistry
from tcgtracker.operations.runner import LocalRunner
from tcgtracker.operations.scheduler import Scheduler
from tcgtracker.prices import jobs as prices_jobs
from tcgtracker.prices.quick import ScopeLooks
from tcgtracker.quotes import jobs as quotes_jobs
from tcgtracker.quotes.service import Intake
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
    clock = clock or SystemClock()
    bell = Bell()
    registry = JobRegistry(
        [
            *prices_jobs.jobs(history, clock, seal_after_days=settings.history.seal_after_days),
            *quotes_jobs.jobs(database, history, clock),
        ]
    )
    tokens = TokenMaker(
        lambda: load_secret(settings.security.secret_key.get_secret_value(), data_folder()),
        clock,
        lifetime=timedelta(minutes=settings.security.access_minutes),
    )
    return Tracker(
        settings=settings,
        clock=clock,
        database=database,
        history=history,
        intake=Intake(history, clock),
        looks=ScopeLooks(),
        registry=registry,
        queue=JobQueue(database, registry, clock, bell),
        runner=LocalRunner(
            database,
            registry,
            clock,
            threads=settings.jobs.threads,
            lease_s=settings.jobs.lease_s,
            bell=bell,
        ),
        scheduler=Scheduler(database, registry, clock, bell),
        accounts=Accounts(
            database,
            clock,
            hasher=PasswordHasher(),
            tokens=tokens,
            session_lifetime=timedelta(days=settings.security.session_days),
            open_registration=settings.security.registration == "open",
        ),
        api_keys=ApiKeys(database, clock),
        door=Door(database, clock, tokens),
        search=CardSearch(database, search_folder(database, data_folder())),
    )
