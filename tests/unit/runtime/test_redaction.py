"""No secret reaches a log, whoever writes it and however it is written."""

import io
import json
import logging
import sys
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from tcgtracker.runtime.logging import MaskingFormatter, configure_logging, redact
from tcgtracker.runtime.redaction import Redactor, one_line

CANARY = "c4nary+/=é\"key's\\end"
PLAIN = "c4nary0123456789abcdef"


@pytest.mark.parametrize("write", [str, quote, quote_plus, json.dumps, repr, one_line, str.upper])
def test_known_secret_is_masked_however_it_is_written(write) -> None:
    masked = Redactor([CANARY]).text(f"before {write(CANARY)} after")
    assert "nary" not in masked.lower()
    assert masked.startswith("before ")
    assert masked.endswith(" after")


@given(st.text(min_size=4, max_size=30), st.text(max_size=40), st.text(max_size=40))
def test_any_secret_is_gone(secret: str, before: str, after: str) -> None:
    masked = Redactor([secret]).text(before + secret + after)
    assert secret not in masked.replace("***", "")


def test_longer_secret_goes_before_the_one_it_contains() -> None:
    assert Redactor(["abcd", "abcdefgh"]).text("abcdefgh abcd") == "*** ***"


def test_short_and_empty_texts_are_no_secrets() -> None:
    assert Redactor(["", "a", "abc"]).text("a card of abc") == "a card of abc"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("GET https://x.example/api?t=KEY&id=5", "GET https://x.example/api?t=***&id=5"),
        ("/p?id=5&token=KEY#x", "/p?id=5&token=***#x"),
        ('"/p?key=KEY"', '"/p?key=***"'),
        ("client_secret=KEY&grant_type=x", "client_secret=***&grant_type=x"),
        ("next=%2Fp%3Ft%3DKEY", "next=%2Fp%3Ft%3D***"),
        ("Authorization: Bearer KEY", "Authorization: Bearer ***"),
        ("authorization: KEY", "authorization: ***"),
        ("{'Authorization': 'Basic KEY=='}", "{'Authorization': 'Basic ***'}"),
        ("[(b'x-api-key', b'KEY'), (b'a', b'b')]", "[(b'x-api-key', b'***'), (b'a', b'b')]"),
        ('{"x-api-key": "KEY", "a": 1}', '{"x-api-key": "***", "a": 1}'),
        ('"{\\"X-Api-Key\\": \\"KEY\\"}"', '"{\\"X-Api-Key\\": \\"***\\"}"'),
        ("bearer 0123456789abcdef0123", "bearer ***"),
        ("at=5 cost=3 monkey=1 the key is lost", "at=5 cost=3 monkey=1 the key is lost"),
        ("Bearer of good news", "Bearer of good news"),
    ],
)
def test_what_stands_where_keys_stand_is_masked(text: str, masked: str) -> None:
    assert Redactor().text(text) == masked
    assert Redactor().text(masked) == masked


@pytest.fixture(params=[True, False], ids=["json", "console"])
def log_text(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[io.StringIO]:
    """What a process with our logging writes, from structlog and the standard library."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    root = logging.getLogger()
    former, level = root.handlers[:], root.level
    root.handlers.clear()
    configure_logging(level="DEBUG", as_json=request.param)
    yield stream
    root.handlers[:] = former
    root.setLevel(level)
    structlog.reset_defaults()


def fail_with(secret: str) -> None:
    local = secret
    raise ValueError(f"GET /p?x={local}")


def test_logs_show_no_secret(log_text: io.StringIO) -> None:
    redact([CANARY, PLAIN])
    log, standard = structlog.get_logger(), logging.getLogger("other")
    for secret in (CANARY, PLAIN):
        event = f"event {secret}"
        log.info(event, url=f"/p?x={secret}", deep={"a": [secret]}, raw=secret.encode())
        log.bind(bound=secret).warning("again")
        standard.warning("url %s", secret)
        standard.warning("dict %r", {"k": secret})
        try:
            fail_with(secret)
        except ValueError:
            log.exception("failed", value=secret)
            standard.exception("failed %s", secret)
    text = log_text.getvalue()
    assert text.count("***") >= 16
    assert "nary" not in text
    assert "fail_with" in text  # the traceback is there


def test_value_cannot_forge_a_line(log_text: io.StringIO) -> None:
    forged = 'x\r\n{"level": "error", "event": "forged"}\u2028\x1b[31m'
    structlog.get_logger().info("told", name=forged)
    logging.getLogger("other").warning("told %s", forged)
    lines = log_text.getvalue().splitlines()
    assert len(lines) == 2
    assert all("told" in line for line in lines)
    assert "\x1b[31m" not in log_text.getvalue().replace("\x1b[31m\x1b[1m", "")


def test_http_libraries_do_not_tell_urls(log_text: io.StringIO) -> None:
    for name in ("httpx2", "httpcore2", "httpcore2.http11"):
        assert not logging.getLogger(name).isEnabledFor(logging.INFO)
        assert logging.getLogger(name).isEnabledFor(logging.WARNING)


def test_formatter_keeps_the_lines_of_a_traceback() -> None:
    try:
        fail_with("nothing")
    except ValueError:
        record = logging.LogRecord("n", 40, "p", 1, "a\nb", (), sys.exc_info())
    lines = MaskingFormatter("%(message)s").format(record).splitlines()
    assert lines[:2] == ["a\\nb", "Traceback (most recent call last):"]
