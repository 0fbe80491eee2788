"""The checks of the documents find what they are for, and find nothing here."""

from pathlib import Path

import pytest

from tcgtracker.config import GROUPS, Settings
from tests.docs_check import (
    REGISTRY_HOSTS,
    ROOT,
    cli_problems,
    config_keys,
    env_problems,
    link_problems,
    main,
    problems_of,
    project_files,
    proof_problems,
    registry_problems,
    render_cli,
    render_env,
)


def test_the_documents_are_up_to_date() -> None:
    assert problems_of(ROOT) == []


def test_every_group_of_settings_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert {type(group) for group in vars(Settings()).values()} == set(GROUPS)


def test_env_differences_both_ways() -> None:
    text = render_env()
    assert env_problems(text) == []
    assert env_problems(text.replace("#DB_POOL_SIZE=10\n", "")) == [
        ".env.example: DB_POOL_SIZE is missing"
    ]
    assert env_problems(f"{text}#DB_SIZE=1\n") == [".env.example: DB_SIZE is no setting"]
    assert env_problems(text.replace("POOL_SIZE=10", "POOL_SIZE=11")) == [
        ".env.example: a description or default is old; run with --write"
    ]
    assert len(env_problems("")) == len(config_keys())


def test_the_example_is_a_working_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every default uncommented changes nothing."""
    monkeypatch.chdir(tmp_path)
    for key in config_keys():
        monkeypatch.delenv(key, raising=False)
    plain = vars(Settings())
    lines = render_env().splitlines()
    keys = [line[1:] for line in lines if line.startswith("#") and "=" in line.split(" ")[0]]
    (tmp_path / ".env").write_text("\n".join(key for key in keys if not key.startswith("DB_URL=")))
    assert len(keys) == len(config_keys())
    assert vars(Settings()) == plain


def test_old_help_is_found() -> None:
    text = render_cli()
    assert "## tcgtracker db upgrade\n" in text
    assert cli_problems(text) == []
    assert cli_problems(text.replace("--port", "--gate"))


def test_help_does_not_depend_on_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    text = render_cli()
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert render_cli() == text


def test_links(tmp_path: Path) -> None:
    (tmp_path / "docs" / "deep").mkdir(parents=True)
    (tmp_path / "README.md").write_text(
        "# One `thing`, two\n[a](docs/a.md) [b](docs/a.md#the-way) ![p](docs/none.png)\n"
        "[here](#one-thing-two) [web](https://example.org/x) [mail](mailto:a@example.org)\n"
        "```\n[not a link](nowhere.md)\n```\n"
    )
    (tmp_path / "docs" / "a.md").write_text("# The way\n[up](../README.md) [bad](b.md)\n")
    (tmp_path / "docs" / "deep" / "c.md").write_text('[x](../a.md#no-way) [y](../a.md "title")\n')
    assert link_problems(tmp_path) == [
        "README.md: docs/none.png is not there",
        "docs/a.md: b.md is not there",
        "docs/deep/c.md: ../a.md#no-way has no such heading",
    ]


def test_a_proof_that_is_gone_is_named(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "tests" / "unit").mkdir(parents=True)
    (tmp_path / "tests" / "unit" / "test_a.py").write_text("def test_one():\n    pass\n")
    (tmp_path / "docs" / "requirements.md").write_text(
        "`unit/test_a.py::test_one`, `unit/test_a.py::test_on` and `unit/test_b.py::test_one`\n"
    )
    assert proof_problems(tmp_path) == [
        "docs/requirements.md: unit/test_a.py::test_on is not there",
        "docs/requirements.md: unit/test_b.py::test_one is not there",
    ]


@pytest.mark.parametrize("host", REGISTRY_HOSTS)
def test_a_registry_is_found_wherever_it_is_named(tmp_path: Path, host: str) -> None:
    for folder in (".git", ".venv", "env", "src", ".github"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "file.txt").write_text(f"https://{host.upper()}/simple\n")
    (tmp_path / "env" / "pyvenv.cfg").touch()
    (tmp_path / ".env").write_text(host)
    found = registry_problems(tmp_path, project_files(tmp_path))
    assert found == [
        f".github/file.txt names the registry {host}",
        f"src/file.txt names the registry {host}",
    ]


def test_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--what"]) == 2
    assert "usage" in capsys.readouterr().err
    assert main([]) == 0
