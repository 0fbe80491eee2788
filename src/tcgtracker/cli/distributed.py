"""`tcgtracker distributed`: many processes on this machine, with invented vendors, to try out."""

import sys
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from secrets import token_urlsafe
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from tcgtracker.cli.fleet import Fleet
from tcgtracker.cli.own_servers import OwnPostgres, OwnRedis, free_port
from tcgtracker.cli.stopping import until_told

if TYPE_CHECKING:
    from collections.abc import Callable

    from tcgtracker.sandbox.serving import Sandbox

USER = "demo"
_WATCH_S = 1.0
_PICK_ANSWER = """python3 -c 'import json, sys; print(json.load(sys.stdin)["access_token"])'"""
_BRIEF = """python3 -m json.tool | grep -E '"(name|state|done|total)"'"""


def distributed(
    *,
    apis: Annotated[int, typer.Option(min=1, max=8, help="API processes.")] = 2,
    workers: Annotated[int, typer.Option(min=1, max=8, help="Celery workers.")] = 2,
    jobs: Annotated[int, typer.Option(min=1, max=16, help="Jobs of a worker at a time.")] = 2,
) -> None:
    """Run APIs, Celery workers and a scheduler on an own PostgreSQL and Redis, until Ctrl-C.

    Everything is on the loopback address and in a temporary folder, which is deleted at the end.
    The vendors are the sandbox's. A process that dies is started again, so try to kill one.
    Needs the programs of PostgreSQL and Redis.
    """
    with until_told() as ended, ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="tcgtracker-")))
        folder.chmod(0o711)  # the servers of an unprivileged user have folders inside
        postgres, redis = OwnPostgres(folder / "postgres"), OwnRedis(folder / "redis")
        for server in (postgres, redis):
            stack.callback(server.stop)
            server.start()
        served = stack.enter_context(sandbox())
        password = token_urlsafe(12)
        fleet = Fleet(folder, environment(postgres.url, redis.url, served, jobs=jobs))
        stack.callback(_stop, fleet)
        fill(fleet, password, progress=typer.echo)
        addresses = start(fleet, apis=apis, workers=workers)
        _say(fleet, addresses, password, postgres.port, redis.port)
        while not ended.wait(_WATCH_S):
            for member in fleet.mend():
                typer.echo(f"{member.name} had died and is started again: pid {member.pid}")
                sys.stdout.flush()


def sandbox() -> "Sandbox":
    """Return vendors without pauses, whose day is today."""
    from tcgtracker.domain.clock import SystemClock
    from tcgtracker.sandbox.make_sandbox import make_sandbox

    now = SystemClock().now()
    return make_sandbox(first_day=now.date() - timedelta(days=3), now=now, speed=1, pacing=False)


def environment(
    database_url: str, redis_url: str, served: "Sandbox", *, jobs: int
) -> dict[str, str]:
    """Return the settings that all processes share."""
    return {
        **served.environment(),
        "DB_URL": database_url,
        "HISTORY_URL": "",
        "REDIS_URL": redis_url,
        "JOBS_BROKER_URL": redis_url,
        "JOBS_THREADS": str(jobs),
        "SECURITY_SECRET_KEY": token_urlsafe(32),
    }


def fill(fleet: Fleet, password: str, *, progress: "Callable[[str], None]") -> None:
    """Make the tables, a user, and the cards that the sandbox's vendors list."""
    fleet.environment["XDG_DATA_HOME"] = str(fleet.folder)
    progress("making the database")
    fleet.run("db", "upgrade")
    fleet.run("user", "add", USER, "--password-stdin", said=f"{password}\n")
    progress("taking in the sets and cards of the sandbox's vendors")
    fleet.run("sync", "sets")
    fleet.run("sync", "cards")


def start(fleet: Fleet, *, apis: int, workers: int) -> list[str]:
    """Start the processes; return the addresses of the APIs."""
    ports = [free_port() for _ in range(apis)]
    for number, port in enumerate(ports, start=1):
        fleet.start(f"api-{number}", "api", "--host", "127.0.0.1", "--port", str(port))
    for number in range(1, workers + 1):
        fleet.start(f"worker-{number}", "worker")
    fleet.start("scheduler", "scheduler")
    fleet.await_all()
    return [f"http://127.0.0.1:{port}" for port in ports]


def _say(
    fleet: Fleet, addresses: list[str], password: str, postgres_port: int, redis_port: int
) -> None:
    api, other = addresses[0], addresses[-1]
    login = f"curl -s {api}/api/v1/auth/login -d username={USER} -d password={password}"
    bearer = '-H "Authorization: Bearer $TOKEN"'
    body = r'"{\"source\": \"tcgplayer\", \"card_ids\": [$(seq -s, 1 1000)]}"'
    kind = "-H 'Content-Type: application/json'"
    lines = [
        f"PostgreSQL  127.0.0.1:{postgres_port}",
        f"Redis       127.0.0.1:{redis_port}",
        *(f"{one.name:<12}pid {one.pid}, log {one.log}" for one in fleet.members.values()),
        *(f"serving on {address} (documentation: {address}/docs)" for address in addresses),
        f"sign in as {USER} with the password {password}:",
        f"  TOKEN=$({login} | {_PICK_ANSWER})",
        "update up to 1,000 cards, and look at the jobs from the other API:",
        f"  curl -s {api}/api/v1/prices/update/bulk {bearer} {kind} -d {body}",
        f"  curl -s '{other}/api/v1/jobs?limit=6' {bearer} | {_BRIEF}",
        "Ctrl-C ends it all.",
    ]
    typer.echo("\n".join(lines))
    sys.stdout.flush()


def _stop(fleet: Fleet) -> None:
    for name in fleet.stop():
        typer.echo(f"{name} did not stop in time and was killed", err=True)
