"""Access tokens: short-lived JWTs of one algorithm. Refresh tokens and keys: random, opaque.

RFC 8725: one algorithm, explicit type, issuer and audience, every claim required.
"""

import hashlib
import hmac
import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from uuid import UUID

import jwt

from tcgtracker.accounts.values import NotAuthenticated
from tcgtracker.domain.clock import Clock

ALGORITHM = "HS256"
ISSUER = "tcgtracker"
AUDIENCE = "tcgtracker-api"
ACCESS_TYPE = "at+jwt"
"""RFC 9068."""
MAX_TOKEN = 2_000
KEY_START = "tcg_"
"""So that a leaked key can be found by its first letters."""
_PREFIX_LENGTH = 8
_MOST_PROVEN = 10_000
_KEY = re.compile(rf"{KEY_START}[0-9a-f]{{{_PREFIX_LENGTH}}}_.")
_COOKIE = re.compile(r"[0-9a-f]{128}")
_FORM_TOKEN = re.compile(r"[0-9a-f]{128}")
_REQUIRED = ["exp", "iat", "nbf", "iss", "aud", "sub", "sid", "jti"]


@dataclass(frozen=True, slots=True)
class Claims:
    """What an access token says that we use."""

    user_id: UUID
    session_id: UUID


@dataclass(frozen=True, slots=True)
class _Proven:
    """A token whose signature fits; epoch seconds."""

    claims: Claims
    begins: float
    ends: float
    made: float


class TokenMaker:
    """Makes and reads tokens under one secret of at least 32 bytes, fetched when first needed."""

    def __init__(self, secret: Callable[[], bytes], clock: Clock, *, lifetime: timedelta) -> None:
        self._secret = secret
        self._clock = clock
        self.lifetime = lifetime
        self._proven: OrderedDict[str, _Proven] = OrderedDict()
        self._lock = threading.Lock()

    # Keys of their own for each use: what is signed for one can never pass for the other.
    @cached_property
    def _signing(self) -> bytes:
        return _derive(self._secret(), b"access")

    @cached_property
    def _successor(self) -> bytes:
        return _derive(self._secret(), b"refresh")

    @cached_property
    def _cookie(self) -> bytes:
        return _derive(self._secret(), b"cookie")

    @cached_property
    def _form(self) -> bytes:
        return _derive(self._secret(), b"form")

    def access_token(self, user_id: UUID, session_id: UUID) -> str:
        """Return a signed token for one session."""
        now = self._clock.now()
        return jwt.encode(
            {
                "iss": ISSUER,
                "aud": AUDIENCE,
                "sub": str(user_id),
                "sid": str(session_id),
                "jti": secrets.token_hex(8),
                "iat": now,
                "nbf": now,
                "exp": now + self.lifetime,
            },
            self._signing,
            algorithm=ALGORITHM,
            headers={"typ": ACCESS_TYPE},
        )

    def read_access_token(self, token: str) -> Claims:
        """Return what a token says, once everything of it is proven.

        Raises:
            NotAuthenticated: anything is wrong with it.
        """
        if len(token) > MAX_TOKEN:
            raise NotAuthenticated
        name = digest(token)
        proven = self._proven.get(name)
        if proven is None:
            proven = self._prove(token)
            with self._lock:
                self._proven[name] = proven
                while len(self._proven) > _MOST_PROVEN:
                    self._proven.popitem(last=False)
        now = self._clock.now().timestamp()
        if (
            not proven.begins <= now < proven.ends
            or proven.made > now
            or proven.ends - proven.made > self.lifetime.total_seconds()
        ):
            raise NotAuthenticated
        return proven.claims

    def _prove(self, token: str) -> "_Proven":
        """Return what a token says once its signature is proven; its moments are not judged.

        Raises:
            NotAuthenticated: anything is wrong with it.
        """
        try:
            header = jwt.get_unverified_header(token)
            claims = jwt.decode(
                token,
                self._signing,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                # The moments are judged at each use, by the clock that is handed in.
                options={
                    "require": _REQUIRED,
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
            if header.get("typ") != ACCESS_TYPE:
                raise NotAuthenticated
            return _Proven(
                Claims(UUID(_text(claims["sub"])), UUID(_text(claims["sid"]))),
                begins=_moment(claims["nbf"]),
                ends=_moment(claims["exp"]),
                made=_moment(claims["iat"]),
            )
        except (jwt.PyJWTError, ValueError, RecursionError) as exc:
            raise NotAuthenticated from exc

    def session_cookie(self, user_id: UUID, session_id: UUID) -> str:
        """Return what a browser keeps of a session; it holds until the session's row says no."""
        said = f"{user_id.hex}{session_id.hex}"
        return said + _derive_text(self._cookie, said)

    def read_session_cookie(self, cookie: str) -> Claims:
        """Return what a cookie says, once it is proven to be ours.

        Raises:
            NotAuthenticated: it is not.
        """
        if not _COOKIE.fullmatch(cookie):
            raise NotAuthenticated
        said, proof = cookie[:64], cookie[64:]
        if not hmac.compare_digest(proof, _derive_text(self._cookie, said)):
            raise NotAuthenticated
        return Claims(UUID(said[:32]), UUID(said[32:]))

    def form_token(self, holder: str) -> str:
        """Return what proves that a form came from us, for the holder of a cookie.

        Another text each time (a random pad and the token under it), so that nothing can be
        learned from the length of compressed pages (BREACH).
        """
        pad = secrets.token_bytes(32)
        return (pad + _xor(pad, self._form_proof(holder))).hex()

    def form_token_fits(self, holder: str, token: str) -> bool:
        """Tell whether a form's token is one of this holder."""
        if not _FORM_TOKEN.fullmatch(token):
            return False
        given = bytes.fromhex(token)
        return hmac.compare_digest(_xor(given[:32], given[32:]), self._form_proof(holder))

    def _form_proof(self, holder: str) -> bytes:
        return hmac.new(self._form, holder.encode("utf-8", "surrogatepass"), "sha256").digest()

    def successor_of(self, refresh_token: str) -> str:
        """Return the token that follows this one: the same for two tabs that ask at once."""
        return _derive_text(self._successor, refresh_token)


def new_refresh_token() -> str:
    """Return 256 random bits as text."""
    return secrets.token_urlsafe(32)


def new_link_token() -> str:
    """Return 256 random bits as text."""
    return secrets.token_urlsafe(32)


def new_api_key() -> tuple[str, str]:
    """Return a key and its prefix, by which it is found and shown."""
    prefix = KEY_START + secrets.token_hex(_PREFIX_LENGTH // 2)
    return f"{prefix}_{secrets.token_urlsafe(32)}", prefix


def prefix_of(key: str) -> str:
    """Return the part of a key that is stored as it is.

    Raises:
        NotAuthenticated: it is no key of ours.
    """
    if not _KEY.match(key):
        raise NotAuthenticated
    return key[: len(KEY_START) + _PREFIX_LENGTH]


def digest(text: str) -> str:
    """Return what is stored of a random text: it needs no salt, it cannot be guessed."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _derive(secret: bytes, use: bytes) -> bytes:
    return hmac.new(secret, b"tcgtracker " + use, hashlib.sha256).digest()


def _derive_text(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(left ^ right for left, right in zip(one, other, strict=True))


def _moment(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("no moment")  # noqa: TRY004 - one kind of refusal for every claim
    return float(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("no text")  # noqa: TRY004 - the same
    return value
