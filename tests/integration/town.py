"""A whole distributed program of a test's own, its vendors, and a twin that nothing happens to."""

import os
import random
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import text

from tcgtracker.cli.fleet import Fleet, Member
from tcgtracker.cli.own_servers import free_port
from tcgtracker.database.engine import Database
from tcgtracker.database.tables.accounts import KeyScope
from tcgtracker.database.tables.operations import JobState
from tcgtracker.domain.ids import JobId
from tcgtracker.operations import repository
from tcgtracker.operations.values import OPEN_STATES, JobFilter, JobRecord
from tcgtracker.sandbox.serving import Sandbox
from tcgtracker.tracker import Tracker
from tests.integration.sandboxed import a_sandbox, a_tracker, base_cards, import_cards, world_of
from tests.postgres_server import PostgresServer
from tests.redis_server import RedisServer

LEASE_S = 4
GAME = "onepiece"
_DAYS_AGO = 400
"""Where the vendors' days begin: a test lets many pass, and prices of days to come are refused."""
"""The smaller one of the vendors' two: a day of it takes a worker a second or two."""
PASSWORD = "a long enough password"  # noqa: S105 - of a server that lives for one test
POINTS = """
SELECT p.source, p.external_id, p.sub_key, s.kind, s.variant, s.language, h.observed_at, h.revision,
       h.market_price, h.price_low, h.price_high, h.price_avg, h.direct_low, h.state
FROM price_history h
JOIN price_series s ON s.id = h.series_id JOIN vendor_products p ON p.id = s.vendor_product_id
WHERE p.source = 'tcgcsv'
"""


