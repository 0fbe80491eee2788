"""For an ASGI server of the operator's choice: `uvicorn tcgtracker.entrypoints.asgi:app`."""

from tcgtracker.api.app import create_app
from tcgtracker.bootstrap import build_tracker

app = create_app(build_tracker())
