import contextlib
import http.client
import json
import time
import zlib
from email.utils import parsedate_to_datetime

import pytest

from tcgtracker.sandbox.serving import FAULT_KINDS
from tests.unit.sandbox.calling import call
from tests.unit.sandbox.echo_vendor import NOON, echo_sandbox


@pytest.fixture(scope="module")
def sandbox():
    with echo_sandbox() as running:
        yield running


@pytest.fixture
def url(sandbox):
    sandbox.clear_faults()
    sandbox.reset()
    yield sandbox.urls["echo"]
    sandbox.clear_faults()


def test_every_vendor_fault_of_the_catalogue_has_a_switch():
    served = {line for kind in FAULT_KINDS for line in kind.catalog.split()}
    # V21 (a fallback that flaps) is `refuse` with a period_s at one vendor.
    assert served == {f"V{number}" for number in range(1, 25)} - {"V21"}


def test_refused_connection_and_the_same_port_afterwards(sandbox, url):
    sandbox.fault("refuse")
    with pytest.raises(ConnectionRefusedError):
        call(url)
    assert sandbox.fired() == {"echo refuse": 1}
    sandbox.clear_faults()
    assert call(url).status == 200


def test_kept_connection_ends_when_the_door_closes(sandbox, url):
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    connection.request("GET", "/")
    connection.getresponse().read()
    sandbox.fault("refuse")
    assert connection.sock is not None
    connection.sock.settimeout(10)
    assert connection.sock.recv(1) == b""
    connection.close()


def test_flapping_door_opens_by_itself(sandbox, url):
    sandbox.fault("refuse", period_s=0.3)
    with pytest.raises(ConnectionRefusedError):
        call(url)
    until = time.monotonic() + 10
    status = 0
    while not status and time.monotonic() < until:
        with contextlib.suppress(ConnectionError):
            status = call(url).status
        time.sleep(0.02)
    assert status == 200


@pytest.mark.parametrize("name", ["reset_at_accept", "not_http"])
def test_broken_connection_is_in_the_log(sandbox, url, name):
    sandbox.fault(name, first=1)
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        call(url)
    assert call(url).status == 200
    assert [one.faults for one in sandbox.calls()] == [(name,), ()]


@pytest.mark.parametrize(
    ("form", "stated"),
    [
        ("seconds", "30"),
        ("negative", "-5"),
        ("zero", "0"),
        ("junk", "soon, please"),
        ("ten_years", "315360000"),
        ("fraction", "30.5"),
        ("none", None),
    ],
)
def test_retry_after_forms(sandbox, url, form, stated):
    sandbox.fault("rate_limited", params={"retry_after": form})
    answer = call(url)
    assert (answer.status, answer.headers.get("retry-after")) == (429, stated)


def test_retry_after_date_is_by_the_clock_of_the_sandbox(sandbox, url):
    sandbox.fault("rate_limited", params={"retry_after": "date", "seconds": 90, "text": True})
    answer = call(url)
    when = parsedate_to_datetime(answer.headers["retry-after"])
    assert (when - NOON).total_seconds() == 90
    assert answer.headers["content-type"] == "text/plain"


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("server_error", 500),
        ("html_error", 502),
        ("unauthorized", 401),
        ("forbidden", 403),
        ("quota_exhausted", 429),
        ("redirect", 302),
        ("empty", 200),
        ("no_content", 204),
    ],
)
def test_answers_instead_of_the_vendors(sandbox, url, name, status):
    sandbox.fault(name)
    answer = call(url)
    assert answer.status == status
    assert b"Pikachu" not in answer.body
    (logged,) = sandbox.calls()
    assert (logged.status, logged.faults) == (status, (name,))


def test_token_faults_are_for_the_token_address_only(sandbox, url):
    sandbox.fault("token_down")
    assert call(url, "/identity/v1/oauth2/token").status == 503
    assert call(url, "/browse").status == 200
    sandbox.clear_faults()
    sandbox.fault("token_lifetime")
    assert call(url, "/token").json()["expires_in"] == 0


