"""The real catalogs, in both orders, with the day's real products."""

import gzip
import time
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Table, func, select

from tcgtracker.catalog.service import import_catalog
from tcgtracker.database.engine import Database
from tcgtracker.database.tables.catalog import cards, product_links, set_aliases, tcg_sets
from tcgtracker.domain.source import Source
from tests.unit.catalog.builders import CLOCK, add_products

pytestmark = [pytest.mark.data, pytest.mark.one_engine]


def tcgdex(real_data: Path) -> list[Path]:
    # The cards before the sets: the order given must not matter.
    return [real_data / "tcgdex/cards.ndjson.gz", real_data / "tcgdex/sets.ndjson.gz"]


def products(real_data: Path) -> Path:
    return real_data / "tcgcsv/products_assembled_3.ndjson.gz"


def add_real_products(database: Database, real_data: Path) -> int:
    with gzip.open(real_data / "tcgcsv/prices/2025-10-02/3.ndjson.gz") as stream:
        rows = [
            (str(row["productId"]), row["subTypeName"])
            for line in stream
            for row in msgspec.json.decode(line)["body"]["results"]
        ]
    add_products(database, rows, Source.TCGCSV)
    return len(rows)


def states(database: Database) -> dict[str, int]:
    with database.read() as connection:
        statement = select(product_links.c.state, func.count()).group_by(product_links.c.state)
        return {row[0]: row[1] for row in connection.execute(statement)}


def count(database: Database, table: Table) -> int:
    with database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def test_tcgdex_then_products(database: Database, real_data: Path) -> None:
    assert add_real_products(database, real_data) == 32_768
    started = time.process_time()
    paths = [products(real_data), *tcgdex(real_data)]
    report = import_catalog(database, database, paths, clock=CLOCK)
    spent = time.process_time() - started
    counts = report.counts
    assert report.bad_rows == 0
    # 451 lines of sets, 8 of which repeat an id; 9 groups whose set tcgdex does not name.
    assert (counts.sets_created, count(database, tcg_sets)) == (443 + 9, 452)
    assert count(database, set_aliases) == 284
    # 28 products are claimed by two cards; the others are of cards that this file lacks.
    assert (counts.cards_joined, counts.cards_created) == (15_268, 32_532 + 70)
    assert (counts.cards_merged, count(database, cards)) == (0, 32_602)
    assert states(database) == {"confirmed": 25_328, "derived": 29, "unknown": 40}
    assert spent < 30
    again = import_catalog(database, database, paths, clock=CLOCK)
    assert (again.counts.changes, again.links.written) == (0, 0)


def test_products_then_tcgdex(database: Database, real_data: Path) -> None:
    add_real_products(database, real_data)
    import_catalog(database, database, [products(real_data)], clock=CLOCK)
    assert (count(database, cards), states(database)) == (15_338, {"confirmed": 25_397})
    report = import_catalog(database, database, tcgdex(real_data), clock=CLOCK)
    assert (report.counts.cards_joined, report.counts.cards_merged) == (14_495, 773)
    assert (report.counts.cards_created, count(database, cards)) == (18_037, 32_602)
    assert states(database) == {"confirmed": 25_357, "unknown": 40}


def test_one_piece_and_groups(database: Database, real_data: Path) -> None:
    folder = real_data / "onepiece"
    report = import_catalog(database, database, sorted(folder.iterdir()), clock=CLOCK)
    assert (report.counts.sets_created, report.counts.cards_created) == (59 + 61, 4_074 + 3_972)
    groups = real_data / "tcgcsv/groups_map.csv.gz"
    report = import_catalog(database, database, [groups], clock=CLOCK)
    assert (report.counts.sets_created, report.bad_rows) == (1_091, 0)
    with database.read() as connection:
        arts = connection.scalar(select(func.count()).where(cards.c.art != ""))
    assert arts == 3_440
