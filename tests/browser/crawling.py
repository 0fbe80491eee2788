"""Finds one address of each kind of page by following the links of a site."""

import re
from collections.abc import Iterable
from html import unescape

import httpx2

_LINK = re.compile(r'href="(/[^"#]*)')
_ID = re.compile(r"(?<=/)(\d+|[0-9a-f]{8}-[0-9a-f-]{27})(?=/|$)")
_NO_PAGES = ("/static/", "/api/", "/docs", "/openapi")
_MOST = 400


def kind_of(address: str) -> str:
    """Return what addresses of one kind of page have in common: no ids, no values of the query."""
    path, _, query = address.partition("?")
    names = sorted({part.partition("=")[0] for part in query.split("&") if part})
    segments = [*_ID.sub("#", path).split("/")]
    if segments[1:2] == ["games"] and len(segments) > 2:
        segments[2] = "#"
    return f"{'/'.join(segments)}?{'&'.join(names)}"


def pages_of(
    address: str, cookies: dict[str, str], start: Iterable[str] = ("/",)
) -> dict[str, str]:
    """Return one address of each kind of page that links lead to; a link that is dead raises."""
    found: dict[str, str] = {}
    waiting = list(start)
    with httpx2.Client(base_url=address, cookies=cookies, timeout=30) as client:
        while waiting and len(found) < _MOST:
            one = waiting.pop(0)
            kind = kind_of(one)
            if kind in found or one.startswith(_NO_PAGES):
                continue
            answer = client.get(one)
            assert answer.status_code == httpx2.codes.OK, f"{one}: {answer.status_code}"
            found[kind] = one
            if answer.headers["content-type"].startswith("text/html"):
                waiting += [unescape(link) for link in _LINK.findall(answer.text)]
            else:
                del found[kind]  # a file to download
                found[kind] = ""
    return {kind: one for kind, one in found.items() if one}
