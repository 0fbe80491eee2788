"""PriceCharting's price guide, written for tests."""

import csv
import io
from datetime import UTC, datetime

_SHORT = (
    "id,console-name,product-name,loose-price,cib-price,new-price,graded-price,box-only-price,"
    "manual-only-price,bgs-10-price,condition-17-price,condition-18-price,gamestop-price,"
    "gamestop-trade-price,retail-loose-buy,retail-loose-sell,retail-cib-buy,retail-cib-sell,"
    "retail-new-buy,retail-new-sell,upc,sales-volume,genre,tcg-id,asin,epid,release-date"
)
SHORT_HEADER = _SHORT.split(",")
NEW_COLUMNS = [f"condition-{number}-price" for number in (9, 10, *range(13, 23))]
LONG_HEADER = [
    *SHORT_HEADER[:10],
    *NEW_COLUMNS,
    *(name for name in SHORT_HEADER[10:] if name not in NEW_COLUMNS),
]
CARD = {"console-name": "Pokemon Invented Set", "genre": "Pokemon Card"}
MOMENT = datetime(2026, 4, 18, tzinfo=UTC)


def a_product(number: int = 1, name: str = "Card #1", **cells: str) -> dict[str, str]:
    """One row; `loose="$1.00"` stands for `loose-price`, other names as they are with `_`."""
    row = {"id": str(number), "product-name": name, **CARD}
    for key, value in cells.items():
        column = key.replace("_", "-")
        row[column if column in (*SHORT_HEADER, *NEW_COLUMNS) else f"{column}-price"] = value
    return row


def a_guide(*rows: dict[str, str], header=SHORT_HEADER, delimiter=",", end="\r\n") -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, header, delimiter=delimiter, lineterminator=end)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()
