"""What those who run a tracker come for: links in doubt, flags, and being the only ones."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.looking import DESK, PHONE, Look, Site, Watched


@pytest.mark.parametrize(
    ("look", "scripts"),
    [
        pytest.param(DESK, True, id="desk"),
        pytest.param(PHONE, True, id="phone"),
        pytest.param(DESK, False, id="no-scripts"),
    ],
)
def test_review_a_link_and_take_it_back(
    opened: Callable[..., Watched],
    admin_state: Path,
    look: Look,
    *,
    scripts: bool,
) -> None:
    page = opened(look, admin_state, scripts=scripts).page
    page.goto("/links?state=suspended")
    page.get_by_role("table", name="Links").get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Is this the same card?")
    expect(page.locator("main .mark").first).to_have_text("suspended")
    page.get_by_label("Note").fill("seen on the product's page")
    page.get_by_role("button", name="It is not").click()
    expect(page.locator("main .mark").first).to_have_text("rejected")
    expect(page.get_by_text("by demo").first).to_be_visible()
    page.get_by_role("button", name="Take the last decision back").click()
    expect(page.locator("main .mark").first).to_have_text("suspended")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_flip_a_flag_and_back(
    opened: Callable[..., Watched], admin_state: Path, site: Site, *, scripts: bool
) -> None:
    page = opened(DESK, admin_state, scripts=scripts).page
    card = f"/cards/{site.sights[0]}"
    page.goto(card)
    expect(page.locator(".price-now")).to_contain_text("PriceCharting guide price")
    _flag(page, "pricing.primary_source", "tcgcsv")
    page.goto(card)
    expect(page.locator(".price-now")).to_contain_text("TCGCSV market price")
    page.goto("/sources")
    _form(page, "pricing.primary_source").get_by_role("button", name="Default").click()
    page.goto(card)
    expect(page.locator(".price-now")).to_contain_text("PriceCharting guide price")


def test_a_wrong_value_of_a_flag_is_refused_with_the_reason(
    opened: Callable[..., Watched], admin_state: Path
) -> None:
    page = opened(DESK, admin_state).page
    _flag(page, "pricing.primary_source", "no such source")
    expect(page.get_by_role("main")).to_contain_text("no such source")
    page.goto("/sources")
    field = page.get_by_label("pricing.primary_source")
    expect(field).to_have_value("pricecharting")


@pytest.mark.parametrize("path", ["/links", "/dead-letters", "/links/1"])
def test_a_user_does_not_see_what_is_for_admins(
    opened: Callable[..., Watched], guest_state: Path, path: str
) -> None:
    page = opened(DESK, guest_state).page
    answer = page.goto(path)
    assert answer is not None
    assert answer.status == 403


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/sources/tcgcsv/disable", {}),
        ("/sources/flags", {"name": "pricing.primary_source", "value": "tcgcsv"}),
        ("/links/1", {"act": "accept"}),
    ],
)
def test_a_user_is_refused_what_admins_may(
    opened: Callable[..., Watched],
    guest_state: Path,
    site: Site,
    path: str,
    fields: dict[str, str | float | bool],
) -> None:
    page = opened(DESK, guest_state).page
    page.goto("/settings")
    token = page.locator("input[name=csrf_token]").first.input_value()
    answer = page.request.post(
        path,
        form={**fields, "csrf_token": token},
        headers={"Origin": site.address},
        max_redirects=0,
    )
    assert answer.status == 403


def _form(page: Page, name: str) -> Locator:
    return page.locator("form.flag").filter(has=page.get_by_label(name))


def _flag(page: Page, name: str, value: str) -> None:
    page.goto("/sources")
    page.get_by_label(name).fill(value)
    _form(page, name).get_by_role("button", name="Change").click()
    page.wait_for_load_state()
