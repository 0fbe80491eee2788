"""Style sheets and scripts: read once, compressed once, named after what they hold.

A name that changes with the content may be kept by browsers for good.
"""

import gzip
import hashlib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
_FOR_GOOD = "public, max-age=31536000, immutable"
_FOR_NOW = "no-cache"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is sent."""

    body: bytes
    packed: bytes
    media_type: str
    tag: str


class Assets:
    """The files of a folder by their path in it."""

    def __init__(self, folder: Path | None = None) -> None:
        folder = folder or Path(str(files("tcgtracker.web").joinpath("static")))
        self._assets = {
            path.relative_to(folder).as_posix(): _read(path)
            for path in sorted(folder.rglob("*"))
            if path.suffix in _TYPES
        }

    def has(self, name: str) -> bool:
        return name in self._assets

    def url(self, name: str) -> str:
        """Return the address of a file: `css/app.css` is `/static/css/app.css?v=...`."""
        return f"/static/{name}?v={self._assets[name].tag}"

    def answer(self, request: Request, name: str) -> Response | None:
        """Return the file, None when there is none of that name."""
        asset = self._assets.get(name)
        if asset is None:
            return None
        named = request.query_params.get("v") == asset.tag
        headers = {
            "Cache-Control": _FOR_GOOD if named else _FOR_NOW,
            "ETag": f'"{asset.tag}"',
            "Vary": "Accept-Encoding",
        }
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        body = asset.body
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            body = asset.packed
        return Response(body, media_type=asset.media_type, headers=headers)


def _read(path: Path) -> Asset:
    body = path.read_bytes()
    return Asset(
        body,
        gzip.compress(body, 9, mtime=0),
        _TYPES[path.suffix],
        hashlib.sha256(body).hexdigest()[:12],
    )
