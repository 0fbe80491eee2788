"""eBay's account deletion notices: the proof that an endpoint is ours, and who signed. Pure.

vendors/ebay.md section 5.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated

import msgspec

from tcgtracker.domain.errors import TrackerError
from tcgtracker.integrations.contract import NoticeKey
from tcgtracker.integrations.ebay.ecdsa import is_signed, read_key

_LONGEST_HEADER = 2_000
_KEY_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")  # a part of a path: never `..`
_PEM = re.compile(r"-----BEGIN PUBLIC KEY-----(.*?)-----END PUBLIC KEY-----", re.DOTALL)


class NoticeRefused(TrackerError):
    """A notice that eBay did not sign."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What the header `x-ebay-signature` says: by which key, and the signature itself."""

    key_id: str
    raw: bytes


class _Header(msgspec.Struct):
    kid: str
    signature: Annotated[str, msgspec.Meta(max_length=400)]


def challenge_response(challenge_code: str, verification_token: str, endpoint: str) -> str:
    """Return the hex digest that answers a challenge.

    endpoint: the address exactly as it is registered at eBay.
    """
    proof = challenge_code + verification_token + endpoint  # in this order
    return sha256(proof.encode()).hexdigest()


def read_signature(header: str) -> Signature:
    """Return what the header says: base64 of JSON with a key id and a signature in base64.

    Raises:
        NoticeRefused: it is missing or says nothing of the kind.
    """
    try:
        if len(header) > _LONGEST_HEADER:
            raise NoticeRefused("the signature is missing or cannot be read")
        said = msgspec.json.decode(base64.b64decode(header, validate=True), type=_Header)
        raw = base64.b64decode(said.signature, validate=True)
    except (binascii.Error, ValueError, msgspec.MsgspecError, RecursionError):
        raise NoticeRefused("the signature is missing or cannot be read") from None
    if not raw or not _KEY_ID.fullmatch(said.kid):
        raise NoticeRefused("the signature is missing or cannot be read")
    return Signature(said.kid, raw)


def check_signature(body: bytes, signature: Signature, key: NoticeKey) -> None:
    """Let a notice pass that is signed by this key.

    Raises:
        NoticeRefused: it is not.
        ValueError: the key is none that we can check with.
    """
    pem = _PEM.search(key.pem)
    if pem is None:
        raise ValueError("the key is no public key in PEM")
    der = base64.b64decode("".join(pem[1].split()), validate=True)
    if not is_signed(body, signature.raw, read_key(der, key.digest)):
        raise NoticeRefused("the signature is not of this notice")
