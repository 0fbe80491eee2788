"""Names that vendors state are text wherever they are shown, whatever stands in them."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tcgtracker.database.engine import Database
from tcgtracker.database.migrate import upgrade
from tcgtracker.domain.clock import SystemClock
from tests.browser.looking import DESK, Watched
from tests.support import PASSWORD, card_ids, import_days, import_products

_VECTORS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<details open ontoggle=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<body onpageshow=alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "<form action=javascript:alert(1)><button>x</button></form>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<base href=//example.test/>",
    "<link rel=stylesheet href=//example.test/x.css>",
    "<style>*{background:url(//example.test/x)}</style>",
    "<div hx-get=/jobs hx-trigger=load>x</div>",
    "<price-chart days=1></price-chart>",
    "<math><mtext><img src=x onerror=alert(1)></mtext></math>",
    "{{ 7*7 }}{% raw %}",
    "${alert(1)}",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;img src=x onerror=alert(1)&#62;",
    "onmouseover=alert(1) x=",
    "\u202e<b>alert(1)</b>\u2066",
    "<<script>alert(1)//<</script>",
    "<ScRiPt/x>alert(1)</sCrIpT>",
)
_BEFORE = ("", '">', "'>", "-->", "</title>", "</textarea>", "</script>", "\\\"'`>")
PAYLOADS = [f"{before}{vector}" for vector in _VECTORS for before in _BEFORE]
_FIRST = 90_001
_OURS_HAVE_NONE = (
    "script:not([src]), iframe, base, meta[http-equiv=refresh], math, body[onpageshow],"
    " main style, main link, [onerror], [onload], [onfocus], [ontoggle], [onmouseover],"
    " [href^='javascript:'], [action^='javascript:'], [hx-get='/jobs']"
)


@dataclass(frozen=True, slots=True)
class NastySite:
    """A tracker with cards of these names: where, what a browser keeps of its admin, ids."""

    address: str
    state: Path
    ids: dict[str, int]


@pytest.fixture(scope="module")
def nasty(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NastySite]:
    """A tracker of cards with these names, served."""
    folder = tmp_path_factory.mktemp("nasty")
    url = f"sqlite:///{folder / 'nasty.db'}"
    ids = _make_cards(url, folder)
    environment = {**os.environ, "DB_URL": url, "APP_LOG_LEVEL": "ERROR", "APP_PORT": "0"}

    def tell(*words: str) -> str:
        command = [sys.executable, "-m", "tcgtracker", *words]
        return subprocess.run(
            command, input=PASSWORD, env=environment, cwd=folder, text=True, check=True,
            stdout=subprocess.PIPE,
        ).stdout  # fmt: skip

    tell("user", "add", "admin", "--password-stdin")
    link = tell("user", "link", "admin").strip()
    process = subprocess.Popen(
        [sys.executable, "-m", "tcgtracker", "serve"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=folder,
        env=environment,
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().split()[2]
        with chromium.new_context(base_url=address) as context:
            page = context.new_page()
            page.goto(link[link.index("/sign-in") :])
            page.get_by_role("button", name="Sign out").wait_for()
            context.storage_state(path=folder / "state.json")
        yield NastySite(address, folder / "state.json", ids)
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_lists_show_every_name_as_text(opened: Callable[..., Watched], nasty: NastySite) -> None:
    page = opened(DESK, nasty.state, address=nasty.address).page
    shown: set[str] = set()
    page.goto("/sets/1")
    while True:
        _untouched(page)
        shown |= {_plain(text) for text in page.locator("main a").all_text_contents()}
        more = page.get_by_role("link", name="More", exact=True)
        if not more.count():
            break
        page.goto(more.get_attribute("href") or "")
    assert len(PAYLOADS) == len(nasty.ids) == 200
    assert {_plain(name) for name in nasty.ids} <= shown

    for words in ("script alert", "img onerror", "svg onload", "iframe srcdoc"):
        page.goto("/")
        _untouched(page)
        page.get_by_label("Search cards").fill(words)
        expect(page.locator("#suggestions a").first).to_contain_text(words.split()[0])
        _untouched(page)
        page.goto(f"/search?q={words}")
        expect(page.get_by_role("table", name="Cards found")).to_contain_text(words.split()[0])
        _untouched(page)


@pytest.mark.parametrize(
    "every", [pytest.param(19, id="some"), pytest.param(1, id="all", marks=pytest.mark.long)]
)
def test_the_pages_of_a_card_show_its_name_as_text(
    opened: Callable[..., Watched], nasty: NastySite, every: int
) -> None:
    page = opened(DESK, nasty.state, address=nasty.address).page
    for name in PAYLOADS[::every]:
        page.goto(f"/cards/{nasty.ids[name]}")
        assert _plain(page.locator("h1").text_content() or "") == _plain(name)
        assert _plain(page.title()).startswith(_plain(name)), name
        page.locator("price-chart canvas").first.wait_for()
        _untouched(page)
        page.goto(f"/cards/{nasty.ids[name]}/compare")
        assert _plain(name) in _plain(page.locator("h1").text_content() or "")
        _untouched(page)


def _make_cards(url: str, folder: Path) -> dict[str, int]:
    """Make a card of each name, with prices that moved, and return their ids."""
    database, clock = Database(url), SystemClock()
    upgrade(database)
    names = dict(enumerate(PAYLOADS, _FIRST))
    import_products(database, folder / "catalog", names, clock=clock)
    today = clock.now().date()
    days = {
        today - timedelta(days=back): {
            (product, "Normal"): {"market": 2.0 + (product % 7) * (3 - back)} for product in names
        }
        for back in (3, 2, 1)
    }
    import_days(database, folder / "days", days, clock=clock)
    ids = card_ids(database)
    database.close()
    return ids


def _untouched(page: Page) -> None:
    """Find nothing on the page that only a name could have put there."""
    assert page.locator(_OURS_HAVE_NONE).count() == 0, page.url


def _plain(text: str) -> str:
    return " ".join(text.split())
