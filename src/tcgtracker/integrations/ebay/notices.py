"""eBay's account deletion notices: the proof that an endpoint is ours. Pure."""

from hashlib import sha256


def challenge_response(challenge_code: str, verification_token: str, endpoint: str) -> str:
    """Return the hex digest that answers a challenge (vendors/ebay.md section 5).

    endpoint: the address exactly as it is registered at eBay.
    """
    proof = challenge_code + verification_token + endpoint  # in this order
    return sha256(proof.encode()).hexdigest()
