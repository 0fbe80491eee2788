"""The API and the pages as one application."""

from fastapi import FastAPI

from tcgtracker.api.app import create_app
from tcgtracker.tracker import Tracker
from tcgtracker.web.app import create_pages


def create_site(tracker: Tracker, *, with_jobs: bool = False) -> FastAPI:
    """Return API and pages of a tracker, which it closes when it shuts down.

    with_jobs: run and schedule background jobs in this process too.
    """
    return create_app(tracker, with_jobs=with_jobs, pages=create_pages(tracker))
