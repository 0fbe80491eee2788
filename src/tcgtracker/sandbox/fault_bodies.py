"""Faults in what an answer says, by the names of the keys, so that they serve every vendor."""

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import datetime

from tcgtracker.domain.clock import iso, to_epoch
from tcgtracker.sandbox.documents import Document, decode, encode, raw
from tcgtracker.sandbox.faults import Exchange, FaultKind, Params, Stage

Change = Callable[[Document, Exchange, Params], int]
_PRICES = r"(?i)price$"
_NAMES = r"(?i)^(product-?name|name|clean_?name|title)$"
_IDS = r"^(id|productId|uuid|itemId)$"
_MONEY = re.compile(r"-?\d+(\.\d+)?")


def _changing(change: Change) -> Callable[[Exchange, Params], bool]:
    def apply(exchange: Exchange, params: Params) -> bool:
        document = decode(exchange.response)
        if document is None or not change(document, exchange, params):
            return False
        exchange.response.body = encode(document)
        return True

    return apply


def _places(document: Document, params: Params) -> list[tuple[dict[str, object], str]]:
    """Return the (object, key) pairs that the parameters mean, `limit` at most (0 = all)."""
    keys = re.compile(str(params["keys"]))
    match = params.get("match")
    wanted = match if isinstance(match, Mapping) else {}
    found = [
        (record, key)
        for record in document.records()
        if all(str(record.get(name)) == str(value) for name, value in wanted.items())
        for key in list(record)
        if keys.search(key)
    ]
    limit = int(str(params.get("limit", 0)))
    return found[:limit] if limit else found


def _price(form: str) -> Change:
    def change(document: Document, _exchange: Exchange, params: Params) -> int:
        changed = 0
        for record, key in _places(document, params):
            value = record[key]
            if isinstance(value, bool) or not isinstance(value, int | float | str):
                continue
            number = _MONEY.search(str(value))
            if number is None:
                continue
            record[key] = _spoilt(form, value, number.group(), params)
            changed += 1
        return changed

    return change


def _spoilt(form: str, value: int | float | str, digits: str, params: Params) -> object:
    """Return a price in a form that must not be believed, as text where the vendor sends text."""
    text = isinstance(value, str)
    if form == "null":
        return "" if text else None
    if form == "comma":
        return "1,234.50"
    odd = {"nan": "NaN", "infinite": "Infinity", "huge": "1e400"}.get(form)
    if odd is not None:
        return odd if text else raw(odd)
    factor = {"negative": -1.0, "zero": 0.0}.get(form) or float(str(params.get("factor", 0)))
    if isinstance(value, str):
        sign = "$" if "$" in value else ""
        return f"{sign}{float(digits) * factor + 0.0:.2f}".replace("$-", "-$")
    made = value * factor
    return round(made) if isinstance(value, int) else round(made, 2)


def _gone(document: Document, _exchange: Exchange, params: Params) -> int:
    places = _places(document, params)
    for record, key in places:
        del record[key]
    return len(places)


def _retyped(document: Document, _exchange: Exchange, params: Params) -> int:
    places = _places(document, params)
    for record, key in places:
        value = record[key]
        if isinstance(value, str):
            record[key] = [value] if not document.csv else f"[{value}]"
        elif isinstance(value, list):
            record[key] = {"items": value}
        else:
            record[key] = {"amount": value}
    return len(places)


def _set(document: Document, _exchange: Exchange, params: Params) -> int:
    places = _places(document, params)
    for record, key in places:
        record[key] = params["value"]
    return len(places)


def _add(document: Document, _exchange: Exchange, params: Params) -> int:
    changed = 0
    for record, key in _places(document, params):
        value = record[key]
        if isinstance(value, int | float) and not isinstance(value, bool):
            record[key] = (
                value + float(str(params["by"]))
                if isinstance(value, float)
                else (value + int(float(str(params["by"]))))
            )
            changed += 1
    return changed


def _suffixed(document: Document, _exchange: Exchange, params: Params) -> int:
    changed = 0
    for record, key in _places(document, params):
        if isinstance(record[key], str):
            record[key] = f"{params['before']}{record[key]}{params['after']}"
            changed += 1
    return changed


def _endless(document: Document, _exchange: Exchange, _params: Params) -> int:
    changed = 0
    for record in document.records():
        for key in ("hasMore", "has_more"):
            if key in record:
                record[key] = True
                changed += 1
        for key in ("total", "totalItems"):
            if isinstance(record.get(key), int):
                record[key] = 1_000_000_000
                changed += 1
    return changed


def _duplicated(*, differs: bool) -> Change:
    def change(document: Document, _exchange: Exchange, params: Params) -> int:
        ids = re.compile(str(params["ids"]))
        for rows in document.lists():
            for place, row in enumerate(rows):
                if not (isinstance(row, dict) and any(ids.search(key) for key in row)):
                    continue
                copy = deepcopy(row)
                if differs:
                    _price("spike")(Document(copy), _exchange, params)
                rows.insert(place + 1, copy)
                return 1
        return 0

    return change