class Town:
    """Processes, servers and vendors. `twin` takes in the same days, undisturbed."""

    def __init__(
        self,
        fleet: Fleet,
        postgres: PostgresServer,
        redis: RedisServer,
        sandbox: Sandbox,
        tracker: Tracker,
        twin: Tracker,
        cards: list[int],
        api: str,
    ) -> None:
        self.fleet = fleet
        self.postgres = postgres
        self.redis = redis
        self.sandbox = sandbox
        self.tracker = tracker
        self.twin = twin
        self.cards = cards
        self.api = api
        self.accepted: list[JobId] = []
        self.answers: Counter[int] = Counter()
        self.kills: Counter[str] = Counter()
        self.tracker.accounts.register("misty", PASSWORD)
        account = self.tracker.door.account(token=self.sign_in())
        _, key = self.tracker.api_keys.make(account, "town", KeyScope.WRITE)
        self._key = {"X-API-Key": key}

    def next_day(self) -> JobId:
        """Let the vendors' day pass; the twin takes it in, and the town is asked to."""
        self.sandbox.clock.advance(timedelta(days=1))
        report = self.twin.bulk_sync.tcgcsv(GAME)
        assert not report.failures
        with self.tracker.unit_of_work() as uow:
            return self.tracker.queue.enqueue(uow, "sync_tcgcsv", {"game": GAME})

    def show(self, job_id: JobId) -> JobRecord:
        with self.tracker.database.read() as connection:
            return repository.show(connection, job_id)

    def await_end(self, job_ids: list[JobId], limit_s: float) -> float:
        """Wait until the jobs have ended, all of them well; return the seconds."""
        start = time.monotonic()
        open_jobs = list(job_ids)
        while open_jobs:
            found = [self.show(job_id) for job_id in open_jobs]
            dead = [job for job in found if job.state in (JobState.DEAD, JobState.CANCELLED)]
            assert not dead, [(job.name, job.attempts, job.error) for job in dead]
            open_jobs = [job.id for job in found if job.state in OPEN_STATES]
            waited = time.monotonic() - start
            if waited >= limit_s:
                gone = [name for name, one in self.fleet.members.items() if not one.runs]
                late = [job for job in found if job.state in OPEN_STATES]
                raise AssertionError(f"processes that are gone: {gone}; late: {late}")
            time.sleep(0.1)
        return time.monotonic() - start

    def all_jobs(self) -> list[JobRecord]:
        with self.tracker.database.read() as connection:
            return list(repository.list_page(connection, JobFilter(), limit=500).jobs)

    def kill(self, chance: random.Random) -> str:
        """Kill a process at random as nothing can prevent; start again what is gone."""
        workers = [name for name in self.fleet.members if name.startswith("worker")]
        worker = self.fleet.members[chance.choice(workers)]
        what = chance.choice(["child", "group", "api", "scheduler"])
        killed = False
        if what == "child":
            killed = self._kill_a_child(worker, chance)
        elif what == "group":
            killed = worker.runs
            worker.send_group(signal.SIGKILL)
            worker.wait()  # on a busy machine it takes a while, and mends nothing till then
        else:
            member = next(one for name, one in self.fleet.members.items() if name.startswith(what))
            killed = member.runs
            member.send(signal.SIGKILL)
            member.wait()
        self.kills[what] += killed
        time.sleep(0.05)
        self.fleet.mend()
        return what

    def _kill_a_child(self, worker: Member, chance: random.Random) -> bool:
        """Kill a process in the middle of a job, if one runs, else any of the worker's."""
        with self.tracker.database.read() as connection:
            wanted = JobFilter(states=frozenset({JobState.RUNNING}))
            running = repository.list_page(connection, wanted).jobs
        workers = [one for name, one in self.fleet.members.items() if name.startswith("worker")]
        all_children = {pid for one in workers for pid in _children(one)}
        busy = {int(job.lease_owner.rpartition(":")[2]) for job in running} & all_children
        pids = sorted(busy) or _children(worker)
        if not pids:
            return False
        with suppress(ProcessLookupError):
            os.kill(chance.choice(pids), signal.SIGKILL)
            return True
        return False

    def interrupted(self) -> int:
        """Return how many jobs were begun more than once."""
        return sum(job.fence > 1 for job in self.all_jobs())

    @contextmanager
    def asking(self, pause_s: float = 0.6) -> Iterator[None]:
        """Ask an API all the while: to read, and for updates, whose acceptance is noted."""
        stopped = threading.Event()

        def work() -> None:
            number = 0
            with httpx2.Client(timeout=15) as client:
                while not stopped.wait(pause_s):
                    number += 1
                    with suppress(httpx2.TransportError):
                        self._ask(client, number)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            stopped.set()
            thread.join()

    def _ask(self, client: httpx2.Client, number: int) -> None:
        card_id = self.cards[number % len(self.cards)]
        for path in (f"/cards/{card_id}", f"/prices/card/{card_id}?days=7"):
            read = client.get(f"{self.api}/api/v1{path}", headers=self._key)
            self.answers[read.status_code] += 1
        wish = {"card_ids": [card_id], "source": "tcgplayer"}
        said = client.post(f"{self.api}/api/v1/prices/update/bulk", headers=self._key, json=wish)
        self.answers[said.status_code] += 1
        if said.status_code == httpx2.codes.ACCEPTED:
            self.accepted.append(JobId(UUID(said.json()["job_id"])))

    def reads(self, token: str = "") -> int:
        """Return the status of a read, with a session's token or the key."""
        headers = {"Authorization": f"Bearer {token}"} if token else self._key
        with httpx2.Client(timeout=30) as client:
            path = f"/api/v1/prices/card/{self.cards[0]}"
            return client.get(f"{self.api}{path}", headers=headers).status_code

    def check_nothing_lost(self) -> int:
        """Compare all points of the days with the twin's; return how many there are."""
        ours, theirs = points(self.tracker.database), points(self.twin.database)
        assert ours.keys() - theirs.keys() == set(), "a point that nobody stated"
        assert theirs.keys() - ours.keys() == set(), "a point was lost"
        assert set(ours.values()) == {1}
        assert all(point[7] == 0 for point in ours), "a point was written twice"
        return len(ours)

    def check_quota(self) -> None:
        """The budget has every call that the vendor has seen, and none less."""
        made = len(self.sandbox.calls("tcgcsv"))
        with self.tracker.database.read() as connection, self.twin.database.read() as other:
            statement = text(
                "SELECT coalesce(max(used), 0) FROM vendor_quota WHERE service = 'tcgcsv'"
            )
            used = (
                connection.execute(statement).scalar_one() + other.execute(statement).scalar_one()
            )
        assert used >= made, "calls were forgotten"

    def sign_in(self) -> str:
        """Return the token of a new session."""
        with httpx2.Client(timeout=30) as client:
            wish = {"username": "misty", "password": PASSWORD}
            said = client.post(f"{self.api}/api/v1/auth/login", data=wish)
            assert said.status_code == httpx2.codes.OK, said.text
            return str(said.json()["access_token"])