def test_which_calls_a_fault_is_for(sandbox, url):
    def statuses(calls: int, **which: object) -> list[int]:
        sandbox.clear_faults()
        sandbox.fault("server_error", **which)
        return [call(url, "/a").status for _ in range(calls)]

    assert statuses(4, nth=2) == [200, 500, 200, 200]
    assert statuses(4, first=2) == [500, 500, 200, 200]
    assert statuses(4, every=2) == [200, 500, 200, 500]
    assert statuses(4, after=3) == [200, 200, 200, 500]
    assert statuses(2, path="/b") == [200, 200]
    assert statuses(2, pattern="^/[ab]$") == [500, 500]
    assert statuses(2, method="POST") == [200, 200]
    drawn = statuses(20, probability=0.5, seed=7)
    assert 0 < drawn.count(500) < 20
    assert statuses(20, probability=0.5, seed=7) == drawn


def test_slow_body_takes_its_time_and_arrives_whole(sandbox, url):
    plain = call(url, "/x").body
    sandbox.fault("slow", params={"bytes": 100, "pause_s": 0.05})
    began = time.monotonic()
    assert call(url, "/x").body == plain
    assert time.monotonic() - began > 0.1


def test_stall_keeps_the_client_waiting(sandbox, url):
    sandbox.fault("stall")
    with pytest.raises(TimeoutError):
        call(url, timeout=0.2)
    (logged,) = sandbox.calls()
    assert (logged.faults, logged.whole) == (("stall",), False)


def test_truncated_json_is_whole_http(sandbox, url):
    sandbox.fault("truncated")
    answer = call(url)
    assert len(answer.body) == int(answer.headers["content-length"])
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    assert sandbox.served() == []


@pytest.mark.parametrize("name", ["cut", "reset"])
def test_connection_that_ends_early_has_served_nothing(sandbox, url, name):
    sandbox.fault(name)
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        call(url)
    assert sandbox.served() == []


