"""docs/sandbox.md against the code: it lists every fault with its parameters, every option."""

import re
from datetime import date
from pathlib import Path

from tcgtracker.sandbox.make_sandbox import make_sandbox
from tcgtracker.sandbox.serving import FAULT_KINDS
from tcgtracker.sandbox.wire import TunableVendor

_TEXT = (Path(__file__).resolve().parents[3] / "docs" / "sandbox.md").read_text(encoding="utf-8")


def test_every_fault_is_listed_with_its_parameters():
    rows = {row.split("`")[1]: row for row in _TEXT.splitlines() if row.startswith("| `")}
    for kind in FAULT_KINDS:
        row = rows[kind.name]
        assert set(re.findall(r"`(\w+)`", row.split("|")[-2])) == set(kind.params), kind.name
        assert kind.catalog.replace(" ", ", ") in row


def test_every_option_of_every_vendor_is_listed():
    for vendor in make_sandbox(first_day=date(2026, 5, 1)).vendors.values():
        assert f"| {vendor.name} |" in _TEXT
        assert isinstance(vendor, TunableVendor)
        for option in vendor.options():
            assert f"`{option}`" in _TEXT, (vendor.name, option)
