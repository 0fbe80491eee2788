"""Intake: read -> check -> record. In: pages of a source. Out: a report that counts every row."""
