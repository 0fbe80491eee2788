"""Signatures of eBay's account notices: ECDSA on P-256 over SHA-1, as its Notification API signs.

Written out because the sandbox stands on the standard library alone. The key comes from the seed
and is no secret; nothing here is fit to protect anything.
"""

import base64
import hashlib
import json

from tcgtracker.sandbox.answers import json_answer
from tcgtracker.sandbox.chance import key_of
from tcgtracker.sandbox.ebay_errors import failed
from tcgtracker.sandbox.wire import Response

# P-256: FIPS 186-4, appendix D.1.2.3
_P = 2**256 - 2**224 + 2**192 + 2**96 - 1
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
# SubjectPublicKeyInfo of an uncompressed P-256 point, before its two numbers (RFC 5480)
_HEAD = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")

Point = tuple[int, int] | None


def key_id(seed: int) -> str:
    """Return the id under which the public key is asked for."""
    return f"sandbox-{key_of(seed, 'notice key id'):016x}"


def public_key_answer(wanted: str, seed: int) -> Response:
    """Answer `getPublicKey` of the Notification API."""
    if wanted != key_id(seed):
        return failed(404, 195004, "API_NOTIFICATION", "The public key does not exist.")
    point = _times(_private(seed), _G)
    assert point is not None  # noqa: S101 - the key is no multiple of the group's order
    der = _HEAD + b"".join(number.to_bytes(32, "big") for number in point)
    text = base64.b64encode(der).decode()
    key = f"-----BEGIN PUBLIC KEY-----{text}-----END PUBLIC KEY-----"
    return json_answer({"key": key, "algorithm": "ECDSA", "digest": "SHA1"})


def signature_header(body: bytes, seed: int) -> str:
    """Return the x-ebay-signature of a body: base64 of JSON with key id and signature."""
    hashed = int.from_bytes(hashlib.sha1(body, usedforsecurity=False).digest(), "big")
    r, s = _sign(hashed, seed)
    der = b"".join(_der_number(number) for number in (r, s))
    signature = base64.b64encode(b"\x30" + bytes([len(der)]) + der).decode()
    head = {"alg": "ecdsa", "kid": key_id(seed), "signature": signature, "digest": "SHA1"}
    return base64.b64encode(json.dumps(head).encode()).decode()


def _private(seed: int) -> int:
    return _wide("notice key", seed) % (_N - 1) + 1


def _wide(*parts: object) -> int:
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest(), "big")


def _sign(hashed: int, seed: int) -> tuple[int, int]:
    secret = _private(seed)
    for turn in range(100):
        once = _wide("nonce", seed, hashed, turn) % (_N - 1) + 1
        point = _times(once, _G)
        r = 0 if point is None else point[0] % _N
        s = pow(once, -1, _N) * (hashed + r * secret) % _N
        if r and s:
            return r, s
    raise AssertionError("a hundred nonces failed: the arithmetic is wrong")


def _der_number(number: int) -> bytes:
    raw = number.to_bytes(number.bit_length() // 8 + 1, "big")
    return b"\x02" + bytes([len(raw)]) + raw


def _times(factor: int, point: Point) -> Point:
    total: Point = None
    while factor:
        if factor & 1:
            total = _plus(total, point)
        point = _plus(point, point)
        factor >>= 1
    return total


def _plus(one: Point, other: Point) -> Point:
    if one is None or other is None:
        return one or other
    if one[0] == other[0] and (one[1] + other[1]) % _P == 0:
        return None
    if one == other:
        slope = 3 * (one[0] ** 2 - 1) * pow(2 * one[1], -1, _P)  # a = -3
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, _P)
    x = (slope**2 - one[0] - other[0]) % _P
    return x, (slope * (one[0] - x) - one[1]) % _P
