"""Requests that nobody sends on purpose: seeded, raw, for every operation of the API.

A case is made from the OpenAPI document and one number, so that any case can be made again alone.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import quote, quote_from_bytes

from tests.integration.api_subject import Header

SEED = 20_260_501
CALLERS = ("key", "key", "person", "reader", "nobody")
HOST = (b"host", b"127.0.0.1:8000")
DEEP = 100_000

ODD_TEXTS = (
    "\0",
    "a\0b",
    "",
    " ",
    "\ufeff",
    "\u202e",
    "\uffff",
    "\U0001f4a9",
    "e\u0301" * 50,
    "x" * 201,
    "x" * 20_000,
    "' OR 1=1 --",
    "%00",
    "../../etc/passwd",
    "{{7*7}}",
    "null",
    "NaN",
    "-0",
    "1e309",
    "٣",
    "1_000",
    "\u2028",
    "psa-10",
    "any-9.5",
    "4/102",
)
ODD_NUMBERS = (0, -1, -(2**31), 2**31 - 1, 2**31, 2**63, 2**64, 10**30, 1.5, 1e308)
ODD_QUERY_VALUES = (
    *(quote(text) for text in ODD_TEXTS),
    *(str(number) for number in ODD_NUMBERS[:-2]),
    "9" * 5_000,
    "%",
    "%zz",
    "%ff%fe",
    "%ed%a0%80",
    "%c0%af",
    "%F0%9F",
    "+",
    "1;2",
    "[]",
    "true",
)
ODD_PATH_VALUES = (
    "0",
    "-1",
    "00000000001",
    "2147483647",
    "2147483648",
    "9" * 400,
    "1.0",
    "1e3",
    "NaN",
    "%00",
    "1%00",
    "%ff%fe",
    "%ed%a0%80",
    "%zz",
    "%",
    "%2e%2e",
    "..%2f..",
    "%F0%9F%92%A9",
    "1%2F2",
    "%20",
    "%D9%A3",
    "00000000-0000-0000-0000-000000000000",
    "x" * 3_000,
)
NO_JSON = (
    b"{",
    b"\0",
    b"\xff\xfe{}",
    b"\xef\xbb\xbf{}",
    b'{"a": NaN}',
    b"[Infinity]",
    b"-Infinity",
    b'"\\ud800"',
    b'{"\\udfff": 1}',
    b'"\xed\xa0\x80"',
    b'{"a": 1, "a": 2}',
    b'{"card_ids": [1], "card_ids": [2]}',
    b"[" * DEEP,
    b"[" * DEEP + b"]" * DEEP,
    b'{"a":' * 1_000 + b"1" + b"}" * 1_000,
    b"[1,]",
    b"{'a': 1}",
    b"nul",
    b"01",
    b"1 2",
    b"9" * 5_000,
    b'"' + b"\\" * 999,
    b'{"a": "\xc3\x28"}',
    "{}".encode("utf-16"),
)
ODD_HEADERS: tuple[Header, ...] = (
    (b"if-none-match", b"*"),
    (b"if-none-match", b'"' + b"x" * 2_000),
    (b"if-none-match", b"\xff\x00,,,W/"),
    (b"x-request-id", b"\xff<script>"),
    (b"x-request-id", b"a" * 65),
    (b"cookie", b"a=" + b"b" * 10_000),
    (b"accept", b"\xff/\xfe"),
    (b"accept", b"text/html"),
    (b"accept-encoding", b"zstd;q=nan"),
    (b"range", b"bytes=-1"),
    (b"expect", b"100-continue"),
    (b"forwarded", b"for=\x00"),
    (b"x-forwarded-for", b"203.0.113.9, " * 500),
    (b"x-http-method-override", b"DELETE"),
    (b"authorization", b"Bearer " + b"\xff" * 100),
    (b"authorization", b"Bearer a.b.c"),
    (b"authorization", b"Basic AAAA"),
    (b"authorization", b"bearer"),
    (b"x-api-key", b"tcg_\x00\x00\x00\x00\x00\x00\x00\x00_x"),
    (b"x-api-key", b"tcg_\xff\xff\xff\xff\xff\xff\xff\xff_x"),
    (b"x-api-key", b"x" * 10_000),
)
FOREIGN_HOSTS = (b"evil.example", b"", b"127.0.0.1:99999999", b"\xff", b"localhost.evil.example")
ODD_CONTENT_TYPES = (
    b"",
    b"text/plain",
    b"application/xml",
    b"application/json; charset=utf-16",
    b"application/problem+json",
    b"\xff\xff",
    b"multipart/form-data",
    b"multipart/form-data; boundary=" + b"x" * 300,
    b"multipart/form-data; boundary=a",
    b"application/x-www-form-urlencoded; charset=\xff",
    b"application/json;" * 200,
)


@dataclass(frozen=True, slots=True)
class Operation:
    """A method of a path as the document has it."""

    method: str
    path: str
    spec: Mapping[str, Any]

    @property
    def answers(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.spec["responses"]
        return found

    @property
    def guarded(self) -> bool:
        return bool(self.spec.get("security"))

    @property
    def statuses(self) -> frozenset[int]:
        return frozenset(int(status) for status in self.spec["responses"])


@dataclass(slots=True)
class Case:
    """A request, and the statuses that it may have beside those that are documented."""

    number: int
    operation: Operation
    caller: str
    method: str
    path: str
    query: str = ""
    headers: list[Header] = field(default_factory=lambda: [HOST])
    body: bytes = b""
    chunks: int = 1
    beside: set[int] = field(default_factory=set)
    only: int | None = None

    def told(self) -> str:
        """Return what finds the case again."""
        return (
            f"case {self.number} of seed {SEED}: {self.caller} {self.method} {self.path[:200]}"
            f"?{self.query[:200]} {self.headers!r:.500}"
            f" {self.body[:200]!r} ({len(self.body)} bytes)"
        )


class CaseMaker:
    """Makes the cases of an OpenAPI document; `known` are values that lead somewhere."""

    def __init__(self, document: Mapping[str, Any], known: Mapping[str, list[str]]) -> None:
        self._schemas = document["components"]["schemas"]
        self._known = known
        self.operations = [
            Operation(method.upper(), path, spec)
            for path, methods in sorted(document["paths"].items())
            for method, spec in sorted(methods.items())
        ]
        page: dict[str, Any] = {
            "responses": {"200": {"content": {"text/html": {}, "application/json": {}}}}
        }
        self.operations += [Operation("GET", path, page) for path in ("/docs", "/openapi.json")]

    def case(self, number: int) -> Case:
        """Return a case; every operation has its turn."""
        random = Random(f"{SEED} {number}")
        operation = self.operations[number % len(self.operations)]
        case = Case(number, operation, random.choice(CALLERS), operation.method, operation.path)
        self._path(case, random)
        self._query(case, random)
        self._body(case, random)
        self._headers(case, random)
        if random.random() < 0.04:
            case.method = random.choice(("PATCH", "TRACE", "OPTIONS", "HEAD", "PUT", "FOO"))
            # another method of the path may be another operation, with a body that it takes
            case.beside |= {404, 405, *range(200, 205), 304, 400, 401, 403, 409, 413, 422}
            case.only = 421 if case.only == 421 else None
        return case

    def _path(self, case: Case, random: Random) -> None:
        for parameter in _parameters(case.operation, "path"):
            name = parameter["name"]
            value = random.choice(self._known.get(name, ["1"]))
            if random.random() < 0.4:
                value = random.choice(ODD_PATH_VALUES)
                case.beside |= {404, 405, 422}
            case.path = case.path.replace("{" + name + "}", value)
        if random.random() < 0.02:
            case.path += random.choice(("/", "//", "%2f", "%00", ";x=1", "/../..", "%ff"))
            case.beside |= {404, 405, 422}

    def _query(self, case: Case, random: Random) -> None:
        parts = []
        for parameter in _parameters(case.operation, "query"):
            name = parameter["name"]
            if random.random() < (0.05 if parameter.get("required") else 0.5):
                continue
            for _ in range(random.choice((1, 1, 1, 2))):
                odd = random.random() < 0.5
                choices = ODD_QUERY_VALUES if odd else self._known.get(name) or ["1"]
                value = random.choice(choices)
                if name == "wait":  # nothing works on the job, so that it would be waited for
                    value = random.choice(("0", "-1", "61", "x", "9" * 5_000))
                parts.append(f"{name}={value}")
        if random.random() < 0.1:
            parts.append(
                random.choice(("=", "&&&", "%", "a=%ff", "x" * 3_000, "limit", "days[]=1"))
            )
        case.query = "&".join(parts)

    def _body(self, case: Case, random: Random) -> None:
        content = case.operation.spec.get("requestBody", {}).get("content", {})
        kind = next(iter(content), "")
        if not kind:
            if random.random() < 0.1:
                case.body = random.choice(NO_JSON)
                case.headers.append((b"content-type", b"text/plain"))
            return
        sent = kind.encode()
        value = self._value(content[kind]["schema"], random)
        if random.random() < 0.6:
            value = _bent(value, random)
        if kind == "application/json":
            case.body = json.dumps(value).encode()
            if random.random() < 0.3:
                case.body = random.choice(NO_JSON)
                case.only = 422
        else:
            pairs = value.items() if isinstance(value, dict) else [("username", value)]
            case.body = "&".join(f"{quote(str(a))}={_form_text(b)}" for a, b in pairs).encode()
        self._spoil(case, sent, random)

    def _spoil(self, case: Case, sent: bytes, random: Random) -> None:
        chance = random.random()
        if chance < 0.1:
            sent, case.only = random.choice(ODD_CONTENT_TYPES), None
            case.beside |= {400, 422}
        elif chance < 0.2:
            place = random.randrange(len(case.body) + 1)
            case.body = case.body[:place] + random.randbytes(random.randrange(1, 9))
            case.only = None
        elif chance < 0.22:
            case.body, case.only = b" " * ((1 << 20) + 1), 413
            if random.random() < 0.5:
                case.headers.append((b"content-length", b"10"))  # a lie
        elif chance < 0.24:
            case.headers.append((b"content-length", random.choice((b"-1", b"x", b"9" * 99))))
            case.only = 413
        case.chunks = random.choice((1, 1, 2, 7))
        case.headers.append((b"content-type", sent))

    def _headers(self, case: Case, random: Random) -> None:
        if random.random() < 0.2:
            name, value = random.choice(ODD_HEADERS)
            if name in (b"authorization", b"x-api-key"):
                case.caller = "odd"
            case.headers.append((name, value))
        if random.random() < 0.03:
            case.headers[0] = (b"host", random.choice(FOREIGN_HOSTS))
            case.only = 421
        elif random.random() < 0.03:
            case.headers.append((b"origin", random.choice((b"https://evil.example", b"null"))))
            if case.operation.method != "GET":
                case.only = 403

    def _value(self, schema: Mapping[str, Any], random: Random) -> Any:
        if "$ref" in schema:
            schema = self._schemas[schema["$ref"].rpartition("/")[2]]
        if "anyOf" in schema:
            return self._value(random.choice(schema["anyOf"]), random)
        if "enum" in schema:
            return random.choice(schema["enum"])
        match schema.get("type"):
            case "object":
                return {
                    name: self._value(one, random)
                    for name, one in schema.get("properties", {}).items()
                }
            case "array":
                count = random.choice((1, 2, 50))
                return [self._value(schema.get("items", {}), random) for _ in range(count)]
            case "integer" | "number":
                return random.choice((1, 2, 3, 7, 2**31 - 1))
            case "boolean":
                return random.random() < 0.5
            case "null":
                return None
        return "".join(random.choices("abcdefgh0123-é", k=random.randrange(8, 20)))


def _parameters(operation: Operation, place: str) -> list[Mapping[str, Any]]:
    return [one for one in operation.spec.get("parameters", []) if one["in"] == place]


def _bent(value: Any, random: Random) -> Any:
    """Return the value with one part of it replaced by something odd."""
    if isinstance(value, dict) and value and random.random() < 0.85:
        name = random.choice(sorted(value))
        bent = dict(value)
        if random.random() < 0.2:
            del bent[name]
        else:
            bent[name] = _bent(value[name], random)
        if random.random() < 0.2:
            bent[random.choice(ODD_TEXTS)] = 1
        return bent
    if isinstance(value, list) and value and random.random() < 0.6:
        return [*value[1:], _bent(value[0], random)]
    odd: list[Any] = [None, True, [], {}, [[]], [None] * 10_001, {"a": {"b": 1}}]
    return random.choice([*ODD_TEXTS, *ODD_NUMBERS, *odd])


def _form_text(value: Any) -> str:
    text = value if isinstance(value, str) else str(value)
    return quote_from_bytes(text.encode("utf-8", "surrogatepass"))
