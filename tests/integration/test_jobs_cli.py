"""`tcgtracker jobs` on both databases."""

from pathlib import Path
from uuid import uuid4

import orjson
import pytest
from typer.testing import CliRunner, Result

from tcgtracker.cli.jobs import app
from tcgtracker.database.engine import Database
from tcgtracker.database.tables.operations import JobState
from tcgtracker.domain.errors import Conflict, InvalidInput, NotFound, StorageError
from tcgtracker.operations.context import JobContext
from tcgtracker.operations.registry import Job
from tests.unit.operations.kit import Kit


def steps(context: JobContext) -> dict[str, int]:
    context.progress(2, 2, "both")
    return {"stored": 120}


def fail(_context: JobContext) -> None:
    raise ValueError("[bold]no\x1b[31m such\ncard")


@pytest.fixture
def kit(database: Database, database_url: str, monkeypatch, tmp_path: Path) -> Kit:
    monkeypatch.setenv("DB_URL", database_url)
    monkeypatch.chdir(tmp_path)  # no .env of the checkout
    return Kit(database, Job(name="steps", handler=steps), Job(name="fail", handler=fail))


@pytest.fixture(autouse=True)
def _logging_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command sets logging up on the captured streams, which end with it."""
    monkeypatch.setattr("tcgtracker.runtime.logging.configure_logging", lambda **_: None)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


def test_list_is_empty_at_first(kit: Kit):
    assert run("list").stdout == "no jobs yet\n"
    assert run("list", "--state", "dead").stdout == "no job is dead\n"
    assert run("list", "--json").stdout == ""


def test_list_shows_the_newest_first_and_obeys_no_text_of_a_job(kit: Kit):
    done, dead = kit.enqueue("steps"), kit.enqueue("fail")
    kit.runner.run_pending()
    result = run("list")
    assert result.exit_code == 0
    rows = [row for row in result.stdout.splitlines() if str(done) in row or str(dead) in row]
    assert str(dead) in rows[0]
    assert "1/4" in rows[0]
    assert "[bold]no\ufffd[31m such\ufffdcard" in rows[0]
    assert "2/2 both" in rows[1]
    assert "2025-10-01T12:00:00Z" in rows[1]
    assert "\x1b" not in result.stdout


def test_list_says_when_there_is_more(kit: Kit):
    ids = [str(kit.enqueue("steps")) for _ in range(3)]
    result = run("list", "--limit", "2")
    assert "only the newest 2 are shown" in result.stdout
    assert [job_id in result.stdout for job_id in ids] == [False, True, True]


def test_list_as_json_is_an_object_a_line(kit: Kit):
    done, dead = kit.enqueue("steps", {"set": 7}), kit.enqueue("fail")
    kit.runner.run_pending()
    found = [orjson.loads(row) for row in run("list", "--json").stdout.splitlines()]
    assert [job["id"] for job in found] == [str(dead), str(done)]
    assert found[1]["args"] == {"set": 7}
    assert found[1]["result"] == {"stored": 120}
    assert found[1]["progress"] == {"done": 2, "total": 2, "note": "both"}
    assert found[1]["finished_at"] == "2025-10-01T12:00:00Z"
    assert found[0]["error_type"] == "ValueError"
    only = run("list", "--state", "dead", "--json").stdout.splitlines()
    assert [orjson.loads(row)["id"] for row in only] == [str(dead)]


def test_show_tells_everything(kit: Kit):
    job_id = kit.enqueue("steps", {"set": 7})
    kit.runner.run_pending()
    text = run("show", str(job_id)).stdout
    for part in (str(job_id), "steps", "done", '{"set":7}', '{"stored":120}', "2/2 both"):
        assert part in text
    assert orjson.loads(run("show", str(job_id), "--json").stdout)["state"] == "done"


def test_show_of_an_unknown_job_is_not_found(kit: Kit):
    with pytest.raises(NotFound, match="there is no job"):
        run("show", str(uuid4()))


@pytest.mark.parametrize(
    "arguments",
    [("show", "7"), ("retry", "x"), ("list", "--limit", "0")],
)
def test_wrong_usage_is_exit_code_2(kit: Kit, arguments):
    assert run(*arguments).exit_code == 2


def test_a_state_that_no_job_has_is_wrong_input(kit: Kit):
    with pytest.raises(InvalidInput, match="running"):
        run("list", "--state", "lost")


def test_retry_makes_a_dead_job_ready(kit: Kit):
    job_id = kit.enqueue("fail")
    kit.runner.run_pending()
    result = run("retry", str(job_id))
    assert (result.exit_code, f"job {job_id} is ready" in result.stdout) == (0, True)
    assert (kit.show(job_id).state, kit.show(job_id).attempts) == (JobState.READY, 0)
    with pytest.raises(Conflict, match="only a dead job"):
        run("retry", str(job_id))


def test_a_database_without_tables_says_which_command_mends_it(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("DB_URL", f"sqlite:///{tmp_path / 'new.db'}")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StorageError, match="tcgtracker db upgrade"):
        run("list")
