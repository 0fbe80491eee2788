"""`/docs`: the API described on one page without scripts, made from its own OpenAPI document."""

from collections.abc import Mapping
from html import escape
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse

_STYLE = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
section { border-top: 1px solid #8886; padding: .5rem 0 }
h2 { font-size: 1rem } code, pre { font-family: ui-monospace, monospace; overflow-wrap: anywhere }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .2rem .8rem .2rem 0 }
"""
_HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
_METHODS = ("get", "post", "put", "patch", "delete")


def router(app: FastAPI) -> APIRouter:
    """Return the route of the page."""
    routes = APIRouter()

    @routes.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return HTMLResponse(render(app.openapi()), headers=_HEADERS)

    return routes


def render(schema: Mapping[str, Any]) -> str:
    """Return the page for an OpenAPI document."""
    title = escape(schema["info"]["title"])
    operations = "".join(
        _operation(method, path, item[method])
        for path, item in schema.get("paths", {}).items()
        for method in _METHODS
        if method in item
    )
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{title}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{title} {escape(schema['info']['version'])}</h1>"
        f"<p>{escape(schema['info'].get('description', ''))}</p>"
        "<p>The same for programs: <a href='/openapi.json'>/openapi.json</a></p>"
        f"{operations}</body></html>"
    )


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    parameters = "".join(
        _row(f"{item['name']} ({item['in']})", _about(item))
        for item in operation.get("parameters", [])
    )
    bodies = "".join(
        _row("body", f"{kind} {_schema_name(content)}")
        for kind, content in operation.get("requestBody", {}).get("content", {}).items()
    )
    answers = "".join(
        _row(status, answer.get("description", ""))
        for status, answer in operation.get("responses", {}).items()
    )
    return (
        f"<section><h2><code>{method.upper()} {escape(path)}</code></h2>"
        f"<p>{escape(operation.get('summary', ''))}</p>"
        f"<p>{escape(operation.get('description', ''))}</p>"
        f"<table>{parameters}{bodies}{answers}</table></section>"
    )


def _row(name: str, about: str) -> str:
    return f"<tr><th><code>{escape(name)}</code></th><td>{escape(about)}</td></tr>"


def _about(parameter: Mapping[str, Any]) -> str:
    schema = parameter.get("schema", {})
    parts = [parameter.get("description", "")]
    if parameter.get("required"):
        parts.append("required")
    parts.extend(
        f"{word} {schema[key]}"
        for key, word in (("default", "default"), ("minimum", "at least"), ("maximum", "at most"))
        if schema.get(key) is not None
    )
    return "; ".join(part for part in parts if part)


def _schema_name(content: Mapping[str, Any]) -> str:
    return str(content.get("schema", {}).get("$ref", "")).rsplit("/", 1)[-1]
