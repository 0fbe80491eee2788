"""Which call meets which fault: rules that are set and cleared, and counted each time they fire."""

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import count
from random import Random
from threading import Lock

from tcgtracker.sandbox.delivery import Delivery
from tcgtracker.sandbox.wire import Request, Response

Params = Mapping[str, object]


class Stage(StrEnum):
    """Where a fault takes hold of an exchange."""

    CONNECT = "connect"
    REQUEST = "request"
    ANSWER = "answer"
    BODY = "body"
    WIRE = "wire"


@dataclass(slots=True)
class Exchange:
    """One call on its way through the faults; each fault changes what its stage may change."""

    request: Request
    now: datetime
    response: Response = field(default_factory=Response)
    delivery: Delivery = field(default_factory=Delivery)


@dataclass(frozen=True, slots=True)
class FaultKind:
    """A named fault. `params` are its parameters with their defaults, which also give the types.

    apply: changes the exchange, and says whether it found something to change. catalog: the lines
    of the fault catalogue (V1-V24) that it serves. path: a regular expression that calls must
    match where the rule gives none. choices: the values that a parameter may have. most: the
    largest size of a number, where ten million is too much.
    """

    name: str
    stage: Stage
    text: str
    catalog: str
    apply: Callable[[Exchange, Params], bool]
    params: Params = field(default_factory=dict)
    path: str = ""
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    most: Mapping[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class FaultRule:
    """One fault that is set. `after`, `nth`, `first`, `every`: which of the matching calls.

    vendor: '' for all. path: prefix; pattern: regular expression, searched in the path. period_s:
    on for so long, off for so long, by the real clock. probability: drawn from `seed`.
    """

    number: int
    kind: FaultKind
    vendor: str = ""
    path: str = ""
    pattern: re.Pattern[str] | None = None
    method: str = ""
    after: int = 0
    nth: int = 0
    first: int = 0
    every: int = 0
    probability: float = 1.0
    period_s: float = 0.0
    params: Params = field(default_factory=dict)
    seed: int = 0
    chance: Random = field(default_factory=Random)
    since: float = 0.0
    seen: int = 0
    fired: int = 0

    def begin(self, monotonic: float) -> None:
        """Count, draw and flap from the start."""
        self.since, self.seen, self.fired = monotonic, 0, 0
        self.chance = Random(f"{self.seed} {self.kind.name}")  # noqa: S311 - repeatable

    def resting(self, monotonic: float) -> bool:
        """Tell whether a fault that comes and goes is off at this moment."""
        return bool(self.period_s) and int((monotonic - self.since) / self.period_s) % 2 == 1

    def concerns(self, vendor: str, request: Request) -> bool:
        """Tell whether the rule speaks of such a call."""
        return (
            self.vendor in ("", vendor)
            and self.method in ("", request.method)
            and request.path.startswith(self.path)
            and (self.pattern is None or self.pattern.search(request.path) is not None)
        )

    def due(self, monotonic: float) -> bool:
        """Count a matching call, and tell whether the fault is for this one."""
        if self.resting(monotonic):
            return False
        self.seen += 1
        place = self.seen - self.after
        return (
            place > 0
            and (not self.nth or place == self.nth)
            and (not self.first or place <= self.first)
            and (not self.every or place % self.every == 0)
            and (self.probability >= 1 or self.chance.random() < self.probability)
        )

    def as_json(self) -> dict[str, object]:
        return {
            "number": self.number,
            "fault": self.kind.name,
            "vendor": self.vendor,
            "path": self.path,
            "pattern": self.pattern.pattern if self.pattern else "",
            "method": self.method,
            "after": self.after,
            "nth": self.nth,
            "first": self.first,
            "every": self.every,
            "probability": self.probability,
            "seed": self.seed,
            "period_s": self.period_s,
            "params": dict(self.params),
            "seen": self.seen,
            "fired": self.fired,
        }


class FaultBoard:
    """The faults that are set. Safe between threads."""

    def __init__(
        self,
        kinds: Iterable[FaultKind],
        vendors: Iterable[str],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.kinds = {kind.name: kind for kind in kinds}
        self._vendors = frozenset(vendors)
        self._monotonic = monotonic
        self._lock = Lock()
        self._numbers = count(1)
        self._rules: list[FaultRule] = []
        self.fired: dict[str, int] = {}
        """By `vendor fault`, since the last reset; outlives the rules."""

    def set(self, name: str, /, **given: object) -> FaultRule:
        """Set a fault; the arguments are the fields of `FaultRule`.

        Raises:
            ValueError: unknown fault, vendor or argument, or a value that cannot be used.
        """
        kind = self.kinds.get(name)
        if kind is None:
            raise ValueError(f"no fault {name!r}; there are {', '.join(sorted(self.kinds))}")
        rule = _rule(next(self._numbers), kind, given)
        if rule.vendor and rule.vendor not in self._vendors:
            raise ValueError(
                f"no vendor {rule.vendor!r}; there are {', '.join(sorted(self._vendors))}"
            )
        rule.begin(self._monotonic())
        with self._lock:
            self._rules.append(rule)
        return rule

    def clear(self, *, number: int = 0, vendor: str = "", name: str = "") -> int:
        """Take away the rules that fit all that is given (all of them when nothing is)."""
        with self._lock:
            before = len(self._rules)
            self._rules = [
                rule
                for rule in self._rules
                if (number and rule.number != number)
                or (vendor and rule.vendor != vendor)
                or (name and rule.kind.name != name)
            ]
            return before - len(self._rules)

    def rules(self) -> list[FaultRule]:
        with self._lock:
            return list(self._rules)

    def due(self, vendor: str, request: Request) -> list[FaultRule]:
        """Return the rules for this call in the order in which they were set, and count it."""
        with self._lock:
            return [
                rule
                for rule in self._rules
                if rule.kind.stage is not Stage.CONNECT
                and rule.concerns(vendor, request)
                and rule.due(self._monotonic())
            ]

    def connecting(self, vendor: str, name: str) -> FaultRule | None:
        """Return the rule for a connection that is just being made, and count it."""
        with self._lock:
            for rule in self._rules:
                if rule.kind.name == name and rule.vendor in ("", vendor):
                    return rule if rule.due(self._monotonic()) else None
        return None

    def refused(self, vendor: str) -> bool:
        """Tell whether the vendor's door is closed at this moment; counts nothing."""
        with self._lock:
            return any(
                rule.kind.name == "refuse"
                and rule.vendor in ("", vendor)
                and not rule.resting(self._monotonic())
                for rule in self._rules
            )

    def count(self, vendor: str, rule: FaultRule) -> None:
        """Note that a fault did something."""
        with self._lock:
            rule.fired += 1
            key = f"{vendor} {rule.kind.name}"
            self.fired[key] = self.fired.get(key, 0) + 1

    def reset(self) -> None:
        """Set all counts back; rules begin anew."""
        with self._lock:
            self.fired.clear()
            for rule in self._rules:
                rule.begin(self._monotonic())


_ARGUMENTS: Params = {
    "vendor": "",
    "path": "",
    "pattern": "",
    "method": "",
    "after": 0,
    "nth": 0,
    "first": 0,
    "every": 0,
    "probability": 1.0,
    "seed": 0,
    "period_s": 0.0,
    "params": {},
}
_AT_THE_DOOR = frozenset({"vendor", "after", "nth", "first", "every", "probability", "seed"})
_SIGNED = frozenset({"by", "factor", "hours", "value", "seed"})
_EXPRESSIONS = frozenset({"keys", "ids", "pattern"})


def _rule(number: int, kind: FaultKind, given: Mapping[str, object]) -> FaultRule:
    values = checked(given, _ARGUMENTS, "argument")
    useless = {name for name in given if values[name] != _ARGUMENTS[name]} - {"params", "period_s"}
    if kind.stage is Stage.CONNECT and useless - (
        {"vendor"} if kind.name == "refuse" else _AT_THE_DOOR
    ):
        # Before a connection there is no path, and a closed door sees nobody to count.
        raise ValueError(f"{kind.name} does not know {', '.join(sorted(useless - {'vendor'}))}")
    if float(str(values["probability"])) > 1:
        raise ValueError("probability must be from 0 to 1")
    params = values.pop("params")
    pattern = str(values.pop("pattern") or kind.path)
    rule = FaultRule(
        number,
        kind,
        pattern=re.compile(pattern) if pattern else None,
        params=checked(params if isinstance(params, Mapping) else {}, kind.params, "parameter"),
    )
    for name, value in values.items():
        setattr(rule, name, value)
    for name, choices in kind.choices.items():
        if rule.params[name] not in choices:
            raise ValueError(f"{name} must be one of {', '.join(choices)}")
    for name, most in kind.most.items():
        if abs(float(str(rule.params[name]))) > most:
            raise ValueError(f"{name} must be {most:,} at most")
    return rule


def checked(given: Mapping[str, object], known: Params, what: str) -> dict[str, object]:
    """Return `known` with what is given in its place, of the same types.

    Raises:
        ValueError: an unknown name, or a value that cannot be used.
    """
    values = dict(known)
    for name, value in given.items():
        if name not in known:
            raise ValueError(f"no {what} {name!r}; there are {', '.join(sorted(known)) or 'none'}")
        values[name] = _like(known[name], value, f"{what} {name!r}")
        number = values[name]
        least = -_MANY if name in _SIGNED else 0
        if isinstance(number, int | float) and not least <= number <= _MANY:
            raise ValueError(f"{what} {name!r} must be from {least:,} to {_MANY:,}")
        if isinstance(number, str) and name in _EXPRESSIONS:
            try:
                re.compile(number)
            except re.error as exc:
                raise ValueError(f"{what} {name!r}: {exc}") from exc
    return values


def _like(default: object, value: object, what: str) -> object:
    """Return the value when it is of the default's type; None stands for any type."""
    if default is None or type(value) is type(default):
        return value
    if isinstance(default, float) and type(value) is int:
        return float(value)
    raise ValueError(f"{what} must be {type(default).__name__}")


_MANY = 10_000_000
