"""Which tests one process runs one after the other."""

from xdist.scheduler import LoadScopeScheduling

_TOGETHER = (
    "tests/browser/",  # one demo and one Chromium
    "tests/contract/test_doorbell.py",  # the workers of a module
    "tests/integration/test_celery_worker.py",
    "tests/integration/test_town_faults.py",
)


class Sharing(LoadScopeScheduling):  # type: ignore[misc] # xdist ships no types
    """Every test for itself, but for those that share what is dear to start.

    xdist's own groups are written into ids that pytest 9.2 does not read any more.
    """

    def _split_scope(self, nodeid: str) -> str:
        return next((place for place in _TOGETHER if nodeid.startswith(place)), nodeid)
