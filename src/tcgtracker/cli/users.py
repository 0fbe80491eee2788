"""`tcgtracker user`: who may come in, as the operator of the machine decides."""

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from tcgtracker.cli.opening import open_tracker
from tcgtracker.domain.clock import iso

if TYPE_CHECKING:
    from tcgtracker.accounts.values import UserRow

app = typer.Typer(
    help="Make, list and keep out users of the API.", no_args_is_help=True, rich_markup_mode=None
)

Name = Annotated[str, typer.Argument(help="the user's name")]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="read the password from the standard input")
]


@app.command()
def add(
    name: Name,
    *,
    admin: Annotated[bool, typer.Option("--admin", help="may do everything")] = False,
    password_stdin: FromStdin = False,
) -> None:
    """Make a user; the first one of a database is an admin in any case."""
    from tcgtracker.database.tables.accounts import Role

    password = _password(from_stdin=password_stdin)
    with open_tracker(quiet=True) as tracker:
        if not tracker.accounts.users():
            tracker.accounts.register(name, password)
            _say(tracker.accounts.user(name))
            return
        _say(tracker.accounts.add_user(name, password, Role.ADMIN if admin else Role.USER))


@app.command()
def link(name: Name) -> None:
    """Write an address that signs the user in once, within half an hour.

    For the first look, and for whoever has forgotten a password: nobody else knows the address.
    """
    with open_tracker(quiet=True) as tracker:
        token = tracker.accounts.make_link(name)
        host, port = tracker.settings.app.host, tracker.settings.app.port
    typer.echo(f"http://{f'[{host}]' if ':' in host else host}:{port}/sign-in/link?token={token}")


@app.command("list")
def list_(
    *, as_json: Annotated[bool, typer.Option("--json", help="one JSON object a line")] = False
) -> None:
    """List the users by name."""
    with open_tracker(quiet=True) as tracker:
        found = tracker.accounts.users()
    for user in found:
        if as_json:
            row = {
                "id": str(user.id),
                "username": user.username,
                "role": user.role.value,
                "disabled": user.disabled,
                "created_at": iso(user.created_at),
            }
            typer.echo(json.dumps(row, ensure_ascii=False))
        else:
            _say(user)
    if not found and not as_json:
        typer.echo("no users yet: 'tcgtracker user add NAME' makes the admin")


@app.command()
def password(name: Name, *, password_stdin: FromStdin = False) -> None:
    """Give a user another password; all sessions of the user end."""
    given = _password(from_stdin=password_stdin)
    with open_tracker(quiet=True) as tracker:
        tracker.accounts.set_password(name, given)
    typer.echo("changed; every session has ended")


@app.command()
def disable(name: Name) -> None:
    """Keep a user out; sessions end, keys are refused."""
    with open_tracker(quiet=True) as tracker:
        _say(tracker.accounts.set_disabled(name, disabled=True))


@app.command()
def enable(name: Name) -> None:
    """Let a user in again."""
    with open_tracker(quiet=True) as tracker:
        _say(tracker.accounts.set_disabled(name, disabled=False))


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    given: str = typer.prompt("password", hide_input=True, confirmation_prompt=True)
    return given


def _say(user: "UserRow") -> None:
    state = ", disabled" if user.disabled else ""
    typer.echo(f"{user.username} ({user.role.value}{state})")
