"""Every page in a real browser: nothing fails, nothing leaves the house, nobody is kept out."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser.looking import DESK, LOOKS, PHONE_DARK, Look, Site, Watched, barriers, overflow

_IN_PASSING = (DESK, PHONE_DARK)
_LOOKS = [
    pytest.param(look, id=look.name, marks=[] if look in _IN_PASSING else pytest.mark.long)
    for look in LOOKS
]
_TRYING_A_PHONE = (
    "/?", "/cards/#?", "/cards/#/compare?", "/sets/#?", "/search?", "/links?", "/links/#?",
    "/holds?", "/sources?", "/jobs/#?", "/dead-letters?",
)  # fmt: skip
"""Pages with much beside one another: these alone are looked at on a telephone in passing."""
_ODD = ("/search?q=charizrd", "/search?q=zzzzqq", "/cards/99999999", "/nothing-here")
"""Pages that no link leads to: a mistyped search, an empty one, what is not there."""
_SIGNED_OUT = ("/sign-in", "/cards/1", "/nothing-here")


@pytest.mark.parametrize(
    "look", [pytest.param(one, id=one.name, marks=pytest.mark.long) for one in LOOKS if one != DESK]
)
def test_every_page_at_every_size(
    opened: Callable[..., Watched],
    admin_state: Path,
    pages: dict[str, str],
    axe: str,
    look: Look,
) -> None:
    _visit(opened(look, admin_state), [*pages.values(), *_ODD], axe)


def test_every_page_on_a_desk(
    opened: Callable[..., Watched], admin_state: Path, pages: dict[str, str], axe: str
) -> None:
    _visit(opened(DESK, admin_state), [*pages.values(), *_ODD], axe)


def test_the_fullest_pages_on_a_phone_in_the_dark(
    opened: Callable[..., Watched], admin_state: Path, pages: dict[str, str], axe: str
) -> None:
    chosen = [pages[kind] for kind in _TRYING_A_PHONE if kind in pages]
    assert len(chosen) > 8
    _visit(opened(PHONE_DARK, admin_state), [*chosen, _ODD[0]], axe)


@pytest.mark.parametrize("look", _LOOKS)
def test_every_page_without_an_account(
    opened: Callable[..., Watched], axe: str, look: Look
) -> None:
    _visit(opened(look), _SIGNED_OUT, axe)


def test_there_is_a_page_of_each_kind(pages: dict[str, str]) -> None:
    """What is to be looked at is found by following links; these must be among it."""
    assert {
        "/?", "/games?", "/games/#?", "/sets/#?", "/cards/#?", "/cards/#?days", "/cards/#/compare?",
        "/jobs?", "/jobs/#?", "/sources?", "/settings?",
    } <= pages.keys()  # fmt: skip


@pytest.mark.parametrize("look", [DESK, pytest.param(PHONE_DARK, marks=pytest.mark.long)])
def test_every_page_without_scripts(
    opened: Callable[..., Watched],
    admin_state: Path,
    pages: dict[str, str],
    site: Site,
    look: Look,
) -> None:
    """A page without scripts has its heading and its numbers, and asks for nothing elsewhere."""
    page = opened(look, admin_state, scripts=False).page
    for address in pages.values():
        page.goto(address)
        assert page.get_by_role("heading", level=1).count() == 1, address
    page.goto(f"/cards/{site.sights[0]}")
    assert page.locator(".price-now .big").inner_text().startswith("$")
    page.get_by_text("Every change as a table").click()
    assert page.get_by_role("table", name="Changes").get_by_role("row").count() > 1


def _visit(window: Watched, addresses: list[str] | tuple[str, ...], axe: str) -> None:
    page, kept_out = window.page, []
    for address in addresses:
        page.goto(address, wait_until="load")
        if page.locator("price-chart").count():
            page.locator("price-chart canvas").first.wait_for()
        assert page.title(), address
        kept_out += [f"{address}: {one}" for one in barriers(page, axe)]
        kept_out += [f"{address}: wider than the window: {one}" for one in overflow(page)]
    assert kept_out == []
