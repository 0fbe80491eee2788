"""`tcgtracker serve`: all in one process; `tcgtracker api`: pages and API without the jobs."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from tcgtracker.cli.opening import databases, open_tracker, require_usable
from tcgtracker.domain.errors import Conflict, StorageError

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from types import FrameType

    from tcgtracker.config import Settings
    from tcgtracker.database.engine import Database
    from tcgtracker.tracker import Tracker

_GRACE_S = 10
_MAX_CONNECTIONS = 1000
"""Below the usual limit of 1,024 open files. Requests in progress are bounded by the API itself."""


Host = Annotated[str | None, typer.Option(help="Address to serve on; APP_HOST otherwise.")]
Port = Annotated[
    int | None,
    typer.Option(min=0, max=65535, help="Port, 0 for a free one; APP_PORT otherwise."),
]


def serve(*, host: Host = None, port: Port = None) -> None:
    """Serve the pages and the API, and do the background work.

    A SQLite database that is not there yet is made first; another one must be of this program's
    schema.
    """
    settings = _settings(host, port)
    with open_tracker(settings, require_current=False) as tracker:
        for database in databases(tracker):
            prepare(database)
        run(tracker, bind(settings.app.host, settings.app.port))


def api(*, host: Host = None, port: Port = None) -> None:
    """Serve pages and API; `worker` does the background work, `scheduler` writes what is due.

    The databases must be there: `tcgtracker db upgrade` makes them.
    """
    settings = _settings(host, port)
    with open_tracker(settings) as tracker:
        run(tracker, bind(settings.app.host, settings.app.port), with_jobs=False)


def _settings(host: str | None, port: int | None) -> "Settings":
    from tcgtracker.config import Settings

    given = {"host": host, "port": port}
    return Settings(app={key: value for key, value in given.items() if value is not None})


def prepare(database: "Database") -> None:
    """Make a SQLite database that does not exist or is empty; refuse another schema otherwise.

    Raises:
        StorageError: the database needs `tcgtracker db upgrade`, which may take long and is hence
            not done in passing.
    """
    from tcgtracker.database.migrate import upgrade

    if database.path is not None and _is_empty(database):
        upgrade(database)
    require_usable(database)


def _is_empty(database: "Database") -> bool:
    from sqlalchemy import inspect

    if database.path is None or not database.path.exists() or not database.path.stat().st_size:
        return True
    with database.read() as connection:
        return not inspect(connection).get_table_names()


def bind(host: str, port: int) -> "socket.socket":
    """Return a socket bound to the address; port 0 takes a free one.

    Raises:
        Conflict: the address is in use.
        StorageError: the machine does not have the address.
    """
    import errno
    import socket

    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    bound = socket.socket(family, kind, protocol)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(address)
    except OSError as exc:
        bound.close()
        if exc.errno == errno.EADDRINUSE:
            raise Conflict(
                f"{host} port {port} is in use: stop what runs there or give another --port"
            ) from exc
        raise StorageError(f"cannot serve on {host} port {port}: {exc.strerror}") from exc
    return bound


def address_of(bound: "socket.socket") -> str:
    """Return the URL of a bound socket."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(
    tracker: "Tracker",
    bound: "socket.socket",
    say: "Callable[[str], str] | None" = None,
    *,
    with_jobs: bool = True,
    on_stop: "Callable[[], None] | None" = None,
) -> None:
    """Serve until a signal says stop, and close the tracker.

    say: makes the first words from the address. with_jobs: do the background work here too.
    on_stop: called before the tracker is closed.
    """
    import signal
    from asyncio import to_thread

    import uvicorn

    from tcgtracker.faces import create_site
    from tcgtracker.runtime.memory import keep_for_good

    class Server(uvicorn.Server):
        async def startup(self, sockets: "list[socket.socket] | None" = None) -> None:
            await super().startup(sockets)
            address = address_of(bound)
            said = f"serving on {address} (documentation: {address}/docs)"
            typer.echo(said if say is None else say(address))
            sys.stdout.flush()  # whoever started us through a pipe waits for this line

        async def shutdown(self, sockets: "list[socket.socket] | None" = None) -> None:
            if on_stop is not None:
                await to_thread(on_stop)
            await super().shutdown(sockets)

    server = Server(
        uvicorn.Config(
            create_site(tracker, with_jobs=with_jobs),
            log_config=None,  # logging is set up already
            access_log=False,
            lifespan="on",
            server_header=False,
            limit_concurrency=_MAX_CONNECTIONS,
            timeout_graceful_shutdown=_GRACE_S,
        )
    )

    def stop(_signal: int, _frame: "FrameType | None") -> None:
        # uvicorn raises the signal again after a clean stop, which would make the exit code that
        # of a killed process; before it has taken the signals over, there is nothing to wait for.
        if not server.should_exit:
            raise SystemExit(0)

    keep_for_good()
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        server.run(sockets=[bound])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        bound.close()
