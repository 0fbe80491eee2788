"""Freed memory goes back to the system, and a full collection passes by what is there to stay."""

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


_KEPT = """
import gc, time
from tcgtracker.runtime.memory import keep_for_good

def collection_s():
    started = time.process_time()
    gc.collect()
    return time.process_time() - started

made = [{number: [number]} for number in range(300_000)]
gc.collect()
before = collection_s()
keep_for_good()
print(before / collection_s())
"""


def test_a_collection_passes_by_what_is_kept_for_good() -> None:
    done = subprocess.run([sys.executable, "-c", _KEPT], check=True, stdout=subprocess.PIPE)
    assert float(done.stdout) > 10
