"""Bodies as trees that faults can change: JSON and CSV alike, whatever the vendor."""

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tcgtracker.sandbox.wire import Response

_RAW = re.compile(r'"@@raw:(.*?)@@"')


@dataclass(slots=True)
class Document:
    """A decoded body. `root` is any JSON value; of a CSV it is the list of its rows."""

    root: object
    csv: bool = False

    def records(self) -> Iterator[dict[str, object]]:
        """Yield every object, the outer one before what it holds."""
        yield from _records(self.root)

    def lists(self) -> Iterator[list[object]]:
        """Yield every list that holds objects, the outer one first."""
        yield from _lists(self.root)


def raw(text: str) -> str:
    """Return a stand-in that is written as `text` without quotes: a number that JSON has not."""
    return f"@@raw:{text}@@"


def decode(response: Response) -> Document | None:
    """Return the body as a document, None when it is neither JSON nor CSV."""
    kind = response.headers.get("Content-Type", "").lower()
    if "csv" in kind:
        try:
            rows = list(csv.DictReader(io.StringIO(response.body.decode(), newline="")))
        except (UnicodeDecodeError, csv.Error):
            return None
        return Document(rows, csv=True)
    if response.body[:1] not in (b"{", b"["):
        return None
    try:
        return Document(json.loads(response.body))
    except (ValueError, RecursionError):
        return None


def encode(document: Document) -> bytes:
    """Return the document as a body."""
    if not document.csv:
        text = json.dumps(document.root, ensure_ascii=False, separators=(",", ":"))
        return _RAW.sub(r"\1", text).encode("utf-8", "surrogatepass")
    rows = [row for row in document.records() if row]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return _RAW.sub(r"\1", out.getvalue()).replace("@@raw:", "").replace("@@", "").encode()


def _records(node: object) -> Iterator[dict[str, object]]:
    if isinstance(node, dict):
        yield node
        for value in list(node.values()):
            yield from _records(value)
    elif isinstance(node, list):
        for value in node:
            yield from _records(value)


def _lists(node: object) -> Iterator[list[object]]:
    if isinstance(node, list):
        if any(isinstance(each, dict) for each in node):
            yield node
        for value in node:
            yield from _lists(value)
    elif isinstance(node, dict):
        for value in node.values():
            yield from _lists(value)
