"""What people come for, from the first key to the last click."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.looking import DESK, PHONE, Look, Site, Watched

_BOTH = pytest.mark.parametrize("look", [DESK, PHONE], ids=lambda look: str(look.name))


@_BOTH
def test_find_a_card_with_a_typo_and_change_range_and_series(
    opened: Callable[..., Watched], admin_state: Path, look: Look
) -> None:
    page = opened(look, admin_state).page
    page.goto("/")
    page.get_by_label("Search cards").press_sequentially("charizrd 199", delay=20)
    page.locator("#suggestions a", has_text="199/165").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Charizard ex")
    page.locator("price-chart canvas").first.wait_for()

    before = page.locator("#figures").inner_text()
    with page.expect_response(lambda answer: "/api/v1/prices/card/" in answer.url):
        page.get_by_label("Range").get_by_role("link", name="7").first.click()
    expect(page.locator("#figures")).not_to_have_text(before)

    page.get_by_role("table", name="Prices by grade").get_by_role("link").first.click()
    expect(page.get_by_text("Chosen by you.")).to_be_visible()
    page.get_by_role("link", name="Back to the headline price").click()
    expect(page.get_by_text("Chosen as the headline")).to_be_visible()


@pytest.mark.parametrize(
    ("address", "label", "asked"),
    [
        ("/", "Search cards", "**/search/suggestions?*"),
        ("/search", "Name, set, number", "**/search?*"),
    ],
    ids=["suggestions", "search"],
)
def test_typing_on_while_an_answer_is_awaited_ends_with_what_was_typed_last(
    admin: Page, address: str, label: str, asked: str
) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:  # Playwright cannot mark a method of a list as its handler
        held.append(route)

    admin.goto(address)
    admin.route(asked, hold, times=1)
    field = admin.get_by_label(label)
    with admin.expect_request(asked):
        field.press_sequentially("pikachu")
    field.fill("charizrd 199")
    admin.wait_for_timeout(500)  # longer than the pause that ends typing
    held.pop().continue_()
    expect(admin.locator("#suggestions, #results").last).to_contain_text("199/165")


def test_leaving_while_suggestions_are_awaited_is_no_error(admin: Page) -> None:
    admin.goto("/")
    admin.route("**/search/suggestions?*", lambda _: None, times=1)
    field = admin.get_by_label("Search cards")
    with admin.expect_request("**/search/suggestions?*"):
        field.press_sequentially("pikachu")
    field.press("Enter")
    expect(admin.get_by_role("heading", level=1)).to_have_text("Search")


@_BOTH
def test_compare_the_sources_of_a_card(
    opened: Callable[..., Watched], admin_state: Path, site: Site, look: Look
) -> None:
    page = opened(look, admin_state).page
    page.goto(f"/cards/{site.sights[0]}")
    page.get_by_role("link", name="Compare in full").click()
    table = page.get_by_role("table").first
    for source in ("PriceCharting", "JustTCG", "TCGCSV"):
        expect(table).to_contain_text(source)


@_BOTH
def test_ask_the_sources_and_watch_the_job_end(
    opened: Callable[..., Watched], admin_state: Path, site: Site, look: Look
) -> None:
    page = opened(look, admin_state).page
    page.goto(f"/cards/{site.sights[0]}")
    page.get_by_role("button", name="Ask the sources now").click()
    page.wait_for_url("**/jobs/*")
    expect(page.locator("dl.figures")).to_contain_text("done", timeout=20_000)
    page.get_by_role("link", name="To the card").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Charizard")


def test_without_scripts_a_card_is_found_and_updated(
    opened: Callable[..., Watched], admin_state: Path
) -> None:
    page: Page = opened(DESK, admin_state, scripts=False).page
    page.goto("/")
    page.get_by_label("Search cards").fill("charizrd ex 199")
    page.get_by_label("Search cards").press("Enter")
    page.get_by_role("table", name="Cards found").get_by_role("link").first.click()
    page.get_by_role("button", name="Ask the sources now").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("pdate")
    page.get_by_role("link", name="To the card").click()
    page.get_by_label("Range").get_by_role("link", name="7").first.click()
    expect(page.locator("#figures")).to_contain_text("of 7")


def test_the_link_signs_in_once(
    opened: Callable[..., Watched], admin_state: Path, site: Site
) -> None:
    page = opened(DESK).page
    page.goto(site.link)  # admin_state has opened it
    expect(page.get_by_role("button", name="Sign out")).to_have_count(0)
