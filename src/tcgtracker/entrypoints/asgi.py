"""For an ASGI server of the operator's choice: `uvicorn tcgtracker.entrypoints.asgi:app`."""

from tcgtracker.bootstrap import build_tracker
from tcgtracker.faces import create_site

app = create_site(build_tracker())
