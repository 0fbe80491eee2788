"""TCGdex, a free catalog of Pokemon cards. In: its cards and sets as NDJSON. Out: records."""
