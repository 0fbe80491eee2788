"""The sandbox as it is usually wanted: one world, and every vendor that shows it."""

from collections.abc import Collection
from datetime import date, datetime, timedelta

from tcgtracker.sandbox.ebay import EbaySandbox
from tcgtracker.sandbox.justtcg import JustTcgSandbox
from tcgtracker.sandbox.make_world import make_world
from tcgtracker.sandbox.pricecharting import PriceChartingSandbox
from tcgtracker.sandbox.serving import Sandbox, noon
from tcgtracker.sandbox.tcgcsv import TcgcsvSandbox
from tcgtracker.sandbox.tcgplayer import TcgplayerSandbox
from tcgtracker.sandbox.wire import SandboxVendor

DEFAULT_SEED = 1
_CALM: dict[str, dict[str, object]] = {
    "pricecharting": {"call_pause_s": 0.0, "csv_pause_s": 0.0},
    "justtcg": {"pacing": 0.0},
    "tcgcsv": {"pacing": False},
}
"""The options that switch the limits per second and per minute off."""


def make_sandbox(
    *,
    seed: int = DEFAULT_SEED,
    first_day: date,
    now: datetime | None = None,
    speed: float = 0.0,
    port_base: int = 0,
    pacing: bool = True,
    codes: Collection[str] | None = None,
) -> Sandbox:
    """Return a sandbox that is not started yet.

    first_day: of the world. now: noon of the day after it when nothing is given. pacing: whether
    the vendors hold to their limits per second and per minute; quotas always hold. codes: of the
    only sets that there are, all of them otherwise.
    """
    world = make_world(seed, first_day, codes=codes)
    vendors: list[SandboxVendor] = [
        PriceChartingSandbox(world),
        JustTcgSandbox(world),
        TcgcsvSandbox(world),
        TcgplayerSandbox(world),
        EbaySandbox(world),
    ]
    sandbox = Sandbox(
        vendors,
        now=now or noon(first_day + timedelta(days=1)),
        speed=speed,
        port_base=port_base,
    )
    if not pacing:
        for vendor, options in _CALM.items():
            sandbox.tune(vendor, **options)
    return sandbox
