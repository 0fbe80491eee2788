"""Windows of a browser, and the eyes that look for what must not happen in any of them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import ConsoleMessage, Dialog, Page, Request, Response

_IGNORED = (
    # a page that answers 403, 404 or 422 on purpose is also told of on the console
    "Failed to load resource: the server responded with a status of 4",
)
_SERIOUS = ("serious", "critical")


@dataclass(frozen=True, slots=True)
class Look:
    """Size in CSS pixels and colours of a window."""

    name: str
    width: int
    height: int
    scheme: Literal["light", "dark"] = "light"
    touch: bool = False


DESK = Look("desk", 1280, 900)
DESK_DARK = Look("desk-dark", 1280, 900, "dark")
PHONE = Look("phone", 390, 844, touch=True)
PHONE_DARK = Look("phone-dark", 390, 844, "dark", touch=True)
LOOKS = (DESK, DESK_DARK, PHONE, PHONE_DARK)


@dataclass(frozen=True, slots=True)
class Site:
    """Where it is, the link that signs the admin in once, its sights and its database."""

    address: str
    link: str
    sights: list[int]
    database: Path


@dataclass  # without slots: Playwright marks the owners of its listeners
class Watched:
    """A page of which everything that must not happen is noted in `wrong`."""

    page: Page
    address: str
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        page = self.page
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.wrong.append(f"{page.url}: error: {error}"))
        page.on("dialog", self._dialog)
        page.on("request", self._request)
        page.on("response", self._response)
        page.add_init_script(
            "addEventListener('securitypolicyviolation', (event) =>"
            " console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`))"
        )

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(_IGNORED):
            self.wrong.append(f"{self.page.url}: console: {message.text}")

    def _dialog(self, dialog: Dialog) -> None:
        self.wrong.append(f"{self.page.url}: a dialog says {dialog.message!r}")
        dialog.dismiss()

    def _request(self, request: Request) -> None:
        if not request.url.startswith((f"{self.address}/", "data:", "blob:", "about:")):
            self.wrong.append(f"{self.page.url}: asks {request.url}")

    def _response(self, response: Response) -> None:
        if response.status >= 500:
            self.wrong.append(f"{response.url}: status {response.status}")


def barriers(page: Page, axe: str) -> list[str]:
    """Return what axe finds on the page that is serious or critical, each with its place."""
    page.evaluate(axe)
    found: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']} ({one['impact']}): {node['target']} {node['failureSummary']}"
        for one in found["violations"]
        if one["impact"] in _SERIOUS
        for node in one["nodes"][:3]
    ]


def overflow(page: Page) -> list[str]:
    """Return what is wider than the window, so that the page itself scrolls sideways."""
    # not innerWidth: on a telephone that grows with what is too wide
    assert page.viewport_size
    found: list[str] = page.evaluate(
        """(width) => document.documentElement.scrollWidth <= width ? [] :
        [...document.body.querySelectorAll('*')]
          .filter((one) => one.getBoundingClientRect().right > width + 1)
          .map((one) => `${one.tagName} ${one.className} ${one.textContent.trim().slice(0, 40)}`)
          .slice(-4)""",
        page.viewport_size["width"],
    )
    return found
