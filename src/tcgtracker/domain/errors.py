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


class QuotaExhausted(VendorError):
    """No call before `resets_at` (aware UTC)."""

    def __init__(self, vendor: str, operation: str, message: str, resets_at: datetime) -> None:
        super().__init__(vendor, operation, message)
        self.resets_at = resets_at


class FatalVendorError(VendorError):
    """Stop the vendor and tell the operator."""


class ContractBroken(FatalVendorError):
    """The answer does not have the documented shape; `operation` says where."""
