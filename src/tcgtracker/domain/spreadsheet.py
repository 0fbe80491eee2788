"""Text for the cells of a CSV file, which a spreadsheet must not take for a formula."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")
"""Beginnings that a spreadsheet computes (OWASP, CSV injection; ASVS 5.0, 1.2.10)."""


def cell_text(text: str) -> str:
    """Return a text for a cell: marked as text where a spreadsheet would compute it."""
    return f"'{text}" if text.startswith(_FORMULA) else text
