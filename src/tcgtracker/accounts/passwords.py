"""Passwords: Argon2id with OWASP's minimum cost, a bounded number at a time.

Cost: 19 MiB, two passes, one lane (OWASP Password Storage Cheat Sheet): about 25 ms of one core.
"""

import threading

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from tcgtracker.domain.errors import InvalidInput

MIN_LENGTH = 8
MAX_LENGTH = 256
"""Of a password in characters; none is cut off (ASVS 6.2.9 asks for 64 at least)."""

# What everybody tries first, of those that are long enough at all.
_COMMON_WORDS = """
123456789 12345678 1234567890 password 11111111 00000000 qwertyui qwertyuiop 1q2w3e4r 1q2w3e4r5t
1qaz2wsx password1 password123 passw0rd p@ssw0rd iloveyou princess sunshine football baseball
superman trustno1 letmein1 welcome1 monkey123 dragon123 abc12345 abcd1234 qwerty123 qwerty12
zaq12wsx 87654321 987654321 123123123 12341234 88888888 66666666 99999999 asdfghjk asdfghjkl
zxcvbnm1 starwars pokemon1 pokemon123 charizard pikachu1 changeme admin123 administrator computer
internet whatever michelle jennifer 12121212 11223344
"""
_COMMON = frozenset(_COMMON_WORDS.split())


class PasswordHasher:
    """Makes and checks hashes, `at_once` at a time, so that sign-ins do not take every core."""

    def __init__(self, at_once: int = 2) -> None:
        self._places = threading.BoundedSemaphore(at_once)
        self._hash = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19_456, parallelism=1),))
        self._nobody: str | None = None

    def make(self, password: str) -> str:
        """Return the hash of a password.

        Raises:
            InvalidInput: it is too short, too long, or one that everybody tries first.
        """
        check_password(password)
        with self._places:
            return self._hash.hash(password)

    def verify(self, password: str, stored: str | None) -> tuple[bool, str | None]:
        """Tell whether the password fits, with a new hash where the stored one is of an older cost.

        For a user who does not exist (None) it takes as long and says no.
        """
        with self._places:
            if self._nobody is None:
                self._nobody = self._hash.hash("nobody has this password")
            fits, renewed = self._hash.verify_and_update(
                password[: MAX_LENGTH + 1], stored or self._nobody
            )
        return fits and stored is not None and len(password) <= MAX_LENGTH, renewed


def check_password(password: str) -> None:
    """Refuse what is no password.

    Raises:
        InvalidInput: it is too short, too long, or one that everybody tries first.
    """
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise InvalidInput(f"a password has {MIN_LENGTH} to {MAX_LENGTH} characters")
    if password.casefold() in _COMMON:
        raise InvalidInput("this password is among the first that everybody tries: take another")