def _let_the_slots_pass(tracker: Tracker) -> None:
    """Cancel what the schedules have due now: no test waits for the whole catalog."""
    for job_id in tracker.scheduler.tick():
        with tracker.unit_of_work() as uow:
            tracker.queue.cancel(uow, job_id)


def points(database: Database) -> Counter[tuple[object, ...]]:
    """Return every row of the day files' history as plain values, with how often it is there."""
    with database.read() as connection:
        tables = ["price_history"]
        if database.dialect.name == "sqlite":
            named = connection.execute(
                text("SELECT name FROM sqlite_master WHERE name GLOB 'price_history_[0-9]*_[0-9]*'")
            )
            tables = [str(row.name) for row in named]
        found: Counter[tuple[object, ...]] = Counter()
        for table in tables:
            statement = POINTS.replace("price_history h", f"{table} h")
            for row in connection.execute(text(statement)):
                moment = row.observed_at
                epoch = moment if isinstance(moment, int) else int(moment.timestamp())
                found[(*row[:6], epoch, *row[7:])] += 1
    return found


def _children(worker: Member) -> list[int]:
    with suppress(OSError):
        children = Path(f"/proc/{worker.pid}/task/{worker.pid}/children")
        return [int(pid) for pid in children.read_text().split()]
    return []


@contextmanager
def open_town(patch: pytest.MonkeyPatch, *, workers: int = 2, apis: int = 1) -> Iterator[Town]:
    """Give a running town with ten cards and the first day; stopped and removed afterwards."""
    sandboxed = a_sandbox(days_ago=_DAYS_AGO)
    with TemporaryDirectory(prefix="tcgtracker-test-") as name, sandboxed as sandbox:
        folder = Path(name)
        folder.chmod(0o711)
        postgres = PostgresServer(folder / "postgres")
        redis = RedisServer(folder)
        fleet = Fleet(folder, {})
        trackers: list[Tracker] = []
        try:
            twin_url = f"sqlite:///{folder / 'twin.db'}"
            twin = a_tracker(sandbox, folder, twin_url, patch)
            trackers.append(twin)
            tracker = a_tracker(
                sandbox,
                folder,
                postgres.url,
                patch,
                REDIS_URL=redis.url,
                JOBS_BROKER_URL=redis.url,
                JOBS_LEASE_S=str(LEASE_S),
                JOBS_THREADS="1",
            )
            trackers.append(tracker)
            world = world_of(sandbox)
            wanted = base_cards(world, 10)
            cards = import_cards(tracker.database, folder / "catalog", world, wanted)
            _let_the_slots_pass(tracker)
            port = free_port()
            fleet = Fleet(folder, {})
            for number in range(apis):
                fleet.start(f"api-{number}", "api", "--port", str(port if not number else 0))
            for number in range(workers):
                fleet.start(f"worker-{number}", "worker")
            fleet.start("scheduler", "scheduler")
            fleet.await_all()
            yield Town(
                fleet,
                postgres,
                redis,
                sandbox,
                tracker,
                twin,
                list(cards.values()),
                f"http://127.0.0.1:{port}",
            )
        finally:
            fleet.stop()
            if keep := os.environ.get("TEST_KEEP_LOGS"):
                for log in folder.glob("*.log"):
                    shutil.copy(log, keep)
            for one in trackers:
                one.close()
            redis.wake()
            redis.kill()
            postgres.wake()
            postgres.stop()
