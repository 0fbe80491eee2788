"""The command line. In: arguments. Out: text or JSON, and an exit code."""

import sys
from typing import Annotated, NoReturn

import typer

from tcgtracker.cli import (
    backup,
    cards,
    compare,
    db,
    demo,
    distributed,
    doctor,
    flags,
    holds,
    imports,
    jobs,
    links,
    plan,
    sandbox,
    seal,
    search,
    serve,
    sources,
    sync,
    update,
    users,
    workers,
)
from tcgtracker.cli.errors import Options, run

app = typer.Typer(
    name="tcgtracker",
    help="Track trading-card prices, with the provenance of every number.",
    add_completion=False,  # it would edit the user's shell files
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # help is plain text: it starts faster and is pasted into the docs
)
app.add_typer(db.app, name="db")
app.add_typer(flags.app, name="flags")
app.add_typer(holds.app, name="holds")
app.add_typer(imports.app, name="import")
app.add_typer(jobs.app, name="jobs")
app.add_typer(links.app, name="links")
app.add_typer(sources.app, name="sources")
app.add_typer(sync.app, name="sync")
app.add_typer(users.app, name="user")
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.command("api")(serve.api)
app.command("card")(cards.card)
app.command("compare")(compare.compare)
app.command("consensus")(compare.consensus)
app.command("demo")(demo.demo)
app.command("distributed")(distributed.distributed)
app.command("doctor")(doctor.doctor)
app.command("history")(cards.history)
app.command("plan")(plan.plan)
app.command("sandbox")(sandbox.sandbox)
app.command("seal")(seal.seal)
app.command("cleanup")(seal.cleanup)
app.command("scheduler")(workers.scheduler)
app.command("search")(search.search)
app.command("serve")(serve.serve)
app.command("update")(update.update)
app.command("worker")(workers.worker)


def _version(value: bool) -> None:  # noqa: FBT001 - typer calls it with the flag
    if value:
        from tcgtracker import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _root(
    ctx: typer.Context,
    *,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the trace of an error, not its message alone.")
    ] = False,
    _show_version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_version, is_eager=True),
    ] = False,
) -> None:
    ctx.ensure_object(Options).debug = debug
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())
        raise typer.Exit(2)


def main() -> NoReturn:
    """Run the command that the arguments name; the console script."""
    sys.exit(run(app, sys.argv[1:]))
