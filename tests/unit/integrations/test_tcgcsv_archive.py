"""7z archives of TCGCSV: unpacked into memory, and only what cannot do harm."""

import struct
import zlib

import py7zr
import pytest

from tcgtracker.domain.errors import InvalidInput
from tcgtracker.integrations.price_files import iter_price_pages, total_bytes
from tcgtracker.integrations.tcgcsv.archive import AnswerArchive
from tests.unit.integrations.builders import a_row, an_answer, market_of

DAY = "2026-04-18"
PPMD = [{"id": py7zr.FILTER_PPMD, "order": 6, "mem": 24}]


def body(product: int) -> bytes:
    return an_answer(a_row(product, market=product))


def an_archive(path, members, *, plain_header=False):
    with py7zr.SevenZipFile(path, "w", filters=PPMD) as archive:
        archive.set_encoded_header_mode(not plain_header)
        for name, content in members.items():
            archive.writestr(content, name)
    return path


def renamed(path, old: str, new: str):
    """Change a member's name in a plain header, and its checksums with it."""
    assert len(old) == len(new)
    content = bytearray(path.read_bytes())
    before = old.encode("utf-16-le")
    assert content.count(before) == 1
    at = content.index(before)
    content[at : at + len(before)] = new.encode("utf-16-le")
    offset, size = struct.unpack_from("<QQ", content, 12)
    header = content[32 + offset : 32 + offset + size]
    struct.pack_into("<I", content, 28, zlib.crc32(header))
    struct.pack_into("<I", content, 8, zlib.crc32(content[12:32]))
    path.write_bytes(content)
    return path


def test_every_category_of_every_day_makes_a_page(tmp_path):
    path = an_archive(
        tmp_path / "named-anyhow",
        {
            f"{DAY}/3/10/prices": body(1),
            f"{DAY}/68/9/prices": body(2),
            f"{DAY}/3/9/prices": body(3),
            f"{DAY}/3/8/prices": an_answer(),
            "2026-04-19/3/10/prices": body(4),
            "readme.txt": b"not a price",
        },
    )
    told: list[int] = []

    pages = list(iter_price_pages([path], on_progress=told.append))

    assert [(page.observed_at.day, page.scope, sorted(page.parts)) for page in pages] == [
        (18, "3", ["10", "8", "9"]),
        (18, "68", ["9"]),
        (19, "3", ["10"]),
    ]
    assert [page.missing for page in pages] == [(), (), ()]
    assert market_of(pages[0]) == {(1, "Normal"): 100, (3, "Normal"): 300}
    assert told[-1] == total_bytes([path]) == path.stat().st_size


def test_a_broken_answer_inside_makes_its_category_incomplete(tmp_path):
    path = an_archive(
        tmp_path / "x.7z",
        {f"{DAY}/3/9/prices": b"<html>", f"{DAY}/3/10/prices": body(1), f"{DAY}/3/8/prices": b""},
    )

    (page,) = iter_price_pages([path])

    assert market_of(page) == {(1, "Normal"): 100}
    assert sorted(page.missing) == [
        f"x.7z {DAY}/3/8/prices: is empty",
        f"x.7z {DAY}/3/9/prices: is a web page (HTML or XML), not JSON",
    ]


def test_more_than_the_bound_is_refused_before_it_is_unpacked(tmp_path):
    path = an_archive(tmp_path / "x.7z", {f"{DAY}/3/9/prices": b" " * 50_000_000})
    assert path.stat().st_size < 100_000

    with pytest.raises(InvalidInput, match="would unpack to 50,000,000 bytes"):
        AnswerArchive(path, max_unpacked=40_000_000)


def test_bytes_of_other_members_count_too(tmp_path):
    path = an_archive(tmp_path / "x.7z", {"a": b" " * 2_000_000, f"{DAY}/3/9/prices": body(1)})

    with pytest.raises(InvalidInput, match="would unpack to"):
        AnswerArchive(path, max_unpacked=1_000_000)


@pytest.mark.parametrize(
    "evil", ["../../../x/aa", "/etc/x/passwd", "C:\\x\\windows", "a/../../x/abc"]
)
def test_a_path_that_leads_out_is_refused(tmp_path, evil):
    placeholder = "p" * len(evil)
    path = an_archive(
        tmp_path / "x.7z", {f"{DAY}/3/9/prices": body(1), placeholder: b"x"}, plain_header=True
    )

    with pytest.raises(InvalidInput, match=r"leads out|damaged"):
        AnswerArchive(renamed(path, placeholder, evil))


def test_a_link_is_refused(tmp_path):
    target = tmp_path / "secret"
    target.write_text("secret")
    link = tmp_path / "link"
    link.symlink_to(target)
    path = tmp_path / "x.7z"
    with py7zr.SevenZipFile(path, "w") as archive:
        archive.write(link, f"{DAY}/3/9/prices")

    with pytest.raises(InvalidInput, match="is a link or special file"):
        AnswerArchive(path)


def test_an_archive_without_answers_is_refused(tmp_path):
    path = an_archive(tmp_path / "x.7z", {"prices": body(1), "2026-02-30/3/9/prices": body(2)})

    with pytest.raises(InvalidInput, match=r"x\.7z: holds no <date>"):
        AnswerArchive(path)


def test_damage_anywhere_is_told_and_never_a_price(tmp_path):
    members = {f"{DAY}/3/{group}/prices": body(group) for group in range(1, 30)}
    whole = an_archive(tmp_path / "x.7z", members).read_bytes()
    expected = {(group, "Normal"): group * 100 for group in range(1, 30)}
    refused = 0
    path = tmp_path / "damaged.7z"

    for at in range(6, len(whole), 7):
        content = bytearray(whole)
        content[at] ^= 0x55
        path.write_bytes(content)
        try:
            pages = list(iter_price_pages([path]))
        except InvalidInput as exc:
            assert "damaged.7z: " in str(exc)  # noqa: PT017 - most, but not all, bytes matter
            refused += 1
        else:
            assert [market_of(page) for page in pages] == [expected]

    assert refused > len(whole) / 7 * 0.8


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.99])
def test_a_cut_off_archive_is_refused(tmp_path, keep):
    path = an_archive(tmp_path / "x.7z", {f"{DAY}/3/9/prices": body(1)})
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])

    with pytest.raises(InvalidInput, match=r"x\.7z: the 7z archive is damaged"):
        list(iter_price_pages([path]))