def test_short_length_hides_the_rest(sandbox, url):
    plain = call(url).body
    sandbox.fault("short_length")
    assert call(url).body == plain[: len(plain) // 2]


def test_wrong_encodings(sandbox, url):
    sandbox.fault("bom", first=1)
    assert call(url).body[:3] == b"\xef\xbb\xbf"
    assert len(sandbox.served()) == 2
    sandbox.clear_faults()
    sandbox.fault("latin1")
    with pytest.raises(UnicodeDecodeError):
        call(url).body.decode()
    sandbox.clear_faults()
    sandbox.fault("wrong_type")
    assert call(url).headers["content-type"] == "text/html"


def test_gzip_bomb_is_small_on_the_wire_and_sound(sandbox, url):
    sandbox.fault("gzip_bomb", params={"mb": 3})
    answer = call(url, headers={"Accept-Encoding": "gzip"})
    assert len(answer.body) < 20_000
    assert zlib.decompress(answer.body, wbits=31) == b" " * 3 * 2**20


def test_huge_body_is_never_held(sandbox, url):
    sandbox.fault("huge_body", params={"mb": 5})
    assert call(url).body == bytes(5 * 2**20)
    assert sandbox.served() == []


def test_deep_json(sandbox, url):
    sandbox.fault("deep_json", params={"depth": 50})
    assert call(url).body == b"[" * 50 + b"]" * 50


@pytest.mark.parametrize(
    ("name", "prices"),
    [
        ("price_negative", '"price":-12.5 "price":-7'),
        ("price_zero", '"price":0.0 "price":0'),
        ("price_null", '"price":null "price":null'),
        ("price_nan", '"price":NaN "price":NaN'),
        ("price_infinite", '"price":Infinity "price":Infinity'),
        ("price_comma", '"price":"1,234.50" "price":"1,234.50"'),
        ("price_huge", '"price":1e400 "price":1e400'),
        ("price_spike", '"price":12500.0 "price":7000'),
    ],
)
def test_prices_not_to_believe(sandbox, url, name, prices):
    sandbox.fault(name)
    text = call(url).body.decode()
    for price in prices.split():
        assert price in text


def test_prices_of_a_csv_keep_its_form(sandbox, url):
    sandbox.fault("price_negative")
    assert call(url, "/csv").body.decode().splitlines()[1] == "1,Pikachu #1,-$12.50"


def test_spoilt_price_is_listed_as_served(sandbox, url):
    sandbox.fault("price_spike", params={"match": {"id": "1"}})
    call(url)
    assert [price.value for price in sandbox.served()] == ["12500.0", "7"]


def test_drift_of_the_schema(sandbox, url):
    sandbox.fault("field_gone")
    assert "name" not in call(url).json()["data"][0]
    sandbox.clear_faults()
    sandbox.fault("field_retyped", params={"keys": "^price$", "limit": 1})
    rows = call(url).json()["data"]
    assert (rows[0]["price"], rows[1]["price"]) == ({"amount": 12.5}, 7)
    sandbox.clear_faults()
    sandbox.fault("field_set", params={"keys": "^currency$", "value": "Galleon"})
    assert call(url).json()["data"][0]["currency"] == "Galleon"


def test_currency_changed_and_missing(sandbox, url):
    sandbox.fault("currency_changed")
    assert {row["currency"] for row in call(url).json()["data"]} == {"EUR"}
    sandbox.clear_faults()
    sandbox.fault("currency_missing")
    assert all("currency" not in row for row in call(url).json()["data"])


def test_duplicates(sandbox, url):
    sandbox.fault("duplicate")
    rows = call(url).json()["data"]
    assert rows[0] == rows[1]
    sandbox.clear_faults()
    sandbox.fault("duplicate_differs")
    rows = call(url).json()["data"]
    assert (rows[0]["id"], rows[0]["price"]) == (rows[1]["id"], rows[1]["price"] / 2)


def test_names_and_ids_that_change(sandbox, url):
    sandbox.fault("renamed")
    assert call(url).json()["data"][0]["name"] == "Pikachu (Renamed)"
    sandbox.clear_faults()
    sandbox.fault("html_name")
    assert call(url).json()["data"][0]["name"] == "<script>alert(1)</script>Pikachu"
    sandbox.clear_faults()
    sandbox.fault("id_reused")
    assert [(row["id"], row["name"]) for row in call(url).json()["data"]] == [
        ("2", "Pikachu"),
        ("1", "Mew"),
    ]


def test_paging_that_does_not_end(sandbox, url):
    sandbox.fault("paging_loop")
    sandbox.fault("endless_next")
    answer = call(url, "/x?offset=1").json()
    assert [row["id"] for row in answer["data"]] == ["1", "2"]
    assert answer["meta"] == {"total": 1_000_000_000, "hasMore": True}


def test_totals_and_pages_that_shift(sandbox, url):
    sandbox.fault("lying_total")
    assert call(url).json()["meta"]["total"] == 1002
    sandbox.clear_faults()
    sandbox.fault("shifted_pages")
    assert call(url, "/x?offset=1").json()["data"] == []
    assert len(call(url, "/x?offset=0").json()["data"]) == 2


def test_yesterdays_answer_as_it_was_and_as_new(sandbox, url):
    today = call(url).json()
    sandbox.fault("stale")
    old = call(url).json()
    assert today["at"] != old["at"]
    assert today["data"][1]["lastUpdated"] - old["data"][1]["lastUpdated"] == 86_400
    sandbox.fault("restamped")
    assert call(url).json()["data"][1]["lastUpdated"] == old["data"][1]["lastUpdated"]


def test_fault_that_changed_nothing_has_not_fired(sandbox, url):
    rule = sandbox.fault("currency_changed", path="/csv")
    call(url, "/csv")
    assert (rule.seen, rule.fired) == (1, 0)
    assert sandbox.calls()[0].faults == ()
