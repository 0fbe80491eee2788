"""What the documents promise, compared with the code: `python -m tests.docs_check [--write]`."""

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from typer.main import get_command
from typer.testing import CliRunner

from tcgtracker.cli import app
from tcgtracker.config import GROUPS

ROOT = Path(__file__).resolve().parents[1]
_SKIPPED = frozenset({"build", "dist", "node_modules"})
_LARGEST = 4 << 20
_HELP_WIDTH = 90
_KEY = re.compile(r"^#? ?([A-Z][A-Z0-9_]*)=", re.MULTILINE)
_LINK = re.compile(
    r"(?<!!)\[[^\]\n]*\]\(\s*<?([^)\s>]+)>?[^)\n]*\)|!\[[^\]\n]*\]\(([^)\s]+)[^)\n]*\)"
)
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_PROOF = re.compile(r"`([a-z_/]+\.py)::(test_\w+)`")
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
# Written in two parts, so that this file does not name them either. The lock must not depend on
# where it was made, and a document must not send a reader to one registry.
REGISTRY_HOSTS = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("registry", "yarnpkg", "com"),
        ("jsdelivr", "net"),
        ("unpkg", "com"),
        ("anaconda", "org"),
        ("crates", "io"),
        ("proxy", "golang", "org"),
    )
)


def render_env() -> str:
    """Return `.env.example`: every setting with its description, its default commented out."""
    lines = [
        "# Every setting. Copy to .env, uncomment what you change; the environment wins over .env.",
        "# Made from src/tcgtracker/config.py by: python -m tests.docs_check --write",
    ]
    for group in GROUPS:
        lines += ["", f"# {(group.__doc__ or '').strip().splitlines()[0]}"]
        prefix = group.model_config.get("env_prefix", "")
        for name, field in group.model_fields.items():
            lines.append(f"# {field.description}")
            lines.append(f"#{prefix}{name.upper()}={_default(field)}")
    return "\n".join(lines) + "\n"


def _default(field: FieldInfo) -> str:
    value: Any = field.default
    if field.default_factory is not None or value is None:
        return ""  # made for the machine at hand, as the file in the user's data folder
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return str(value).lower() if isinstance(value, bool) else str(value)


def config_keys() -> set[str]:
    """Return the environment names of all settings."""
    return {
        f"{group.model_config.get('env_prefix', '')}{name.upper()}"
        for group in GROUPS
        for name in group.model_fields
    }


def env_problems(text: str) -> list[str]:
    """Return how an `.env.example` differs from the settings."""
    found, known = set(_KEY.findall(text)), config_keys()
    problems = [f".env.example: {key} is missing" for key in sorted(known - found)]
    problems += [f".env.example: {key} is no setting" for key in sorted(found - known)]
    problems += [
        f"config.py: {group.__name__}.{name} has no description"
        for group in GROUPS
        for name, field in group.model_fields.items()
        if not field.description
    ]
    if not problems and text != render_env():
        problems.append(".env.example: a description or default is old; run with --write")
    return problems


def render_cli() -> str:
    """Return `docs/cli.md`: the help of every command."""
    parts = [
        "# Commands",
        "The help of every command, made by `python -m tests.docs_check --write`.",
        "Exit codes: 0 done, 1 failure, 2 wrong usage or input, 130 Ctrl-C.",
    ]
    runner = CliRunner()
    for path in command_paths(get_command(app)):
        shown = runner.invoke(
            app, [*path, "--help"], prog_name="tcgtracker", terminal_width=_HELP_WIDTH, color=False
        )
        if shown.exit_code:
            raise RuntimeError(f"{' '.join(path)} --help failed: {shown.output}")
        text = "\n".join(line.rstrip() for line in shown.stdout.strip().splitlines())
        parts.append(f"## {' '.join(('tcgtracker', *path))}")
        parts.append(f"```text\n{text}\n```")
    return "\n\n".join(parts) + "\n"


def command_paths(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the words of each command, groups before their commands, in alphabetical order."""
    if getattr(command, "hidden", False):
        return
    yield path
    for name, child in sorted(getattr(command, "commands", {}).items()):
        yield from command_paths(child, (*path, name))


def cli_problems(text: str) -> list[str]:
    """Return whether the pasted help is that of the commands."""
    return [] if text == render_cli() else ["docs/cli.md is old; run with --write"]


def link_problems(root: Path) -> list[str]:
    """Return the relative links of README.md and docs/ that lead nowhere, anchors included."""
    problems = []
    for document in (root / "README.md", *sorted((root / "docs").rglob("*.md"))):
        text = _FENCE.sub("", document.read_text(encoding="utf-8"))
        for match in _LINK.finditer(text):
            target = match[1] or match[2]
            if re.match(r"[a-z][a-z0-9+.-]*:", target, re.IGNORECASE):
                continue
            name, _, anchor = target.partition("#")
            path = (document.parent / name) if name else document
            where = f"{document.relative_to(root)}: {target}"
            if not path.exists():
                problems.append(f"{where} is not there")
            elif anchor and path.suffix == ".md" and anchor not in _anchors(path):
                problems.append(f"{where} has no such heading")
    return problems


def proof_problems(root: Path) -> list[str]:
    """Return the tests that docs/requirements.md names and that are not below tests/."""
    problems = []
    for name, test in _PROOF.findall(_read(root / "docs" / "requirements.md")):
        if not re.search(rf"\bdef {test}\(", _read(root / "tests" / name)):
            problems.append(f"docs/requirements.md: {name}::{test} is not there")
    return problems


def _anchors(document: Path) -> set[str]:
    headings = _HEADING.findall(_FENCE.sub("", document.read_text(encoding="utf-8")))
    return {
        re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()).replace(" ", "-")
        for heading in headings
    }


def registry_problems(root: Path, files: Iterable[Path]) -> list[str]:
    """Return the files that name a host of a package registry."""
    return [
        f"{file.relative_to(root)} names the registry {host}"
        for file in files
        for host in REGISTRY_HOSTS
        if host.encode() in file.read_bytes().lower()
    ]


def project_files(root: Path) -> Iterator[Path]:
    """Yield the files of the project: no environment, cache, database or hidden folder."""
    for entry in sorted(root.iterdir()):
        if entry.is_dir():
            if entry.name.startswith((".", "__")) or entry.name in _SKIPPED:
                if entry.name != ".github":
                    continue
            elif (entry / "pyvenv.cfg").exists():
                continue
            yield from project_files(entry)
        elif entry.name != ".env" and entry.stat().st_size <= _LARGEST:
            yield entry


def problems_of(root: Path) -> list[str]:
    """Return all that is wrong with the documents under a folder."""
    return [
        *env_problems(_read(root / ".env.example")),
        *cli_problems(_read(root / "docs" / "cli.md")),
        *link_problems(root),
        *proof_problems(root),
        *registry_problems(root, project_files(root)),
    ]


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def main(arguments: Sequence[str]) -> int:
    """Check, or with `--write` make the generated documents anew first."""
    if arguments not in ([], ["--write"]):
        sys.stderr.write("usage: python -m tests.docs_check [--write]\n")
        return 2
    if arguments:
        (ROOT / "docs").mkdir(exist_ok=True)
        (ROOT / ".env.example").write_text(render_env(), encoding="utf-8")
        (ROOT / "docs" / "cli.md").write_text(render_cli(), encoding="utf-8")
    problems = problems_of(ROOT)
    sys.stderr.writelines(f"{problem}\n" for problem in problems)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
