"""What can go wrong, sorted by what the caller should do next."""

from datetime import datetime


class TrackerError(Exception):
    """The base of every error that we raise on purpose."""


class InvalidInput(TrackerError):
    """What was given cannot be used; the message says how to correct it."""


class NotFound(TrackerError):
    """The thing that was named does not exist."""


class Conflict(TrackerError):
    """The state of the thing forbids what was asked."""


class NotPermitted(TrackerError):
    """The caller may not do this."""


class StorageError(TrackerError):
    """The database cannot be used as it is; the message says what the operator does about it."""


class Deadlock(StorageError):
    """Two transactions waited for one another, and this one was given up: the same again works."""


class Busy(StorageError):
    """Somebody else writes, for longer than the caller waits: the same again works later."""


class StateChanged(TrackerError):
    """Another recorder was faster: read again and repeat. Never reaches a user."""


class VendorError(TrackerError):
    """A vendor's answer could not be used."""

    def __init__(self, vendor: str, operation: str, message: str, request_id: str = "") -> None:
        super().__init__(f"{vendor}: {operation}: {message}")
        self.vendor = vendor
        self.operation = operation
        self.request_id = request_id


class RetryableVendorError(VendorError):
    """Worth asking again later."""


class Unavailable(RetryableVendorError):
    """The vendor could not be reached, or answered with a server error."""


class VendorTimeout(RetryableVendorError):
    """The whole answer was not there within the deadline."""


class RateLimited(RetryableVendorError):
    """Too fast: no call before `retry_at` (aware UTC)."""

    def __init__(
        self, vendor: str, operation: str, message: str, *, retry_at: datetime, request_id: str = ""
    ) -> None:
        super().__init__(vendor, operation, message, request_id)
        self.retry_at = retry_at


class SourcePaused(VendorError):
    """Not called, and no attempt: an open breaker or a wait that the vendor asked for."""

    def __init__(self, vendor: str, operation: str, message: str, *, until: datetime) -> None:
        super().__init__(vendor, operation, message)
        self.until = until


class QuotaExhausted(SourcePaused):
    """The budget of a day or a month is spent: no call before `until` (aware UTC)."""


class FatalVendorError(VendorError):
    """Stop the vendor and tell the operator."""


class SourceDisabled(FatalVendorError):
    """Not called: no credentials, switched off, or stopped because the vendor refused them."""


class BadCredentials(FatalVendorError):
    """The vendor refuses the key; no call before the operator has mended it."""


class RequestRefused(FatalVendorError):
    """The vendor says that this very request is wrong; the same one again is refused again."""


class ContractBroken(FatalVendorError):
    """The answer does not have the documented shape; `operation` says where."""
