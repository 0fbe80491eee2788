"""Run the benches: `python -m tests.bench [NAME ...]`, all of `BENCHES` without a name."""

import argparse

import structlog

from tests.bench import (
    endpoint,
    first_page,
    ingest,
    items,
    pages,
    queue,
    search,
    storage,
    suspects,
    update,
)
from tests.bench.support import REAL_DATA

BENCHES = {
    "ingest": ingest.run,
    "storage": storage.run,
    "endpoint": endpoint.run,
    "items": items.run,
    "search": search.run,
    "queue": queue.run,
    "suspects": suspects.run,
    "update": update.run,
    "pages": pages.run,
    "first_page": first_page.run,
}
MADE_UP = frozenset({"suspects", "update", "pages", "first_page"})
"""Benches that need no real market data."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *BENCHES], help="which; all when none")
    chosen = parser.parse_args().names or list(BENCHES)
    if not MADE_UP.issuperset(chosen) and not REAL_DATA.is_dir():
        raise SystemExit(f"the real market data is not at {REAL_DATA}")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    for name in chosen:
        BENCHES[name]()


if __name__ == "__main__":
    main()
