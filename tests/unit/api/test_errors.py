"""Every error is a problem (RFC 9457): with a next step, without the input, without a trace."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import pytest
from fastapi import Body, FastAPI, Query
from pydantic import BaseModel, Field

from tcgtracker.domain.clock import FixedClock
from tcgtracker.domain.errors import (
    Conflict,
    ContractBroken,
    FatalVendorError,
    InvalidInput,
    NotFound,
    NotPermitted,
    QuotaExhausted,
    RetryableVendorError,
    StateChanged,
    StorageError,
    TrackerError,
    VendorError,
)
from tcgtracker.tracker import Tracker
from tests.unit.api.conftest import Ask

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)


class Login(BaseModel):
    name: Annotated[str, Field(max_length=10)]
    number: Annotated[float, Field(allow_inf_nan=False, le=10)] = 0


@pytest.fixture(autouse=True)
def _routes(tracker: Tracker, app: FastAPI) -> None:
    """Routes that fail on demand, beside the real ones."""

    @app.post("/login")
    def login(_login: Annotated[Login, Body()]) -> str:
        return "in"

    @app.get("/listed")
    def listed(_limit: Annotated[int, Query(alias="limit", ge=1, le=100)]) -> str:
        return "listed"

    @app.get("/crash")
    def crash() -> str:
        raise ZeroDivisionError("secret-canary")


def raising(app: FastAPI, error: Exception) -> None:
    @app.get("/raise")
    def fail() -> None:
        raise error


@pytest.mark.parametrize(
    ("error", "status", "kind", "retry_after"),
    [
        (InvalidInput("give a day"), 400, "invalid-input", None),
        (NotPermitted("not yours"), 403, "not-permitted", None),
        (NotFound("no card 7"), 404, "not-found", None),
        (Conflict("it runs"), 409, "conflict", None),
        (StateChanged("again"), 503, "state-changed", "1"),
        (StorageError("database /home/me/x.db: locked"), 503, "storage", "5"),
        (RetryableVendorError("justtcg", "cards", "timeout"), 503, "vendor-unavailable", "60"),
        (FatalVendorError("justtcg", "cards", "bad key"), 503, "vendor-stopped", "3600"),
        (ContractBroken("justtcg", "cards", "no data"), 503, "vendor-stopped", "3600"),
        (VendorError("justtcg", "cards", "odd"), 503, "vendor", "3600"),
        (TrackerError("something"), 503, "failure", "60"),
    ],
)
def test_each_error_of_ours_has_its_problem(
    ask: Ask, app: FastAPI, error: TrackerError, status: int, kind: str, retry_after: str | None
) -> None:
    raising(app, error)
    answer = ask("GET", "/raise")
    problem = answer.json()
    assert answer.status_code == problem["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert problem["type"] == f"urn:tcgtracker:problem:{kind}"
    assert problem["title"]
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert answer.headers.get("retry-after") == retry_after
    if isinstance(error, StorageError | StateChanged):
        assert str(error) not in answer.text
        assert "doctor" in problem["detail"]
    else:
        assert problem["detail"] == str(error)


@pytest.mark.parametrize(("ahead_s", "header"), [(90, "91"), (-5, "1")])
def test_a_spent_quota_says_when_it_resets(
    ask: Ask, app: FastAPI, tracker: Tracker, ahead_s: int, header: str
) -> None:
    from tcgtracker.api import errors

    errors.install(app, FixedClock(NOW))
    resets_at = NOW + timedelta(seconds=ahead_s)
    raising(app, QuotaExhausted("justtcg", "cards", "month is spent", until=resets_at))
    answer = ask("GET", "/raise")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, header)


def test_text_that_no_json_can_carry_is_replaced(ask: Ask, app: FastAPI) -> None:
    raising(app, NotFound("card \ud800\x00 <b>" + "x" * 1000))
    detail = ask("GET", "/raise").json()["detail"]
    assert detail.startswith("card ?\x00 <b>x")
    assert len(detail) == 500


def test_unknown_address(ask: Ask) -> None:
    answer = ask("GET", "/nowhere")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["title"] == "Not Found"
    assert "/docs" in answer.json()["detail"]


def test_wrong_method_says_which_are_right(ask: Ask) -> None:
    answer = ask("DELETE", "/livez")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET"
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "request_of",
    [
        {"json": {"name": "hunter2-canary", "number": 1}},
        {"json": {"number": "canary"}},
        {"content": b'{"name": "canary'},
        {"content": b'{"name": "a", "number": NaN}'},
        {"content": b'{"name": "a", "number": Infinity}'},
        {"content": b'{"name": "\\ud800canary canary"}'},
        {"content": b'{"name": "a", "number": 1e999}'},
        {"content": b"canary", "headers": {"content-type": "text/plain"}},
    ],
)
def test_malformed_input_is_not_repeated(ask: Ask, request_of: dict[str, Any]) -> None:
    request_of.setdefault("headers", {"content-type": "application/json"})
    answer = ask("POST", "/login", **request_of)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert set(problem) == {"type", "title", "status", "request_id", "errors"}
    assert all(set(error) == {"where", "message"} for error in problem["errors"])
    assert "canary" not in answer.text


@pytest.mark.parametrize("content", [b"[" * 100_000, b"\xff\xfe{"])
def test_hostile_json_is_the_callers_fault(ask: Ask, content: bytes) -> None:
    answer = ask("POST", "/login", content=content, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("limit", ["0", "101", "1e9", "99999999999999999999999", "x", "", "\x00"])
def test_bounds_of_a_query_are_named(ask: Ask, limit: str) -> None:
    answer = ask("GET", "/listed", params={"limit": limit})
    assert answer.status_code == 422
    assert [error["where"] for error in answer.json()["errors"]] == ["query.limit"]


def test_a_bug_answers_500_with_an_id_and_no_trace(
    ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = ask("GET", "/crash", headers={"X-Request-Id": "abc-123"})
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.json()["request_id"] == "abc-123"
    assert "canary" not in answer.text
    assert "ZeroDivision" not in answer.text
    logged = "".join(capsys.readouterr())
    assert "abc-123" in logged
    assert "ZeroDivisionError" in logged


def test_the_schema_documents_the_problem(ask: Ask) -> None:
    schemas = ask("GET", "/openapi.json").json()["components"]["schemas"]
    assert {"type", "title", "status", "detail", "request_id", "errors"} == set(
        schemas["Problem"]["properties"]
    )
    assert schemas["Problem"]["properties"]["errors"]["items"]["$ref"] in {
        f"#/components/schemas/{name}" for name in schemas
    }
