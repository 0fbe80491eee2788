"""Checking an ECDSA signature on P-256, which is all that eBay's notices are signed with."""

from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_public_key

_DIGESTS: dict[str, type[HashAlgorithm]] = {"SHA1": SHA1, "SHA256": SHA256}


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A point of P-256, and the digest of what is signed."""

    point: ec.EllipticCurvePublicKey
    digest: type[HashAlgorithm]


def read_key(der: bytes, digest: str) -> PublicKey:
    """Return the key of a SubjectPublicKeyInfo; digest: `SHA1` or `SHA256`.

    Raises:
        ValueError: it is no point of P-256, or the digest is another.
    """
    kind = _DIGESTS.get(digest.upper().replace("-", ""))
    if kind is None:
        raise ValueError(f"the digest {digest[:20]!r} is not known")
    try:
        point = load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise ValueError("the key is no point of P-256") from exc
    if not isinstance(point, ec.EllipticCurvePublicKey) or point.curve.name != "secp256r1":
        raise ValueError("the key is not one of P-256")
    return PublicKey(point, kind)


def is_signed(message: bytes, signature: bytes, key: PublicKey) -> bool:
    """Tell whether a DER signature is of this message by this key."""
    try:
        key.point.verify(signature, message, ec.ECDSA(key.digest()))
    except InvalidSignature:
        return False
    return True