def _reused(document: Document, _exchange: Exchange, params: Params) -> int:
    """Give the first record's ids to the second one, and the second one's to the first.

    An answer with one record only gets another card's name under the id instead.
    """
    ids = re.compile(str(params["ids"]))
    for rows in document.lists():
        held = [row for row in rows if isinstance(row, dict) and any(map(ids.search, row))]
        if len(held) > 1:
            one, other = held[:2]
            for key in [key for key in one if ids.search(key) and key in other]:
                one[key], other[key] = other[key], one[key]
            return 1
    names = re.compile(_NAMES)
    for record in document.records():
        for key in record:
            if names.search(key):
                record[key] = str(params["name"])
                return 1
    return 0


def _restamped(document: Document, exchange: Exchange, params: Params) -> int:
    """State the present moment in the form in which a moment is stated."""
    now: datetime = exchange.now
    places = _places(document, params)
    for record, key in places:
        record[key] = iso(now) if not str(record[key]).isdigit() else to_epoch(now)
    return len(places)


def _typed(exchange: Exchange, params: Params) -> bool:
    exchange.response.headers["Content-Type"] = str(params["type"])
    return True


def _bom(exchange: Exchange, _params: Params) -> bool:
    exchange.response.body = b"\xef\xbb\xbf" + exchange.response.body
    return True


def _latin1(exchange: Exchange, _params: Params) -> bool:
    _changing(_suffixed)(exchange, {"keys": _NAMES, "before": "Pok\u00e9 ", "after": ""})
    before = exchange.response.body
    try:
        exchange.response.body = before.decode().encode("latin-1", "replace")
    except UnicodeDecodeError:
        return False
    return exchange.response.body != before


def _body(
    name: str, text: str, catalog: str, change: Change, params: Params, path: str = ""
) -> FaultKind:
    return FaultKind(name, Stage.BODY, text, catalog, _changing(change), params, path)


_WHERE: Params = {"keys": _PRICES, "match": {}, "limit": 0}


def _where(keys: str, **more: object) -> Params:
    return {**_WHERE, "keys": keys, **more}


KINDS = (
    _body("price_negative", "prices below zero", "V11", _price("negative"), _WHERE),
    _body("price_zero", "prices are 0", "V11", _price("zero"), _WHERE),
    _body("price_null", "prices are null", "V11", _price("null"), _WHERE),
    _body("price_nan", "prices are NaN", "V11", _price("nan"), _WHERE),
    _body("price_infinite", "prices are Infinity", "V11", _price("infinite"), _WHERE),
    _body("price_comma", 'prices are "1,234.50"', "V11", _price("comma"), _WHERE),
    _body("price_huge", "prices are 1e400", "V11", _price("huge"), _WHERE),
    _body(
        "price_spike",
        "prices times factor",
        "V12",
        _price("spike"),
        {**_WHERE, "factor": 1000.0},
    ),
    _body("field_gone", "keys are missing", "V10", _gone, _where("^name$")),
    _body("field_retyped", "keys have another type", "V10", _retyped, _where("^name$")),
    _body(
        "field_set",
        "keys have a value that nobody knew",
        "V10",
        _set,
        {**_where("^(condition|subTypeName)$"), "value": None},
    ),
    _body(
        "currency_changed",
        "another currency is stated",
        "V13",
        _set,
        _where("(?i)^currency$", value="EUR"),
    ),
    _body("currency_missing", "no currency is stated", "V13", _gone, _where("(?i)^currency$")),
    _body("duplicate", "one record twice", "V14", _duplicated(differs=False), {"ids": _IDS}),
    _body(
        "duplicate_differs",
        "one record twice, its prices times factor",
        "V14",
        _duplicated(differs=True),
        {**_WHERE, "ids": _IDS, "factor": 2.0},
    ),
    _body(
        "renamed",
        "text around the names",
        "V15",
        _suffixed,
        _where(_NAMES, before="", after=" (Renamed)"),
    ),
    _body(
        "html_name",
        "markup in the names",
        "V15",
        _suffixed,
        _where(_NAMES, before="<script>alert(1)</script>", after=""),
    ),
    _body(
        "id_reused",
        "two records have each other's ids; a single one has another card's name",
        "V15",
        _reused,
        {"ids": _IDS, "name": "Another Card #999"},
    ),
    _body("endless_next", "there is always more, says the answer", "V16", _endless, {}),
    _body("lying_total", "totals are wrong", "V16", _add, _where("^total(Items)?$", by=1000)),
    _body(
        "token_lifetime",
        "seconds that a new token is said to live",
        "V17 V18",
        _set,
        _where("^expires_in$", value=0),
        path="token$",
    ),
    _body(
        "quota_differs",
        "the vendor has counted more calls than we made",
        "V20",
        _add,
        _where("Remaining$", by=-50),
    ),
    _body(
        "restamped",
        "moments say now; with stale: yesterday's data as new",
        "V23",
        _restamped,
        _where("^(lastUpdated|modifiedOn|last_updated)$"),
    ),
    FaultKind(
        "wrong_type",
        Stage.BODY,
        "another Content-Type",
        "V8",
        _typed,
        {"type": "text/html"},
    ),
    FaultKind("bom", Stage.BODY, "byte order mark in front", "V8", _bom),
    FaultKind("latin1", Stage.BODY, "latin-1 where UTF-8 is expected", "V8", _latin1),
)
