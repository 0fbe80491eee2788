"""The eyes of these tests see what they are there to see."""

from collections.abc import Callable

from tests.browser.looking import PHONE, Watched, barriers, overflow

_PAGE = """<!doctype html><html lang="en"><title>bad</title>
<meta name="viewport" content="width=device-width"><main style="width: 900px"><h1>Bad</h1>
<input><script>console.error("said"); alert(1); setTimeout(() => nothing.there())</script>
<img src="http://127.0.0.1:9/elsewhere.png" alt="x"></main>"""


def test_a_bad_page_is_seen_as_bad(opened: Callable[..., Watched], axe: str) -> None:
    window = opened(PHONE)
    window.page.set_content(_PAGE, wait_until="load")
    assert [one for one in barriers(window.page, axe) if one.startswith("label (critical)")]
    assert overflow(window.page)
    wrong, window.wrong[:] = "\n".join(window.wrong), []
    for sign in (
        "console: said",
        "a dialog says '1'",
        "error: nothing",
        "asks http://127.0.0.1:9/",
    ):
        assert sign in wrong
