"""The control port: faults, clock, options and counts, for whoever runs the sandbox."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from tcgtracker.domain.clock import ensure_utc, iso
from tcgtracker.sandbox.faults import FaultKind
from tcgtracker.sandbox.served import prices_in
from tcgtracker.sandbox.server import Surroundings
from tcgtracker.sandbox.wire import Request, Response, SandboxVendor, TunableVendor

_MAX_BODY = 256 * 1024


class Control:
    """Answers `POST /_control` and the `GET /_control/...` pages."""

    name = "control"

    def __init__(self, shared: Surroundings, vendors: Sequence[SandboxVendor]) -> None:
        self._shared = shared
        self._vendors = {vendor.name: vendor for vendor in vendors}

    def handle(self, request: Request, _now: datetime) -> Response:
        pages: dict[str, Callable[[Request], object]] = {
            "/_control": self._state,
            "/_control/calls": self._calls,
            "/_control/served": self._served,
            "/_control/faults": self._faults,
        }
        try:
            if request.method == "POST" and request.path == "/_control":
                return _json(self._act(request))
            page = pages.get(request.path)
            if page is None:
                return _json({"error": f"there are {', '.join(pages)}"}, 404)
            if request.method != "GET":
                return _json({"error": "GET, or POST to /_control"}, 405)
            return _json(page(request))
        except ValueError as exc:
            return _json({"error": str(exc)}, 400)

    def _act(self, request: Request) -> object:
        if len(request.body) > _MAX_BODY:
            raise ValueError(f"more than {_MAX_BODY} bytes")
        try:
            given = json.loads(request.body)
        except (ValueError, RecursionError) as exc:
            raise ValueError(f"no JSON: {exc}") from exc
        if not isinstance(given, dict):
            raise ValueError("a JSON object is needed")  # noqa: TRY004 - told as 400
        actions: dict[str, Callable[[dict[str, object]], object]] = {
            "set_fault": self.set_fault,
            "clear_faults": self.clear_faults,
            "clock": self.clock,
            "options": self.options,
            "reset": self.reset,
        }
        action = actions.get(str(given.pop("action", "")))
        if action is None:
            raise ValueError(f"action must be one of {', '.join(actions)}")
        return action(given)

    def set_fault(self, given: dict[str, object]) -> object:
        """Set the fault that `fault` names, with the arguments of a rule."""
        name = given.pop("fault", "")
        if not isinstance(name, str):
            raise ValueError("fault must be a name")  # noqa: TRY004 - told as 400
        return self._shared.board.set(name, **given).as_json()

    def clear_faults(self, given: dict[str, object]) -> object:
        """Clear the faults that fit `number`, `vendor`, `fault`; all without any of them."""
        _only(given, "number", "vendor", "fault")
        number, vendor, name = (
            given.get("number", 0),
            given.get("vendor", ""),
            given.get("fault", ""),
        )
        if type(number) is not int or not isinstance(vendor, str) or not isinstance(name, str):
            raise ValueError("number must be an integer, vendor and fault must be text")
        cleared = self._shared.board.clear(number=number, vendor=vendor, name=name)
        return {"cleared": cleared}

    def clock(self, given: dict[str, object]) -> object:
        """Set the clock (`set`), move it (`advance_s`), or let it run (`speed`)."""
        _only(given, "set", "advance_s", "speed")
        clock = self._shared.clock
        moment = given.get("set")
        if moment is not None:
            try:
                clock.set(ensure_utc(datetime.fromisoformat(str(moment))))
            except (ValueError, OverflowError) as exc:
                raise ValueError(f"set: {exc}; write it as 2026-05-01T12:00:00Z") from exc
        try:
            if "advance_s" in given:
                clock.advance(timedelta(seconds=_number(given, "advance_s")))
            if "speed" in given:
                clock.run(_number(given, "speed"))
        except OverflowError as exc:
            raise ValueError(f"advance_s: {exc}") from exc
        return {"now": iso(clock.now()), "speed": clock.speed}

    def options(self, given: dict[str, object]) -> object:
        """Set options of one vendor."""
        _only(given, "vendor", "set")
        vendor = self._vendors.get(str(given.get("vendor", "")))
        if not isinstance(vendor, TunableVendor):
            names = [
                name for name, each in self._vendors.items() if isinstance(each, TunableVendor)
            ]
            raise ValueError(f"vendor must be one of {', '.join(names)}")  # noqa: TRY004 - 400
        options = given.get("set", {})
        if not isinstance(options, dict):
            raise ValueError("set must be an object")  # noqa: TRY004 - told as 400
        vendor.tune(options)
        return vendor.options()

    def reset(self, given: dict[str, object]) -> object:
        """Forget the log and all counts; faults and options stay."""
        _only(given)
        self._shared.ledger.clear()
        self._shared.board.reset()
        for vendor in self._vendors.values():
            if isinstance(vendor, TunableVendor):
                vendor.reset()
        return {"reset": True}

    def _state(self, _request: Request) -> object:
        clock = self._shared.clock
        return {
            "now": iso(clock.now()),
            "speed": clock.speed,
            "vendors": {
                name: vendor.options() if isinstance(vendor, TunableVendor) else {}
                for name, vendor in self._vendors.items()
            },
            "faults": [_kind(kind) for kind in self._shared.board.kinds.values()],
        }

    def _calls(self, request: Request) -> object:
        ledger = self._shared.ledger
        calls = ledger.calls(*self._wanted(request))
        return {"calls": [call.as_json() for call in calls], "dropped": ledger.dropped_calls}

    def _served(self, request: Request) -> object:
        ledger = self._shared.ledger
        prices = [
            price.as_json()
            for body in ledger.bodies(*self._wanted(request))
            for price in prices_in(body)
        ]
        return {"served": prices, "dropped": ledger.dropped_bodies}

    def _faults(self, _request: Request) -> object:
        board = self._shared.board
        return {"set": [rule.as_json() for rule in board.rules()], "fired": board.fired}

    def _wanted(self, request: Request) -> tuple[str, int]:
        vendor, since = request.arg("vendor"), request.arg("since", "0")
        if vendor and vendor not in self._vendors:
            raise ValueError(f"no vendor {vendor!r}; there are {', '.join(self._vendors)}")
        if not (since.isascii() and since.isdigit()):
            raise ValueError("since must be the number of a call")
        return vendor, int(since)


def _only(given: Mapping[str, object], *names: str) -> None:
    if unknown := set(given) - set(names):
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(names) or '-'}")


def _number(given: Mapping[str, object], name: str) -> float:
    value = given[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name} must be a number")  # noqa: TRY004 - told as 400
    return float(value)


def _kind(kind: FaultKind) -> dict[str, object]:
    return {
        "fault": kind.name,
        "stage": kind.stage.value,
        "text": kind.text,
        "catalog": kind.catalog,
        "params": dict(kind.params),
        "choices": {name: list(values) for name, values in kind.choices.items()},
    }


def _json(value: object, status: int = 200) -> Response:
    body = json.dumps(value, ensure_ascii=True).encode()
    return Response(status, body, {"Content-Type": "application/json"})
