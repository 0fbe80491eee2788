"""A sandbox and a filled database, made once a process; a copy of it and a rewound clock a test."""

import io
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
import structlog
from sqlalchemy import make_url

from tcgtracker.runtime.logging import configure_logging
from tcgtracker.sandbox.make_sandbox import make_sandbox
from tcgtracker.sandbox.wire import TunableVendor
from tcgtracker.tracker import Tracker
from tests.conftest import new_postgres_database
from tests.integration.vendor_faults.invariants import Before, Served, check, snapshot
from tests.integration.vendor_faults.stack import CANARIES, SEEDED_AT, Seed, Stack, build, fill


@dataclass(frozen=True)
class Template:
    seed: Seed
    file: Path


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Template]:
    folder = tmp_path_factory.mktemp("vendor_faults")
    file = folder / "template.db"
    with make_sandbox(first_day=date(2026, 5, 1), now=SEEDED_AT, pacing=False) as sandbox:
        for vendor, keys in CANARIES.items():
            sandbox.tune(vendor, **keys)
        # Undone before anything else runs: this fixture lives as long as the process.
        with pytest.MonkeyPatch.context() as monkeypatch:
            monkeypatch.chdir(folder)  # where no .env is
            tracker = build(sandbox, f"sqlite:///{file}", monkeypatch)
            fill(tracker)
            tracker.close()
        options = {
            name: vendor.options()
            for name, vendor in sandbox.vendors.items()
            if isinstance(vendor, TunableVendor)
        }
        yield Template(Seed(sandbox, Served(sandbox.served()), options), file)


@pytest.fixture(scope="session")
def postgres_template(template: Template) -> Iterator[str]:
    """The name of a filled PostgreSQL database."""
    sandbox = template.seed.sandbox
    with new_postgres_database() as url:
        sandbox.clear_faults()
        sandbox.clock.set(SEEDED_AT)
        with pytest.MonkeyPatch.context() as monkeypatch:
            tracker = build(sandbox, url, monkeypatch)
            fill(tracker)
            tracker.close()
        yield make_url(url).database or ""


@pytest.fixture
def stack(
    template: Template,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> Iterator[Stack]:
    """A filled tracker on SQLite; what must hold after every fault is checked at the end."""
    monkeypatch.chdir(tmp_path)  # where no .env is
    file = tmp_path / "tracker.db"
    shutil.copyfile(template.file, file)
    yield from _stack(f"sqlite:///{file}", template.seed, monkeypatch, capsys, caplog)


@pytest.fixture(params=["sqlite", "postgresql"])
def each_stack(
    request: pytest.FixtureRequest,
    template: Template,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> Iterator[Stack]:
    """As `stack`, once for each engine."""
    monkeypatch.chdir(tmp_path)
    if request.param == "sqlite":
        file = tmp_path / "tracker.db"
        shutil.copyfile(template.file, file)
        yield from _stack(f"sqlite:///{file}", template.seed, monkeypatch, capsys, caplog)
        return
    name = request.getfixturevalue("postgres_template")
    with new_postgres_database(template=name) as url:
        yield from _stack(url, template.seed, monkeypatch, capsys, caplog)


def _stack(
    url: str,
    seed: Seed,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> Iterator[Stack]:
    seed.rewind()
    caplog.set_level("DEBUG")
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    configure_logging(level="DEBUG", as_json=True)

    def wire(settings: Mapping[str, str]) -> Tracker:
        return build(seed.sandbox, url, monkeypatch, settings)

    tracker = wire({})
    stack = Stack(seed.sandbox, tracker, seed, log, wire)
    try:
        before: Before = snapshot(tracker)
        yield stack
        seed.sandbox.clear_faults()
        said = capsys.readouterr()
        check(stack, before, [said.out, said.err, log.getvalue(), caplog.text])
    finally:
        stack.tracker.close()
        structlog.reset_defaults()
        seed.rewind()
