"""The API answers as its OpenAPI document says, to what fits the document and what does not."""

from collections import Counter
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.integration.api_subject import RecordProperty, Subject

pytestmark = pytest.mark.one_engine

BASE_URL = "http://127.0.0.1:8000"
CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
SHORT, LONG = 8, 200


def run(subject: Subject, examples: int) -> Counter[int]:
    """Ask each operation so often with fitting and with unfitting input; return the statuses."""
    seen: Counter[int] = Counter()
    faults: list[str] = []

    async def served(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":  # the tracker outlives the client
            for step in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{step}.complete"})
            return
        await subject.app(scope, receive, send)

    # Credentials are ours: those it makes up would be refused, and nothing behind them asked.
    config = schemathesis.Config.from_dict({"generation": {"with-security-parameters": False}})
    schema = schemathesis.openapi.from_dict(subject.app.openapi(), config=config)
    schema.app = served
    headers = {"X-API-Key": subject.key}

    def judge(case: Any) -> None:
        if "wait" in (case.query or {}):
            case.query["wait"] = 0  # nothing works on the job, so that it would be waited for
        answer = case.call(base_url=BASE_URL, headers=headers)
        seen[answer.status_code] += 1
        if answer.status_code == 503:
            # no vendor is configured here
            assert case.path.startswith(("/api/v1/prices/update/", "/api/v1/search/")), case.path
        case.validate_response(answer, checks=CHECKS, headers=headers)

    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        operation: Any = found.ok()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            if mode is GenerationMode.NEGATIVE and not _takes_anything(operation.definition.raw):
                continue
            judged = given(case=operation.as_strategy(generation_mode=mode))(judge)
            bounded = settings(
                max_examples=examples,
                derandomize=True,
                database=None,
                deadline=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )(judged)
            try:
                bounded()
            except FailureGroup as exc:
                faults.append(f"{operation.label} {mode.value}: {exc}")
    assert not faults, "\n".join(faults)
    return seen


def _takes_anything(operation: Any) -> bool:
    return bool(operation.get("parameters") or operation.get("requestBody"))


def test_answers_are_as_documented(subject: Subject, record_property: RecordProperty) -> None:
    seen = run(subject, SHORT)
    record_property("cases", seen.total())
    record_property("statuses", dict(sorted(seen.items())))
    assert seen[200] > SHORT
    assert seen[422] > SHORT


@pytest.mark.long
def test_many_answers_are_as_documented(
    subject: Subject, record_property: RecordProperty, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = run(subject, LONG)
    record_property("cases", seen.total())
    record_property("statuses", dict(sorted(seen.items())))
    with capsys.disabled():
        print(f"\n{seen.total()} cases from the document: {dict(sorted(seen.items()))}")
