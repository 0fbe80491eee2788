"""One `prices` answer, read with care: the slow path that says what is wrong with each row."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import NoReturn

from tcgtracker.domain.money import MAX_MINOR, minor_from_decimal
from tcgtracker.domain.quote import Facet
from tcgtracker.integrations.contract import MAX_EXTERNAL_ID, NO_PRICE, RejectedRow

PRICE_FIELDS = ("marketPrice", "lowPrice", "highPrice", "midPrice", "directLowPrice")
"""The vendor's five figures, in the order of `domain.quote.VALUE_NAMES`."""

MAX_SUB_TYPE = 200
"""The longest printing name in characters; the longest real one has 30."""
RAW_LENGTH = 500
_BOM = b"\xef\xbb\xbf"


class UnreadableAnswer(Exception):
    """The answer as a whole cannot be used; says why. Caught where its group is known."""


@dataclass(slots=True)
class CarefulRows:
    """Rows of one answer: (product id, printing, five values in cents), and those refused."""

    good: list[tuple[int, str, tuple[int, ...]]] = field(default_factory=list)
    rejected: list[RejectedRow] = field(default_factory=list)


class _BadField(Exception):
    pass


def sub_type_fits(name: str) -> bool:
    """Tell whether a printing's name can be one: not empty, printable, not endless."""
    return 0 < len(name) <= MAX_SUB_TYPE and name.isprintable()


def read_carefully(body: bytes) -> CarefulRows:
    """Return every row of an answer, good or refused with its reason.

    Raises:
        UnreadableAnswer: it is not the vendor's answer or says that it failed.
    """
    answer = _decode(body)
    if not isinstance(answer, dict):
        raise UnreadableAnswer("is JSON but not the vendor's answer object")
    if answer.get("success") is not True:
        errors = _shorten(answer.get("errors"), 120)
        raise UnreadableAnswer(f"the vendor says that it failed: errors {errors}")
    results = answer.get("results")
    if not isinstance(results, list):
        raise UnreadableAnswer("has no list of results")
    return read_rows(results)


def read_rows(results: Iterable[object]) -> CarefulRows:
    """Return the rows of a decoded answer, whose numbers with a point are Decimal."""
    rows = CarefulRows()
    for row in results:
        _read_row(row, rows)
    return rows


def _decode(body: bytes) -> object:
    text = bytes(body).removeprefix(_BOM).strip()
    if not text:
        raise UnreadableAnswer("is empty")
    if text.startswith(b"<"):
        raise UnreadableAnswer("is a web page (HTML or XML), not JSON")
    try:
        return json.loads(text, parse_float=_number, parse_constant=_refuse_constant)
    except RecursionError as exc:
        raise UnreadableAnswer("is nested too deeply") from exc
    except ValueError as exc:  # JSON, UTF-8 and integers of thousands of digits
        raise UnreadableAnswer(f"is not whole JSON ({str(exc)[:120]})") from exc


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent beyond what Decimal holds: no price either way
        return Decimal("-Infinity" if text.startswith("-") else "Infinity")


def _shorten(value: object, length: int = RAW_LENGTH) -> str:
    if isinstance(value, dict):
        members = (f"{json.dumps(name)}: {_json(member)}" for name, member in value.items())
        return f"{{{', '.join(members)}}}"[:length]
    return _json(value)[:length]


def _json(value: object) -> str:
    return str(value) if isinstance(value, Decimal) else json.dumps(value, default=str)


def _read_row(row: object, rows: CarefulRows) -> None:
    if not isinstance(row, dict):
        rows.rejected.append(RejectedRow("", None, "not-an-object", _shorten(row)))
        return
    external_id, facet = _id_text(row.get("productId")), None
    try:
        product = _product_id(row)
        facet = Facet(sub_key=_sub_type(row))
        values = tuple(_cents(row, name) for name in PRICE_FIELDS)
    except _BadField as exc:
        rows.rejected.append(RejectedRow(external_id, facet, str(exc), _shorten(row)))
    else:
        rows.good.append((product, facet.sub_key, values))


def _id_text(value: object) -> str:
    return str(value)[:40] if isinstance(value, int | str | Decimal) else ""


def _product_id(row: Mapping[str, object]) -> int:
    value = row.get("productId")
    if value is None:
        raise _BadField("missing-field")
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= MAX_EXTERNAL_ID:
        raise _BadField("bad-product-id")
    return value


def _sub_type(row: Mapping[str, object]) -> str:
    value = row.get("subTypeName")
    if value is None or value == "":
        raise _BadField("missing-field")
    if not isinstance(value, str) or not sub_type_fits(value):
        raise _BadField("bad-sub-type")
    return value


def _cents(row: Mapping[str, object], name: str) -> int:
    value = row.get(name)
    if value is None:
        return NO_PRICE
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise _BadField("not-a-number")
    if value < 0:
        raise _BadField("negative-price")
    if value > MAX_MINOR:  # before scaling: a number with a huge exponent has as many digits
        raise _BadField("too-large")
    minor = minor_from_decimal(Decimal(value), "USD")
    if minor > MAX_MINOR:
        raise _BadField("too-large")
    return minor or NO_PRICE
