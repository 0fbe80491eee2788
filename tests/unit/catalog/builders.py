"""Small catalog files and vendor products, made for one test."""

import gzip
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from tcgtracker.catalog.service import CatalogReport, import_catalog
from tcgtracker.database.engine import Database
from tcgtracker.database.tables.catalog import cards, printings, product_links
from tcgtracker.database.tables.prices import vendor_products
from tcgtracker.domain.clock import FixedClock
from tcgtracker.domain.source import Source

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
CLOCK = FixedClock(NOW)


def a_set(identifier: str = "base4", **extra: Any) -> dict[str, Any]:
    return {
        "id": identifier,
        "region": "international",
        "serie": "base",
        "name": {"en": f"Set {identifier}"},
        "cardCount": {"official": 130},
        "releaseDate": "2000-02-24",
        **extra,
    }


def a_card(number: str = "1", name: str = "Alakazam", **extra: Any) -> dict[str, Any]:
    set_id = extra.pop("set_id", "base4")
    return {
        "id": f"{set_id}-{number}",
        "localId": number,
        "setId": set_id,
        "region": "international",
        "name": {"en": name},
        "rarity": "Rare",
        "category": "Pokemon",
        **extra,
    }


def a_variant(product: int | None = None, kind: str = "holo", **extra: Any) -> dict[str, Any]:
    third_party = {"thirdParty": {"tcgplayer": product}} if product else {}
    return {"type": kind, **third_party, **extra}


def a_product(
    identifier: int = 42444, number: str | None = "001/130", name: str = "Alakazam", **extra: Any
) -> dict[str, Any]:
    extended = [{"name": "Number", "displayName": "Number", "value": number}] if number else []
    rarity = extra.pop("rarity", "Rare" if number else None)
    if rarity:
        extended.append({"name": "Rarity", "displayName": "Rarity", "value": rarity})
    return {
        "productId": identifier,
        "name": name,
        "cleanName": name,
        "imageUrl": f"https://example.test/{identifier}.jpg",
        "categoryId": 3,
        "groupId": 605,
        "url": "https://example.test/",
        "extendedData": extended,
        **extra,
    }


def lines(path: Path, rows: Iterable[Any]) -> Path:
    """Write NDJSON, gzip when the name says so."""
    content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def envelope(path: Path, rows: Sequence[Any], **extra: Any) -> Path:
    content = {"totalItems": len(rows), "success": True, "errors": [], "results": rows, **extra}
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")
    return path


def load(database: Database, *paths: Path) -> CatalogReport:
    return import_catalog(database, database, paths, clock=CLOCK)


def add_products(
    database: Database, products: Sequence[tuple[str, str]], source: Source = Source.TCGCSV
) -> None:
    """Add (external id, sub key) to the history side."""
    with database.write() as connection:
        connection.execute(
            insert(vendor_products),
            [
                {
                    "source": source,
                    "external_id": external_id,
                    "sub_key": sub_key,
                    "first_seen_at": NOW,
                }
                for external_id, sub_key in products
            ],
        )


def links(database: Database) -> dict[tuple[str, str], tuple[str, str, str, str]]:
    """Return (external id, sub key) -> (card's number, printing, state, evidence)."""
    with database.read() as connection:
        rows = connection.execute(
            select(
                vendor_products.c.external_id,
                vendor_products.c.sub_key,
                cards.c.collector_number,
                printings.c.name,
                product_links.c.state,
                product_links.c.evidence,
            )
            .select_from(product_links)
            .join(vendor_products, vendor_products.c.id == product_links.c.vendor_product_id)
            .join(cards, cards.c.id == product_links.c.card_id)
            .outerjoin(printings, printings.c.id == product_links.c.printing_id)
        )
        return {(row[0], row[1]): (row[2], row[3] or "", row[4], row[5]) for row in rows}
