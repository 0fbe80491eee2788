"""For Celery's own commands: `celery -A tcgtracker.entrypoints.celery worker|beat|inspect`."""

from tcgtracker.bootstrap import build_celery

app = build_celery()
