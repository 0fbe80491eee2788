"""Run the benches: `python -m tests.bench [ingest|storage|endpoint|search ...]`."""

import argparse

import structlog

from tests.bench import endpoint, ingest, search, storage
from tests.bench.support import REAL_DATA

BENCHES = {
    "ingest": ingest.run,
    "storage": storage.run,
    "endpoint": endpoint.run,
    "search": search.run,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *BENCHES], help="which; all when none")
    chosen = parser.parse_args().names or list(BENCHES)
    if not REAL_DATA.is_dir():
        raise SystemExit(f"the real market data is not at {REAL_DATA}")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    for name in chosen:
        BENCHES[name]()


if __name__ == "__main__":
    main()
