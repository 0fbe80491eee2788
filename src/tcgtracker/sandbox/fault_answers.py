"""Faults in how a call is answered at all: another moment, another status, another way out."""

import json
import zlib
from datetime import timedelta
from email.utils import format_datetime
from functools import lru_cache

from tcgtracker.sandbox.faults import Exchange, FaultKind, Params, Stage
from tcgtracker.sandbox.wire import Request, Response

JSON = {"Content-Type": "application/json"}
_RETRY_FORMS = (
    "seconds",
    "date",
    "past",
    "negative",
    "zero",
    "junk",
    "ten_years",
    "fraction",
    "none",
)
_TEN_YEARS_S = 315_360_000
_MB = 1024 * 1024


def _number(params: Params, name: str) -> int:
    return int(str(params[name]))


def _seconds(params: Params, name: str) -> float:
    return float(str(params[name]))


def _names(params: Params, name: str) -> list[str]:
    value = params[name]
    return [str(each) for each in value] if isinstance(value, list) else []


def _stale(exchange: Exchange, params: Params) -> bool:
    exchange.now -= timedelta(hours=_seconds(params, "hours"))
    return True


def _first_page_again(exchange: Exchange, params: Params) -> bool:
    names = _names(params, "keys")
    request = exchange.request
    kept = {name: values for name, values in request.query.items() if name not in names}
    exchange.request = _with_query(request, kept)
    return len(kept) != len(request.query)


def _shifted_page(exchange: Exchange, params: Params) -> bool:
    query = dict(exchange.request.query)
    for name in _names(params, "keys"):
        start = exchange.request.arg(name)
        if start.isdigit() and int(start) > 0:
            query[name] = (str(max(0, int(start) + _number(params, "by"))),)
    changed = query != exchange.request.query
    exchange.request = _with_query(exchange.request, query)
    return changed


def _with_query(request: Request, query: dict[str, tuple[str, ...]]) -> Request:
    return Request(request.method, request.path, query, request.headers, request.body)


def _rate_limited(exchange: Exchange, params: Params) -> bool:
    seconds = _number(params, "seconds")
    forms: dict[str, str] = {
        "seconds": str(seconds),
        "date": format_datetime(exchange.now + timedelta(seconds=seconds), usegmt=True),
        "past": format_datetime(exchange.now - timedelta(hours=1), usegmt=True),
        "negative": "-5",
        "zero": "0",
        "junk": "soon, please",
        "ten_years": str(_TEN_YEARS_S),
        "fraction": f"{seconds}.5",
        "none": "",
    }
    form = str(params["retry_after"])
    text = str(params["body"])
    headers = {"Content-Type": "text/plain"} if params["text"] else dict(JSON)
    if forms[form]:
        headers["Retry-After"] = forms[form]
    exchange.response = Response(429, text.encode(), headers)
    return True


def _status(exchange: Exchange, params: Params) -> bool:
    headers = {"Content-Type": str(params["content_type"])}
    if location := str(params.get("location", "")):
        headers["Location"] = location
    exchange.response = Response(_number(params, "status"), str(params["body"]).encode(), headers)
    return True


def _quota(exchange: Exchange, params: Params) -> bool:
    body = {"error": "Total request limit exceeded", "code": params["code"]}
    exchange.response = Response(429, json.dumps(body).encode(), dict(JSON))
    return True


def _empty(exchange: Exchange, _params: Params) -> bool:
    exchange.response = Response(200, b"", dict(JSON))
    return True


def _no_content(exchange: Exchange, _params: Params) -> bool:
    exchange.response = Response(204)
    return True


def _deep(exchange: Exchange, params: Params) -> bool:
    depth = _number(params, "depth")
    exchange.response = Response(200, b"[" * depth + b"]" * depth, dict(JSON))
    return True


def _bomb(exchange: Exchange, params: Params) -> bool:
    exchange.response = Response(
        200, gzip_of_spaces(_number(params, "mb")), JSON | {"Content-Encoding": "gzip"}
    )
    return True


@lru_cache(maxsize=4)
def gzip_of_spaces(megabytes: int) -> bytes:
    """Return gzip of so many megabytes of spaces, without ever holding them."""
    block = b" " * _MB
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    # After a full flush the packer has forgotten what came before, so one block's bytes can be
    # repeated as often as wanted (RFC 1951: blocks without references across the flush).
    packed = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    check = 0
    for _ in range(megabytes):
        check = zlib.crc32(block, check)
    head = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
    tail = check.to_bytes(4, "little") + (megabytes * _MB % 2**32).to_bytes(4, "little")
    return head + packed * megabytes + b"\x03\x00" + tail


def _huge(exchange: Exchange, params: Params) -> bool:
    exchange.delivery.filler_bytes = _number(params, "mb") * _MB
    return True


def _slow(exchange: Exchange, params: Params) -> bool:
    exchange.delivery.piece = max(1, _number(params, "bytes"))
    exchange.delivery.pause_s = _seconds(params, "pause_s")
    return True


def _stall(exchange: Exchange, params: Params) -> bool:
    exchange.delivery.wait_s = _seconds(params, "seconds")
    return True


