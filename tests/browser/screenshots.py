"""Takes the pictures of the documents from a demo: `python -m tests.browser.screenshots`."""

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.demo_process import demo_process
from tests.browser.looking import DESK, PHONE_DARK, Watched

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
_DAYS = 120
_MOST_BYTES = 1_500_000


def main() -> int:
    """Write the pictures anew; 1 when a page went wrong or they are too large."""
    chromium = shutil.which("chromium")
    if chromium is None:
        print("there is no chromium here: run 'make setup-browser'", file=sys.stderr)
        return 1
    IMAGES.mkdir(parents=True, exist_ok=True)
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as folder, demo_process(Path(folder), days=_DAYS) as site:
        shots = {
            "dashboard": "/",
            "card": f"/cards/{site.sights[0]}",
            "search": "/search?q=charizrd",
            "sources": "/sources",
        }
        state = Path(folder) / "state.json"
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium)
            for look in (DESK, PHONE_DARK):
                context = browser.new_context(
                    base_url=site.address,
                    viewport={"width": look.width, "height": look.height},
                    color_scheme=look.scheme,
                    is_mobile=look.touch,
                    has_touch=look.touch,
                    storage_state=state if state.exists() else None,
                    reduced_motion="reduce",
                )
                window = Watched(context.new_page(), site.address)
                if not state.exists():
                    window.page.goto(site.link)
                    context.storage_state(path=state)
                for name, address in shots.items():
                    window.page.goto(address, wait_until="networkidle")
                    window.page.screenshot(path=IMAGES / f"{name}-{look.name}.png")
                wrong += window.wrong
                context.close()
            browser.close()
    size = sum(one.stat().st_size for one in IMAGES.glob("*.png"))
    if size > _MOST_BYTES:
        wrong.append(f"the pictures have {size:,} bytes, more than {_MOST_BYTES:,}")
    for one in wrong:
        print(one, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
