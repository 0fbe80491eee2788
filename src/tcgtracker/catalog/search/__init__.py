"""Search in our catalog: an index on this host's disk, built from the catalog, thrown away freely.

In: the catalog tables and what somebody typed. Out: ids of cards, best first.
"""
