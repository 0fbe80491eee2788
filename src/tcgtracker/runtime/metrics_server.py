"""`/metrics` of a process that serves nothing else: a worker, on this machine alone."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tcgtracker.domain.errors import InvalidInput
from tcgtracker.runtime.metrics import CONTENT_TYPE

HOST = "127.0.0.1"


@contextmanager
def serving_metrics(render: Callable[[], bytes], port: int) -> Iterator[int]:
    """Answer on a port of this machine while the block runs; give the port (0: a free one).

    Raises:
        InvalidInput: the port is taken.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path != "/metrics":
                self.send_error(404)
                return
            body = render()
            self.send_response(200)
            self.send_header("Content-Type", CONTENT_TYPE)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Prometheus asks every few seconds: no news."""

    try:
        server = ThreadingHTTPServer((HOST, port), Handler)
    except OSError as exc:
        raise InvalidInput(f"METRICS_PORT={port}: {exc.strerror}") from exc
    thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
