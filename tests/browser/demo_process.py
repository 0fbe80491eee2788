"""A demo as a process of its own, until the block ends."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.browser.looking import Site


@contextmanager
def demo_process(folder: Path, *, days: int) -> Iterator[Site]:
    """Run a demo whose time stands, in a folder that is made for it."""
    place = folder / "place"
    process = subprocess.Popen(
        [sys.executable, "-m", "tcgtracker", "demo", "--port", "0", "--folder", str(place),
         "--days", str(days), "--speed", "0"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=folder,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if line.startswith("Ctrl-C"):
                break
        found = re.search(r"open (\S+)(/sign-in/link\?token=\S+)", said)
        assert found, said
        sights = [int(one) for one in re.findall(rf"{found[1]}/cards/(\d+)[? ]", said)]
        yield Site(found[1], found[2], sights, place / "demo.db")
    finally:
        process.terminate()
        process.communicate(timeout=30)
