"""Benches: each figure beside its limit, measured side by side in one run. `make bench`."""
