"""The API with a hello-world route beside it, for the endpoint bench. Reads DB_URL."""

import uvicorn

from tcgtracker.api.app import create_app
from tcgtracker.bootstrap import build_tracker
from tcgtracker.cli.serve import bind
from tests.support import api_key


def main() -> None:
    tracker = build_tracker()
    app = create_app(tracker)

    async def hello() -> dict[str, str]:
        return {"hello": "world"}

    app.add_api_route("/api/v1/hello", hello)
    app.router.routes.insert(0, app.router.routes.pop())  # found at once, as the history is
    listener = bind("127.0.0.1", 0)
    listener.listen()  # what comes before the server is up waits in the queue
    print(listener.getsockname()[1], api_key(tracker)["X-API-Key"], flush=True)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False))
    server.run(sockets=[listener])


if __name__ == "__main__":
    main()
