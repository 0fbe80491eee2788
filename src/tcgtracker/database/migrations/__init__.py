"""Alembic scripts, one a change; run by `database.migrate`."""
