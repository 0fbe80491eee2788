"""TCGCSV over the network: whole categories, and what is said when one is not whole."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tcgtracker.domain.clock import FixedClock
from tcgtracker.domain.errors import (
    ContractBroken,
    InvalidInput,
    QuotaExhausted,
    RateLimited,
    RequestRefused,
    SourcePaused,
    Unavailable,
)
from tcgtracker.integrations import tcgcsv
from tcgtracker.sandbox.make_world import make_world
from tcgtracker.sandbox.tcgcsv import TcgcsvSandbox
from tcgtracker.vendor_settings import TcgcsvSettings
from tests.unit.integrations.asking import NOW, Scripted, all_of, answering, ask
from tests.unit.integrations.builders import a_row, an_answer, market_of
from tests.unit.integrations.calling import OpenGate

BUILT = "2026-11-21T20:05:41+0000"
LATER = "2026-11-22T20:04:10+0000"


class Files:
    """Two Pokemon groups of category 3 and one of 85; `files` overrides an answer by path."""

    def __init__(self, **groups):
        self.groups = {3: [605, 606], 85: [700]}
        self.files = {}
        self.builds = [BUILT]

    def __call__(self, request):
        if request.path in self.files:
            body = self.files[request.path]
            return body if not isinstance(body, bytes) else answering(body)
        if request.path == "/last-updated.txt":
            build = self.builds.pop(0) if self.builds[1:] else self.builds[0]
            return answering(build.encode(), Content_Type="text/plain")
        _, _, category, *rest = request.path.split("/")
        if rest == ["groups"]:
            rows = [a_group(group, int(category)) for group in self.groups[int(category)]]
            body = {"totalItems": len(rows), "success": True, "errors": [], "results": rows}
            return answering(body)
        return answering(an_answer(a_row(int(rest[0]) * 10, market=int(rest[0]) / 100)))


def a_group(group, category):
    return {"groupId": group, "categoryId": category, "name": f"Set {group}"}


def asking(files, do, *, gate=None, clock=None):
    vendor = Scripted(files)
    clock = clock or FixedClock(NOW)

    async def run(http):
        return await do(tcgcsv.create(http, TcgcsvSettings(enabled=True), clock))

    return ask(vendor, run, gate=gate, clock=clock), vendor


def bulk(files, **more):
    pages, vendor = asking(files, lambda made: all_of(made.bulk("pokemon")), **more)
    assert [page.prices.scope for page in pages] == ["3", "85"]
    return [page.prices for page in pages], vendor


def test_each_category_is_one_page_at_the_moment_of_the_build():
    (first, second), vendor = bulk(Files())

    assert first.observed_at == second.observed_at == datetime(2026, 11, 21, 20, 5, 41, tzinfo=UTC)
    assert market_of(first) == {(6050, "Normal"): 605, (6060, "Normal"): 606}
    assert market_of(second) == {(7000, "Normal"): 700}
    assert first.parts == {"605", "606"}
    assert first.missing == second.missing == ()
    assert vendor.count("/tcgplayer/") == 5
    assert vendor.count("/last-updated.txt") == 3
    assert all(request.headers["user-agent"].startswith("tcgtracker/") for request in vendor.asked)


def test_an_unchanged_version_costs_one_call():
    version, vendor = asking(Files(), lambda made: made.version())

    assert version == BUILT
    assert len(vendor.asked) == 1


@pytest.mark.parametrize(
    "text", ["", "today", "2026-11-21", "2026-11-21T20:05:41", "2026-13-21T20:05:41+0000", "<html>"]
)
def test_a_build_time_that_is_none_stops_at_once(text):
    files = Files()
    files.builds = [text]

    with pytest.raises(ContractBroken):
        bulk(files)


def test_an_empty_group_is_a_part():
    files = Files()
    files.files["/tcgplayer/3/606/prices"] = an_answer()

    (first, _), _ = bulk(files)

    assert first.parts == {"605", "606"}
    assert first.missing == ()


@pytest.mark.parametrize(
    "body",
    [
        answering(b"<Error/>", 403),
        answering({}, 503),
        b'{"success": true, "results": [',
        an_answer(success=False),
        answering(b"", 302, Location="/x"),
    ],
)
def test_a_group_that_cannot_be_read_is_missing_and_the_others_are_not(body):
    files = Files()
    files.files["/tcgplayer/3/605/prices"] = body

    (first, second), _ = bulk(files)

    assert market_of(first) == {(6060, "Normal"): 606}
    assert first.parts == {"606"}
    assert len(first.missing) == 1
    assert "605" in first.missing[0]
    assert second.missing == ()


@pytest.mark.parametrize(
    "body",
    [
        answering({}, 500),
        answering(b"<Error/>", 403),
        b"{",
        answering({"success": True, "results": []}),
    ],
)
def test_a_category_whose_groups_are_not_known_is_missing(body):
    files = Files()
    files.files["/tcgplayer/3/groups"] = body

    (first, second), _ = bulk(files)

    assert market_of(first) == {}
    assert "groups of category 3" in first.missing[0]
    assert market_of(second) == {(7000, "Normal"): 700}


@pytest.mark.parametrize(
    "rows",
    [[a_group(605, 3), {"name": "?"}], [a_group(605, 3), a_group(9, 85)], [a_group(605, 3), 5]],
)
def test_a_group_that_cannot_be_named_makes_the_category_incomplete(rows):
    files = Files()
    files.files["/tcgplayer/3/groups"] = answering({"success": True, "results": rows})

    (first, _), _ = bulk(files)

    assert first.parts == {"605"}
    assert "groups of category 3" in first.missing[0]


def test_fewer_groups_than_counted_make_the_category_incomplete():
    files = Files()
    body = {"totalItems": 2, "success": True, "results": [a_group(605, 3)]}
    files.files["/tcgplayer/3/groups"] = answering(body)

    (first, _), _ = bulk(files)

    assert "says 2 and has 1" in first.missing[0]


def test_files_rebuilt_meanwhile_give_no_prices():
    files = Files()
    files.builds = [BUILT, LATER]

    (first, second), _ = bulk(files)

    assert market_of(first) == {}
    assert first.parts == frozenset()
    assert "rebuilt while they were read" in first.missing[0]
    assert second.missing == ()
    assert second.observed_at == datetime(2026, 11, 22, 20, 4, 10, tzinfo=UTC)


def test_a_throttle_stops_the_reading_and_names_all_that_is_unread():
    files, gate = Files(), OpenGate()
    files.files["/tcgplayer/3/605/prices"] = answering(b"slow down", 429)

    (first, second), vendor = bulk(files, gate=gate)

    assert vendor.asked[-1].path == "/tcgplayer/3/605/prices"
    assert "605" in first.missing[0]
    assert "1 groups not read" in first.missing[1]
    assert "not read" in second.missing[0]
    assert gate.waits[-1] == NOW + timedelta(minutes=10)


def test_a_throttle_that_says_how_long_is_believed():
    files, gate = Files(), OpenGate()
    files.files["/last-updated.txt"] = answering(b"", 429, Retry_After="90")

    with pytest.raises(RateLimited):
        bulk(files, gate=gate)

    assert gate.waits[-1] == NOW + timedelta(seconds=90)


@pytest.mark.parametrize("error", [SourcePaused, QuotaExhausted])
def test_a_gate_that_closes_stops_the_reading(error):
    class Closing(OpenGate):
        async def enter(self, service, operation):
            if len(self.outcomes) == 3:
                raise error("vendor", operation, "the budget is spent", until=NOW)
            return await super().enter(service, operation)

    (first, second), vendor = bulk(Files(), gate=Closing())

    assert len(vendor.asked) == 3
    assert first.parts == {"605"}
    assert "606" in first.missing[0]
    assert "budget is spent" in second.missing[0]


def test_three_refusals_in_a_row_ask_whether_we_are_blocked():
    files = Files()
    files.groups[3] = list(range(600, 620))
    files.files = {f"/tcgplayer/3/{group}/prices": answering(b"", 403) for group in range(600, 620)}

    class Blocking(Files):
        def __call__(self, request):
            known = files(request)
            self.seen = getattr(self, "seen", 0) + (request.path == "/last-updated.txt")
            return answering(b"", 403) if self.seen > 1 else known

    (first, second), vendor = bulk(Blocking())

    assert vendor.count("/tcgplayer/3/6") == 3
    assert "17 groups not read" in first.missing[-1]
    assert "not read" in second.missing[0]


def test_refusals_of_a_vendor_that_answers_otherwise_are_single_missing_files():
    files = Files()
    files.groups[3] = list(range(600, 620))
    files.files = {f"/tcgplayer/3/{group}/prices": answering(b"", 403) for group in range(600, 610)}

    (first, _), _ = bulk(files)

    assert len(first.missing) == 10
    assert len(first.parts) == 10


def test_without_the_build_time_nothing_is_read():
    files = Files()
    files.files["/last-updated.txt"] = answering({}, 500)

    with pytest.raises(Unavailable):
        bulk(files)


def test_a_build_time_that_cannot_be_read_again_leaves_the_prices_and_no_gap():
    files = Files()
    seen = []

    def flapping(request):
        seen.append(request.path)
        if request.path == "/last-updated.txt" and len(seen) > 1:
            return answering({}, 500)
        return files(request)

    (first, _), _ = bulk(flapping)

    assert market_of(first) == {(6050, "Normal"): 605, (6060, "Normal"): 606}
    assert "rebuilt meanwhile is not known" in first.missing[0]


def test_the_groups_are_not_read_twice_in_a_day():
    clock = FixedClock(NOW)
    product = {"productId": 1, "categoryId": 85, "groupId": 700, "name": "Card"}
    files = Files()
    files.files["/tcgplayer/85/700/products"] = answering(
        {"totalItems": 1, "success": True, "results": [product]}
    )

    async def twice(made):
        for _ in range(2):
            [page] = await all_of(made.cards("pokemon", "tcgplayer:700"))
        clock.advance(timedelta(hours=25))
        await all_of(made.cards("pokemon", "tcgplayer:700"))
        return page

    page, vendor = asking(files, twice, clock=clock)

    assert [stated.set_name for stated in page.stated] == ["Set 700"]
    assert vendor.count("/tcgplayer/3/groups") == vendor.count("/tcgplayer/85/groups") == 2


def test_a_group_that_nobody_lists_is_said_so():
    with pytest.raises(InvalidInput, match="lists no group 9"):
        asking(Files(), lambda made: all_of(made.cards("pokemon", "tcgplayer:9")))


def test_the_sandbox_gives_every_price_of_a_game():
    world = make_world(7, date(2026, 9, 1))
    vendor = TcgcsvSandbox(world)
    vendor.pacing = False
    clock = FixedClock(NOW)

    async def run(http):
        made = tcgcsv.create(http, TcgcsvSettings(enabled=True), clock)
        await made.check()
        sets = await all_of(made.sets("pokemon"))
        cards = [
            page
            for each in sets[0].sets[:3]  # one of the sandbox's groups is empty on purpose
            async for page in made.cards("pokemon", each.code)
        ]
        return sets, cards, await all_of(made.bulk("pokemon"))

    sets, cards, pages = ask(vendor, run, clock=clock)

    assert [page.incomplete for page in (*sets, *cards)] == [""] * 5
    assert not any(page.bad for page in (*sets, *cards))
    assert sum(len(page.cards) for page in cards) > 0
    for page, listed in zip(pages, sets, strict=True):
        assert page.prices.missing == ()
        assert page.prices.parts == {found.code.removeprefix("tcgplayer:") for found in listed.sets}
        assert page.prices.rejected == []
        assert len(page.prices.external_id) > 0
    assert vendor.refused == {}


def test_a_blocked_agent_is_an_error_that_says_where():
    world = make_world(7, date(2026, 9, 1))
    vendor = TcgcsvSandbox(world)
    vendor.throttle_status = 403
    vendor.max_per_second = 0

    async def run(http):
        await tcgcsv.create(http, TcgcsvSettings(enabled=True), FixedClock(NOW)).check()

    with pytest.raises(RequestRefused, match="last_updated: status 403"):
        ask(vendor, run)
