"""Memory of a process that lives long: what was freed goes back, what stays is looked at once."""

import ctypes
import gc


def give_back_memory() -> bool:
    """Let the C library return what it keeps of freed memory; False where it has no such call.

    glibc keeps it for the next time, which after the jobs of a large catalog is a hundred MiB.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return trim is not None and bool(trim(0))


def keep_for_good() -> None:
    """Let the garbage collector pass by all that is there now.

    A full collection looks at every object, and no thread runs meanwhile. What the start of a
    server has made is hundreds of thousands of them, which stay until its end.
    """
    gc.collect()
    gc.freeze()
