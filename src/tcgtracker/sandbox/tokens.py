"""Bearer tokens of a vendor: given out, valid for a time."""

from datetime import UTC, datetime, timedelta

from tcgtracker.sandbox.chance import key_of


class Tokens:
    """The tokens that one vendor gave out; each is valid until its moment."""

    def __init__(self, vendor: str, seed: int, prefix: str = "") -> None:
        self._vendor = vendor
        self._seed = seed
        self._prefix = prefix
        self._given = 0
        self._expiry: dict[str, datetime] = {}

    def mint(self, now: datetime, lifetime: timedelta) -> str:
        """Return a new token."""
        self._given += 1
        words = (key_of(self._seed, self._vendor, "token", self._given, n) for n in range(4))
        token = self._prefix + "".join(f"{word:016x}" for word in words)
        self._expiry[token] = now + lifetime
        return token

    def given(self) -> tuple[str, ...]:
        """Return every token that was given out, so that a test can look for leaks of them."""
        return tuple(self._expiry)

    def revoke(self) -> None:
        """End every token now, as a vendor may before the stated time."""
        self._expiry = dict.fromkeys(self._expiry, datetime.min.replace(tzinfo=UTC))

    def valid(self, authorization: str, now: datetime) -> bool:
        """Tell whether an Authorization header carries a token that is still good."""
        scheme, _, token = authorization.partition(" ")
        expiry = self._expiry.get(token.strip())
        return scheme.lower() == "bearer" and expiry is not None and now < expiry
