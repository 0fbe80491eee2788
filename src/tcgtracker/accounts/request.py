"""What the faces agree on: where a request keeps who asks, and how a browser's session is named."""

ACCOUNT = "tcgtracker.account"
"""Of an ASGI scope: the account, once it is known."""
SESSION_COOKIE = "tcgtracker_session"
SECURE_SESSION_COOKIE = "__Host-tcgtracker_session"
"""Over https; a browser takes it from this very host over https alone (RFC 6265bis)."""


def session_cookie_in(header: str) -> str:
    """Return the session of a Cookie header, '' without one."""
    cookies = cookies_in(header)
    return cookies.get(SECURE_SESSION_COOKIE) or cookies.get(SESSION_COOKIE, "")


def cookies_in(header: str) -> dict[str, str]:
    """Return the cookies of a Cookie header by name."""
    pairs = (part.strip().partition("=") for part in header.split(";"))
    return {name: value for name, separator, value in pairs if separator}
