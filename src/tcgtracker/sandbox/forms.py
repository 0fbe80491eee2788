"""Form bodies, as token endpoints want them."""

from urllib.parse import parse_qs

from tcgtracker.sandbox.wire import Request

_FORM = "application/x-www-form-urlencoded"


def form_of(request: Request) -> dict[str, str] | None:
    """Return the first value of each field, None where the body is no form."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        return None
    try:
        fields = parse_qs(request.body.decode("ascii"), strict_parsing=True)
    except ValueError:
        return None
    return {name: values[0] for name, values in fields.items()}
