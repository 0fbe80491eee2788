"""Servers on loopback that speak the vendors' real wire, with faults on demand.

What goes in: a seed and a day clock. What comes out: one port a vendor, a log of calls, a control
port. Only `cli` and the tests import it.
"""
