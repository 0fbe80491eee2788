"""The page of the API: complete, escaped, and nothing loaded from elsewhere."""

import re

from tcgtracker.api.docs import render
from tests.unit.api.conftest import Ask


def test_the_page_lists_every_route_and_loads_nothing(ask: Ask) -> None:
    page = ask("GET", "/docs").text
    for path in ask("GET", "/openapi.json").json()["paths"]:
        assert path in page
    assert "<script" not in page
    assert not re.findall(r"(?:src|href)='(?!/)", page)


def test_what_a_route_says_is_text() -> None:
    operation = {
        "summary": "<script>alert(1)</script>",
        "parameters": [
            {
                "name": "limit",
                "in": "query",
                "required": True,
                "schema": {"default": 20, "minimum": 1, "maximum": 100},
            }
        ],
        "requestBody": {
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Card"}}}
        },
        "responses": {"200": {"description": "a & b"}},
    }
    page = render({"info": {"title": "T", "version": "1"}, "paths": {"/x": {"post": operation}}})
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "required; default 20; at least 1; at most 100" in page
    assert "application/json Card" in page
    assert "a &amp; b" in page


def test_the_document_says_what_middleware_answers(ask: Ask) -> None:
    document = ask("GET", "/openapi.json").json()
    games = document["paths"]["/api/v1/games"]["get"]
    assert {"401", "503"} <= games["responses"].keys()
    assert games["security"] == [{"token": []}, {"key": []}]
    login = document["paths"]["/api/v1/auth/login"]["post"]
    assert "security" not in login
    assert {"403", "413", "422"} <= login["responses"].keys()
    assert "HTTPValidationError" not in ask("GET", "/openapi.json").text
