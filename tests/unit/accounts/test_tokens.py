"""Forged, bent and borrowed access tokens: every one is refused."""

import base64
import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest

from tcgtracker.accounts.tokens import (
    ALGORITHM,
    AUDIENCE,
    ISSUER,
    TokenMaker,
    digest,
    new_api_key,
    prefix_of,
)
from tcgtracker.accounts.values import NotAuthenticated
from tcgtracker.domain.clock import FixedClock
from tests.unit.accounts.kit import NOON, SECRET

USER, SESSION = uuid4(), uuid4()
LIFETIME = timedelta(minutes=15)


def a_maker(clock: FixedClock | None = None, secret: bytes = SECRET) -> TokenMaker:
    return TokenMaker(lambda: secret, clock or FixedClock(NOON), lifetime=LIFETIME)


def claims(**changes: Any) -> dict[str, Any]:
    now = int(NOON.timestamp())
    found = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(USER),
        "sid": str(SESSION),
        "jti": "1",
        "iat": now,
        "nbf": now,
        "exp": now + 900,
    } | changes
    return {name: value for name, value in found.items() if value is not None}


def signed(payload: Any, *, key: Any = None, algorithm: str = ALGORITHM, **header: Any) -> str:
    signing = a_maker()._signing if key is None else key
    return jwt.encode(payload, signing, algorithm=algorithm, headers={"typ": "at+jwt"} | header)


def unsigned(header: dict[str, Any], payload: dict[str, Any], signature: bytes = b"") -> str:
    parts = [json.dumps(header).encode(), json.dumps(payload).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def test_our_own_token_is_read() -> None:
    maker = a_maker()
    read = maker.read_access_token(maker.access_token(USER, SESSION))
    assert (read.user_id, read.session_id) == (USER, SESSION)
    assert maker.read_access_token(signed(claims())).user_id == USER  # the forger's tool works


NOW = int(NOON.timestamp())
FORGED = {
    "empty": "",
    "no token": "hello",
    "two parts": "a.b",
    "huge": "a" * 100_000,
    "surrogates": "\ud800.b.c",
    "NUL": "\0",
    "none": unsigned({"alg": "none", "typ": "at+jwt"}, claims()),
    "None": unsigned({"alg": "None", "typ": "at+jwt"}, claims()),
    "none with a signature": unsigned({"alg": "none", "typ": "at+jwt"}, claims(), b"x"),
    "unsigned HS256": unsigned({"alg": "HS256", "typ": "at+jwt"}, claims()),
    "no algorithm": unsigned({"typ": "at+jwt"}, claims(), b"x"),
    "key of another use": signed(claims(), key=a_maker()._successor),
    "the secret itself": signed(claims(), key=SECRET),
    "another secret": signed(claims(), key=b"another secret of more than thirty-two bytes"),
    "HS384": signed(claims(), algorithm="HS384", key=a_maker()._signing * 2),
    "HS512": signed(claims(), algorithm="HS512", key=a_maker()._signing * 2),
    "no type": signed(claims(), typ=None),
    "plain type": signed(claims(), typ="JWT"),
    "refresh type": signed(claims(), typ="rt+jwt"),
    "other issuer": signed(claims(iss="elsewhere")),
    "other audience": signed(claims(aud="elsewhere")),
    "no audience": signed(claims(aud=None)),
    "no issuer": signed(claims(iss=None)),
    "no expiry": signed(claims(exp=None)),
    "no issue time": signed(claims(iat=None)),
    "no begin": signed(claims(nbf=None)),
    "no subject": signed(claims(sub=None)),
    "no session": signed(claims(sid=None)),
    "no id": signed(claims(jti=None)),
    "expired": signed(claims(iat=NOW - 1000, nbf=NOW - 1000, exp=NOW - 1)),
    "expired this second": signed(claims(iat=NOW - 900, nbf=NOW - 900, exp=NOW)),
    "not yet": signed(claims(nbf=NOW + 5)),
    "issued in the future": signed(claims(iat=NOW + 5)),
    "lives too long": signed(claims(exp=NOW + 901)),
    "expiry as text": unsigned({"alg": "HS256", "typ": "at+jwt"}, claims(exp="never")),
    "expiry as true": signed(claims(exp=True)),
    "subject is no id": signed(claims(sub="admin")),
    "subject is a list": unsigned({"alg": "HS256"}, claims(sub=[str(USER)])),
    "session is no id": signed(claims(sid="1")),
    "a critical extension": signed(claims(), crit=["x"], x=1),
    "key by URL": unsigned({"alg": "RS256", "jku": "http://127.0.0.1/", "typ": "at+jwt"}, claims()),
    "payload is a list": unsigned({"alg": "HS256", "typ": "at+jwt"}, [claims()]),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED.keys())
def test_a_forged_token_is_refused(token: str) -> None:
    with pytest.raises(NotAuthenticated):
        a_maker().read_access_token(token)


def test_a_changed_letter_is_seen() -> None:
    maker = a_maker()
    token = maker.access_token(USER, SESSION)
    for place in range(0, len(token) - 1, 7):
        bent = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        with pytest.raises(NotAuthenticated):
            maker.read_access_token(bent)


def test_an_expired_token_of_ours_is_refused() -> None:
    clock = FixedClock(NOON)
    maker = a_maker(clock)
    token = maker.access_token(USER, SESSION)
    clock.advance(LIFETIME - timedelta(seconds=1))
    maker.read_access_token(token)
    clock.advance(timedelta(seconds=1))
    with pytest.raises(NotAuthenticated):
        maker.read_access_token(token)


def test_a_key_is_found_by_its_prefix() -> None:
    key, prefix = new_api_key()
    assert prefix_of(key) == prefix
    assert key.startswith("tcg_")
    assert digest(key) != digest(key + "x")
    for other in (
        "",
        "tcg_",
        "tcg__x",
        "tcg_12345678",
        "tcg_12345678_",
        "xyz_12345678_abc",
        "tcg_\0\0\0\0\0\0\0\0_x",
        "\ud800",
    ):
        with pytest.raises(NotAuthenticated):
            prefix_of(other)
