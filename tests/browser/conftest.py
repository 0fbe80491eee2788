"""A real Chromium in front of a real demo: what people see, on a desk and on a telephone."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.crawling import pages_of
from tests.browser.demo_process import demo_process
from tests.browser.looking import DESK, Look, Site, Watched
from tests.conftest import skip_or_fail
from tests.support import PASSWORD

_HERE = Path(__file__).parent
_AXE = _HERE / "node_modules" / "axe-core" / "axe.min.js"
_HELP = "run 'make setup-browser'"
_DAYS = 6
_WAIT_MS = 15_000


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium; `TEST_CHROMIUM` names another one."""
    path = os.environ.get("TEST_CHROMIUM") or shutil.which("chromium")
    if path is None:
        skip_or_fail(f"there is no chromium here: {_HELP}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def axe() -> str:
    """The script that looks for what keeps people out."""
    if not _AXE.is_file():
        skip_or_fail(f"axe-core is not here: {_HELP}")
    return _AXE.read_text(encoding="utf-8")


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A demo of a few days whose time stands, with an admin and a user."""
    with demo_process(tmp_path_factory.mktemp("demo"), days=_DAYS) as demo:
        command = [sys.executable, "-m", "tcgtracker", "user", "add", "guest", "--password-stdin"]
        environment = {**os.environ, "DB_URL": f"sqlite:///{demo.database}"}
        subprocess.run(
            command,
            input=PASSWORD,
            env=environment,
            text=True,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        yield demo


@pytest.fixture(scope="package")
def admin_state(chromium: Browser, site: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a browser keeps once the admin has opened the link that the demo prints."""
    return _state(
        chromium, site, lambda page: page.goto(site.link), tmp_path_factory.mktemp("admin")
    )


@pytest.fixture(scope="package")
def guest_state(chromium: Browser, site: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a browser keeps once a user has signed in through the form."""

    def sign_in(page: Page) -> None:
        page.goto("/sign-in")
        page.get_by_label("Name").fill("guest")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()

    return _state(chromium, site, sign_in, tmp_path_factory.mktemp("guest"))


def _state(chromium: Browser, site: Site, sign_in: Callable[[Page], object], folder: Path) -> Path:
    with chromium.new_context(base_url=site.address) as context:
        page = context.new_page()
        sign_in(page)
        page.get_by_role("button", name="Sign out").wait_for()
        context.storage_state(path=folder / "state.json")
    return folder / "state.json"


@pytest.fixture(scope="package")
def pages(site: Site, admin_state: Path) -> dict[str, str]:
    """One address of each kind of page that links lead an admin to."""
    kept = json.loads(admin_state.read_text())
    return pages_of(site.address, {one["name"]: one["value"] for one in kept["cookies"]})


@pytest.fixture
def opened(chromium: Browser, site: Site) -> Iterator[Callable[..., Watched]]:
    """Open a window: `opened(look, state)`; what went wrong in it fails the test."""
    contexts: list[BrowserContext] = []
    windows: list[Watched] = []

    def open_window(
        look: Look = DESK, state: Path | None = None, *, scripts: bool = True, address: str = ""
    ) -> Watched:
        context = chromium.new_context(
            base_url=address or site.address,
            viewport={"width": look.width, "height": look.height},
            color_scheme=look.scheme,
            is_mobile=look.touch,
            has_touch=look.touch,
            java_script_enabled=scripts,
            storage_state=state,
            reduced_motion="reduce",
        )
        context.set_default_timeout(_WAIT_MS)
        contexts.append(context)
        windows.append(Watched(context.new_page(), address or site.address))
        return windows[-1]

    yield open_window
    for context in contexts:
        context.close()
    assert [wrong for window in windows for wrong in window.wrong] == []


@pytest.fixture
def admin(opened: Callable[..., Watched], admin_state: Path) -> Page:
    """A page of the admin, on a desk."""
    page: Page = opened(DESK, admin_state).page
    return page
