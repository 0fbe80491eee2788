"""Templates to answers: a whole page, or one block of it when htmx asks."""

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from tcgtracker import __version__
from tcgtracker.web.assets import Assets
from tcgtracker.web.filters import FILTERS
from tcgtracker.web.visitor import Visitor, visitor_of

POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self';"
    " frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Vary": "HX-Request, Cookie",
    # Under `no-referrer` browsers send `Origin: null` with our own forms, which is refused.
    "Referrer-Policy": "same-origin",
}


class Renderer:
    """Renders for one tracker's pages."""

    def __init__(self, assets: Assets) -> None:
        self._environment = Environment(
            loader=PackageLoader("tcgtracker.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(FILTERS)
        self._environment.globals.update(asset=assets, version=__version__)
        self._environment.globals["ui"] = self._environment.get_template("macros.html").module

    def page(
        self,
        request: Request,
        name: str,
        values: Mapping[str, Any] | None = None,
        *,
        block: str = "content",
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> HTMLResponse:
        """Return `pages/<name>.html`, or only a block of it for a request of htmx."""
        visitor = visitor_of(request)
        template = self._environment.get_template(f"pages/{name}.html")
        given = {**_common(request, visitor), **(values or {})}
        if wants_block(request):
            body = "".join(template.blocks[block](template.new_context(given)))
        else:
            body = template.render(given)
        answer = HTMLResponse(body, status_code=status, headers={**_HEADERS, **(headers or {})})
        visitor.keep(request, answer)
        return answer

    def fragment(self, request: Request, name: str, values: Mapping[str, Any]) -> str:
        """Return `partials/_<name>.html` as text."""
        template = self._environment.get_template(f"partials/_{name}.html")
        return template.render({**_common(request, visitor_of(request)), **values})


def wants_block(request: Request) -> bool:
    """Tell whether htmx asks for a part; to restore a page of its history it wants it whole."""
    headers = request.headers
    return "hx-request" in headers and "hx-history-restore-request" not in headers


def _common(request: Request, visitor: Visitor) -> dict[str, Any]:
    return {
        "account": visitor.account,
        "csrf": visitor.form_token,
        "path": request.url.path,
        "now": request.app.state.tracker.clock.now(),
    }
