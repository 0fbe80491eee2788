"""Errors and warnings of eBay: one shape, fixed numbers (vendors/ebay.md section 3)."""

from collections.abc import Mapping

from tcgtracker.sandbox.answers import json_answer
from tcgtracker.sandbox.wire import Response

_TEXTS: Mapping[int, tuple[int, str]] = {
    11001: (404, "The specified item Id was not found."),
    12001: (400, "The call must have a valid 'q', 'category_ids', 'epid' or 'gtin' parameter."),
    12004: (400, "The 'offset' value must not be negative."),
    12005: (400, "The 'offset' value must be an integer."),
    12006: (400, "The 'limit' value must be between 1 and 200."),
    12007: (400, "The 'limit' value must be an integer."),
    12013: (409, "The category is too broad without keywords."),
    12019: (409, "The marketplace is not supported."),
    12029: (400, "The 'offset' value is beyond the 10,000 items of a result set."),
    12030: (400, "Too many categories."),
    12515: (400, "The 'offset' value must be zero or a multiple of 'limit'."),
}
_WARNINGS: Mapping[int, str] = {
    12002: "The filter is invalid and was ignored.",
    12008: "The sort value is invalid and was ignored.",
    12009: "The category id is invalid and was ignored.",
    12012: "The price filter needs priceCurrency and was ignored.",
    12016: "The fieldgroups value is invalid and was ignored.",
    12018: "The aspect filter is invalid and was ignored.",
    12021: "The epid is invalid and was ignored.",
    12022: "The gtin is invalid and was ignored.",
}


class BrowseError(Exception):
    """A call that is refused with one of eBay's numbers."""

    def __init__(self, error_id: int) -> None:
        super().__init__(_TEXTS[error_id][1])
        self.error_id = error_id

    def answer(self) -> Response:
        status, text = _TEXTS[self.error_id]
        return failed(status, self.error_id, "API_BROWSE", text)


def warning(error_id: int, name: str, value: str) -> dict[str, object]:
    """Return a warning that accompanies a 200 answer."""
    return _entry(error_id, "API_BROWSE", _WARNINGS[error_id]) | {
        "parameters": [{"name": name, "value": value}]
    }


def failed(
    status: int, error_id: int, domain: str, message: str, long_message: str = ""
) -> Response:
    """Return an error answer."""
    return json_answer({"errors": [_entry(error_id, domain, message, long_message)]}, status)


def _entry(error_id: int, domain: str, message: str, long_message: str = "") -> dict[str, object]:
    return {
        "errorId": error_id,
        "domain": domain,
        "category": "REQUEST",
        "message": message,
        "longMessage": long_message or message,
    }
