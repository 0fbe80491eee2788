"""The check of eBay's signatures: what openssl signs passes, whatever is bent does not."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tcgtracker.integrations.contract import NoticeKey
from tcgtracker.integrations.ebay.ecdsa import is_signed, read_key
from tcgtracker.integrations.ebay.notices import NoticeRefused, Signature, check_signature
from tests.conftest import skip_or_fail

MESSAGE = b'{"metadata": {}}'


def openssl(*arguments: str, given: bytes = b"") -> bytes:
    program = shutil.which("openssl")
    if program is None:
        skip_or_fail("openssl is not here")
    done = subprocess.run([program or "", *arguments], input=given, capture_output=True, check=True)
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys")
    for name, curve in (("ours", "prime256v1"), ("other", "prime256v1"), ("wide", "secp384r1")):
        key = openssl("ecparam", "-name", curve, "-genkey", "-noout")
        (path / f"{name}.pem").write_bytes(key)
        (path / f"{name}.pub").write_bytes(openssl("ec", "-pubout", given=key))
        (path / f"{name}.der").write_bytes(openssl("ec", "-pubout", "-outform", "DER", given=key))
    return path


def signature(folder: Path, digest: str, name: str = "ours") -> bytes:
    return openssl("dgst", f"-{digest}", "-sign", str(folder / f"{name}.pem"), given=MESSAGE)


@pytest.mark.parametrize("digest", ["sha1", "sha256"])
def test_what_openssl_signs_passes(folder: Path, digest: str) -> None:
    key = read_key((folder / "ours.der").read_bytes(), digest)
    other = read_key((folder / "other.der").read_bytes(), digest)
    for _ in range(5):
        signed = signature(folder, digest)
        assert is_signed(MESSAGE, signed, key)
        assert not is_signed(MESSAGE + b" ", signed, key)
        assert not is_signed(MESSAGE, signed, other)
        pem = (folder / "ours.pub").read_text()
        check_signature(MESSAGE, Signature("1", signed), NoticeKey(pem, digest.upper()))
        one_line = "".join(pem.splitlines())  # as eBay sends it
        check_signature(MESSAGE, Signature("1", signed), NoticeKey(one_line, digest.upper()))


def test_whatever_is_bent_does_not(folder: Path) -> None:
    key = read_key((folder / "ours.der").read_bytes(), "SHA1")
    signed = signature(folder, "sha1")
    for place in range(len(signed)):
        for change in (1, 0x80):
            bent = bytearray(signed)
            bent[place] ^= change
            assert not is_signed(MESSAGE, bytes(bent), key), place
        assert not is_signed(MESSAGE, signed[:place], key)
    assert not is_signed(MESSAGE, signed + b"\0", key)
    assert not is_signed(MESSAGE, signature(folder, "sha256"), key)
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    for number in (0, order, order + 1, 2**256 - 1, -1):
        raw = number.to_bytes(33, "big", signed=True)
        body = b"\x02" + bytes([len(raw)]) + raw
        forged = b"\x30" + bytes([2 * len(body)]) + body + body
        assert not is_signed(MESSAGE, forged, key)


def test_only_points_of_the_curve_are_keys(folder: Path) -> None:
    der = (folder / "ours.der").read_bytes()
    off = bytearray(der)
    off[-1] ^= 1
    for bad in (b"", der[:-1], der + b"\0", bytes(off), (folder / "wide.der").read_bytes()):
        with pytest.raises(ValueError, match="P-256"):
            read_key(bad, "SHA1")
    with pytest.raises(ValueError, match="digest"):
        read_key(der, "MD5")
    for pem in ("", "-----BEGIN PUBLIC KEY-----!-----END PUBLIC KEY-----"):
        with pytest.raises(ValueError, match=r"PEM|base64|data|padding"):
            check_signature(MESSAGE, Signature("1", b"x"), NoticeKey(pem, "SHA1"))
    with pytest.raises(NoticeRefused):
        check_signature(
            MESSAGE, Signature("1", b"x"), NoticeKey((folder / "ours.pub").read_text(), "SHA1")
        )
