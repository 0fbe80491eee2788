"""Small price files with invented figures, for tests that need days but no real ones."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

from tests.unit.integrations.builders import a_gzip, a_line, a_row, an_answer

FIRST = date(2025, 9, 24)


def at_20(day: int) -> int:
    """Return the epoch second at which the day of this number is true."""
    moment = FIRST + timedelta(days=day)
    return int(datetime(moment.year, moment.month, moment.day, 20, tzinfo=UTC).timestamp())


def make_day(folder: Path, day: int, category: int = 68, *, products: int = 300) -> Path:
    """Write the file of one day; the prices move, products come, go and return."""
    rng = Random(day * 1_000 + category)
    groups = []
    for group in range(3):
        rows = []
        for number in range(products // 3):
            product = category * 100_000 + group * 10_000 + number + 1
            if (product * 7 + day) % 23 == 0:
                continue  # away today
            market = 100 + product % 50 + rng.choice((0, 0, 0, 1, -1, 40))
            low = None if product % 11 == 0 else (market - 5) / 100
            rows.append(a_row(product, market=market / 100, low=low))
        name = str(FIRST + timedelta(days=day))
        groups.append(a_line(name, category, group + 1, an_answer(*rows)))
    path = folder / f"{FIRST + timedelta(days=day)}-{category}.ndjson.gz"
    path.write_bytes(a_gzip(b"".join(groups)))
    return path
