"""A caller process for the tests: `python -m tests.integration.gate_worker URL PLANNED TRIES`.

Says `ready`, waits for a line, then enters the gate so many times and says how many calls it may
make and how many of them are probes.
"""

import sys

from tcgtracker.database.engine import Database
from tcgtracker.domain.clock import SystemClock
from tcgtracker.domain.errors import SourcePaused
from tcgtracker.operations.call_gate import DatabaseCallGate
from tcgtracker.operations.quota import Plan


def main(url: str, per_day: int, tries: int) -> None:
    database = Database(url)
    gate = DatabaseCallGate(database, SystemClock(), {"justtcg": Plan(per_day=per_day)})
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    tickets = []
    for _ in range(tries):
        try:
            tickets.append(gate.enter_now("justtcg", "cards"))
        except SourcePaused:
            continue
    database.close()
    sys.stdout.write(f"{len(tickets)} {sum(ticket.probe for ticket in tickets)}\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
