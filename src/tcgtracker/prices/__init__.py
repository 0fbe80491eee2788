"""The price history. In: pages of quotes. Out: what any moment reads, per series."""
