"""A process that works on jobs until its standard input ends: `... update_worker`.

The environment says on which database and with which vendors. Its log is its standard error.
"""

import sys

from tcgtracker.bootstrap import build_tracker
from tcgtracker.runtime.logging import configure_logging


def main() -> None:
    configure_logging(as_json=True)
    tracker = build_tracker()
    tracker.runner.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    tracker.stop_jobs()
    tracker.close()


if __name__ == "__main__":
    main()
