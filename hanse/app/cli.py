"""The command line: ``hanse --help``.

Commands stand in `hanse.app.commands`, one file a subject. Here they are put together, and what goes wrong
becomes one sentence on standard error and an exit code: 2 bad input, 3 not found, 4 conflict, 5 not allowed,
6 limit exceeded, 7 unavailable, 1 anything else (`--debug` shows where).
"""

import errno
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import TyperException

import hanse
from hanse.app.commands import (
    asking,
    backups,
    condition,
    configuring,
    intake,
    journals,
    league,
    serving,
    stories,
    troubles,
)
from hanse.app.configuration import CONFIG
from hanse.kernel.errors import HanseError

__all__ = ["EXIT_CODES", "app", "main", "run"]

EXIT_CODES = {
    "InvalidInput": 2,
    "NotFound": 3,
    "Conflict": 4,
    "NotAllowed": 5,
    "LimitExceeded": 6,
    "Unavailable": 7,
}
INTERRUPTED = 130
DISK_ERRORS = frozenset(getattr(errno, name) for name in "EACCES EDQUOT EEXIST EIO ENOSPC ENOTDIR EPERM EROFS".split())

app = typer.Typer(name="hanse", no_args_is_help=True, pretty_exceptions_enable=False)
app.command()(serving.up)
app.command()(serving.demo)
app.command("import")(intake.import_files)
app.command()(stories.trace)
app.command()(asking.sim)
app.command()(asking.capabilities)
app.command()(asking.token)
app.command()(configuring.config)
app.command()(condition.status)
app.command()(backups.backup)
app.command()(backups.restore)
app.add_typer(journals.app, name="journal")
app.add_typer(troubles.app, name="troubles")
app.add_typer(league.app, name="league")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"hanse {hanse.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Say which version this is.", callback=_show_version, is_eager=True)
    ] = False,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", help="Configuration file.", show_default="hanse.toml in the data folder", dir_okay=False
        ),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error came from.")] = False,
) -> None:
    """An open New Retail platform: a league of independent shops, run like one, owned by its members."""
    if config is not None:
        # As a variable, because what this process starts beside itself has to read the same file.
        os.environ[CONFIG] = str(config)


def main() -> None:
    """What the installed program runs."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command; the exit code. Whatever goes wrong is one sentence on standard error."""
    try:
        code = typer.main.get_command(app).main(list(arguments), prog_name="hanse", standalone_mode=False)
        sys.stdout.flush()
    except TyperException as error:
        typer.echo(f"hanse: {error.format_message()} Try: hanse --help.", err=True)
        return error.exit_code
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read us has enough (`| head`); nothing may be written any more, not even at the exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except HanseError as error:
        return _say(arguments, f"{error.message} [{error.code}]", EXIT_CODES.get(error.kind, 1))
    except OSError as error:
        if error.errno not in DISK_ERRORS:
            return _say_bug(arguments, error)
        what = f"{error.strerror}: {error.filename}" if error.filename else error.strerror
        return _say(
            arguments, f"The disk refuses ({what}); free space, or let this process write there, then try again.", 7
        )
    except Exception as error:  # a bug: say so in one sentence, and show where to whoever asks
        return _say_bug(arguments, error)
    return code if isinstance(code, int) else 0


def _say_bug(arguments: Sequence[str], error: Exception) -> int:
    return _say(arguments, f"This is a bug ({type(error).__name__}: {error}); run it with --debug and report it.", 1)


def _say(arguments: Sequence[str], sentence: str, code: int) -> int:
    if "--debug" in arguments:
        traceback.print_exc()
    typer.echo(f"hanse: {sentence}", err=True)
    return code
