"""When the content of TCGCSV was built, as `last-updated.txt` says. Pure."""

import re
from datetime import UTC, datetime

from tcgtracker.integrations.http import Answer

# vendors/tcgcsv.md section 2: `2026-11-21T20:05:41+0000`, no newline
_STAMP = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:[+-]\d\d:?\d\d|Z)")


def built_at(answer: Answer) -> datetime:
    """Return the moment of the build: aware UTC, whole seconds.

    Raises:
        ContractBroken: it is no time with a zone.
    """
    text = answer.body.strip()
    if not _STAMP.fullmatch(text):
        raise answer.broken("no time with a zone")
    try:
        moment = datetime.fromisoformat(text.decode("ascii")).astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        raise answer.broken("no time with a zone") from exc
    return moment.replace(microsecond=0)
