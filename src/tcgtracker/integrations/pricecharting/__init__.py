"""PriceCharting. In: its price-guide CSV. Out: price pages, one a category."""
