"""The few statements and settings that differ between the two databases."""
