"""Values of the trade and their rules. In: nothing but the standard library. Out: frozen values."""
