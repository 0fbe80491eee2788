"""Memory that was freed, back to the system."""

import ctypes


def give_back_memory() -> bool:
    """Let the C library return what it keeps of freed memory; False where it has no such call.

    glibc keeps it for the next time, which after the jobs of a large catalog is a hundred MiB.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return trim is not None and bool(trim(0))
