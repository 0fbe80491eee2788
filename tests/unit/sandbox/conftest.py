"""One world for all tests of the sandbox: it is frozen, and takes a moment to make."""

from datetime import date

import pytest

from tcgtracker.sandbox.make_world import make_world
from tcgtracker.sandbox.world import World


@pytest.fixture(scope="session")
def world() -> World:
    return make_world(7, date(2026, 9, 1))
