"""What is kept of a refused row for the operator to look at."""

import json

RAW_LENGTH = 500
"""Characters of a refused row that are kept."""


def raw_text(decoded: object) -> str:
    """Return decoded JSON as text again, cut; control characters stay escaped."""
    try:
        return json.dumps(decoded, default=str)[:RAW_LENGTH]
    except (ValueError, RecursionError):
        return "(nested too deep, or a number with thousands of digits)"
