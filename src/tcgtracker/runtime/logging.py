"""Structured logs: one JSON object a line on standard error, or readable text on a terminal.

No line shows a secret: the ones that are known are masked, and what stands where keys stand.
"""

import logging
import sys
import threading
from collections.abc import Collection

import structlog

from tcgtracker.runtime.redaction import Redactor, one_line

TOLD_WITH_URLS = ("httpx", "httpx2", "httpcore", "httpcore2")
"""These log every request's whole URL as news, and headers when they debug."""


class _Known:
    """The secrets of this process. Clients and bootstrap add theirs, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._secrets: frozenset[str] = frozenset()
        self.redactor = Redactor()

    def add(self, secrets: Collection[str]) -> None:
        with self._lock:
            if not self._secrets.issuperset(secrets):
                self._secrets |= set(secrets)
                self.redactor = Redactor(self._secrets)


_known = _Known()


def redact(secrets: Collection[str]) -> None:
    """Mask these texts in every line that this process logs from now on."""
    _known.add(secrets)


def hush_http_clients() -> None:
    """Let the HTTP libraries tell of trouble only, not of each request with its URL."""
    for name in TOLD_WITH_URLS:
        logger = logging.getLogger(name)
        if logger.getEffectiveLevel() < logging.WARNING:
            logger.setLevel(logging.WARNING)


def configure_logging(*, level: str = "INFO", as_json: bool | None = None) -> None:
    """Set structlog and the standard library up to write to standard error."""
    if as_json is None:
        as_json = not sys.stderr.isatty()
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        # the default one prints the local variables of every frame, keys among them
        else structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info if as_json else _pass,
            _escape_values,
            _Masked(renderer),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(MaskingFormatter("%(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=level, handlers=[handler])
    hush_http_clients()


class MaskingFormatter(logging.Formatter):
    """Formats as the base does, on one line but for the traceback, and masks what is secret."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the base's name
        return one_line(super().formatMessage(record))

    def format(self, record: logging.LogRecord) -> str:
        return _known.redactor.text(super().format(record))


class _Masked:
    """A renderer whose text is masked as a whole, whatever the values were."""

    def __init__(self, renderer: structlog.typing.Processor) -> None:
        self._renderer = renderer

    def __call__(
        self,
        logger: structlog.typing.WrappedLogger,
        name: str,
        event: structlog.typing.EventDict,
    ) -> str:
        return _known.redactor.text(str(self._renderer(logger, name, event)))


def _escape_values(
    _logger: structlog.typing.WrappedLogger, _name: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    for key, value in event.items():
        if isinstance(value, str) and key != "exception":
            event[key] = one_line(value)
    return event


def _pass(
    _logger: structlog.typing.WrappedLogger, _name: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    return event
