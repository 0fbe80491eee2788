"""Bodies that go to a file: whole or not at all."""

import asyncio
from pathlib import Path

import pytest

from tcgtracker.domain.errors import (
    BadCredentials,
    ContractBroken,
    Unavailable,
    VendorError,
)
from tcgtracker.integrations.http import Answer, Judge, VendorHttp, Verdict
from tcgtracker.runtime.ports import CallOutcome
from tests.raw_server import RawServer, a_reply
from tests.unit.integrations.vendor_ports import QUICK, Ports, asked


def to_file(server: RawServer, ports: Ports, path: Path, judge: Judge | None = None) -> Answer:
    async def get_file(client: VendorHttp) -> Answer:
        return await client.call_to_file(
            "guide", "GET", "/g", path, policy=QUICK, max_bytes=2**20, judge=judge
        )

    return asyncio.run(asked(server, ports, get_file))


def test_big_body_goes_to_a_file_and_its_head_to_the_answer(tmp_path: Path) -> None:
    body = b"id,price\n" * 50_000
    answer = to_file(RawServer(a_reply(body)), Ports(), tmp_path / "guide.csv")
    assert (tmp_path / "guide.csv").read_bytes() == body
    assert answer.body == body[:4096]
    assert [path.name for path in tmp_path.iterdir()] == ["guide.csv"]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (a_reply(b"id,price\n", length=500), Unavailable),
        (a_reply(b"a" * 2**21), ContractBroken),
        (a_reply(b"no", status=500), Unavailable),
        (a_reply(b"no", status=401), BadCredentials),
        (b"HTTP/1.1 200 OK\r\n\r\nid,price\n", ContractBroken),
    ],
)
def test_file_that_is_not_whole_leaves_the_former_one(
    tmp_path: Path, reply: bytes, kind: type[VendorError]
) -> None:
    path = tmp_path / "guide.csv"
    path.write_text("former")
    with pytest.raises(kind):
        to_file(RawServer(reply), Ports(), path)
    assert path.read_text() == "former"
    assert list(tmp_path.iterdir()) == [path]


def test_answer_that_nothing_is_new_leaves_the_former_file(tmp_path: Path) -> None:
    path = tmp_path / "guide.csv"
    path.write_text("former")

    async def get_if_new(client: VendorHttp) -> Answer:
        return await client.call_to_file(
            "guide", "GET", "/g", path, policy=QUICK, max_bytes=2**20, accept=(200, 304)
        )

    server = RawServer(b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n")
    assert asyncio.run(asked(server, Ports(), get_if_new)).status == 304
    assert path.read_text() == "former"


def test_file_that_the_judge_refuses_is_removed(tmp_path: Path) -> None:
    def judge(answer: Answer) -> Verdict | None:
        return Verdict(answer.broken("a page")) if answer.body.startswith(b"<html") else None

    with pytest.raises(ContractBroken, match="a page"):
        to_file(RawServer(a_reply(b"<html>")), Ports(), tmp_path / "guide.csv", judge=judge)
    assert not list(tmp_path.iterdir())


def test_file_that_cannot_be_written_is_no_fault_of_the_vendor(tmp_path: Path) -> None:
    ports = Ports()
    with pytest.raises(FileNotFoundError):
        to_file(RawServer(a_reply()), ports, tmp_path / "absent" / "guide.csv")
    assert ports.outcomes == [CallOutcome.ABANDONED]
