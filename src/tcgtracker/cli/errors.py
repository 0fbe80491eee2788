"""Exit codes (0, 1 failure, 2 usage and bad input, 130 Ctrl-C) and one clear line per error."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import typer

from tcgtracker.cli.text import printable
from tcgtracker.domain.errors import InvalidInput, TrackerError

FAILURE = 1
USAGE = 2
INTERRUPTED = 130
"""128 + SIGINT, as shells report it."""
_STDOUT = 1


@dataclass(slots=True)
class Options:
    """What the options before the command say."""

    debug: bool = False


def run(app: typer.Typer, arguments: Sequence[str]) -> int:
    """Run a command and return its exit code; every error becomes one line on standard error.

    With `--debug` errors pass through, with their trace.
    """
    options = Options()
    try:
        return _invoke(app, arguments, options)
    except OSError as exc:  # a full disk, a folder that may not be written: no fault of ours
        if options.debug:
            raise
        report(": ".join(str(part) for part in (exc.filename, exc.strerror or exc) if part))
        return FAILURE
    except Exception as exc:
        if options.debug:
            raise
        # The outermost frame: whatever was not foreseen ends here, as one line.
        report(f"{type(exc).__name__}: {exc} (run with --debug for the trace)")
        return FAILURE
    finally:
        _flush()


def _invoke(app: typer.Typer, arguments: Sequence[str], options: Options) -> int:
    command = typer.main.get_command(app)
    try:
        code = command.main(
            list(arguments), prog_name="tcgtracker", standalone_mode=False, obj=options
        )
    except TrackerError as exc:
        if options.debug:
            raise
        report(str(exc) or type(exc).__name__)
        return USAGE if isinstance(exc, InvalidInput) else FAILURE
    except typer.TyperException as exc:
        report(exc.format_message())
        return exc.exit_code
    except typer.Abort as exc:
        report("aborted")
        return INTERRUPTED if isinstance(exc.__context__, KeyboardInterrupt) else FAILURE
    except KeyboardInterrupt:
        return INTERRUPTED
    return code if isinstance(code, int) else 0


def report(message: str) -> None:
    """Write `error: ...` as one line; control characters of a vendor's text are shown escaped."""
    line = "; ".join(part.strip() for part in message.splitlines() if part.strip())
    typer.echo(f"error: {printable(line)}", err=True)


def _flush() -> None:
    """Hand the output over; a reader that is gone (`| head`) is no error worth a trace."""
    try:
        sys.stdout.flush()
        if sys.__stdout__ is not None:
            sys.__stdout__.flush()  # typer may have put a wrapper in its place
    except BrokenPipeError:
        # What is left in the buffer must not be written again when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), _STDOUT)
