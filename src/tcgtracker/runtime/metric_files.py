"""The files in which the processes of one host count, when there are several.

Each process has a file a kind of metric, named by its id. Those of a process that ended are folded
into one, so that no counter falls and the folder does not grow with each process that came and
went.
"""

import fcntl
import json
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_KINDS = ("counter", "histogram")
_GONE = "gone"
"""In the place of a process id: all that ended."""
_LOCK, _JOURNAL = "fold.lock", "fold.json"


@contextmanager
def settled(folder: Path) -> Iterator[None]:
    """Fold what ended processes counted; inside, no other process folds.

    Whoever adds the files up does it inside: a file is never read twice, nor missed.
    """
    with (folder / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / _JOURNAL).exists():
            _finish(folder)  # whoever folded last was killed over it
        for path in folder.glob(f"*_{_GONE}.new"):
            path.unlink()  # or before it had begun to count
        for path in folder.glob("gauge_live*_*.db"):
            if _is_dead(path):
                path.unlink()
        dead = [path for kind in _KINDS for path in folder.glob(f"{kind}_*.db") if _is_dead(path)]
        if dead:
            _fold(folder, dead)
        yield


def _fold(folder: Path, dead: Sequence[Path]) -> None:
    for kind in _KINDS:
        kept = folder / f"{kind}_{_GONE}.db"
        parts = [path for path in dead if path.name.startswith(f"{kind}_")]
        if parts:
            _add_up([*([kept] if kept.exists() else []), *parts], _made(kept))
    # From this moment on the sums stand for the files: a kill before it changes nothing, one after
    # it is made good by the next who looks.
    draft = folder / f"{_JOURNAL}.new"
    draft.write_text(json.dumps([path.name for path in dead]))
    draft.rename(folder / _JOURNAL)
    _finish(folder)


def _finish(folder: Path) -> None:
    journal = folder / _JOURNAL
    for name in json.loads(journal.read_text()):
        (folder / name).unlink(missing_ok=True)
    for kind in _KINDS:
        kept = folder / f"{kind}_{_GONE}.db"
        if _made(kept).exists():
            _made(kept).rename(kept)
    journal.unlink()


def _made(kept: Path) -> Path:
    return kept.with_suffix(".new")


def _add_up(parts: Sequence[Path], target: Path) -> None:
    from prometheus_client.mmap_dict import MmapedDict  # late: see `metrics`

    sums: defaultdict[str, float] = defaultdict(float)
    for path in parts:
        for key, value, _, _ in MmapedDict.read_all_values_from_file(str(path)):  # type: ignore[no-untyped-call]
            sums[key] += value
    target.unlink(missing_ok=True)
    made = MmapedDict(str(target))  # type: ignore[no-untyped-call]
    for key, value in sums.items():
        made.write_value(key, value, 0.0)  # type: ignore[no-untyped-call]
    made.close()  # type: ignore[no-untyped-call]


def _is_dead(path: Path) -> bool:
    """Tell whether the process of a file is gone."""
    pid = path.stem.rpartition("_")[2]
    if not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