def _truncated(exchange: Exchange, params: Params) -> bool:
    body = exchange.response.body
    exchange.response.body = body[: int(len(body) * _seconds(params, "share"))]
    return bool(body)


def _short_length(exchange: Exchange, params: Params) -> bool:
    exchange.delivery.stated_bytes = int(len(exchange.response.body) * _seconds(params, "share"))
    return bool(exchange.response.body)


def _cut(exchange: Exchange, params: Params) -> bool:
    exchange.delivery.sent_bytes = int(len(exchange.response.body) * _seconds(params, "share"))
    return bool(exchange.response.body)


def _reset(exchange: Exchange, params: Params) -> bool:
    exchange.delivery.reset = True
    return _cut(exchange, params)


def _at_the_door(_exchange: Exchange, _params: Params) -> bool:
    return True  # the server itself does it, before there is an exchange


_HTML = "<html><head><title>502 Bad Gateway</title></head><body>upstream down</body></html>"
_REPLY: Params = {"status": 500, "body": '{"error": "fault"}', "content_type": "application/json"}


def _reply(**changed: object) -> Params:
    return {**_REPLY, **changed}


KINDS = (
    FaultKind(
        "refuse",
        Stage.CONNECT,
        "listening socket closed: connection refused",
        "V1 V22",
        _at_the_door,
    ),
    FaultKind("reset_at_accept", Stage.CONNECT, "TCP reset right after accept", "V1", _at_the_door),
    FaultKind(
        "not_http", Stage.CONNECT, "answers with bytes that are not HTTP", "V1", _at_the_door
    ),
    FaultKind(
        "stale",
        Stage.REQUEST,
        "the answer of so many hours ago, stated as it was then",
        "V23",
        _stale,
        {"hours": 24.0},
        most={"hours": 24 * 3650},
    ),
    FaultKind(
        "paging_loop",
        Stage.REQUEST,
        "every page is the first one; with endless_next it never ends",
        "V16",
        _first_page_again,
        {"keys": ["offset", "page"]},
    ),
    FaultKind(
        "shifted_pages",
        Stage.REQUEST,
        "later pages begin so many rows further (or, negative, earlier)",
        "V16",
        _shifted_page,
        {"keys": ["offset"], "by": 1},
    ),
    FaultKind(
        "rate_limited",
        Stage.ANSWER,
        "429 with any form of Retry-After",
        "V3 V4",
        _rate_limited,
        {"retry_after": "seconds", "seconds": 30, "body": '{"error": "slow down"}', "text": False},
        choices={"retry_after": _RETRY_FORMS},
    ),
    FaultKind("server_error", Stage.ANSWER, "a 5xx", "V5 V17", _status, _reply()),
    FaultKind(
        "token_down",
        Stage.ANSWER,
        "a 5xx of the token address only",
        "V17",
        _status,
        _reply(status=503),
        path="token$",
    ),
    FaultKind(
        "html_error",
        Stage.ANSWER,
        "a gateway's HTML page",
        "V6",
        _status,
        _reply(status=502, body=_HTML, content_type="text/html"),
    ),
    FaultKind("unauthorized", Stage.ANSWER, "401", "V17 V19", _status, _reply(status=401)),
    FaultKind("forbidden", Stage.ANSWER, "403", "V19", _status, _reply(status=403)),
    FaultKind(
        "quota_exhausted",
        Stage.ANSWER,
        "429 with a quota's code",
        "V20",
        _quota,
        {"code": "DAILY_LIMIT_EXCEEDED"},
    ),
    FaultKind(
        "redirect",
        Stage.ANSWER,
        "3xx to plain http or another host",
        "V24",
        _status,
        _reply(status=302, body="", location="http://127.0.0.2/elsewhere"),
    ),
    FaultKind("empty", Stage.ANSWER, "200 without a body", "V8", _empty),
    FaultKind("no_content", Stage.ANSWER, "204", "V8", _no_content),
    FaultKind("deep_json", Stage.ANSWER, "arrays in arrays", "V9", _deep, {"depth": 100_000}),
    FaultKind(
        "gzip_bomb", Stage.ANSWER, "much from little", "V9", _bomb, {"mb": 500}, most={"mb": 4096}
    ),
    FaultKind("huge_body", Stage.WIRE, "zero bytes, uncompressed", "V9", _huge, {"mb": 500}),
    FaultKind(
        "slow", Stage.WIRE, "a few bytes at a time", "V2", _slow, {"bytes": 1, "pause_s": 0.15}
    ),
    FaultKind("stall", Stage.WIRE, "nothing for a while", "V2", _stall, {"seconds": 60.0}),
    FaultKind(
        "truncated",
        Stage.BODY,
        "body ends early, with the Content-Length of what is sent",
        "V7",
        _truncated,
        {"share": 0.5},
    ),
    FaultKind(
        "short_length",
        Stage.WIRE,
        "Content-Length is less than the body",
        "V7",
        _short_length,
        {"share": 0.5},
    ),
    FaultKind(
        "cut", Stage.WIRE, "closes before the Content-Length is reached", "V7", _cut, {"share": 0.5}
    ),
    FaultKind("reset", Stage.WIRE, "TCP reset mid-body", "V7", _reset, {"share": 0.5}),
)
