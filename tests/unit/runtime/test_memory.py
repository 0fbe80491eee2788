"""Freed memory goes back to the system, where the C library can do that."""

import ctypes
import subprocess
import sys

import pytest

_PROGRAM = """
import re
from pathlib import Path
from tcgtracker.runtime.memory import give_back_memory

def resident():
    return int(re.findall(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text())[0])

pieces = [bytes(4_000) for _ in range(20_000)]
last = pieces[-1]  # what is freed below it stays with the library
del pieces
before = resident()
give_back_memory()
print(before - resident())
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="not glibc")
def test_what_was_freed_is_given_back() -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM], check=True, stdout=subprocess.PIPE)
    assert int(done.stdout) > 50_000  # KiB of the 80,000
