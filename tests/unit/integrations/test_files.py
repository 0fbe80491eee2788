"""Files are read in pieces, and nothing that strangers made is read without a bound."""

import os
import subprocess
import sys
import textwrap

import pytest

from tcgtracker.domain.errors import InvalidInput
from tcgtracker.integrations.files import (
    DamagedFile,
    bounded_lines,
    read_bounded,
    read_chunks,
    read_head,
)
from tests.unit.integrations.builders import a_gzip


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_lines_do_not_depend_on_the_pieces(size):
    content = b"one\n\ntwo\r\nthree"
    pieces = [content[start : start + size] for start in range(0, len(content), size)]

    assert list(bounded_lines(pieces, "x")) == [b"one", b"", b"two\r", b"three"]


def test_a_final_line_feed_makes_no_further_line():
    assert list(bounded_lines([b"a\n", b"b\n"], "x")) == [b"a", b"b"]


def test_a_line_may_be_as_long_as_the_limit():
    assert list(bounded_lines([b"ab", b"cd\n"], "x", limit=4)) == [b"abcd"]


@pytest.mark.parametrize("pieces", [[b"a\nabcde"], [b"a\nabc", b"de\n"], [b"a\nabcde\nf"]])
def test_a_longer_line_is_refused_with_its_number(pieces):
    with pytest.raises(InvalidInput, match=r"file\.x: line 2 is longer than 4 bytes"):
        list(bounded_lines(pieces, "file.x", limit=4))


def test_plain_and_gzip_content_are_the_same(tmp_path):
    content = os.urandom(300_000)
    (tmp_path / "plain").write_bytes(content)
    (tmp_path / "zipped").write_bytes(a_gzip(content[:100]) + a_gzip(content[100:]))

    assert read_bounded(tmp_path / "plain") == content
    assert read_bounded(tmp_path / "zipped") == content


def test_the_progress_adds_up_to_the_size_on_disk(tmp_path):
    path = tmp_path / "zipped"
    path.write_bytes(a_gzip(os.urandom(3_000_000)))
    told: list[int] = []

    for _ in read_chunks(path, told.append):
        pass

    assert sum(told) == path.stat().st_size
    assert min(told) >= 0


def test_a_cut_off_gzip_gives_what_it_has_and_then_says_so(tmp_path):
    path = tmp_path / "cut.gz"
    lines = b"".join(b"%d\n" % number for number in range(200_000))
    path.write_bytes(a_gzip(lines)[:-20_000])
    read: list[bytes] = []

    with pytest.raises(DamagedFile, match=r"cut\.gz: the gzip stream is damaged") as caught:
        read.extend(bounded_lines(read_chunks(path), path))

    assert len(read) > 100_000
    assert read == [b"%d" % number for number in range(len(read))]
    assert (b"%d" % len(read)).startswith(caught.value.tail)


@pytest.mark.parametrize("damage", ["checksum", "header"])
def test_a_corrupt_gzip_is_damaged(tmp_path, damage):
    content = bytearray(a_gzip(b"some lines\n" * 50))
    content[-6 if damage == "checksum" else 2] ^= 0xFF
    path = tmp_path / "x.gz"
    path.write_bytes(content)

    with pytest.raises(DamagedFile):
        read_bounded(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InvalidInput, match=r"nowhere\.csv: cannot be read: No such file"):
        read_bounded(tmp_path / "nowhere.csv")
    with pytest.raises(InvalidInput, match=r"nowhere\.csv"):
        read_head(tmp_path / "nowhere.csv")


def test_more_than_the_limit_is_refused(tmp_path):
    (tmp_path / "big").write_bytes(b"12345")

    assert read_bounded(tmp_path / "big", limit=5) == b"12345"
    with pytest.raises(InvalidInput, match="larger than 4 bytes"):
        read_bounded(tmp_path / "big", limit=4)


def test_the_head_tells_why_it_is_short(tmp_path):
    (tmp_path / "x.gz").write_bytes(a_gzip(os.urandom(1000))[:500])

    head = read_head(tmp_path / "x.gz")

    assert head.compressed
    assert "cut off" in head.damage


def grown_mib(code: str, *arguments: str) -> float:
    """Run code that reads until it is refused, in its own process; return how it grew, in MiB."""
    program = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from tests.peak_memory import peak_mib
        from tcgtracker.domain.errors import InvalidInput
        from tcgtracker.integrations.files import bounded_lines, read_chunks

        before = peak_mib()
        try:
        {code}
            sys.exit("it was not refused")
        except InvalidInput as exc:
            print(exc, file=sys.stderr)
        print(peak_mib() - before)
        """
    ).format(code=textwrap.indent(textwrap.dedent(code), "    "))
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


def test_a_line_of_a_gigabyte_is_refused_in_little_memory():
    grown = grown_mib(
        """
        piece = b"x" * 2**20
        read = 0
        def pieces():
            global read
            for _ in range(1024):
                read += 1
                yield piece
        try:
            for line in bounded_lines(pieces(), "pipe"):
                pass
        finally:
            assert read < 70, read
        """
    )

    assert grown < 100


@pytest.mark.parametrize("byte", [b"\0", b"\n"])
def test_a_gzip_of_a_gigabyte_of_one_byte_is_refused_in_little_memory(tmp_path, byte):
    path = tmp_path / "bomb.gz"
    path.write_bytes(a_gzip(byte * 2**24) * 64)
    assert path.stat().st_size < 2 * 2**20

    grown = grown_mib(
        """
        path = Path(sys.argv[1])
        for line in bounded_lines(read_chunks(path), path):
            pass
        """,
        str(path),
    )

    assert grown < 100
